"""A member that receives nothing: there is nothing to receive, or its client has stopped reading."""

import threading
import time
import types

import pytest

from pipeline import bus
from pipeline.bus import group, read
from pipeline.bus.group import JOIN_SECONDS, STALL_SECONDS, JoinWatch, Progress, StallDetector
from pipeline.bus.lag import Lag
from pipeline.settings import Settings

PLACE = ("news.events", 0)


def lag(committed, records, topic="news.events"):
    return Lag("dateline-indexer", topic, 0, committed, (committed or 0) + records, records)


class Broker:
    """The lag that the broker reports, and how often it was asked."""

    def __init__(self):
        self.lags = ()
        self.asked = 0
        self.away = False
        self.now = 0.0

    def __call__(self):
        self.asked += 1
        if self.away:
            raise bus.BusError("away")
        return self.lags


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def detector(broker):
    return StallDetector(broker, now=lambda: broker.now)


def wait(broker, detector, times=1):
    for _ in range(times):
        broker.now += STALL_SECONDS
        detector.received_nothing([PLACE])


def test_records_that_wait_twice_where_none_are_given_call_for_a_new_client(broker, detector):
    broker.lags = (lag(5, 3),)
    wait(broker, detector)
    with pytest.raises(bus.BusError, match=r"news\.events, partition 0"):
        wait(broker, detector)


def test_a_partition_that_was_never_read_counts_too(broker, detector):
    broker.lags = (lag(None, 3),)
    wait(broker, detector)
    with pytest.raises(bus.BusError):
        wait(broker, detector)


def test_where_nothing_waits_or_only_for_another_member_all_is_well(broker, detector):
    broker.lags = (lag(5, 0), lag(7, 9, topic="news.alerts"))
    wait(broker, detector, times=5)


def test_what_was_committed_or_given_meanwhile_ends_the_doubt(broker, detector):
    broker.lags = (lag(5, 3),)
    wait(broker, detector)
    broker.lags = (lag(6, 2),)
    wait(broker, detector)
    detector.received()
    wait(broker, detector)


def test_the_broker_is_not_asked_again_and_again(broker, detector):
    for _ in range(10):
        broker.now += STALL_SECONDS / 10
        detector.received_nothing([PLACE])
    assert broker.asked == 1


def test_a_broker_that_is_away_is_no_reason_for_a_new_client(broker, detector):
    broker.lags = (lag(5, 3),)
    wait(broker, detector)
    broker.away = True
    wait(broker, detector, times=2)
    broker.away = False
    wait(broker, detector)


def test_a_member_that_never_joins_gets_a_new_client():
    now = [0.0]
    watch = JoinWatch(now=lambda: now[0])
    for joined in (False, True, False):
        now[0] += JOIN_SECONDS
        watch.look(joined=joined, group="g")
    now[0] += 1
    with pytest.raises(bus.BusError, match="g could not be joined"):
        watch.look(joined=False, group="g")


def test_a_member_is_ready_when_the_position_on_every_partition_is_known():
    progress = Progress(assigned=4, unread=1, polled_at=100.0)
    good, detail = progress.ready(now=101.0, stall_seconds=60)
    assert not good
    assert detail["problem"] == "1 of 4 partitions are not read yet"
    progress.unread = 0
    assert progress.ready(now=101.0, stall_seconds=60)[0]


def test_records_that_come_soon_after_the_first_are_handled_with_it_but_no_more_than_fit(monkeypatch):
    waited = []

    def poll(_consumer, seconds, *, max_records):
        waited.append(seconds)
        return ["record"] * min(2, max_records)

    monkeypatch.setattr(group, "poll", poll)
    stop = threading.Event()
    assert group.more(None, 60.0, most=5, stop=stop) == ["record"] * 5
    assert len(waited) == 3
    assert max(waited) <= 60.0
    assert group.more(None, 0.0, most=5, stop=stop) == []
    stop.set()
    assert group.more(None, 60.0, most=5, stop=stop) == []


def test_the_time_for_further_records_ends(monkeypatch):
    monkeypatch.setattr(group, "poll", lambda *_, **__: time.sleep(0.01) or [])
    assert group.more(None, 0.03, most=5, stop=threading.Event()) == []


class Silent:
    """A client that has been assigned a partition and never receives anything."""

    def __init__(self, end):
        self.end, self.at = end, 0

    def partitions_for_topic(self, _topic):
        return {0}

    def assign(self, places):
        [self.place] = places

    def end_offsets(self, places):
        return dict.fromkeys(places, self.end)

    def beginning_offsets(self, places):
        return dict.fromkeys(places, 0)

    def poll(self, **_):
        return {}

    def position(self, _place):
        return self.at

    def close(self, autocommit):
        assert not autocommit


def test_a_client_that_reads_nothing_more_does_not_hang_its_process(monkeypatch):
    monkeypatch.setattr(read, "READ_SECONDS", 0.05)
    monkeypatch.setattr(read, "consumer_of", lambda *_, **__: Silent(end=3))
    with pytest.raises(bus.BusError, match=r"news\.events: nothing could be read"):
        list(bus.read_all(Settings(), "news.events"))
    monkeypatch.setattr(read, "consumer_of", lambda *_, **__: Silent(end=0))
    assert list(bus.read_all(Settings(), "news.events")) == []


def test_a_partition_whose_end_kafka_does_not_tell_again_is_read_all_the_same():
    """Kafka tells the end of a partition without new records once in a session; a client that joins again does not hear it."""

    def place(*, valid=True, end=None):
        return types.SimpleNamespace(
            has_valid_position=valid, highwater=end, position=types.SimpleNamespace(offset=7) if valid else None
        )

    class Client:
        _subscription = types.SimpleNamespace(
            assignment={"idle": place(), "busy": place(end=9), "new": place(valid=False, end=9)}
        )

        def assignment(self):
            return set(self._subscription.assignment)

    progress = Progress()
    group._update(progress, Client())
    assert (progress.assigned, progress.unread, progress.behind) == (3, 1, 2)
