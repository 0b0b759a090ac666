"""The indexer and search on a real Elasticsearch, and the whole indexer process between a real Kafka and it."""

import contextlib
import datetime as dt
import http.server
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import msgspec
import pytest

from pipeline import bus
from pipeline.index import actions, bulk, client, errors, indexer, search, sizes, templates
from pipeline.local import ports
from pipeline.records import Money, Party, Place, encode
from pipeline.settings import Http, Indexer, Retention
from tests.make import (
    KYIV,
    MOSCOW,
    NOW,
    RUSSIA,
    UKRAINE,
    USA,
    make_aid,
    make_alert,
    make_document,
    make_event,
    make_failure,
    make_feedback,
    make_meeting,
    make_sanctions,
    make_story,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

HOUR = dt.timedelta(hours=1)
prefixes = (f"t{number}" for number in itertools.count())


def changed(settings, **options):
    """Settings with other options of elasticsearch."""
    return msgspec.structs.replace(settings, elasticsearch=msgspec.structs.replace(settings.elasticsearch, **options))


@pytest.fixture
def settings(stack):
    """A corner of the server of one's own, set up."""
    mine = changed(stack, index_prefix=next(prefixes), bulk_records=500, refresh_seconds=0.05)
    mine = msgspec.structs.replace(mine, indexer=Indexer(backoff_max_seconds=0.1, batch_wait_seconds=0.05))
    mine = msgspec.structs.replace(mine, retention=Retention(failures_days=0))  # those of the tests have a fixed day
    with client.opened(mine) as es:
        client.set_up(es, mine)
    return mine


@contextlib.contextmanager
def writing(settings, quarantined=None, stop=None):
    es = client.connect(settings)
    keep = [] if quarantined is None else quarantined
    stop = stop or threading.Event()
    try:
        yield bulk.BulkWriter(settings, client.ElasticsearchServer(es, settings), keep.extend, stop)
    finally:
        stop.set()  # a thread of a test that failed must not wait for ever
        es.close()


def messages(topic, *records):
    return [bus.Message(topic, 0, n, None, r if isinstance(r, bytes) else encode(r), 0) for n, r in enumerate(records)]


def batch(number):
    """So many records of every kind that is indexed."""
    fifth = number // len(actions.INDICES)
    events = [
        make_sanctions(evidence=f"The US imposed sanctions number {n} on Russia", places=(MOSCOW,))
        for n in range(fifth)
    ]
    stories = [make_story(id=f"s{n}", revision=3) for n in range(fifth)]
    return [
        *messages(bus.DOCUMENTS, *(make_document(f"Text number {n}.") for n in range(fifth))),
        *messages(bus.EVENTS, *events),
        *messages(bus.STORIES, *stories),
        *messages(bus.ALERTS, *(make_alert(id=f"a{n}") for n in range(fifth))),
        *messages(bus.QUARANTINE, *(make_failure(id=f"f{n}") for n in range(fifth))),
        *messages(bus.FEEDBACK, *(make_feedback(id=f"b{n}") for n in range(fifth))),
    ]


def contents(settings):
    """Everything in the indices: id -> (index, source)."""
    every = f"{settings.elasticsearch.index_prefix}-*"

    def ask():
        with client.opened(settings) as es:
            es.indices.refresh(index=every)
            return es.search(index=every, size=10_000).body["hits"]["hits"]

    return {hit["_id"]: (hit["_index"], hit["_source"]) for hit in client._retried(ask)}


def one(settings, identifier):
    return contents(settings)[identifier][1]["news"]


# --- writing ---------------------------------------------------------------------------------------------------------


def test_more_than_two_thousand_records_are_indexed_and_a_replay_changes_neither_counts_nor_contents(settings):
    whole, quarantined = batch(2400), []
    with writing(settings, quarantined) as writer:
        writer.handle(whole)
        first = contents(settings)
        writer.handle(whole)
        writer.handle(list(reversed(whole)))
    prefix = settings.elasticsearch.index_prefix
    assert client.counts(settings) == {actions.alias(prefix, name): 400 for name in actions.INDICES}
    assert len(first) == 2400
    assert contents(settings) == first
    assert quarantined == []
    assert {found[0] for found in first.values()} == {f"{prefix}-{name}-v1-2024.05" for name in actions.INDICES[:5]} | {
        f"{prefix}-feedback-v1-all",
    }


def test_one_bad_document_among_good_ones_goes_to_quarantine_and_the_rest_is_indexed(settings):
    good, quarantined = [make_event(evidence=f"e{n}") for n in range(50)], []
    bad = make_event(evidence="an offset that no text has", start=3_000_000_000)
    with writing(settings, quarantined) as writer:
        writer.handle(messages(bus.EVENTS, *good[:25], bad, b"garbage", *good[25:]))
    assert set(contents(settings)) == {event.id for event in good}
    assert [(f.offset, f.error_type) for f in sorted(quarantined, key=lambda f: f.offset)] == [
        (25, "DocumentError"),
        (26, "RecordError"),
    ]
    failed = next(f for f in quarantined if f.offset == 25)
    assert "news.start" in failed.error
    assert failed.raw == encode(bad)


def test_an_older_fetch_never_overwrites_a_newer_one(settings):
    old, new = make_document("t", title="old"), make_document("t", title="new", fetched_at=NOW + HOUR)
    with writing(settings) as writer:
        writer.handle(messages(bus.DOCUMENTS, new, old))
        assert one(settings, new.id)["title"] == "new"
        writer.handle(messages(bus.DOCUMENTS, old))
    assert one(settings, new.id)["title"] == "new"


def test_the_same_fetch_read_by_a_better_detector_is_written_over(settings):
    event = make_event(fetched_at=NOW)
    with writing(settings) as writer:
        writer.handle(messages(bus.EVENTS, event))
        writer.handle(messages(bus.EVENTS, msgspec.structs.replace(event, confidence=0.25)))
    assert one(settings, event.id)["confidence"] == 0.25


def test_a_story_is_as_its_highest_revision_says_whatever_the_order(settings):
    with writing(settings) as writer:
        writer.handle(messages(bus.STORIES, *(make_story(revision=r, headline=f"r{r}") for r in (1, 4, 2, 3))))
    news = one(settings, make_story().id)
    assert (news["revision"], news["headline"]) == (4, "r4")


def test_an_alert_raised_again_stays_as_it_was(settings):
    with writing(settings) as writer:
        writer.handle(messages(bus.ALERTS, make_alert(), make_alert(raised_at=NOW + HOUR)))
    assert one(settings, make_alert().id)["raised_at"] == NOW.isoformat()


def test_extreme_records_are_indexed_and_not_refused(settings):
    word = "x" * 40_000
    records = [
        make_event(evidence=word, trigger=word, publisher="é" * 40_000, article_url="https://news.example/" + word),
        make_event(actors=tuple(Party(text=f"p{n}", name=word) for n in range(3000))),
        make_event(
            places=(Place(text="X", lat=1e9, lon=5.0),), money=(Money(text="x", value=1.7e308, currency="USD"),)
        ),
        make_event(confidence=0.0, start=2**31 - 1, items=("\x00", "\U0001f4a5", "\u202e")),
    ]
    quarantined = []
    with writing(settings, quarantined) as writer:
        writer.handle(messages(bus.EVENTS, *records))
    assert quarantined == []
    assert set(contents(settings)) == {record.id for record in records}


# --- when the server is away, busy, or not ours ----------------------------------------------------------------------


class Proxy:
    """A TCP line to a server that can be cut and mended."""

    def __init__(self, target):
        self.port = ports.free(1)[0]
        self._target = target
        self._listener = None
        self._open = []

    def mend(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        while self._open:
            self._open.pop().close()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for one_end, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one_end, other), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(settings):
    """(settings that go through a line, the line)."""
    proxy = Proxy(settings.local.elasticsearch_port)
    proxy.mend()
    yield changed(settings, url=f"http://127.0.0.1:{proxy.port}"), proxy
    proxy.cut()


def test_a_server_that_goes_away_in_the_middle_is_waited_for_and_nothing_is_lost(settings, line):
    through, proxy = line
    through = changed(through, bulk_records=20)
    whole, quarantined = batch(1200), []
    with writing(through, quarantined) as writer:
        work = threading.Thread(target=writer.handle, args=(whole,), daemon=True)
        work.start()
        wait_until(lambda: len(contents(settings)) > 100)
        proxy.cut()
        wait_until(lambda: writer.progress.problem)
        assert work.is_alive()
        assert len(contents(settings)) < 1200
        proxy.mend()
        work.join(60)
        assert not work.is_alive()
        assert writer.progress.problem == ""
    assert len(contents(settings)) == 1200
    assert quarantined == []


def test_a_server_that_comes_back_empty_gets_its_templates_again(settings, line):
    through, proxy = line
    prefix = settings.elasticsearch.index_prefix
    with writing(through) as writer:
        writer.handle(messages(bus.EVENTS, make_event()))
        proxy.cut()
        work = threading.Thread(target=writer.handle, args=(messages(bus.EVENTS, make_meeting()),), daemon=True)
        work.start()
        wait_until(lambda: writer.progress.problem)
        with client.opened(settings) as es:
            es.indices.delete(index=f"{prefix}-events-v1-2024.05")
            es.indices.delete_index_template(name=f"{prefix}-events")
        proxy.mend()
        work.join(60)
    assert client.counts(settings)[f"{prefix}-events"] == 1


def test_a_stop_while_the_server_is_away_ends_at_once(settings):
    nowhere, stop = changed(settings, url=f"http://127.0.0.1:{ports.free(1)[0]}"), threading.Event()
    nowhere = msgspec.structs.replace(nowhere, indexer=Indexer(backoff_max_seconds=30))
    with writing(nowhere, stop=stop) as writer:
        threading.Timer(0.5, stop.set).start()
        began = time.monotonic()
        with pytest.raises(errors.StoppedError):
            writer.handle(messages(bus.EVENTS, make_event()))
        assert time.monotonic() - began < 20, "the pause between two tries is up to 30 s"


class Stub(http.server.BaseHTTPRequestHandler):
    """Answers /_bulk from a list of (status, body or function of the number of items); remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    answers: list
    asked: list

    def do_PUT(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).split(b"\n")[:-1]
        identifiers = [next(iter(json.loads(line).values()))["_id"] for line in lines[::2]]
        self.asked.append(identifiers)
        status, body = self.answers.pop(0) if self.answers else (200, [201] * len(identifiers))
        if isinstance(body, list):
            items = [
                {"index": {"_id": i, "status": s, "result": "created"} if s < 300 else _refused(i, s)}
                for i, s in zip(identifiers, body, strict=True)
            ]
            body = {"errors": any(s >= 300 for s in body), "items": items}
        self._answer(status, body)

    def do_GET(self):
        self._answer(200, {"nodes": {"n": {"version": "8.19.5"}}})

    def _answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


def _refused(identifier, status):
    return {
        "_id": identifier,
        "status": status,
        "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"},
    }


@contextlib.contextmanager
def stub(settings, *answers):
    handler = type("Handler", (Stub,), {"answers": list(answers), "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield changed(settings, url=f"http://127.0.0.1:{server.server_address[1]}"), handler.asked
    finally:
        server.shutdown()
        server.server_close()


ERROR = {
    "error": {
        "type": "security_exception",
        "reason": "missing authentication",
        "root_cause": [{"reason": "missing authentication"}],
    }
}


def test_a_server_with_a_full_queue_gets_all_of_it_in_the_end_and_no_more_than_was_not_taken(settings):
    events = [make_event(evidence=f"e{n}") for n in range(4)]
    ids, quarantined = [event.id for event in events], []
    answers = [(429, ERROR), (503, ERROR), (200, [201, 429, 201, 429]), (200, [503, 201]), (429, ERROR)]
    with stub(settings, *answers) as (there, asked), writing(there, quarantined) as writer:
        writer.handle(messages(bus.EVENTS, *events))
    assert asked == [ids, ids, ids, [ids[1], ids[3]], [ids[1]], [ids[1]]]
    assert quarantined == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_does_not_know_us_stops_the_indexer_with_its_reason(settings, status):
    with stub(settings, (status, ERROR)) as (there, asked), writing(there) as writer:
        with pytest.raises(errors.RefusedError, match=f"{status}.*missing authentication"):
            writer.handle(messages(bus.EVENTS, make_event()))
        assert len(asked) == 1


def test_a_request_too_large_for_the_server_is_halved(settings):
    events = [make_event(evidence=f"e{n}") for n in range(4)]
    with stub(settings, (413, ERROR)) as (there, asked), writing(there) as writer:
        writer.handle(messages(bus.EVENTS, *events))
    assert [len(request) for request in asked] == [4, 2, 2]


def test_a_server_of_another_major_version_is_refused_by_name(settings):
    with (
        stub(settings) as (there, _),
        writing(there) as writer,
        pytest.raises(errors.RefusedError, match=r"8\.19\.5.*9\.x only"),
    ):
        writer.prepare()


def closed(settings, index):
    with client.opened(settings) as es:
        es.indices.close(index=index)


def opened_again(settings, index):
    with client.opened(settings) as es:
        es.indices.open(index=index)


def pipeline_gone(settings, index):
    with client.opened(settings) as es:
        es.indices.put_settings(index=index, settings={"index.default_pipeline": "gone"})


def pipeline_not_asked_for(settings, index):
    with client.opened(settings) as es:
        es.indices.put_settings(index=index, settings={"index.default_pipeline": None})


def read_only(settings, index):
    with client.opened(settings) as es:
        es.indices.put_settings(index=index, settings={"index.blocks.read_only_allow_delete": True})


def writable(settings, index):
    with client.opened(settings) as es:
        es.indices.put_settings(index=index, settings={"index.blocks.read_only_allow_delete": None})


@pytest.mark.parametrize(
    ("harm", "mend"),
    [(closed, opened_again), (pipeline_gone, pipeline_not_asked_for), (read_only, writable)],
)
def test_where_every_document_of_an_index_would_fail_the_indexer_waits_and_names_it(settings, harm, mend):
    index = f"{settings.elasticsearch.index_prefix}-events-v1-2024.05"
    quarantined = []
    with writing(settings, quarantined) as writer:
        writer.handle(messages(bus.EVENTS, make_event()))
        harm(settings, index)
        work = threading.Thread(target=writer.handle, args=(messages(bus.EVENTS, make_meeting()),), daemon=True)
        work.start()
        wait_until(lambda: index in writer.progress.problem)
        assert work.is_alive()
        assert not writer.progress.ready(now=0, stall_seconds=60)[0]
        mend(settings, index)
        work.join(60)
        assert not work.is_alive()
        assert writer.progress.problem == ""
    assert quarantined == []
    assert client.counts(settings)[f"{settings.elasticsearch.index_prefix}-events"] == 2


def test_the_status_tells_the_closed_index_and_the_size_of_all_others(settings):
    prefix = settings.elasticsearch.index_prefix
    with writing(settings) as writer:
        writer.handle([*messages(bus.EVENTS, make_event()), *messages(bus.STORIES, make_story())])
    closed(settings, f"{prefix}-events-v1-2024.05")
    found = sizes.health(settings)
    assert found["reachable"]
    assert found["indices"][f"{prefix}-stories"]["documents"] == 1
    assert found["indices"][f"{prefix}-events"]["problem"] == f"closed: {prefix}-events-v1-2024.05"


def test_an_index_that_has_lost_its_alias_gets_it_again(settings):
    prefix = settings.elasticsearch.index_prefix
    index = f"{prefix}-events-v1-2024.05"
    with writing(settings) as writer:
        writer.handle(messages(bus.EVENTS, make_event()))
    with client.opened(settings) as es:
        es.indices.delete_alias(index=index, name=f"{prefix}-events")
    assert client.counts(settings)[f"{prefix}-events"] == 0
    with client.opened(settings) as es:
        assert client.probe(es, settings) == "ok"
        assert client.restore_aliases(es, settings) == ()
    assert client.counts(settings)[f"{prefix}-events"] == 1


# --- the indices -----------------------------------------------------------------------------------------------------


def test_set_up_twice_changes_nothing_and_the_server_is_of_our_version(settings):
    with client.opened(settings) as es:
        client.set_up(es, settings)
        assert client.check_server(es).startswith("9.")


def test_a_field_of_a_new_release_is_added_to_the_index_of_the_running_month(settings):
    name = f"{settings.elasticsearch.index_prefix}-alerts-v1-2024.05"
    with client.opened(settings) as es:
        es.indices.delete_index_template(name=f"{settings.elasticsearch.index_prefix}-alerts")
        old = templates.mapping("alerts")
        del old["properties"]["news"]["properties"]["channels"]
        es.indices.create(
            index=name,
            mappings=old,
            settings={"number_of_replicas": 0},
            aliases={f"{settings.elasticsearch.index_prefix}-alerts": {}},
        )
        client.set_up(es, settings)
    quarantined = []
    with writing(settings, quarantined) as writer:
        writer.handle(messages(bus.ALERTS, make_alert()))
    assert quarantined == []
    assert one(settings, make_alert().id)["channels"] == ["terminal"]


def test_an_index_that_contradicts_our_mapping_is_an_error_that_names_it(settings):
    name = f"{settings.elasticsearch.index_prefix}-alerts-v1-2020.01"
    with client.opened(settings) as es:
        es.indices.delete_index_template(name=f"{settings.elasticsearch.index_prefix}-alerts")
        es.indices.create(
            index=name, mappings={"properties": {"rule": {"type": "keyword"}}}, settings={"number_of_replicas": 0}
        )
        with pytest.raises(errors.RefusedError, match="the mapping of .*-alerts-v1-"):
            client.set_up(es, settings)


def test_health_counts_and_the_latest_are_told(settings):
    events = [make_event(evidence=f"e{n}", first_seen_at=NOW - n * HOUR) for n in range(5)]
    with writing(settings) as writer:
        writer.handle([*messages(bus.EVENTS, *reversed(events)), *messages(bus.ALERTS, make_alert())])
    prefix = settings.elasticsearch.index_prefix
    health = sizes.health(settings)
    assert (health["reachable"], health["status"]) == (True, "green")
    assert health["indices"][f"{prefix}-events"]["documents"] == 5
    assert health["indices"][f"{prefix}-events"]["bytes"] > 1000
    assert health["indices"][f"{prefix}-stories"] == {"documents": 0, "bytes": 0, "problem": ""}
    assert [found["_id"] for found in client.latest(settings, 2)] == [events[0].id, events[1].id]
    assert [found["rule"]["name"] for found in client.latest(settings, 2, name="alerts")] == ["leaders-meet"]
    assert client.latest(settings, 2, name="stories") == []


def test_a_server_that_is_not_there_is_told_and_not_raised_by_health(settings):
    nowhere = changed(settings, url=f"http://127.0.0.1:{ports.free(1)[0]}")
    health = sizes.health(nowhere)
    assert (health["reachable"], health["indices"]) == (False, {})
    assert "does not answer" in health["error"]
    with pytest.raises(errors.UnavailableError, match="does not answer"):
        client.counts(nowhere)
    with pytest.raises(errors.UnavailableError, match="does not answer"):
        search.search(nowhere, "sanctions")


# --- searching -------------------------------------------------------------------------------------------------------

TEXTS = {
    "wanted": make_sanctions(
        recipients=(Party(text="the Kremlin", country="RUS"),), evidence="The Treasury blacklisted two banks and a shipping firm"
    ),
    "reverse": make_event("sanctions", "SANCTION", actors=(RUSSIA,), recipients=(USA,), evidence="Russia imposed sanctions on American officials"),
    "other": make_event("sanctions", "SANCTION", actors=(USA,), recipients=(Party(text="Iran", name="Iran", country="IRN"),), evidence="The US imposed new sanctions on Iran"),
    "meeting": make_meeting(),
    "aid": make_aid(),
    "strike": make_event("strike", "ASSAULT", actors=(RUSSIA,), recipients=(UKRAINE,), places=(KYIV,), evidence="Missiles struck Kyiv overnight"),
    "stale": make_sanctions(evidence="Washington sanctioned Russian banks", first_seen_at=NOW - 40 * 24 * HOUR),
    "fresh": make_sanctions(evidence="Washington sanctioned Russian banks", first_seen_at=NOW - HOUR),
}  # fmt: skip


@pytest.fixture(scope="module")
def library(stack):
    """A few events to search in."""
    mine = changed(stack, index_prefix="library")
    with client.opened(mine) as es:
        client.set_up(es, mine)
    with writing(mine) as writer:
        writer.handle(messages(bus.EVENTS, *TEXTS.values()))
    assert client.counts(mine)["library-events"] == len(TEXTS)
    return mine


def found(library, text, **options):
    names = {event.id: name for name, event in TEXTS.items()}
    return [names[hit["id"]] for hit in search.search(library, text, now=NOW, **options).hits]


def test_sanctions_on_a_country_are_found_by_what_they_are_and_not_by_the_words_used(library):
    names = found(library, "sanctions on Russia", kind="sanctions")
    assert {"wanted", "fresh", "stale", "reverse"} == set(names)
    assert names[-1] == "reverse"


def test_the_newer_of_two_alike_comes_first(library):
    names = found(library, "sanctions on Russia")
    assert names.index("fresh") < names.index("stale")


def test_since_leaves_out_what_is_older(library):
    assert "stale" not in found(library, "sanctions on Russia", since="7d")
    assert "stale" in found(library, "sanctions on Russia", since="2024-01-01")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("missile strikes kyiv", "strike"),
        ("meeting of Putin and Xi", "meeting"),
        ("aid packages for Ukraine", "aid"),
        ("ASSAULT", "strike"),
        ("sanctions against Iran", "other"),
    ],
)
def test_other_forms_of_a_word_and_the_names_of_kinds_and_types_find_an_event(library, text, first):
    assert found(library, text)[0] == first


def test_kind_alone_lists_all_of_it_newest_first(library):
    assert found(library, "", kind="sanctions")[-1] == "stale"
    assert len(found(library, "", kind="sanctions")) == 5


def test_the_total_is_told_beyond_the_limit(library):
    result = search.search(library, "", limit=2, now=NOW)
    assert (result.total, len(result.hits)) == (len(TEXTS), 2)


def test_what_is_not_there_is_not_found(library, stack):
    assert found(library, "volleyball") == []
    assert found(library, "", kind="no_such_kind") == []
    assert search.search(changed(stack, index_prefix="nobody"), "sanctions", now=NOW) == search.SearchResult(0, ())


@pytest.mark.parametrize("text", ['" OR 1=1', "*:*", "a" * 20_000, "\x00", "((((", "/.*/", "\\"])
def test_any_text_can_be_searched(library, text):
    assert found(library, text) == []


# --- the process -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(settings):
    """The indexer process in a thread of this one."""
    stop, ended = threading.Event(), []

    def work():
        try:
            indexer.run(settings, stop=stop)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
        assert ended == []


def ask(settings, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.http.indexer_port}{path}", timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
    except OSError:
        return 0, {}


def publish(settings, topic, *values):
    publisher = bus.Publisher(settings)
    for number, value in enumerate(values):
        publisher.send(topic, b"%d" % number, value)
    publisher.flush()
    publisher.close()


def lag(settings):
    lags = [lag for lag in bus.lags(settings) if lag.group == bus.INDEXER_GROUP]
    return sum(lag.records for lag in lags) if lags else None


@pytest.fixture
def process(settings):
    """Settings of an indexer process of one's own, that reads the shared topics from their start."""
    bus.create_topics(settings)
    if lag(settings) is not None:  # a test before this one has left its offsets
        bus.reset(settings, bus.INDEXER_GROUP, bulk.TYPES)
    return msgspec.structs.replace(settings, http=Http(indexer_port=ports.free(1)[0]))


def total(settings):
    return sum(client.counts(settings).values())


def test_the_process_indexes_the_topics_and_a_replay_of_them_changes_no_count(process):
    records = [make_event(evidence=f"process {n}") for n in range(300)]
    publish(process, bus.EVENTS, *map(encode, records), b"garbage")
    publish(process, bus.DOCUMENTS, encode(make_document("process")))
    publish(process, bus.STORIES, encode(make_story()))
    publish(process, bus.ALERTS, encode(make_alert()))
    alias = f"{process.elasticsearch.index_prefix}-"
    with running(process):
        wait_until(lambda: client.counts(process)[alias + "failures"] == 1)
        wait_until(lambda: lag(process) == 0)
        wait_until(lambda: ask(process, "/readyz")[0] == 200)
        assert ask(process, "/healthz")[0] == 200
        first = contents(process)
    assert {record.id for record in records} <= set(first)
    bus.reset(process, bus.INDEXER_GROUP, bulk.TYPES)
    with running(process):
        wait_until(lambda: lag(process) == 0)
        wait_until(lambda: total(process) >= len(first))
    # The garbage is met again at the same place: the same failure, by the same id, and one failure it remains.
    assert contents(process) == first


def test_the_process_waits_for_an_elasticsearch_that_is_away_says_so_and_loses_nothing(process):
    proxy = Proxy(process.local.elasticsearch_port)
    through = changed(process, url=f"http://127.0.0.1:{proxy.port}")
    event = make_event(evidence="published while nobody could index it")
    with running(through):
        wait_until(lambda: ask(process, "/healthz")[0] == 200)
        assert ask(process, "/readyz")[0] == 503
        publish(process, bus.EVENTS, encode(event))
        proxy.mend()
        wait_until(lambda: event.id in contents(process))
        wait_until(lambda: ask(process, "/readyz")[0] == 200)
        proxy.cut()
        wait_until(lambda: ask(process, "/readyz")[0] == 503)
        assert "Elasticsearch" in str(ask(process, "/readyz")[1]) or "onnection" in str(ask(process, "/readyz")[1])
        assert ask(process, "/healthz")[0] == 200
        proxy.mend()
        wait_until(lambda: ask(process, "/readyz")[0] == 200)
    proxy.cut()


@contextlib.contextmanager
def spawned(settings):
    """The indexer as a process of its own, for as long as the block runs."""
    code = (
        "import msgspec, sys; from pipeline import settings; from pipeline.index import indexer; "
        "indexer.run(msgspec.json.decode(sys.argv[1], type=settings.Settings))"
    )
    command = [sys.executable, "-c", code, msgspec.json.encode(settings).decode()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.kill()


def test_killed_in_the_middle_it_leaves_nothing_out_and_nothing_twice(process):
    mine = changed(process, bulk_records=20)
    records = [make_event(evidence=f"kill {n}") for n in range(800)]
    wanted = {record.id for record in records}
    publish(mine, bus.EVENTS, *map(encode, records))
    with spawned(mine):
        wait_until(lambda: len(wanted & set(contents(mine))) > 40)
    before = len(wanted & set(contents(mine)))
    assert 0 < before < len(records)
    with spawned(mine) as child:
        wait_until(lambda: wanted <= set(contents(mine)))
        wait_until(lambda: lag(mine) == 0)
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(30) == 0
    events = client.query(
        mine, "events", size=0, query={"match_phrase": {"news.evidence": "kill"}}, track_total_hits=True
    )
    assert events["hits"]["total"]["value"] == len(records)


def test_a_process_that_elasticsearch_refuses_ends_with_the_reason(process):
    with stub(process) as (there, _), pytest.raises(errors.RefusedError, match=r"8\.19\.5"):
        indexer.run(there, stop=threading.Event())
