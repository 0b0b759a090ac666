"""What the profile counts; `python -m bench.cpu` is the measure itself."""

import os
import time
import types

import pytest

from bench.cpu import Clock
from bench.usage import cpu_seconds


def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_step_is_counted_without_the_steps_inside_of_it():
    clock = Clock()
    inner = clock.timed("inner", lambda: busy(0.1))

    def outer():
        busy(0.05)
        inner()
        inner()

    clock.timed("outer", outer)()
    assert clock.seconds["inner"] == pytest.approx(0.2, abs=0.04)
    assert clock.seconds["outer"] == pytest.approx(0.05, abs=0.04)


def test_functions_are_as_before_after_the_block_also_after_an_error():
    clock, owner = Clock(), types.SimpleNamespace(work=lambda: 1 / 0)
    before = owner.work
    with pytest.raises(ZeroDivisionError), clock.on([("work", owner, "work")]):
        assert owner.work is not before
        owner.work()
    assert owner.work is before
    assert "work" in clock.seconds


def test_the_pool_of_a_worker_is_told_apart():
    found = cpu_seconds({"worker": os.getpid(), "indexer": os.getpid()})
    assert set(found) == {"worker", "worker, pool", "indexer"}
    assert found["worker"] > 0
