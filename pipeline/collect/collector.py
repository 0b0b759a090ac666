"""The loop: whose turn it is, polls under way, and an orderly end. `run` is the process; team.py its place among others."""

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
from pipeline.collect import feed_metrics, push
from pipeline.collect import feeds as feeds_
from pipeline.collect.drop_folder import Dropped
from pipeline.collect.fetch import Clock
from pipeline.collect.http_client import HttpClient
from pipeline.collect.membership import Taker, Team
from pipeline.collect.poll import Poller
from pipeline.collect.schedule import Schedule, Turns
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import LostError
from pipeline.page import urls
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings
from pipeline.version import VERSION

log = structlog.get_logger("collector")

PER_HOST: Final = 2
"""Polls of feeds of one site at once: its limit lets no more through anyway."""

POLLS_PER_CONNECTION: Final = 4
"""Polls under way at once, for each connection: most of them wait for their turn at a host, not for the network."""

TICK_SECONDS: Final = 1.0
START_SECONDS: Final = 120.0
"""How long to wait for Kafka and its topics."""

DRAIN_SECONDS: Final = 20.0
"""How long polls under way may take to end when the collector is told to stop."""

STALLED_SECONDS: Final = 15.0
"""A loop that has not turned for this long is not healthy."""


@dataclass(slots=True)
class Health:
    """What /healthz and /readyz say; written by the loop, read by the metrics thread."""

    turned_at: float = field(default_factory=time.monotonic)
    started: bool = False
    problem: str = ""
    feeds: int = 0
    failing: int = 0
    polls: int = 0
    behind_seconds: float = 0.0
    """For how long more polls have been due than may be under way."""
    patience_seconds: float = float("inf")
    team: Team | None = None

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Whether the loop turns."""
        age = time.monotonic() - self.turned_at
        return age < STALLED_SECONDS, {"loop_age_seconds": round(age, 1)}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Whether the state was read, the loop turns, and Kafka takes what is published."""
        alive, detail = self.healthy()
        problem = self.problem or ("" if self.started else "reading the state of the feeds")
        if not problem and self.behind_seconds > self.patience_seconds:
            problem = "feeds are due and not polled"
        good = alive and not problem
        metrics.ready.set(good)
        parts = len(self.team.shares.held) if self.team is not None else 0
        return good, {
            **detail, "parts": parts, "feeds": self.feeds, "failing": self.failing, "polls": self.polls,
            "behind_seconds": round(self.behind_seconds, 1), "problem": problem,
        }  # fmt: skip


class Collector:
    """The feeds of the parts that are held, when each is due, and the polls under way. Make it inside the running loop.

    A site's feeds are polled `PER_HOST` at a time: those that wait for their site hold up nobody else.
    """

    def __init__(
        self,
        settings: Settings,
        feeds: Iterable[Feed],
        poller: Poller,
        health: Health,
        *,
        part: Callable[[str], int] = lambda _: 0,
        lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._feeds = {feed.id: feed for feed in feeds}
        self._parts = {feed.id: part(feed.url) for feed in self._feeds.values()}
        self._states: dict[str, FeedState] = {}
        self._poller = poller
        self._health = health
        health.patience_seconds = settings.collector.interval_seconds
        self._lost = lost
        self._schedule = Schedule()
        self._turns = Turns(PER_HOST)
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[str] = set()
        self._failing: set[str] = set()
        self._woken = asyncio.Event()
        self.push: push.Push | None = None

    # --- parts -------------------------------------------------------------------------------------------------------

    def take(self, parts: bus.Parts, states: Mapping[str, FeedState]) -> None:
        """The feeds of these parts are ours to poll, from where their states say."""
        for feed in self._feeds.values():
            if self._parts[feed.id] in parts:
                self._leaving.discard(feed.id)
                self._states[feed.id] = states.get(feed.id) or FeedState(id=feed.id, url=feed.url)
                self._plan(feed, self._states[feed.id])
        self._count()
        self._woken.set()

    def _plan(self, feed: Feed, state: FeedState) -> None:
        moved = state.url != feed.url
        feed_metrics.show(state)
        self._mark(state)
        if state.retired and not moved:
            return
        epoch = dt.datetime.fromtimestamp(0, dt.UTC)
        self._schedule.add(feed.id, state.due_at if state.due_at is not None and not moved else epoch)

    async def leave(self, parts: bus.Parts, seconds: float) -> None:
        """These feeds are another collector's now; polls under way end in order within so many seconds, then at once."""
        going = {feed_id for feed_id in self._states if self._parts[feed_id] in parts}
        self._leaving |= going
        for feed_id in going:
            self._schedule.remove(feed_id)
            self._turns.forget(feed_id)
        await self._end([self._polls[feed_id] for feed_id in going if feed_id in self._polls], seconds)
        for feed_id in going:
            self._schedule.remove(feed_id)  # a poll that ended meanwhile has put it back
            self._failing.discard(feed_id)
            self._states.pop(feed_id, None)
            feed_metrics.hide(feed_id)
            if self.push is not None:
                self.push.forget(feed_id)
        self._count()

    def wake(self, feed_id: str) -> None:
        """There is news of a feed: read it at once, or as soon as the poll under way has ended."""
        if feed_id in self._states and feed_id not in self._polls:
            self._schedule.add(feed_id, self._poller.clock.now())
            self._woken.set()

    def stopping(self, feed_id: str) -> bool:
        """Whether a feed's poll is to end after the page it is at."""
        return feed_id in self._leaving

    # --- polls -------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Poll what is due, until `stop` is set; then let the polls under way end."""
        most = self._settings.collector.connections * POLLS_PER_CONNECTION
        stopping = asyncio.create_task(stop.wait())
        caught_up_at = self._poller.clock.now()
        try:
            while not stop.is_set():
                now = self._poller.clock.now()
                while len(self._polls) < most and (feed_id := self._schedule.pop_due(now)) is not None:
                    if self._turns.come(urls.host(self._feeds[feed_id].url), feed_id):
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
        following = self._turns.go(urls.host(self._feeds[feed_id].url))
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
            self._lost(feed.url)
            return
        except Exception:  # one feed must not end the others, whatever it makes us stumble over
            log.exception("poll_failed", feed=feed.id, url=feed.url)
            later = self._poller.clock.now() + dt.timedelta(seconds=self._settings.collector.interval_seconds)
            self._schedule.add(feed.id, later)
            return
        self._states[feed.id] = state
        self._mark(state)
        self._count()
        if not state.retired and state.due_at is not None:
            pushed = self.push is not None and self.push.waits(feed.id)
            self._schedule.add(feed.id, self._poller.clock.now() if pushed else state.due_at)

    def _mark(self, state: FeedState) -> None:
        (self._failing.add if state.failures else self._failing.discard)(state.id)

    def _count(self) -> None:
        self._health.feeds = len(self._states)
        self._health.failing = len(self._failing)

    async def _drain(self) -> None:
        """Let the polls under way end: each stops before its next page and publishes what it has."""
        self._turns = Turns(PER_HOST)
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
            await asyncio.wait(late, timeout=5)


def run(settings: Settings) -> None:
    """The collector process: blocks until SIGTERM or SIGINT, then ends in order.

    Raises:
        SettingsError: feeds.toml is wrong.
        BusError: Kafka is not there, or its topics are not.
        LostError: another process runs under this one's name.
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
    # names are looked up on these threads, and a dead name server must not hold up the reading of feeds
    loop.set_default_executor(ThreadPoolExecutor(settings.collector.connections + 8, thread_name_prefix="collector"))
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not on the main thread
            loop.add_signal_handler(name, stop.set)
    await collect(settings, feeds, health=health, stop=stop, clock=Clock.real(), chance=random.Random())  # noqa: S311 - jitter, no secret


async def collect(
    settings: Settings,
    feeds: tuple[Feed, ...],
    *,
    health: Health,
    stop: asyncio.Event,
    clock: Clock,
    chance: random.Random,
) -> None:
    """Collect of these feeds those that are this collector's, until `stop` is set.

    Raises:
        BusError: Kafka is not there, or its topics are not.
        LostError: another process runs under this one's name.
    """
    beat = asyncio.create_task(_beat(health))
    web: HttpClient | None = None
    team: Team | None = None
    pushes: push.Push | None = None
    try:
        if not await _topics_exist(settings, stop):
            return
        count = await asyncio.to_thread(bus.partitions_of, settings, bus.FEEDS)
        claims = SeenUrls()
        team = Team(settings, count, claims, name=_name(settings), alive=lambda: health.healthy()[0])
        health.team = team
        shares = team.shares
        web = HttpClient(settings.collector, clock, shares.stretch)
        poller = Poller(settings, web, shares, claims, clock, chance)
        collector = Collector(settings, feeds, poller, health, part=shares.part, lost=team.lost)
        poller.stopping = lambda feed_id: stop.is_set() or collector.stopping(feed_id)
        jobs: list[Coroutine[Any, Any, None]] = [collector.run(stop)]
        poller.push = collector.push = pushes = await push.opened(settings, clock)
        if pushes is not None:
            pushes.wake = collector.wake
            jobs.append(pushes.run(stop))
        takers: list[Taker] = [collector]
        if settings.collector.drop_folder:
            dropped = Dropped(settings, poller, shares.part, team.lost)
            jobs.append(dropped.run(stop))
            takers.append(dropped)
        health.started = True
        log.info("collecting", feeds=len(feeds), parts=count, drop_folder=settings.collector.drop_folder or None)
        await _all([*jobs, team.run(stop, takers)], stop)
    finally:
        health.started = False
        if pushes is not None:
            await pushes.close()
        if web is not None:
            await web.close()
        if team is not None:
            await team.close()
        beat.cancel()
        log.info("stopped")


def _name(settings: Settings) -> str:
    """What this collector is called among the others: the same after a restart, so that it gets its feeds back at once."""
    port = settings.http.collector_port
    return f"{socket.gethostname()}-{port}" if port else ""


async def _topics_exist(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait for Kafka and its topics, in short steps, so that a stop is heard meanwhile; False when told to stop.

    Raises:
        BusError: they are not there after two minutes.
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
    """Run all jobs to their end; when one fails, tell the others to stop, and raise its error when they have."""
    tasks = [asyncio.create_task(job) for job in jobs]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()


async def _beat(health: Health) -> None:
    """Note that the event loop turns, and whether what is published arrives."""
    while True:
        health.turned_at = time.monotonic()
        if health.team is not None:
            blocked = health.team.shares.problem
            health.problem = f"cannot publish: {blocked}" if blocked else health.team.problem
        health.ready()
        await asyncio.sleep(TICK_SECONDS)
