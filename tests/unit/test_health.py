"""The indexer's /readyz and /healthz tell the truth."""

import pytest

from pipeline.bus import Lag, Progress
from pipeline.index.health import IndexerHealth
from pipeline.settings import Settings, Worker

STALL = 10.0


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health(clock):
    progress = Progress(assigned=4, polled_at=clock.at)
    settings = Settings(worker=Worker(stall_timeout_seconds=STALL))
    return IndexerHealth(settings, progress, probe=lambda: "ok", now=clock)


def lags(committed, end):
    return (Lag("dateline-indexer", "news.events", 0, committed, end, end - committed),)


def later(clock, health, seconds):
    clock.at += seconds
    health.progress.polled_at = clock.at


def test_idle_without_lag_is_ready_however_long(health, clock):
    for _ in range(5):
        later(clock, health, STALL)
        health.update(lags(7, 7), elasticsearch="ok")
    assert health.ready()[0]
    assert health.healthy()[0]


def test_lag_that_shrinks_is_progress(health, clock):
    for committed in range(5):
        later(clock, health, STALL)
        health.update(lags(committed, 100), elasticsearch="ok")
    assert health.ready()[0]


def test_lag_that_stands_still_is_not_ready_and_after_twice_the_time_not_healthy(health, clock):
    health.update(lags(3, 100), elasticsearch="ok")
    later(clock, health, STALL + 1)
    health.update(lags(3, 120), elasticsearch="ok")
    assert not health.ready()[0]
    assert health.healthy()[0]
    later(clock, health, STALL)
    health.update(lags(3, 120), elasticsearch="ok")
    assert not health.healthy()[0]


def test_without_a_partition_it_is_not_ready(health):
    health.progress.assigned = 0
    health.update(lags(7, 7), elasticsearch="ok")
    good, detail = health.ready()
    assert not good
    assert detail["problem"] == "no partition assigned"


def test_elasticsearch_away_is_not_ready_but_healthy_because_a_restart_would_not_help(health, clock):
    health.update(lags(3, 100), elasticsearch="connection refused")
    health.progress.problem, health.progress.busy_since = "Elasticsearch: connection refused", clock.at
    clock.at += 100 * STALL
    health.update(lags(3, 100), elasticsearch="connection refused")
    good, detail = health.ready()
    assert not good
    assert detail["elasticsearch"] == "connection refused"
    assert health.healthy()[0]


def test_an_idle_indexer_whose_elasticsearch_is_away_is_not_ready(health):
    health.update(lags(7, 7), elasticsearch="connection refused")
    assert not health.ready()[0]


def test_back_from_a_long_outage_it_is_ready_at_once(health, clock):
    test_elasticsearch_away_is_not_ready_but_healthy_because_a_restart_would_not_help(health, clock)
    health.progress.problem, health.progress.busy_since = "", None
    later(clock, health, 0)
    health.update(lags(60, 100), elasticsearch="ok")
    assert health.ready()[0]
    assert health.healthy()[0]


def test_a_loop_that_no_longer_polls_is_neither_ready_nor_in_the_end_healthy(health, clock):
    clock.at += 2 * STALL + 1
    health.update(lags(7, 7), elasticsearch="ok")
    assert not health.ready()[0]
    assert not health.healthy()[0]


def test_before_the_first_poll_it_is_healthy_and_not_ready(clock):
    health = IndexerHealth(Settings(), Progress(), probe=lambda: "ok", now=clock)
    assert health.healthy()[0]
    assert not health.ready()[0]
