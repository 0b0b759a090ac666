"""The bulk loop against a server that answers as it is told: every record has one outcome, and none is lost."""

import json
import threading

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from pipeline import bus, stage
from pipeline.index.bulk import (
    BACKOFF_SECONDS,
    TRIES,
    AwayError,
    Job,
    RefusedError,
    RequestError,
    StoppedError,
    Writer,
    backoff,
    chunks,
    verdict,
)
from pipeline.index.documents import Action
from pipeline.records import encode
from pipeline.settings import Elasticsearch, Indexer, Settings
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


class Scripted:
    """Answers by document id from a script; what is not in it is created. Remembers each request's ids."""

    def __init__(self, script=(), requests=()):
        self.script = {key: list(answers) for key, answers in dict(script).items()}
        self.requests = list(requests)
        self.seen = []
        self.prepared = 0

    def prepare(self):
        self.prepared += 1
        return "9.5.4"

    def send(self, lines):
        headers = [next(iter(json.loads(line).values())) for line in lines[::2]]
        self.seen.append([header["_id"] for header in headers])
        if self.requests and (error := self.requests.pop(0)) is not None:
            raise error
        return {"items": [{"index": self._answer(header["_id"])} for header in headers]}

    def _answer(self, identifier):
        answers = self.script.get(identifier)
        return CREATED if not answers else answers.pop(0) if len(answers) > 1 else answers[0]


def message(topic, record, offset=0):
    value = record if isinstance(record, bytes) or record is None else encode(record)
    return bus.Message(topic, 1, offset, b"k", value, 0)


def writer(server, *, quarantined=None, stop=None, **options):
    settings = Settings(elasticsearch=Elasticsearch(**options), indexer=Indexer(backoff_max_seconds=0.001))
    keep = quarantined.extend if quarantined is not None else _none
    return Writer(settings, server, keep, stop or threading.Event(), chance=lambda: 0.0)


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
        (BAD, "bad"),
        (BUSY, "later"),
        (BROKEN, "suspect"),
        ({"status": 503, "error": {"type": "unavailable_shards_exception"}}, "later"),
        ({"status": 403, "error": {"type": "security_exception"}}, "refused"),
        ({"status": 401, "error": {"type": "security_exception"}}, "refused"),
        ({"status": 403, "error": {"type": "cluster_block_exception", "reason": "index read-only"}}, "later"),
        ({"status": 404, "error": {"type": "index_not_found_exception"}}, "later"),
        ({"status": 400, "error": {"type": "validation_exception", "reason": "too many shards open"}}, "later"),
        ({"status": 400, "error": {"type": "strict_dynamic_mapping_exception"}}, "bad"),
        ({"status": 400, "error": "a text of an older server"}, "bad"),
        ({}, "suspect"),
    ],
)
def test_an_answer_means_one_thing(item, expected):
    assert verdict(item)[0] == expected


def test_the_reason_tells_the_cause_without_the_text_of_the_document():
    assert verdict(BAD)[1] == "document_parsing_exception: no: out of range"


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_waiting_doubles_at_random_up_to_the_longest(chance):
    waits = [backoff(attempt, 30, chance) for attempt in range(1, 200)]
    assert all(BACKOFF_SECONDS / 2 <= wait <= 30 for wait in waits)
    assert waits == sorted(waits)
    assert waits[-1] == 15 + 15 * chance
    assert waits[0] < 1


def job(identifier, size=100):
    source = stage.Source("news.events")
    return Job(
        source, Action(name="events", index="i", id=identifier, op="index", source={}), (b"h" * 40, b"b" * (size - 42))
    )


def test_a_request_is_bounded_in_records_and_bytes_and_order_is_kept():
    jobs = [job(str(n)) for n in range(10)]
    by_records = list(chunks(jobs, records=4, size=10_000))
    by_bytes = list(chunks(jobs, records=100, size=250))
    assert [len(chunk) for chunk in by_records] == [4, 4, 2]
    assert [len(chunk) for chunk in by_bytes] == [2] * 5
    assert [j.id for chunk in by_bytes for j in (x.action for x in chunk)] == [str(n) for n in range(10)]


def test_a_record_larger_than_a_request_goes_alone():
    jobs = [job("a"), job("b", size=1000), job("c")]
    assert [[j.action.id for j in chunk] for chunk in chunks(jobs, records=100, size=300)] == [["a"], ["b"], ["c"]]


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
    server = Scripted(requests=[AwayError("refused", lost=True)] * 3)
    subject = writer(server)
    subject.handle([message(bus.EVENTS, event)])
    assert server.seen == [[event.id]] * 4
    assert server.prepared == 3
    assert subject.progress.problem == ""


def test_a_server_that_only_has_too_much_to_do_is_not_set_up_again():
    server = Scripted(requests=[AwayError("429")] * 3)
    writer(server).handle([message(bus.EVENTS, make_event())])
    assert (len(server.seen), server.prepared) == (4, 0)


def test_a_request_that_is_refused_as_a_whole_is_halved_until_the_culprit_is_alone():
    events = [make_event(evidence=f"e{n}") for n in range(7)]
    culprit, quarantined, ok = events[4].id, [], outcomes("ok")

    class Picky(Scripted):
        def send(self, lines):
            answer = super().send(lines)
            if culprit in self.seen[-1]:
                raise RequestError("413 too large")
            return answer

    writer(Picky(), quarantined=quarantined).handle([message(bus.EVENTS, e, n) for n, e in enumerate(events)])
    assert [(f.offset, f.error) for f in quarantined] == [(4, "413 too large")]
    assert ok.grown == 6


def test_a_batch_is_sent_in_requests_of_the_configured_size():
    events = [make_event(evidence=f"e{n}") for n in range(7)]
    server = Scripted()
    writer(server, bulk_records=3).handle([message(bus.EVENTS, e) for e in events])
    assert [len(request) for request in server.seen] == [3, 3, 1]


# --- stopping --------------------------------------------------------------------------------------------------------


def test_a_server_that_refuses_us_stops_the_indexer_and_drops_nothing():
    quarantined = []
    with pytest.raises(RefusedError, match="401"):
        writer(Scripted(requests=[RefusedError("401")]), quarantined=quarantined).handle(
            [message(bus.EVENTS, make_event())]
        )
    assert quarantined == []


def test_an_index_that_we_may_not_write_stops_the_indexer_and_names_it():
    event = make_event()
    server = Scripted({event.id: [{"status": 403, "error": {"type": "security_exception", "reason": "may not"}}]})
    with pytest.raises(RefusedError, match=r"news-events-v1-2024\.05: security_exception: may not"):
        writer(server).handle([message(bus.EVENTS, event)])


def test_a_stop_ends_the_waiting_and_no_outcome_is_counted():
    stop, ok, lost = threading.Event(), outcomes("ok"), outcomes("quarantined")

    class Away(Scripted):
        def send(self, lines):
            if len(self.seen) == 2:
                stop.set()
            super().send(lines)
            raise AwayError("gone", lost=True)

    subject = writer(Away(), stop=stop)
    with pytest.raises(StoppedError):
        subject.handle([message(bus.EVENTS, make_event())])
    assert subject.progress.problem == "Elasticsearch: gone"
    assert (ok.grown, lost.grown) == (0, 0)


def test_the_start_waits_for_a_server_that_is_not_there_yet():
    class Late(Scripted):
        def prepare(self):
            if super().prepare() and self.prepared < 4:
                raise AwayError("connection refused", lost=True)
            return "9.5.4"

    server = Late()
    writer(server).prepare()
    assert server.prepared == 4


def test_a_long_outage_is_told_once_a_minute_and_its_end_once():
    server = Scripted(requests=[AwayError("gone", lost=True)] * 20)
    with capture_logs() as told:
        writer(server).handle([message(bus.EVENTS, make_event())])
    assert [line["event"] for line in told] == ["elasticsearch_unavailable", "elasticsearch_back"]
    assert told[0]["problem"] == "gone"
