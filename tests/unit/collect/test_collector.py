"""The loop: whose turn it is, one accident apart from the others, an orderly end."""

import asyncio
import datetime as dt

import msgspec
import pytest

from pipeline.collect.collector import Collector, Health
from pipeline.collect.fetch import Clock
from pipeline.collect.publish import LostError
from pipeline.records import Feed, FeedState
from pipeline.settings import Collector as Options
from pipeline.settings import Settings

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
SETTINGS = Settings(collector=Options(connections=2))


class FakePoller:
    """Polls that take as long as they are told to, each due again in an hour."""

    def __init__(self):
        self.clock = Clock(now=lambda: NOW, sleep=asyncio.sleep)
        self.polled = []
        self.at_once = self.most_at_once = 0
        self.troubles = {}
        self.seconds = 0.0
        self.retire = set()

    async def poll(self, feed, state):
        self.polled.append(feed.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if feed.id in self.troubles:
            raise self.troubles[feed.id]
        return msgspec.structs.replace(state, due_at=NOW + dt.timedelta(hours=1), retired=feed.id in self.retire)


def feeds(*names):
    return tuple(Feed(id=name, url=f"https://{name}.example/") for name in names)


async def run(poller, fs, states=None, seconds=0.1):
    health, stop = Health(), asyncio.Event()
    running = asyncio.create_task(Collector(SETTINGS, fs, states or {}, poller, health).run(stop))
    await asyncio.wait([running], timeout=seconds)
    stop.set()
    await asyncio.wait_for(running, timeout=5)
    return health


async def test_each_feed_that_is_due_is_polled_once():
    poller = FakePoller()
    health = await run(poller, feeds("a", "b", "c"))
    assert sorted(poller.polled) == ["a", "b", "c"]
    assert health.feeds == 3


async def test_after_a_restart_only_what_is_due_is_polled():
    poller = FakePoller()
    later, before = NOW + dt.timedelta(minutes=1), NOW - dt.timedelta(minutes=1)
    states = {
        "a": FeedState(id="a", url="https://a.example/", due_at=later),
        "b": FeedState(id="b", url="https://b.example/", due_at=before),
        "c": FeedState(id="c", url="https://old.example/", due_at=later),
        "d": FeedState(id="d", url="https://d.example/", retired=True),
        "e": FeedState(id="e", url="https://old.example/", retired=True),
    }
    await run(poller, feeds("a", "b", "c", "d", "e"), states)
    assert sorted(poller.polled) == ["b", "c", "e"]


async def test_one_feeds_accident_does_not_end_the_others():
    poller = FakePoller()
    poller.troubles["a"] = ZeroDivisionError("an accident")
    await run(poller, feeds("a", "b"))
    assert sorted(poller.polled) == ["a", "b"]


async def test_polls_under_way_are_bounded_and_all_get_their_turn():
    poller = FakePoller()
    poller.seconds = 0.005
    names = [f"f{n}" for n in range(60)]
    await run(poller, feeds(*names), seconds=1)
    assert sorted(poller.polled) == sorted(names)
    assert poller.most_at_once <= 8


async def test_a_collector_that_was_replaced_stops_by_itself():
    poller = FakePoller()
    poller.troubles["a"] = LostError("another collector has taken this one's place")
    with pytest.raises(LostError):
        await run(poller, feeds("a"), seconds=5)


async def test_told_to_stop_it_lets_polls_end():
    poller = FakePoller()
    poller.seconds = 0.3
    await run(poller, feeds("a"), seconds=0.05)
    assert poller.at_once == 0


def test_it_is_ready_once_started_and_while_what_is_published_arrives():
    health = Health()
    assert not health.ready()[0]
    health.started = True
    assert health.ready()[0]
    health.problem = "cannot publish: Kafka is away"
    ready, detail = health.ready()
    assert not ready
    assert "Kafka is away" in detail["problem"]
    health.problem = ""
    health.turned_at -= 60
    assert not health.ready()[0]
    assert not health.healthy()[0]
