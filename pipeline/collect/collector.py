"""The loop: whose turn it is, polls under way, the drop folder, and an orderly end. `run` is the collector process."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
import signal
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from pipeline import bus, metrics, records
from pipeline.collect import feeds as feeds_
from pipeline.collect.dropped import Dropped
from pipeline.collect.fetch import Clock, Web
from pipeline.collect.poll import Claims, Poller
from pipeline.collect.publish import LostError, Outlet
from pipeline.collect.schedule import Schedule
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings
from pipeline.version import VERSION

log = structlog.get_logger("collector")

TRANSACTIONAL_ID: Final = "dateline-collector"
"""One collector at a time writes under it: a second one that starts takes over, and the first stops."""

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

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Whether the loop turns."""
        age = time.monotonic() - self.turned_at
        return age < STALLED_SECONDS, {"loop_age_seconds": round(age, 1)}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Whether the state was read, the loop turns, and Kafka takes what is published."""
        alive, detail = self.healthy()
        good = self.started and alive and not self.problem
        metrics.ready.set(good)
        problem = self.problem or ("" if self.started else "reading the state of the feeds")
        return good, {**detail, "feeds": self.feeds, "failing": self.failing, "polls": self.polls, "problem": problem}


class Collector:
    """Feeds, when each is due, and the polls under way. Make it inside the running loop."""

    def __init__(
        self, settings: Settings, feeds: Iterable[Feed], states: dict[str, FeedState], poller: Poller, health: Health
    ) -> None:
        self._settings = settings
        self._feeds = {feed.id: feed for feed in feeds}
        self._states = {feed.id: states.get(feed.id) or FeedState(id=feed.id, url=feed.url) for feed in feeds}
        self._poller = poller
        self._health = health
        self._schedule = Schedule()
        self._polls: dict[asyncio.Task[None], str] = {}
        self._lost: BaseException | None = None
        self._woken = asyncio.Event()
        for feed in self._feeds.values():
            self._plan(feed, self._states[feed.id])

    def _plan(self, feed: Feed, state: FeedState) -> None:
        moved = state.url != feed.url
        if state.retired and not moved:
            return
        epoch = dt.datetime.fromtimestamp(0, dt.UTC)
        due_at = state.due_at if state.due_at is not None and not moved else epoch
        self._schedule.add(feed.id, due_at)
        if state.succeeded_at is not None:
            gauge = metrics.feed_last_success_timestamp_seconds.labels(feed=feed.id)
            gauge.set(state.succeeded_at.timestamp())

    async def run(self, stop: asyncio.Event) -> None:
        """Poll what is due, until `stop` is set; then let the polls under way end.

        Raises:
            LostError: another collector has taken over.
        """
        most = self._settings.collector.connections * POLLS_PER_CONNECTION
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set() and self._lost is None:
                now = self._poller.clock.now()
                while len(self._polls) < most and (feed_id := self._schedule.pop_due(now)) is not None:
                    self._start(feed_id)
                self._note()
                wait = (
                    self._schedule.seconds_to_next(now, most=TICK_SECONDS) if len(self._polls) < most else TICK_SECONDS
                )
                self._woken.clear()
                woken = asyncio.create_task(self._woken.wait())
                await asyncio.wait([stopping, woken], timeout=max(wait, 0.01), return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
        finally:
            stopping.cancel()
            await self._drain()
        if self._lost is not None:
            raise self._lost

    def _start(self, feed_id: str) -> None:
        task = asyncio.create_task(self._poll(self._feeds[feed_id]))
        self._polls[task] = feed_id
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._polls[task]
        self._woken.set()

    async def _poll(self, feed: Feed) -> None:
        state = self._states[feed.id]
        try:
            state = await self._poller.poll(feed, state)
        except LostError as error:
            self._lost = error
            return
        except Exception:  # one feed must not end the others, whatever it makes us stumble over
            log.exception("poll_failed", feed=feed.id, url=feed.url)
            later = self._poller.clock.now() + dt.timedelta(seconds=self._settings.collector.interval_seconds)
            self._schedule.add(feed.id, later)
            return
        self._states[feed.id] = state
        if not state.retired and state.due_at is not None:
            self._schedule.add(feed.id, state.due_at)

    def _note(self) -> None:
        self._health.polls = len(self._polls)
        self._health.feeds = len(self._feeds)
        self._health.failing = sum(1 for state in self._states.values() if state.failures)

    async def _drain(self) -> None:
        """Let the polls under way end: each stops before its next page and publishes what it has."""
        if self._polls:
            log.info("draining", polls=len(self._polls))
            _, late = await asyncio.wait(list(self._polls), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=5)


def read_states(settings: Settings) -> dict[str, FeedState]:
    """The state of every feed as the topic of feed states has it; one that cannot be read counts as unknown.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    states: dict[str, FeedState] = {}
    for key, value in _raw_states(settings).items():
        try:
            state = records.decode(value, FeedState)
            states[state.id] = state
        except records.RecordError as error:
            log.warning("feed_state_unreadable", key=key.decode("utf-8", "replace"), error=str(error))
    return states


def _raw_states(settings: Settings) -> dict[bytes, bytes]:
    latest: dict[bytes, bytes] = {}
    for message in bus.read_all(settings, bus.FEEDS):
        if message.key is not None and message.value is not None:
            latest[message.key] = message.value
        elif message.key is not None:
            latest.pop(message.key, None)
    return latest


def run(settings: Settings) -> None:
    """The collector process: blocks until SIGTERM or SIGINT, then ends in order.

    Raises:
        SettingsError: feeds.toml is wrong.
        BusError: Kafka is not there, or its topics are not.
        LostError: another collector has taken over.
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
    """Collect these feeds until `stop` is set.

    Raises:
        BusError: Kafka is not there, or its topics are not.
        LostError: another collector has taken over.
    """
    outlet = Outlet(lambda: bus.Publisher(settings, TRANSACTIONAL_ID), lambda: _raw_states(settings))
    beat = asyncio.create_task(_beat(outlet, health))
    web: Web | None = None
    try:
        if not await _topics_exist(settings, stop):
            return
        # the publisher first: it ends the transaction of a collector that was killed, so that what is read after is final
        await asyncio.to_thread(outlet.open)
        states = await asyncio.to_thread(read_states, settings)
        web = Web(settings.collector, clock)
        poller = Poller(settings, web, outlet, Claims(states.values()), clock, chance, stopping=stop.is_set)
        jobs = [Collector(settings, feeds, states, poller, health).run(stop)]
        if settings.collector.drop_folder:
            jobs.append(Dropped(settings, poller, states).run(stop))
        health.started = True
        log.info("collecting", feeds=len(feeds), drop_folder=settings.collector.drop_folder or None)
        await _all(jobs, stop)
    finally:
        health.started = False
        if web is not None:
            await web.close()
        await asyncio.to_thread(outlet.close)
        beat.cancel()
        log.info("stopped")


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


async def _beat(outlet: Outlet, health: Health) -> None:
    """Note that the event loop turns, and whether what is published arrives."""
    while True:
        health.turned_at = time.monotonic()
        health.problem = f"cannot publish: {outlet.problem}" if outlet.problem else ""
        health.ready()
        await asyncio.sleep(TICK_SECONDS)
