"""The watchdog: what counts as progress, and when a process has to end."""

import threading

import pytest

from pipeline.bus import BusError, Lag
from pipeline.worker.watchdog import EXIT_STALLED, Heartbeat, Watchdog

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
def heartbeat(clock):
    return Heartbeat(beat_at=clock.now, assigned=frozenset({MINE}), answered=(clock.now, clock.now))


@pytest.fixture
def watchdog(heartbeat, clock):
    return Watchdog(heartbeat, group="g", stall_seconds=60, now=clock)


def lag(records, committed=5, partition=0):
    return Lag("g", "news.articles", partition, committed, committed + records, records)


def advance(clock, heartbeat, seconds):
    clock.now += seconds
    heartbeat.beat_at = clock.now
    heartbeat.answered = (clock.now, clock.now)


def test_idle_without_lag_is_ready_for_ever(watchdog, clock, heartbeat):
    for _ in range(10):
        advance(clock, heartbeat, 100)
        assert watchdog.check([lag(0)])
    assert watchdog.ready()[0]


def test_lag_without_progress_ends_the_worker_after_its_time(watchdog, clock, heartbeat):
    assert watchdog.check([lag(7)])
    advance(clock, heartbeat, 59)
    assert watchdog.check([lag(7)])
    assert not watchdog.ready()[0], "half the time without progress: no longer ready"
    advance(clock, heartbeat, 2)
    assert not watchdog.check([lag(7)])


@pytest.mark.parametrize("moved", ["finished", "committed", "assigned"])
def test_whatever_moves_is_progress(watchdog, clock, heartbeat, moved):
    watchdog.check([lag(7)])
    committed = 5
    for step in range(5):
        advance(clock, heartbeat, 50)
        if moved == "finished":
            heartbeat.finished += 1
        elif moved == "committed":
            committed += 1
        else:
            heartbeat.assigned = frozenset({MINE, ("news.events", step)})
        assert watchdog.check([lag(7, committed)])


def test_a_batch_that_takes_longer_than_a_stall_is_none_until_its_own_time_is_up(watchdog, clock, heartbeat):
    heartbeat.reading_until = clock.now + 400
    for _ in range(4):
        assert watchdog.check([lag(7)])
        assert watchdog.ready()[0]
        advance(clock, heartbeat, 99)
    advance(clock, heartbeat, 62)
    assert not watchdog.check([lag(7)])


def test_the_lag_of_others_partitions_is_not_this_workers_stall(watchdog, clock, heartbeat):
    watchdog.check([lag(7, partition=3)])
    advance(clock, heartbeat, 500)
    assert watchdog.check([lag(7, partition=3)])
    assert watchdog.state.behind == 0


def test_a_partition_that_is_left_out_while_others_go_on_ends_the_worker_at_last(watchdog, clock, heartbeat):
    left_out = lag(7, partition=1)
    heartbeat.assigned = frozenset({MINE, ("news.articles", 1)})
    for step in range(12):
        assert watchdog.check([lag(7, committed=step), left_out]), step
        advance(clock, heartbeat, 25)
    advance(clock, heartbeat, 10)
    assert not watchdog.check([lag(7, committed=99), left_out])


def test_a_partition_without_lag_may_stand_still(watchdog, clock, heartbeat):
    heartbeat.assigned = frozenset({MINE, ("news.articles", 1)})
    for step in range(40):
        advance(clock, heartbeat, 25)
        assert watchdog.check([lag(7, committed=step), lag(0, partition=1)])


class Kafka:
    """What is known of Kafka: whether it is away, and when it last was."""

    problem, lost_at = "", 0.0


def test_after_an_outage_the_worker_is_ready_when_every_partition_is_read_again_or_a_record_is_processed(
    heartbeat, clock
):
    kafka = Kafka()
    watchdog = Watchdog(heartbeat, group="g", stall_seconds=60, now=clock, broker=kafka)
    watchdog.check([lag(3)])
    assert watchdog.ready()[0]
    kafka.problem = "Kafka does not answer, for 3 s"
    clock.now = kafka.lost_at = heartbeat.beat_at = clock.now + 3
    assert watchdog.ready()[1]["problem"] == "Kafka does not answer, for 3 s"
    kafka.problem = ""
    clock.now += 1
    assert watchdog.ready()[1]["problem"] == "not all partitions are read yet"
    heartbeat.answered = (kafka.lost_at - 5, clock.now)
    assert not watchdog.ready()[0], "one partition is not read yet"
    heartbeat.finished_at = clock.now
    assert watchdog.ready()[0], "so many records wait that no more are asked for"
    heartbeat.finished_at, heartbeat.answered = 0.0, (clock.now, clock.now)
    assert watchdog.ready()[0]


def test_a_worker_whose_client_receives_nothing_is_not_ready(watchdog, clock, heartbeat):
    watchdog.check([lag(0)])
    clock.now += 29
    assert watchdog.ready()[0]
    clock.now += 2
    heartbeat.beat_at = clock.now
    assert watchdog.ready()[1]["problem"] == "nothing received from Kafka for 31 s"


def test_a_blocked_loop_is_unhealthy_and_ends(watchdog, clock):
    clock.now += 31
    assert not watchdog.healthy()[0]
    assert watchdog.check([lag(0)])
    clock.now += 30
    assert not watchdog.check([lag(0)])


def test_not_ready_without_partitions_or_while_draining(watchdog, heartbeat):
    watchdog.check([lag(0)])
    assert watchdog.ready()[0]
    heartbeat.draining = True
    assert not watchdog.ready()[0]
    heartbeat.draining, heartbeat.assigned = False, frozenset()
    good, detail = watchdog.ready()
    assert not good
    assert detail["assigned"] == 0


def test_a_stall_ends_the_process_with_the_status_that_asks_for_a_restart(heartbeat, clock):
    ended = []
    stop = threading.Event()
    watchdog = Watchdog(
        heartbeat, group="g", stall_seconds=60, now=clock, exit_process=lambda code: (ended.append(code), stop.set())
    )

    class Broker:
        def lags(self, groups=None):
            clock.now += 45
            heartbeat.beat_at = clock.now
            return (lag(7),)

    watchdog.run(Broker, stop, every_seconds=0.001)
    assert ended == [EXIT_STALLED]


def test_a_broker_that_is_gone_is_told_and_is_no_stall(heartbeat, clock):
    ended = []
    stop = threading.Event()
    watchdog = Watchdog(heartbeat, group="g", stall_seconds=60, now=clock, exit_process=ended.append)
    calls = []

    class Broker:
        def lags(self, groups=None):
            calls.append(1)
            advance(clock, heartbeat, 1000)
            if len(calls) > 3:
                stop.set()
            raise BusError("Kafka does not answer")

    watchdog.run(Broker, stop, every_seconds=0.001)
    assert ended == []
    assert watchdog.ready()[1]["broker"] == "Kafka does not answer"
