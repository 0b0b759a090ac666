"""A member that receives nothing: there is nothing to receive, or its client has stopped reading."""

import pytest

from pipeline import bus
from pipeline.bus.group import STALL_SECONDS, StallDetector
from pipeline.bus.lag import Lag

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
