"""The watchdog: what counts as progress, and when a process has to end."""

import threading

import pytest

from pipeline.bus import BusError, Lag
from pipeline.worker.watchdog import EXIT_STALLED, Pulse, Watchdog

MINE = ("news.articles", 0)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pulse(clock):
    return Pulse(beat_at=clock.now, assigned=frozenset({MINE}))


@pytest.fixture
def watchdog(pulse, clock):
    return Watchdog(pulse, group="g", stall_seconds=60, now=clock)


def lag(records, committed=5, partition=0):
    return Lag("g", "news.articles", partition, committed, committed + records, records)


def advance(clock, pulse, seconds):
    clock.now += seconds
    pulse.beat_at = clock.now


def test_idle_without_lag_is_ready_for_ever(watchdog, clock, pulse):
    for _ in range(10):
        advance(clock, pulse, 100)
        assert watchdog.judge([lag(0)])
    assert watchdog.ready()[0]


def test_lag_without_progress_ends_the_worker_after_its_time(watchdog, clock, pulse):
    assert watchdog.judge([lag(7)])
    advance(clock, pulse, 59)
    assert watchdog.judge([lag(7)])
    assert not watchdog.ready()[0], "half the time without progress: no longer ready"
    advance(clock, pulse, 2)
    assert not watchdog.judge([lag(7)])


@pytest.mark.parametrize("moved", ["finished", "committed", "assigned"])
def test_whatever_moves_is_progress(watchdog, clock, pulse, moved):
    watchdog.judge([lag(7)])
    committed = 5
    for step in range(5):
        advance(clock, pulse, 50)
        if moved == "finished":
            pulse.finished += 1
        elif moved == "committed":
            committed += 1
        else:
            pulse.assigned = frozenset({MINE, ("news.events", step)})
        assert watchdog.judge([lag(7, committed)])


def test_the_lag_of_others_partitions_is_not_this_workers_stall(watchdog, clock, pulse):
    watchdog.judge([lag(7, partition=3)])
    advance(clock, pulse, 500)
    assert watchdog.judge([lag(7, partition=3)])
    assert watchdog.verdict.behind == 0


def test_a_blocked_loop_is_unhealthy_and_ends(watchdog, clock):
    clock.now += 31
    assert not watchdog.healthy()[0]
    assert watchdog.judge([lag(0)])
    clock.now += 30
    assert not watchdog.judge([lag(0)])


def test_not_ready_without_partitions_or_while_draining(watchdog, pulse):
    watchdog.judge([lag(0)])
    assert watchdog.ready()[0]
    pulse.draining = True
    assert not watchdog.ready()[0]
    pulse.draining, pulse.assigned = False, frozenset()
    good, detail = watchdog.ready()
    assert not good
    assert detail["assigned"] == 0


def test_a_stall_ends_the_process_with_the_status_that_asks_for_a_restart(pulse, clock):
    ended = []
    stop = threading.Event()
    watchdog = Watchdog(
        pulse, group="g", stall_seconds=60, now=clock, end=lambda code: (ended.append(code), stop.set())
    )

    class Broker:
        def lags(self, groups=None):
            clock.now += 45
            pulse.beat_at = clock.now
            return (lag(7),)

    watchdog.run(Broker, stop, every_seconds=0.001)
    assert ended == [EXIT_STALLED]


def test_a_broker_that_is_gone_is_told_and_is_no_stall(pulse, clock):
    ended = []
    stop = threading.Event()
    watchdog = Watchdog(pulse, group="g", stall_seconds=60, now=clock, end=ended.append)
    calls = []

    class Broker:
        def lags(self, groups=None):
            calls.append(1)
            advance(clock, pulse, 1000)
            if len(calls) > 3:
                stop.set()
            raise BusError("Kafka does not answer")

    watchdog.run(Broker, stop, every_seconds=0.001)
    assert ended == []
    assert watchdog.ready()[1]["broker"] == "Kafka does not answer"
