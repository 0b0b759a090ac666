"""A stop that arrives at any moment of the wait for it."""

import signal
import sys
import threading
import time

import pytest

from pipeline.process import StopEvent


@pytest.fixture
def on_signal():
    """Say what SIGUSR1 does during the test."""
    before = signal.getsignal(signal.SIGUSR1)
    yield lambda handler: signal.signal(signal.SIGUSR1, handler)
    signal.signal(signal.SIGUSR1, before)


def interrupted(event, line):
    """Wait for an event that a signal sets at this line of the wait, counted over all its calls; whether it came so far."""
    left = line

    def trace(frame, what, _argument):
        nonlocal left
        if frame.f_code.co_name == "set" or frame.f_globals.get("__name__") == "signal":
            return None
        if what == "line":
            if left == 0:
                signal.raise_signal(signal.SIGUSR1)
            left -= 1
        return trace

    sys.settrace(trace)
    try:
        found = event.wait(0.05)
    finally:
        sys.settrace(None)
    return left < 0, found


@pytest.mark.timeout(60)
def test_a_signal_sets_it_at_every_line_of_the_wait_for_it(on_signal):
    lines = 0
    while True:
        event = StopEvent()
        on_signal(lambda *_, event=event: event.set())
        came, found = interrupted(event, lines)
        if not came:
            break
        assert found
        assert event.wait(0)
        lines += 1
    assert lines >= 2


def test_all_that_wait_are_told_and_those_who_come_later():
    event, told = StopEvent(), []
    waiting = [threading.Thread(target=lambda: told.append(event.wait(60))) for _ in range(5)]
    for thread in waiting:
        thread.start()
    assert not event.is_set()
    event.set()
    event.set()
    for thread in waiting:
        thread.join()
    assert told == [True] * 5
    assert event.is_set()
    assert event.wait()


@pytest.mark.parametrize("seconds", [-1, 0, 0.05])
def test_a_wait_ends_with_its_time(seconds):
    began = time.monotonic()
    assert not StopEvent().wait(seconds)
    assert time.monotonic() - began >= seconds


def test_a_stop_is_not_taken_back():
    with pytest.raises(RuntimeError, match="not taken back"):
        StopEvent().clear()
