import datetime as dt

import msgspec
import pytest

from pipeline import bus
from pipeline.operate import quarantine
from pipeline.records import encode
from pipeline.settings import Settings
from tests.make import NOW, make_failure


def message(failure, *, value=True, offset=0):
    return bus.Message(bus.QUARANTINE, 0, offset, failure.id.encode(), encode(failure) if value else None, 0)


def test_the_oldest_failure_comes_first_and_a_failure_that_came_twice_once():
    old = make_failure(id="a" * 20, failed_at=NOW - dt.timedelta(hours=1))
    new = make_failure(id="b" * 20, failed_at=NOW)
    assert quarantine.fold([message(new), message(old), message(new)]) == (old, new)


def test_a_tombstone_takes_a_failure_out_until_it_fails_again():
    failure = make_failure()
    assert quarantine.fold([message(failure), message(failure, value=False)]) == ()
    assert quarantine.fold([message(failure), message(failure, value=False), message(failure)]) == (failure,)


def test_garbage_on_the_topic_is_left_to_the_indexer():
    failure = make_failure()
    garbage = bus.Message(bus.QUARANTINE, 0, 0, b"x", b"\xff{", 0)
    assert quarantine.fold([garbage, message(failure)]) == (failure,)


def test_the_beginning_of_an_id_will_do_if_it_is_the_only_one():
    one, two, other = (make_failure(id=f"{start:0<20}") for start in ("ab1", "ab2", "c"))
    assert quarantine.select([one, two, other], ["c"]) == (other,)
    assert quarantine.select([one, two, other], ["ab2", "c", "ab2"]) == (two, other)
    with pytest.raises(quarantine.QuarantineError, match="2 failures begin like this"):
        quarantine.select([one, two, other], ["ab"])
    with pytest.raises(quarantine.QuarantineError, match="no such failure"):
        quarantine.select([one, two, other], ["d"])


def test_stage_error_and_time_narrow_the_list():
    failures = [
        make_failure(id="1" * 20, stage="extract", error_type="ValueError", failed_at=NOW),
        make_failure(id="2" * 20, stage="index", error_type="ValueError", failed_at=NOW),
        make_failure(id="3" * 20, stage="index", error_type="DocumentError", failed_at=NOW - dt.timedelta(days=2)),
    ]
    assert [f.id[0] for f in quarantine.select(failures, stage="index")] == ["2", "3"]
    assert [f.id[0] for f in quarantine.select(failures, error_type="ValueError")] == ["1", "2"]
    assert [f.id[0] for f in quarantine.select(failures, since=NOW - dt.timedelta(days=1))] == ["1", "2"]


class Publisher:
    """Takes what is sent, in order."""

    def __init__(self):
        self.sent, self.flushed = [], []

    def send(self, topic, key, value, *, partition=None):
        self.sent.append((topic, key, value, partition))

    def flush(self):
        self.flushed.append(len(self.sent))

    def close(self):
        pass


@pytest.fixture
def publisher(monkeypatch):
    made = Publisher()
    monkeypatch.setattr(bus, "Publisher", lambda _: made)
    return made


def test_a_retry_sends_the_bytes_to_their_partition_under_their_key_and_then_a_tombstone(publisher):
    failure = make_failure(topic=bus.EVENTS, partition=3, offset=7, key=b"k", raw=b"raw", raw_size=3)
    [result] = quarantine.retry(Settings(), [failure])
    assert result.problem == ""
    assert publisher.sent == [(bus.EVENTS, b"k", b"raw", 3), (bus.QUARANTINE, failure.id.encode(), None, None)]
    assert publisher.flushed == [1, 2], "the record is safe before the failure is taken from the list"


def test_a_record_that_failed_in_two_stages_goes_out_once(publisher):
    track = make_failure(id="1" * 20, stage="track", topic=bus.EVENTS, partition=0, offset=7, raw=b"raw", raw_size=3)
    index = msgspec.structs.replace(track, id="2" * 20, stage="index")
    quarantine.retry(Settings(), [track, index])
    assert [sent[0] for sent in publisher.sent] == [bus.EVENTS, bus.QUARANTINE, bus.QUARANTINE]


def test_a_record_too_large_for_quarantine_is_read_from_its_own_place(publisher, monkeypatch):
    failure = make_failure(topic=bus.ARTICLES, partition=1, offset=9, raw=b"", raw_size=7_000_000)
    there = bus.Message(bus.ARTICLES, 1, 9, b"k", b"large", 0)
    monkeypatch.setattr(bus, "read_one", lambda _, *place: there if place == (bus.ARTICLES, 1, 9) else None)
    [result] = quarantine.retry(Settings(), [failure])
    assert result.problem == ""
    assert publisher.sent[0][2] == b"large"


def test_what_is_gone_or_came_from_no_topic_stays_in_the_list_and_says_why(publisher, monkeypatch):
    monkeypatch.setattr(bus, "read_one", lambda *_: None)
    gone = make_failure(id="1" * 20, topic=bus.ARTICLES, partition=1, offset=9, raw=b"", raw_size=7_000_000)
    page = make_failure(id="2" * 20, topic="https://news.example/a", partition=None, offset=None)
    entry = make_failure(id="3" * 20, topic="feed:bbc-world", partition=None, offset=None)
    [told] = quarantine.retry(Settings(), [entry])
    assert "it came from feed 'bbc-world', not from a topic" in told.problem
    results = quarantine.retry(Settings(), [gone, page])
    assert ["no longer holds it" in results[0].problem, "did not come from a topic" in results[1].problem] == [
        True,
        True,
    ]
    assert publisher.sent == []
