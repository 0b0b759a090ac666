"""The loop of polls: feeds are polled when they are due, a few of each host at once, until the loop is told to stop."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from pipeline import bus
from pipeline.collect import feed_metrics
from pipeline.collect.collector_health import CollectorHealth
from pipeline.collect.poll import CLOCK_STEP, Poller, is_of_the_future
from pipeline.collect.schedule import HostQueue, Schedule
from pipeline.collect.subscriber import Subscriber
from pipeline.collect.writer import LostError
from pipeline.page import urls
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings

log = structlog.get_logger("collector")

PER_HOST: Final = 2
"""Polls of one host at the same time. The limit of the host lets no more through anyway."""

POLLS_PER_CONNECTION: Final = 4
"""Polls at the same time for each connection: most polls wait for the limit of a host, not for the network."""

TICK_SECONDS: Final = 1.0
"""The longest time between two looks at the schedule."""

DRAIN_SECONDS: Final = 20.0
"""How long running polls may take to end when the collector is told to stop."""

CANCEL_SECONDS: Final = 5
"""How long to wait for polls that were cancelled."""


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
        health: CollectorHealth,
        *,
        partition_of: Callable[[str], int] = lambda _: 0,
        report_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._feeds = {feed.id: feed for feed in feeds}
        self._partition_of = partition_of
        self._partitions = {feed.id: partition_of(feed.url) for feed in self._feeds.values()}
        self._states: dict[str, FeedState] = {}
        self._left: dict[str, FeedState] = {}
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
        self.subscriber: Subscriber | None = None

    # --- partitions -------------------------------------------------------------------------------------------------------

    def assign(self, partitions: bus.Partitions, states: Mapping[str, FeedState]) -> None:
        """Poll the feeds of these partitions, when their states say that they are due."""
        others = (one for one in states.values() if one.id not in self._feeds)
        self._left |= {one.id: one for one in others if self._partition_of(one.url) in partitions}
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
        at_once = changed_url or is_of_the_future(state, self._poller.clock.now())
        self._schedule.add(feed.id, epoch if at_once or state.due_at is None else state.due_at)

    async def replace(self, feeds: Iterable[Feed], partitions: bus.Partitions) -> None:
        """Take another list of feeds while the loop runs; `partitions` are those that this collector owns.

        A feed that is no longer listed, or is listed otherwise, ends after its running poll. One that comes back goes on from
        the state in which it left.
        """
        listed = {feed.id: feed for feed in feeds}
        gone = {feed_id for feed_id, feed in self._feeds.items() if listed.get(feed_id) != feed}
        self._left |= await self._drop(gone & self._states.keys(), DRAIN_SECONDS)
        self._feeds = listed
        self._partitions = {feed.id: self._partition_of(feed.url) for feed in listed.values()}
        self._leaving -= gone
        new = [
            feed for feed in listed.values() if feed.id not in self._states and self._partitions[feed.id] in partitions
        ]
        for feed in new:
            self._states[feed.id] = self._left.pop(feed.id, FeedState(id=feed.id, url=feed.url))
            self._plan(feed, self._states[feed.id])
        self._count()
        self._woken.set()
        log.info("feeds_reloaded", feeds=len(listed), ended=len(gone), started=len(new))

    async def revoke(self, partitions: bus.Partitions, seconds: float) -> None:
        """Stop polling the feeds of these partitions. Running polls end in order within so many seconds, then at once."""
        self._left.clear()  # the next owner writes their states from now on
        await self._drop({feed_id for feed_id in self._states if self._partitions[feed_id] in partitions}, seconds)
        self._count()

    async def _drop(self, going: set[str], seconds: float) -> dict[str, FeedState]:
        """End the polls of these feeds, and return the states in which they left."""
        left: dict[str, FeedState] = {}
        self._leaving |= going
        for feed_id in going:
            self._schedule.remove(feed_id)
            self._host_queue.remove(feed_id)
        await self._end([self._polls[feed_id] for feed_id in going if feed_id in self._polls], seconds)
        for feed_id in going:
            self._schedule.remove(feed_id)  # a poll that ended meanwhile has added it again
            self._failing.discard(feed_id)
            if (state := self._states.pop(feed_id, None)) is not None:
                left[feed_id] = state
            feed_metrics.hide(feed_id)
            if self.subscriber is not None:
                self.subscriber.remove(feed_id)
        return left

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
        caught_up_at = now = self._poller.clock.now()
        try:
            while not stop.is_set():
                before, now = now, self._poller.clock.now()
                if now < before - CLOCK_STEP:  # the clock was ahead, and so is what is planned
                    for planned in [one for one in self._states if one in self._schedule]:
                        self._plan(self._feeds[planned], self._states[planned])
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
