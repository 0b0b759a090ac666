"""The loop of polls: the order of feeds, an error in one of them, and the end in order."""

import asyncio
import datetime as dt

import msgspec
from prometheus_client import REGISTRY

from pipeline.collect.collector_health import CollectorHealth
from pipeline.collect.fetch import Clock
from pipeline.collect.poll_loop import PER_HOST, PollLoop
from pipeline.collect.writer import LostError
from pipeline.records import Feed, FeedState
from pipeline.settings import Collector, Settings
from tests.waiting import until

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
SETTINGS = Settings(collector=Collector(connections=2))


class FakePoller:
    """Polls that take `seconds` each; every feed is due again in an hour."""

    def __init__(self):
        self.clock = Clock(now=lambda: NOW, sleep=asyncio.sleep)
        self.polled = []
        self.ended = []
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
            self.ended.append(feed.id)
        finally:
            self.at_once -= 1
        if feed.id in self.troubles:
            raise self.troubles[feed.id]
        return msgspec.structs.replace(state, due_at=NOW + dt.timedelta(hours=1), retired=feed.id in self.retire)


def feeds(*names):
    return tuple(Feed(id=name, url=f"https://{name}.example/") for name in names)


ALL = frozenset(range(10))


def partition_of(url):
    """Return the number in a feed's URL as its partition, or 0."""
    return int("".join(filter(str.isdigit, url)) or 0) % 10


async def run(poller, fs, states=None, seconds=0.1, lost=None):
    health, stop = CollectorHealth(), asyncio.Event()
    loop = PollLoop(
        SETTINGS, fs, poller, health, partition_of=partition_of, report_lost=(lost if lost is not None else []).append
    )
    loop.assign(ALL, states or {})
    running = asyncio.create_task(loop.run(stop))
    await asyncio.wait([running], timeout=seconds)
    stop.set()
    await asyncio.wait_for(running, timeout=60)
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


async def test_one_feeds_error_does_not_end_the_others():
    poller = FakePoller()
    poller.troubles["a"] = ZeroDivisionError("an error")
    await run(poller, feeds("a", "b"))
    assert sorted(poller.polled) == ["a", "b"]


async def test_polls_under_way_are_bounded_and_all_get_their_turn():
    poller = FakePoller()
    poller.seconds = 0.005
    names = [f"f{n}" for n in range(60)]
    await run(poller, feeds(*names), seconds=1)
    assert sorted(poller.polled) == sorted(names)
    assert poller.most_at_once <= 8


async def test_a_feed_that_another_collector_has_is_told_and_the_others_go_on():
    poller, lost = FakePoller(), []
    poller.troubles["a"] = LostError("another collector has taken this one's place")
    await run(poller, feeds("a", "b"), lost=lost)
    assert lost == ["https://a.example/"]
    assert poller.polled == ["a", "b"]


async def test_only_feeds_of_parts_that_are_held_are_polled_and_parts_come_and_go():
    poller, health, stop = FakePoller(), CollectorHealth(), asyncio.Event()
    loop = PollLoop(SETTINGS, feeds("f1", "f2", "f3"), poller, health, partition_of=partition_of)
    running = asyncio.create_task(loop.run(stop))
    loop.assign(frozenset({1}), {})
    await until(lambda: poller.ended)
    assert (poller.polled, health.feeds) == (["f1"], 1)
    await loop.revoke(frozenset({1}), 1.0)
    loop.assign(frozenset({2, 3}), {})
    await until(lambda: len(poller.ended) == 3)
    assert (sorted(poller.polled), health.feeds) == (["f1", "f2", "f3"], 2)
    assert not loop.stopping("f2")
    assert loop.stopping("f1")
    stop.set()
    await running


async def test_a_part_that_goes_takes_its_polls_with_it_in_order_or_at_once():
    poller, health, stop = FakePoller(), CollectorHealth(), asyncio.Event()
    poller.seconds = 0.2
    loop = PollLoop(SETTINGS, feeds("f1", "f2"), poller, health, partition_of=partition_of)
    loop.assign(ALL, {})
    running = asyncio.create_task(loop.run(stop))
    await until(lambda: poller.at_once == 2)
    await loop.revoke(frozenset({1}), 60.0)
    assert "f1" in poller.ended
    await until(lambda: poller.at_once == 0)
    poller.seconds = 60
    loop.assign(frozenset({1}), {})
    await until(lambda: poller.at_once == 1)
    await loop.revoke(frozenset({1}), 0.0)
    assert poller.at_once == 0
    assert sorted(poller.ended) == ["f1", "f2"]
    stop.set()
    await running


async def test_the_series_of_a_feed_go_with_its_part():
    loop = PollLoop(SETTINGS, feeds("gone1"), FakePoller(), CollectorHealth(), partition_of=partition_of)
    loop.assign(ALL, {"gone1": FeedState(id="gone1", url="https://gone1.example/", failures=3, checked_at=NOW)})
    labels = {"feed": "gone1"}
    assert REGISTRY.get_sample_value("dateline_feed_last_success_timestamp_seconds", labels) == 0
    await loop.revoke(ALL, 0.0)
    assert REGISTRY.get_sample_value("dateline_feed_last_success_timestamp_seconds", labels) is None
    assert REGISTRY.get_sample_value("dateline_feed_silent", labels) is None


async def test_feeds_of_one_site_do_not_take_the_places_of_others():
    poller = FakePoller()
    poller.seconds = 0.05
    slow = tuple(Feed(id=f"slow{n}", url="https://slow.example/rss") for n in range(50))
    await run(poller, (*slow, *feeds("quick")), seconds=0.04)
    assert "quick" in poller.polled
    assert sum(name.startswith("slow") for name in poller.polled) <= 2 * PER_HOST


async def test_feeds_that_are_due_longer_than_an_interval_and_not_polled_make_it_not_ready():
    poller = FakePoller()
    began = dt.datetime.now(dt.UTC)
    quick = 10_000  # so many seconds of the feeds' clock in one of ours
    poller.clock = Clock(now=lambda: NOW + quick * (dt.datetime.now(dt.UTC) - began), sleep=asyncio.sleep)
    poller.seconds = 0.1
    busy = await run(poller, feeds(*(f"f{number}" for number in range(60))), seconds=0.35)
    busy.started = True
    assert busy.behind_seconds > SETTINGS.collector.interval_seconds
    assert not busy.ready()[0]
    poller.seconds = 0.0
    idle = await run(poller, feeds("a"), seconds=0.2)
    idle.started = True
    assert idle.ready()[0]


async def test_told_to_stop_it_lets_polls_end():
    poller = FakePoller()
    poller.seconds = 0.3
    await run(poller, feeds("a"), seconds=0.05)
    assert poller.at_once == 0


def test_it_is_ready_once_started_and_while_what_is_published_arrives():
    health = CollectorHealth()
    assert not health.ready()[0]
    health.started = True
    assert health.ready()[0]
    health.problem = "cannot publish: Kafka is away"
    ready, detail = health.ready()
    assert not ready
    assert "Kafka is away" in detail["problem"]
    health.problem = ""
    health.behind_seconds, health.longest_behind_seconds = 301.0, 300.0
    assert health.ready()[1]["problem"] == "feeds are due and not polled"
    health.behind_seconds = 0.0
    assert health.ready()[0]
    health.ran_at -= 60
    assert not health.ready()[0]
    assert not health.healthy()[0]


async def test_a_new_list_of_feeds_adds_and_ends_feeds_while_the_loop_runs():
    poller, health, stop = FakePoller(), CollectorHealth(), asyncio.Event()
    loop = PollLoop(SETTINGS, feeds("f1", "f2"), poller, health, partition_of=partition_of)
    running = asyncio.create_task(loop.run(stop))
    loop.assign(frozenset({1, 2, 3}), {})
    await until(lambda: len(poller.ended) == 2)
    await loop.replace(feeds("f2", "f3", "f4"), frozenset({1, 2, 3}))
    await until(lambda: len(poller.ended) == 3)
    assert sorted(poller.polled) == ["f1", "f2", "f3"], "f4 is of a partition that another collector owns"
    assert health.feeds == 2
    await loop.replace(feeds("f1", "f2", "f3"), frozenset({1, 2, 3}))
    await asyncio.sleep(0.05)
    assert sorted(poller.polled) == ["f1", "f2", "f3"], "f1 goes on from its state, by which it is not due yet"
    assert health.feeds == 3
    stop.set()
    await running


async def test_a_feed_that_is_listed_with_another_url_is_polled_anew():
    poller, stop = FakePoller(), asyncio.Event()
    loop = PollLoop(SETTINGS, feeds("f1"), poller, CollectorHealth(), partition_of=partition_of)
    running = asyncio.create_task(loop.run(stop))
    loop.assign(ALL, {})
    await until(lambda: poller.ended)
    await loop.replace((Feed(id="f1", url="https://f1.example/new"),), ALL)
    await until(lambda: len(poller.ended) == 2)
    assert poller.polled == ["f1", "f1"]
    stop.set()
    await running


async def test_feeds_that_were_planned_while_the_clock_was_ahead_are_polled_when_it_is_set_right():
    poller, health, stop = FakePoller(), CollectorHealth(), asyncio.Event()
    ahead = NOW + dt.timedelta(days=300)
    now = ahead
    poller.clock = Clock(now=lambda: now, sleep=lambda _: asyncio.sleep(0.01))
    states = {
        name: FeedState(id=name, url=f"https://{name}.example/", checked_at=ahead, due_at=ahead + dt.timedelta(hours=1))
        for name in ("a", "b")
    }
    loop = PollLoop(SETTINGS, feeds("a", "b"), poller, health, partition_of=partition_of, report_lost=[].append)
    loop.assign(ALL, states)
    running = asyncio.create_task(loop.run(stop))
    await asyncio.sleep(0.1)
    assert poller.polled == []
    now = NOW
    await until(lambda: sorted(poller.polled) == ["a", "b"])
    stop.set()
    await running
    again = PollLoop(SETTINGS, feeds("a", "b"), poller, health, partition_of=partition_of, report_lost=[].append)
    again.assign(ALL, states)  # a collector that starts later knows it from the states
    stop.clear()
    running = asyncio.create_task(again.run(stop))
    await until(lambda: sorted(poller.polled) == ["a", "a", "b", "b"])
    stop.set()
    await running
