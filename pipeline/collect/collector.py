"""The collector process: its jobs run until it is told to stop.

`run` is the process, `collect` its jobs. `PollLoop` polls the feeds of the partitions that `Membership` assigns.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

from pipeline import bus, metrics
from pipeline.collect import feeds as feeds_
from pipeline.collect import subscriber
from pipeline.collect.collector_health import CollectorHealth
from pipeline.collect.drop_folder import DropFolder
from pipeline.collect.feeds_watch import FeedsWatch
from pipeline.collect.fetch import Clock
from pipeline.collect.http_client import HttpClient
from pipeline.collect.membership import Membership, PartitionListener
from pipeline.collect.poll import Poller
from pipeline.collect.poll_loop import PollLoop
from pipeline.collect.seen_urls import SeenUrls
from pipeline.process import VERSION
from pipeline.records import Feed
from pipeline.settings import Settings

log = structlog.get_logger("collector")

BEAT_SECONDS: Final = 1.0
"""The time between two looks at the health of the process."""


def run(settings: Settings) -> None:
    """Run the collector process until SIGTERM or SIGINT, then end in order.

    Raises:
        SettingsError: feeds.toml is wrong.
        LostError: another process has this one's name.
        OSError: the port of /metrics is taken.
    """
    feeds = feeds_.load(settings)
    health = CollectorHealth()
    broker = bus.BrokerWatch(settings)
    health.broker_problem = lambda: broker.problem
    server = metrics.serve(
        settings.http.host, settings.http.collector_port, healthy=health.healthy, readiness=health.ready
    )
    metrics.build_info.labels(version=VERSION, process="collector").set(1)
    try:
        asyncio.run(_collect(settings, feeds, health, broker))
    finally:
        server.shutdown()
        server.server_close()


async def _collect(
    settings: Settings, feeds: tuple[Feed, ...], health: CollectorHealth, broker: bus.BrokerWatch
) -> None:
    stop, ending = asyncio.Event(), threading.Event()

    def on_signal() -> None:
        stop.set()
        ending.set()

    loop = asyncio.get_running_loop()
    # DNS lookups run on these threads, and a name server that does not answer must not delay the parsing of feeds
    loop.set_default_executor(ThreadPoolExecutor(settings.collector.connections + 8, thread_name_prefix="collector"))
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not on the main thread
            loop.add_signal_handler(name, on_signal)
    with broker.running(ending):
        await collect(settings, feeds, health=health, stop=stop, clock=Clock.real(), rng=random.Random())  # noqa: S311 - jitter, no secret


async def collect(
    settings: Settings,
    feeds: tuple[Feed, ...],
    *,
    health: CollectorHealth,
    stop: asyncio.Event,
    clock: Clock,
    rng: random.Random,
) -> None:
    """Collect those of the feeds that are assigned to this collector, until `stop` is set.

    Raises:
        LostError: another process has this one's name.
    """
    watching = asyncio.create_task(_watch(health))
    web: HttpClient | None = None
    membership: Membership | None = None
    hubs: subscriber.Subscriber | None = None
    try:
        count = await _partitions_of_feeds(settings, stop)
        if not count:
            return
        seen_urls = SeenUrls()
        membership = Membership(
            settings,
            count,
            seen_urls,
            name=bus.member_name(settings.http.collector_port),
            alive=lambda: health.healthy()[0],
        )
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
        watch = FeedsWatch(settings, poll_loop, lambda: owned.held)
        health.feeds_problem = lambda: watch.problem
        jobs.append(watch.run(stop))
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


async def _partitions_of_feeds(settings: Settings, stop: asyncio.Event) -> int:
    """Wait for Kafka and its topics, however long that takes, and return the number of partitions; 0 if `stop` was set."""
    given_up = threading.Event()
    stopping = asyncio.create_task(stop.wait())
    stopping.add_done_callback(lambda _: given_up.set())
    try:
        while await asyncio.to_thread(bus.wait_for_topics, settings, given_up):
            try:
                return await asyncio.to_thread(bus.partitions_of, settings, bus.FEEDS)
            except bus.BusError as error:  # it went away again in between
                log.warning("waits_for_topics", problem=str(error))
        return 0
    finally:
        stopping.cancel()


async def _all(jobs: list[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Run all jobs to their end. When one fails, stop the others, then raise its error."""
    tasks = [asyncio.create_task(job) for job in jobs]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.wait(tasks)
    for task in tasks:
        task.result()


async def _watch(health: CollectorHealth) -> None:
    """Note once a second that the event loop runs, and whether what is published arrives."""
    while True:
        health.ran_at = time.monotonic()
        if health.membership is not None:
            problem = health.membership.owned.problem
            health.problem = f"cannot publish: {problem}" if problem else health.membership.problem
        await asyncio.sleep(BEAT_SECONDS)
