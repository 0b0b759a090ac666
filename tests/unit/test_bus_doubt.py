"""A member of a group that is given nothing: is there nothing, or does its client no longer read."""

import pytest

from pipeline import bus
from pipeline.bus.group import DOUBT_SECONDS, Doubt
from pipeline.bus.lag import Lag

PLACE = ("news.events", 0)


def lag(committed, records, topic="news.events"):
    return Lag("dateline-indexer", topic, 0, committed, (committed or 0) + records, records)


class Broker:
    """What the broker says of the group, and how often it was asked."""

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
def doubt(broker):
    return Doubt(broker, now=lambda: broker.now)


def wait(broker, doubt, times=1):
    for _ in range(times):
        broker.now += DOUBT_SECONDS
        doubt.nothing([PLACE])


def test_records_that_wait_twice_where_none_are_given_call_for_a_new_client(broker, doubt):
    broker.lags = (lag(5, 3),)
    wait(broker, doubt)
    with pytest.raises(bus.BusError, match=r"news\.events, partition 0"):
        wait(broker, doubt)


def test_a_partition_that_was_never_read_counts_too(broker, doubt):
    broker.lags = (lag(None, 3),)
    wait(broker, doubt)
    with pytest.raises(bus.BusError):
        wait(broker, doubt)


def test_where_nothing_waits_or_only_for_another_member_all_is_well(broker, doubt):
    broker.lags = (lag(5, 0), lag(7, 9, topic="news.alerts"))
    wait(broker, doubt, times=5)


def test_what_was_committed_or_given_meanwhile_ends_the_doubt(broker, doubt):
    broker.lags = (lag(5, 3),)
    wait(broker, doubt)
    broker.lags = (lag(6, 2),)
    wait(broker, doubt)
    doubt.given()
    wait(broker, doubt)


def test_the_broker_is_not_asked_again_and_again(broker, doubt):
    for _ in range(10):
        broker.now += DOUBT_SECONDS / 10
        doubt.nothing([PLACE])
    assert broker.asked == 1


def test_a_broker_that_is_away_is_no_reason_for_a_new_client(broker, doubt):
    broker.lags = (lag(5, 3),)
    wait(broker, doubt)
    broker.away = True
    wait(broker, doubt, times=2)
    broker.away = False
    wait(broker, doubt)
