"""The collector process: polls the feeds of its partitions when they are due, until it is told to stop.

`run` is the process, `collect` its jobs, `PollLoop` the loop of polls. `membership` decides which partitions are its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from pipeline import bus, metrics
from pipeline.collect import feed_metrics, subscriber
from pipeline.collect import feeds as feeds_
from pipeline.collect.drop_folder import DropFolder
from pipeline.collect.fetch import Clock
from pipeline.collect.http_client import HttpClient
from pipeline.collect.membership import Membership, PartitionListener
from pipeline.collect.poll import Poller
from pipeline.collect.schedule import HostQueue, Schedule
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import LostError
from pipeline.page import urls
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings
from pipeline.version import VERSION

log = structlog.get_logger("collector")

PER_HOST: Final = 2
"""Polls of one host at the same time. The limit of the host lets no more through anyway."""

POLLS_PER_CONNECTION: Final = 4
"""Polls at the same time for each connection: most polls wait for the limit of a host, not for the network."""

TICK_SECONDS: Final = 1.0
"""The longest time between two looks at the schedule."""

START_SECONDS: Final = 120.0
"""How long to wait for Kafka and its topics."""

DRAIN_SECONDS: Final = 20.0
"""How long running polls may take to end when the collector is told to stop."""

CANCEL_SECONDS: Final = 5
"""How long to wait for polls that were cancelled."""

STALLED_SECONDS: Final = 15.0
"""An event loop that has not run for this long is not healthy."""


@dataclass(slots=True)
class Health:
    """What /healthz and /readyz answer. Written by the event loop, read by the metrics thread."""

    ran_at: float = field(default_factory=time.monotonic)
    started: bool = False
    problem: str = ""
    feeds: int = 0
    failing: int = 0
    polls: int = 0
    behind_seconds: float = 0.0
    """For how long more polls have been due than may run."""
    longest_behind_seconds: float = float("inf")
    membership: Membership | None = None

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Return whether the event loop runs, and the detail to show."""
        age = time.monotonic() - self.ran_at
        return age < STALLED_SECONDS, {"loop_age_seconds": round(age, 1)}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Return whether the collector has started, its event loop runs, and Kafka takes what it publishes; and the detail."""
        alive, detail = self.healthy()
        problem = self.problem or ("" if self.started else "reading the state of the feeds")
        if not problem and self.behind_seconds > self.longest_behind_seconds:
            problem = "feeds are due and not polled"
        good = alive and not problem
        metrics.ready.set(good)
        partitions = len(self.membership.owned.held) if self.membership is not None else 0
        return good, {
            **detail, "parts": partitions, "feeds": self.feeds, "failing": self.failing, "polls": self.polls,
            "behind_seconds": round(self.behind_seconds, 1), "problem": problem,
        }  # fmt: skip


class PollLoop:
    """The feeds of the partitions that this collector owns, their schedule and the running polls.

    Create it inside the running event loop. At most `PER_HOST` feeds of a host are polled at once; those that wait for their
    host do not delay others. `report_lost` is called with the URL of a feed that another collector writes.
    """

    def __init__(
        self,
        settings: Settings,
        feeds: Iterable[Feed],
        poller: Poller,
        health: Health,
        *,
        partition_of: Callable[[str], int] = lambda _: 0,
        report_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._feeds = {feed.id: feed for feed in feeds}
        self._partitions = {feed.id: partition_of(feed.url) for feed in self._feeds.values()}
        self._states: dict[str, FeedState] = {}
        self._poller = poller
        self._health = health
        health.longest_behind_seconds = settings.collector.interval_seconds
        self._report_lost = report_lost
        self._schedule = Schedule()
        self._host_queue = HostQueue(PER_HOST)
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._failing: set[str] = set()
        self._woken = asyncio.Event()
        self.subscriber: subscriber.Subscriber | None = None

    # --- partitions -------------------------------------------------------------------------------------------------------

    def assign(self, partitions: bus.Partitions, states: Mapping[str, FeedState]) -> None:
        """Poll the feeds of these partitions, when their states say that they are due."""
        for feed in self._feeds.values():
            if self._partitions[feed.id] in partitions:
                self._leaving.discard(feed.id)
                self._states[feed.id] = states.get(feed.id) or FeedState(id=feed.id, url=feed.url)
                self._plan(feed, self._states[feed.id])
        self._count()
        self._woken.set()

    def _plan(self, feed: Feed, state: FeedState) -> None:
        changed_url = state.url != feed.url
        feed_metrics.show(state)
        self._mark(state)
        if state.retired and not changed_url:
            return
        epoch = dt.datetime.fromtimestamp(0, dt.UTC)
        self._schedule.add(feed.id, state.due_at if state.due_at is not None and not changed_url else epoch)

    async def revoke(self, partitions: bus.Partitions, seconds: float) -> None:
        """Stop polling the feeds of these partitions. Running polls end in order within so many seconds, then at once."""
        going = {feed_id for feed_id in self._states if self._partitions[feed_id] in partitions}
        self._leaving |= going
        for feed_id in going:
            self._schedule.remove(feed_id)
            self._host_queue.remove(feed_id)
        await self._end([self._polls[feed_id] for feed_id in going if feed_id in self._polls], seconds)
        for feed_id in going:
            self._schedule.remove(feed_id)  # a poll that ended meanwhile has added it again
            self._failing.discard(feed_id)
            self._states.pop(feed_id, None)
            feed_metrics.hide(feed_id)
            if self.subscriber is not None:
                self.subscriber.remove(feed_id)
        self._count()

    def wake(self, feed_id: str) -> None:
        """Poll a feed at once, because a hub has pushed something for it. After a running poll that happens by itself."""
        if feed_id in self._states and feed_id not in self._polls:
            self._schedule.add(feed_id, self._poller.clock.now())
            self._woken.set()

    def stopping(self, feed_id: str) -> bool:
        """Whether a feed's poll has to end after the page that it is fetching."""
        return feed_id in self._leaving

    # --- polls -------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Poll what is due until `stop` is set, then let the running polls end."""
        most = self._settings.collector.connections * POLLS_PER_CONNECTION
        stopping = asyncio.create_task(stop.wait())
        caught_up_at = self._poller.clock.now()
        try:
            while not stop.is_set():
                now = self._poller.clock.now()
                while len(self._polls) < most and (feed_id := self._schedule.pop_due(now)) is not None:
                    if self._host_queue.start(urls.host(self._feeds[feed_id].url), feed_id):
                        self._start(feed_id)
                self._health.polls = len(self._polls)
                full = len(self._polls) >= most
                caught_up_at = caught_up_at if full else now
                self._health.behind_seconds = (now - caught_up_at).total_seconds()
                wait = TICK_SECONDS if full else self._schedule.seconds_to_next(now, most=TICK_SECONDS)
                self._woken.clear()
                woken = asyncio.create_task(self._woken.wait())
                waiting = asyncio.ensure_future(self._poller.clock.sleep(max(wait, 0.01)))
                await asyncio.wait([stopping, woken, waiting], return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                waiting.cancel()
        finally:
            stopping.cancel()
            await self._drain()

    def _start(self, feed_id: str) -> None:
        task = asyncio.create_task(self._poll(self._feeds[feed_id]))
        self._polls[feed_id] = task
        task.add_done_callback(lambda _: self._ended(feed_id))

    def _ended(self, feed_id: str) -> None:
        del self._polls[feed_id]
        following = self._host_queue.finish(urls.host(self._feeds[feed_id].url))
        if following is not None:
            self._start(following)
        self._woken.set()

    async def _poll(self, feed: Feed) -> None:
        if feed.id in self._leaving:
            return
        try:
            state = await self._poller.poll(feed, self._states[feed.id])
        except LostError as error:
            log.warning("poll_lost", feed=feed.id, reason=str(error))
            self._report_lost(feed.url)
            return
        except Exception:  # one feed must not end the others, whatever error it causes
            log.exception("poll_failed", feed=feed.id, url=feed.url)
            later = self._poller.clock.now() + dt.timedelta(seconds=self._settings.collector.interval_seconds)
            self._schedule.add(feed.id, later)
            return
        self._states[feed.id] = state
        self._mark(state)
        self._count()
        if not state.retired and state.due_at is not None:
            pushed = self.subscriber is not None and self.subscriber.has_pushed(feed.id)
            self._schedule.add(feed.id, self._poller.clock.now() if pushed else state.due_at)

    def _mark(self, state: FeedState) -> None:
        (self._failing.add if state.failures else self._failing.discard)(state.id)

    def _count(self) -> None:
        self._health.feeds = len(self._states)
        self._health.failing = len(self._failing)

    async def _drain(self) -> None:
        """Let the running polls end: each stops before its next page and publishes what it has."""
        self._host_queue = HostQueue(PER_HOST)
        self._leaving |= set(self._polls)
        if self._polls:
            log.info("draining", polls=len(self._polls))
            await self._end(list(self._polls.values()), DRAIN_SECONDS)

    @staticmethod
    async def _end(polls: list[asyncio.Task[None]], seconds: float) -> None:
        if not polls:
            return
        _, late = await asyncio.wait(polls, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CANCEL_SECONDS)


def run(settings: Settings) -> None:
    """Run the collector process until SIGTERM or SIGINT, then end in order.

    Raises:
        SettingsError: feeds.toml is wrong.
        BusError: Kafka cannot be reached, or topics are missing.
        LostError: another process has this one's name.
        OSError: the port of /metrics is taken.
    """
    feeds = feeds_.load(settings)
    health = Health()
    server = metrics.serve(
        settings.http.host, settings.http.collector_port, healthy=health.healthy, readiness=health.ready
    )
    metrics.build_info.labels(version=VERSION, process="collector").set(1)
    try:
        asyncio.run(_collect(settings, feeds, health))
    finally:
        server.shutdown()
        server.server_close()


async def _collect(settings: Settings, feeds: tuple[Feed, ...], health: Health) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # DNS lookups run on these threads, and a name server that does not answer must not delay the parsing of feeds
    loop.set_default_executor(ThreadPoolExecutor(settings.collector.connections + 8, thread_name_prefix="collector"))
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not on the main thread
            loop.add_signal_handler(name, stop.set)
    await collect(settings, feeds, health=health, stop=stop, clock=Clock.real(), rng=random.Random())  # noqa: S311 - jitter, no secret


async def collect(
    settings: Settings,
    feeds: tuple[Feed, ...],
    *,
    health: Health,
    stop: asyncio.Event,
    clock: Clock,
    rng: random.Random,
) -> None:
    """Collect those of the feeds that are assigned to this collector, until `stop` is set.

    Raises:
        BusError: Kafka cannot be reached, or topics are missing.
        LostError: another process has this one's name.
    """
    watching = asyncio.create_task(_watch(health))
    web: HttpClient | None = None
    membership: Membership | None = None
    hubs: subscriber.Subscriber | None = None
    try:
        if not await _topics_exist(settings, stop):
            return
        count = await asyncio.to_thread(bus.partitions_of, settings, bus.FEEDS)
        seen_urls = SeenUrls()
        membership = Membership(settings, count, seen_urls, name=_name(settings), alive=lambda: health.healthy()[0])
        health.membership = membership
        owned = membership.owned
        web = HttpClient(settings.collector, clock, owned.interval_factor)
        poller = Poller(settings, web, owned, seen_urls, clock, rng)
        poll_loop = PollLoop(
            settings, feeds, poller, health, partition_of=owned.partition, report_lost=membership.report_lost
        )
        poller.stopping = lambda feed_id: stop.is_set() or poll_loop.stopping(feed_id)
        jobs: list[Coroutine[Any, Any, None]] = [poll_loop.run(stop)]
        poller.subscriber = poll_loop.subscriber = hubs = await subscriber.open_subscriber(settings, clock)
        if hubs is not None:
            hubs.wake = poll_loop.wake
            jobs.append(hubs.run(stop))
        listeners: list[PartitionListener] = [poll_loop]
        if settings.collector.drop_folder:
            drop_folder = DropFolder(settings, poller, owned.partition, membership.report_lost)
            jobs.append(drop_folder.run(stop))
            listeners.append(drop_folder)
        health.started = True
        log.info("collecting", feeds=len(feeds), parts=count, drop_folder=settings.collector.drop_folder or None)
        await _all([*jobs, membership.run(stop, listeners)], stop)
    finally:
        health.started = False
        if hubs is not None:
            await hubs.close()
        if web is not None:
            await web.close()
        if membership is not None:
            await membership.close()
        watching.cancel()
        log.info("stopped")


def _name(settings: Settings) -> str:
    """Return this collector's name in the group: the same after a restart, so that it gets its partitions back at once."""
    port = settings.http.collector_port
    return f"{socket.gethostname()}-{port}" if port else ""


async def _topics_exist(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait for Kafka and its topics in short steps, so that `stop` is noticed meanwhile. Return False if it was set.

    Raises:
        BusError: they are missing after `START_SECONDS`.
    """
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set():
        try:
            await asyncio.to_thread(bus.wait_for_topics, settings, seconds=2.0)
        except bus.BusError:
            if time.monotonic() > deadline:
                raise
        else:
            return True
    return False


async def _all(jobs: list[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Run all jobs to their end. When one fails, stop the others, then raise its error."""
    tasks = [asyncio.create_task(job) for job in jobs]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()


async def _watch(health: Health) -> None:
    """Note once a second that the event loop runs, and whether what is published arrives."""
    while True:
        health.ran_at = time.monotonic()
        if health.membership is not None:
            problem = health.membership.owned.problem
            health.problem = f"cannot publish: {problem}" if problem else health.membership.problem
        health.ready()
        await asyncio.sleep(TICK_SECONDS)
