"""The bulk loop and the real client, over a connection that answers as scripted: every record has one outcome, none is lost."""

import json
import threading
import types
from dataclasses import dataclass

import elastic_transport
import elasticsearch
import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from pipeline import bus
from pipeline.index.bulk import BACKOFF_SECONDS, TRIES, BulkWriter, backoff_seconds, item_result
from pipeline.index.client import ElasticsearchServer
from pipeline.index.errors import RefusedError, StoppedError, UnavailableError
from pipeline.index.index_table import IndexTable
from pipeline.records import encode
from pipeline.settings import Elasticsearch, Indexer, Retention, Settings
from tests.make import make_alert, make_document, make_event, make_failure, make_story

CREATED = {"status": 201, "result": "created"}
UPDATED = {"status": 200, "result": "updated"}
CONFLICT = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "there already"}}
BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
BAD = {
    "status": 400,
    "error": {
        "type": "document_parsing_exception",
        "reason": "no",
        "caused_by": {"reason": "out of range\nSource: secret text"},
    },
}
BROKEN = {"status": 500, "error": {"type": "null_pointer_exception"}}


def argument(reason):
    return {"status": 400, "error": {"type": "illegal_argument_exception", "reason": reason}}


LOST = "lost"
"""In place of the status of a request: there is no connection."""


class Scripted:
    """Answers by document id from a script; what is not in it is created. Remembers each request's ids and its bytes.

    `requests` are the statuses of the first requests as a whole: None lets the documents decide.
    """

    def __init__(self, script=(), requests=()):
        self.script = {key: list(answers) for key, answers in dict(script).items()}
        self.requests = list(requests)
        self.seen = []
        self.sizes = []
        self.prepared = 0

    def prepare(self):
        self.prepared += 1
        return "9.5.4"

    def status(self, ids):
        return self.requests.pop(0) if self.requests else None

    def send(self, body):
        headers = [next(iter(json.loads(line).values())) for line in body.splitlines()[::2]]
        self.seen.append([header["_id"] for header in headers])
        self.sizes.append(len(body))
        status = self.status(self.seen[-1])
        if status == LOST:
            raise elastic_transport.ConnectionError("gone")
        if status is not None:
            return status, {"error": {"type": "scripted", "reason": "scripted"}, "status": status}
        return 200, {"items": [{"index": self._answer(header["_id"])} for header in headers]}

    def _answer(self, identifier):
        answers = self.script.get(identifier)
        return CREATED if not answers else answers.pop(0) if len(answers) > 1 else answers[0]


def connection(scripted):
    """The connection of a client, as far as it is used: requests in, the scripted answers out."""

    class Node(elastic_transport.BaseNode):
        def perform_request(self, method, target, body=None, headers=None, request_timeout=None):
            assert (method, target) == ("PUT", "/_bulk")
            status, answer = scripted.send(body)
            found = HttpHeaders({"x-elastic-product": "Elasticsearch", "content-type": "application/json"})
            meta = ApiResponseMeta(status, "1.1", found, 0.0, NodeConfig("http", "es.example", 9200))
            return types.SimpleNamespace(meta=meta, body=json.dumps(answer).encode())

        def close(self):
            pass

    return Node


@dataclass
class Server:
    """The real bulk requests, and a set-up that is only counted."""

    scripted: Scripted
    bulk: ElasticsearchServer

    def prepare(self):
        return self.scripted.prepare()

    def places(self):
        return IndexTable()

    def write(self, documents, *, max_records):
        return self.bulk.write(documents, max_records=max_records)


def message(topic, record, offset=0):
    value = record if isinstance(record, bytes) or record is None else encode(record)
    return bus.Message(topic, 1, offset, b"k", value, 0)


def writer(scripted, *, quarantined=None, stop=None, **options):
    es = elasticsearch.Elasticsearch("http://es.example:9200", node_class=connection(scripted), max_retries=0)
    settings = Settings(
        elasticsearch=Elasticsearch(**options), indexer=Indexer(backoff_max_seconds=0.001),
        retention=Retention(failures_days=0),  # the failures of the tests have a fixed day
    )  # fmt: skip
    keep = quarantined.extend if quarantined is not None else _none
    server = Server(scripted, ElasticsearchServer(es, settings))
    return BulkWriter(settings, server, keep, stop or threading.Event(), chance=lambda: 0.0)


def _none(failures):
    assert failures == []


class Counted:
    """How much a metric grows."""

    def __init__(self, name, **labels):
        self.name, self.labels = name, labels
        self.before = self._now()

    def _now(self):
        return REGISTRY.get_sample_value(self.name, self.labels) or 0.0

    @property
    def grown(self):
        return self._now() - self.before


def outcomes(outcome, reason=""):
    return Counted("dateline_records_total", stage="index", outcome=outcome, reason=reason)


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (CREATED, "created"),
        (UPDATED, "updated"),
        (CONFLICT, "unchanged"),
        (BAD, "failed"),
        (BUSY, "retry"),
        (BROKEN, "server_error"),
        ({"status": 503, "error": {"type": "unavailable_shards_exception"}}, "retry"),
        ({"status": 403, "error": {"type": "security_exception"}}, "refused"),
        ({"status": 401, "error": {"type": "security_exception"}}, "refused"),
        ({"status": 403, "error": {"type": "cluster_block_exception", "reason": "index read-only"}}, "retry"),
        ({"status": 404, "error": {"type": "index_not_found_exception"}}, "retry"),
        ({"status": 400, "error": {"type": "index_closed_exception", "reason": "closed"}}, "retry"),
        (argument("no write index is defined for alias [news-documents]"), "retry"),
        (argument("pipeline with id [geo] does not exist"), "retry"),
        (argument("Limit of total fields [1000] has been exceeded"), "retry"),
        (argument("mapper [news.kind] cannot be changed"), "failed"),
        ({"status": 400, "error": {"type": "validation_exception", "reason": "too many shards open"}}, "retry"),
        ({"status": 400, "error": {"type": "strict_dynamic_mapping_exception"}}, "failed"),
        ({"status": 400, "error": "a text of an older server"}, "failed"),
        ({}, "server_error"),
    ],
)
def test_an_answer_means_one_thing(item, expected):
    assert item_result(item)[0] == expected


def test_the_reason_tells_the_cause_without_the_text_of_the_document():
    assert item_result(BAD)[1] == "document_parsing_exception: no: out of range"


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_waiting_doubles_at_random_up_to_the_longest(chance):
    waits = [backoff_seconds(attempt, 30, chance) for attempt in range(1, 200)]
    assert all(BACKOFF_SECONDS / 2 <= wait <= 30 for wait in waits)
    assert waits == sorted(waits)
    assert waits[-1] == 15 + 15 * chance
    assert waits[0] < 1


def test_a_request_is_bounded_in_records_and_order_is_kept():
    events = [make_event(evidence=f"e{n}") for n in range(10)]
    server = Scripted()
    writer(server, bulk_records=4).handle([message(bus.EVENTS, e) for e in events])
    assert server.seen == [[e.id for e in events[:4]], [e.id for e in events[4:8]], [e.id for e in events[8:]]]


def test_a_request_is_bounded_in_bytes_and_a_record_that_is_larger_goes_alone():
    events = [make_event(evidence="e" * (5000 if n == 2 else 10) + str(n)) for n in range(5)]
    server = Scripted()
    writer(server, bulk_bytes=4500).handle([message(bus.EVENTS, e) for e in events])
    assert [len(ids) for ids in server.seen] == [2, 1, 2]
    assert server.sizes[1] > 5000
    assert max(server.sizes[0], server.sizes[2]) <= 4500


def test_nothing_makes_no_request():
    server = Scripted()
    writer(server).handle([])
    assert server.seen == []


# --- outcomes --------------------------------------------------------------------------------------------------------


def test_every_record_of_a_batch_has_exactly_one_outcome():
    bad, event, known = make_event(evidence="bad"), make_event(), make_document()
    quarantined, server = [], Scripted({bad.id: [BAD], known.id: [CONFLICT]})
    ok, rejected, lost = outcomes("ok"), outcomes("rejected", "empty"), outcomes("quarantined")
    batch = [
        message(bus.EVENTS, event),
        message(bus.EVENTS, bad, 1),
        message(bus.DOCUMENTS, known),
        message(bus.STORIES, None),
        message(bus.STORIES, make_story()),
        message(bus.ALERTS, make_alert()),
        message(bus.EVENTS, b"garbage", 2),
    ]
    writer(server, quarantined=quarantined).handle(batch)
    assert (ok.grown, rejected.grown, lost.grown) == (4, 1, 2)
    assert {(f.error_type, f.offset) for f in quarantined} == {("DocumentError", 1), ("RecordError", 2)}
    assert all(f.stage == "index" and f.topic == bus.EVENTS for f in quarantined)
    assert [f.raw for f in quarantined if f.offset == 2] == [b"garbage"]


@pytest.mark.parametrize(("answer", "outcome"), [(CREATED, "created"), (UPDATED, "updated"), (CONFLICT, "unchanged")])
def test_what_is_there_already_counts_as_success(answer, outcome):
    event = make_event()
    grown = Counted("dateline_indexed_total", index="news-events", outcome=outcome)
    writer(Scripted({event.id: [answer]})).handle([message(bus.EVENTS, event)])
    assert grown.grown == 1


@pytest.mark.parametrize(("answer", "ages"), [(CREATED, 1), (UPDATED, 0), (CONFLICT, 0)])
def test_the_age_of_an_article_is_measured_when_it_is_new_and_not_on_a_replay(answer, ages):
    document = make_document()
    grown = Counted("dateline_article_age_seconds_count", stage="index")
    writer(Scripted({document.id: [answer]})).handle([message(bus.DOCUMENTS, document)])
    assert grown.grown == ages


def test_a_failure_of_a_record_in_quarantine_is_not_put_there_again():
    quarantined, failure = [], make_failure()
    server, lost = Scripted({failure.id: [BAD]}), outcomes("quarantined")
    writer(server, quarantined=quarantined).handle(
        [message(bus.QUARANTINE, failure), message(bus.QUARANTINE, b"garbage")]
    )
    assert quarantined == []
    assert lost.grown == 2


# --- trying again ----------------------------------------------------------------------------------------------------


def test_only_the_records_that_were_not_taken_are_sent_again():
    one, two = make_event(evidence="one"), make_event(evidence="two")
    server, again = Scripted({two.id: [BUSY, BUSY, CREATED]}), outcomes("retried")
    writer(server).handle([message(bus.EVENTS, one), message(bus.EVENTS, two)])
    assert server.seen == [[one.id, two.id], [two.id], [two.id]]
    assert again.grown == 2


def test_a_full_queue_is_waited_for_however_long_it_takes():
    event, ok = make_event(), outcomes("ok")
    writer(Scripted({event.id: [BUSY] * 50 + [CREATED]})).handle([message(bus.EVENTS, event)])
    assert ok.grown == 1


def test_a_document_that_breaks_the_server_is_given_up_after_a_few_tries():
    event, quarantined = make_event(), []
    server = Scripted({event.id: [BROKEN]})
    writer(server, quarantined=quarantined).handle([message(bus.EVENTS, event)])
    assert len(server.seen) == TRIES
    assert [f.error for f in quarantined] == ["null_pointer_exception"]


def test_a_server_that_is_away_gets_the_whole_request_again_and_its_indices_are_made_anew():
    event = make_event()
    server = Scripted(requests=[LOST] * 3)
    subject = writer(server)
    subject.handle([message(bus.EVENTS, event)])
    assert server.seen == [[event.id]] * 4
    assert server.prepared == 3
    assert subject.progress.problem == ""


def test_a_server_that_only_has_too_much_to_do_is_not_set_up_again():
    server = Scripted(requests=[429] * 3)
    writer(server).handle([message(bus.EVENTS, make_event())])
    assert (len(server.seen), server.prepared) == (4, 0)


def test_a_request_that_is_refused_as_a_whole_is_halved_until_the_culprit_is_alone():
    events = [make_event(evidence=f"e{n}") for n in range(7)]
    culprit, quarantined, ok = events[4].id, [], outcomes("ok")

    class Picky(Scripted):
        def status(self, ids):
            return 413 if culprit in ids else None

    server = Picky()
    writer(server, quarantined=quarantined).handle([message(bus.EVENTS, e, n) for n, e in enumerate(events)])
    [failure] = quarantined
    assert (failure.offset, failure.error_type) == (4, "DocumentError")
    assert failure.error.startswith("bulk: 413")
    assert ok.grown == 6
    assert server.seen[-1] == [e.id for e in events[5:]], "the next requests are large again"


def test_what_was_answered_before_the_connection_broke_is_not_sent_again():
    events = [make_event(evidence=f"e{n}") for n in range(6)]
    server, ok = Scripted(requests=[None, LOST]), outcomes("ok")
    writer(server, bulk_records=2).handle([message(bus.EVENTS, e) for e in events])
    first, second, third = ([e.id for e in events[n : n + 2]] for n in (0, 2, 4))
    assert server.seen == [first, second, second, third]
    assert (ok.grown, server.prepared) == (6, 1)


def test_an_answer_that_lacks_a_document_settles_nothing():
    class Short(Scripted):
        def send(self, body):
            status, answer = super().send(body)
            return status, {"items": answer["items"][:-1]}

    ok = outcomes("ok")
    with pytest.raises(ValueError, match="shorter"):
        writer(Short()).handle([message(bus.EVENTS, make_event(evidence=f"e{n}")) for n in range(2)])
    assert ok.grown == 0


# --- stopping --------------------------------------------------------------------------------------------------------


def test_a_server_that_refuses_us_stops_the_indexer_and_drops_nothing():
    quarantined = []
    with pytest.raises(RefusedError, match="401"):
        writer(Scripted(requests=[401]), quarantined=quarantined).handle([message(bus.EVENTS, make_event())])
    assert quarantined == []


def test_an_index_that_we_may_not_write_stops_the_indexer_and_names_it():
    event = make_event()
    server = Scripted({event.id: [{"status": 403, "error": {"type": "security_exception", "reason": "may not"}}]})
    with pytest.raises(RefusedError, match=r"news-events-v1-2024\.05: security_exception: may not"):
        writer(server).handle([message(bus.EVENTS, event)])


def test_a_stop_ends_the_waiting_and_no_outcome_is_counted():
    stop, ok, lost = threading.Event(), outcomes("ok"), outcomes("quarantined")

    class Away(Scripted):
        def status(self, ids):
            if len(self.seen) == 3:
                stop.set()
            return LOST

    subject = writer(Away(), stop=stop)
    with pytest.raises(StoppedError):
        subject.handle([message(bus.EVENTS, make_event())])
    assert subject.progress.problem == "Elasticsearch: bulk: gone"
    assert (ok.grown, lost.grown) == (0, 0)


def test_the_start_waits_for_a_server_that_is_not_there_yet():
    class Late(Scripted):
        def prepare(self):
            if super().prepare() and self.prepared < 4:
                raise UnavailableError("connection refused", connection_lost=True)
            return "9.5.4"

    server = Late()
    writer(server).prepare()
    assert server.prepared == 4


def test_a_long_outage_is_told_once_a_minute_and_its_end_once():
    server = Scripted(requests=[LOST] * 20)
    with capture_logs() as told:
        writer(server).handle([message(bus.EVENTS, make_event())])
    assert [line["event"] for line in told] == ["elasticsearch_unavailable", "elasticsearch_back"]
    assert told[0]["problem"] == "bulk: gone"
