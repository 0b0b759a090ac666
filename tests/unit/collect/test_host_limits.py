"""The politeness limit of each host."""

import datetime as dt

import pytest

from pipeline.collect.fetch import Clock, FetchError
from pipeline.collect.host_limits import HostLimits

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


async def test_a_host_is_asked_once_per_interval_and_hosts_do_not_wait_for_each_other():
    time = NOW
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    limits = HostLimits(2.0, Clock(now=lambda: time, sleep=sleep))
    for host in ("a", "a", "b", "a"):
        await limits.wait(host)
    assert waits == [2.0, 4.0]


async def test_a_host_that_other_collectors_ask_too_is_asked_less_often():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    limits = HostLimits(2.0, Clock(now=lambda: NOW, sleep=sleep), lambda url: 2.0 if "//shared/" in url else 1.0)
    for host in ("shared", "ours", "shared", "ours"):
        await limits.wait(host)
    assert waits == [4.0, 2.0]


async def test_who_would_wait_too_long_for_a_host_is_told_when_to_come_again():
    async def sleep(seconds):
        pass

    limits = HostLimits(25.0, Clock(now=lambda: NOW, sleep=sleep))
    for _ in range(3):
        await limits.wait("a")
    with pytest.raises(FetchError, match="too many requests to a wait already") as caught:
        await limits.wait("a")
    assert (caught.value.kind, caught.value.retry_after_seconds) == ("queued", 75)


async def test_what_was_reserved_while_the_clock_was_ahead_holds_nothing_up_when_it_is_set_right():
    time, waits = NOW + dt.timedelta(days=300), []

    async def sleep(seconds):
        waits.append(seconds)

    limits = HostLimits(2.0, Clock(now=lambda: time, sleep=sleep))
    await limits.wait("a")
    limits.pause("b", 600)
    time = NOW
    for host in ("a", "b", "a"):
        await limits.wait(host)
    assert waits == [2.0]
