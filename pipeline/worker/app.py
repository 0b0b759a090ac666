"""The worker process: one Faust agent for each topic, in the order of the data.

    news.articles -> read (extract, annotate, detect in the pool) -> news.documents, news.events, news.briefs
    news.backfill -> the same, while no new article waits (past.py)
    news.briefs   -> track                                        -> news.stories
    news.stories  -> alert                                        -> news.alerts

Delivery is at least once and every step is idempotent, so the effect is exactly once without transactions. The worker
acknowledges a message itself, after its results are on their topics, and in the order of the partition. Faust's own
acknowledgement would also count a message whose processing was interrupted, and would skip one that is still under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from pipeline import bus, metrics, stage
from pipeline.alert import feedback
from pipeline.alert.reload import LOOK_SECONDS, RuleWatch
from pipeline.alert.throttle import AlertState
from pipeline.process import VERSION
from pipeline.records import Alert, Brief, Story, decode, encode
from pipeline.settings import Settings
from pipeline.stage import Outcome, Rejected, Source
from pipeline.track.stories import PARTITION, Stories
from pipeline.worker import faust_app, past
from pipeline.worker.acknowledge import OrderedAcks
from pipeline.worker.inbox import Arrival, Inbox
from pipeline.worker.pool import ArticleResult, Pool
from pipeline.worker.recovery import load_alert_state, load_stories
from pipeline.worker.watchdog import Heartbeat, Watchdog

log = structlog.get_logger("worker")
T = TypeVar("T")

READ_STEPS = ("extract", "annotate", "detect")
STATE_RETRY_SECONDS: Final = 1.0
"""The wait before the state of a partition is read again after a failure."""

PUBLISH_RETRY_SECONDS: Final = 1.0
"""The wait after a failed attempt to write a record, which itself has waited for Kafka much longer."""

PAST_SECONDS: Final = 5.0
"""How long the thread of backfills may take to leave its group, so that another worker has its partitions at once."""

READERS: Final = 3
"""Articles that are under way for each pool process: one is read, the next waits for the process, one is published."""

BEAT_SECONDS: Final = 0.5
"""How often the event loop shows that it lives; the watchdog waits many times as long."""


class WorkerApp:
    """One worker: the Faust app, its pool and the state of the partitions that it owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.heartbeat = Heartbeat()
        self.pool = Pool(settings)
        self.rules = RuleWatch(settings)
        self.marks = feedback.Marks()
        self.marks_read = threading.Event()
        self.app = faust_app.create_app(settings)
        self._acks = OrderedAcks()
        self._inbox = Inbox(self.pool.size * settings.worker.batch_records)
        self._stories: dict[int, Stories] = {}
        self._alert_state: dict[int, AlertState] = {}
        self._alert_lock = asyncio.Lock()
        self._revocations = 0
        self._reads: dict[object, float] = {}
        self._topics = {topic: faust_app.bytes_topic(self.app, topic) for topic in bus.TOPICS}
        self.app.agent(self._topics[bus.ARTICLES], name="read")(self._read_articles)
        self.app.agent(self._topics[bus.BRIEFS], name="track")(self._track_articles)
        self.app.agent(self._topics[bus.STORIES], name="alert")(self._alert_stories)
        self.app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self.app.timer(interval=BEAT_SECONDS)(self._update_heartbeat)
        self.app.timer(interval=LOOK_SECONDS)(self._refresh_rules)

    # --- articles: many at once, in the pool -------------------------------------------------------------------------

    async def _read_articles(self, stream: Any) -> None:
        async for event in faust_app.unacknowledged(stream):
            if self.heartbeat.draining:
                await _wait_for_cancel()
            self._acks.add(event)
            done, wanted = partial(self._acks.done, event), partial(self._acks.__contains__, event)
            await self._inbox.put(Arrival(_source(event), done, wanted))

    async def read_past(self, messages: Sequence[bus.Message]) -> None:
        """Return when all that follows from these articles of the past is on its topics."""
        done = [asyncio.Event() for _ in messages]
        for message, event in zip(messages, done, strict=True):
            source = Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
            await self._inbox.put(Arrival(source, event.set), past=True)
        for event in done:
            await event.wait()

    async def read_forever(self, *, past: bool = True) -> None:
        """Send articles to the pool one by one, and publish what follows from each, until the inbox is closed.

        There are several such tasks for each pool process, so that its next article is there when it has finished one. Only one
        of them takes articles of the past: a new article waits for one of those at most.
        """
        while (arrival := await self._inbox.take(past=past)) is not None:
            if not arrival.wanted():
                continue
            with self._reading():
                [result] = await self.pool.read([arrival.source.raw])
            await self._settle_article(arrival.source, result)
            arrival.done()
            self.heartbeat.finish()

    def start_readers(self) -> list[asyncio.Task[None]]:
        """Start the tasks that read articles."""
        return [
            asyncio.create_task(self.read_forever(past=number < self.pool.size))
            for number in range(READERS * self.pool.size)
        ]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Tell the watchdog until when the pool may be busy: with an article and those before it, or with all one by one."""
        call, most = object(), READERS * (1 + self.pool.size)
        self._reads[call] = time.monotonic() + most * self.settings.worker.article_timeout_seconds
        self.heartbeat.reading_until = max(self._reads.values())
        try:
            yield
        finally:
            del self._reads[call]
            self.heartbeat.reading_until = max(self._reads.values(), default=0.0)

    async def _settle_article(self, source: Source, result: ArticleResult) -> None:
        """Publish what an article led to, and count each step that it passed and the one where it ended."""
        for name, seconds in result.seconds.items():
            metrics.stage_duration_seconds.labels(stage=name).observe(seconds)
        for name in READ_STEPS[: READ_STEPS.index(result.stage)]:
            stage.settle(name, Outcome(), source)
        outcome = Outcome(result.outcome, result.reason)
        if result.outcome == "ok":
            try:
                await self._publish_result(result, is_past=source.topic == bus.BACKFILL)
            except faust_app.TooLargeError as error:
                outcome = Outcome("quarantined", failure=stage.failure(result.stage, source, error, now=_now()))
        elif result.outcome == "failed":
            failure = stage.failed(
                result.stage, source, error_type=result.error_type, error=result.error, trace=result.trace, now=_now()
            )
            outcome = Outcome("quarantined", failure=failure)
        await self._quarantine(outcome)
        stage.settle(result.stage, outcome, source)

    async def _publish_result(self, result: ArticleResult, *, is_past: bool = False) -> None:
        key = result.article_id.encode()
        await self._publish(bus.DOCUMENTS, key, result.document)  # first: if it is too large, nothing else is written
        events = [self._publish(bus.EVENTS, event, value, partition=PARTITION) for event, value in result.events]
        await asyncio.gather(*events, self._publish(bus.BRIEFS, key, result.brief, partition=PARTITION))
        if not is_past:  # articles of the past wait for hours, which is no delay of news
            metrics.article_age_seconds.labels(stage="detect").observe(max(0.0, time.time() - result.fetched_at))
        for labels in result.labels:
            metrics.events_total.labels(*labels).inc()

    # --- briefs and stories: one at a time, because their order matters ----------------------------------------------

    async def _track_articles(self, stream: Any) -> None:
        async for event in faust_app.unacknowledged(stream):
            source = _source(event)
            with stage.recorded("track", source) as outcome:
                await self._track(event.message.partition, decode(source.raw, Brief))
            await self._finish(event, outcome)

    async def _track(self, partition: int, brief: Brief) -> None:
        stories = await self._state_of(self._stories, load_stories, partition)
        changed = stories.fold(brief)
        # In this order: a worker that takes over sees in the first revision what was merged.
        for story in stories.take_unwritten() + changed:
            await self._publish(bus.STORIES, story.id.encode(), encode(story), partition=partition)
            metrics.stories_total.labels(change=story.change).inc()
        if not changed:
            raise Rejected("unchanged")

    async def _state_of(self, states: dict[int, T], load: Callable[[Settings, int], T], partition: int) -> T:
        """Return the state of a partition, read from Kafka however long that takes: without it no record can be processed.

        It is not kept if partitions were revoked during the read: it may be old.
        """
        while partition not in states:
            before = self._revocations
            try:
                state = await asyncio.to_thread(load, self.settings, partition)
            except bus.BusError as error:
                log.warning("state_unread", partition=partition, error=str(error))
                await asyncio.sleep(STATE_RETRY_SECONDS)
                continue
            if before != self._revocations:
                return state
            states[partition] = state
        return states[partition]

    async def _alert_stories(self, stream: Any) -> None:
        async for event in faust_app.unacknowledged(stream):
            source = _source(event)
            with stage.recorded("alert", source) as outcome:
                await self._alert(event.message.partition, decode(source.raw, Story))
            await self._finish(event, outcome)

    async def _alert(self, partition: int, story: Story) -> None:
        while not self.marks_read.is_set():  # noqa: ASYNC110 - set by a thread; mutes must be known before the first story
            await asyncio.sleep(0.05)
        async with self._alert_lock:
            raised = (await self._alert_state_of(partition)).alerts_for(self.rules.found.rules, story, self.marks)
            await self._publish_alerts(partition, raised)
        if not raised:
            raise Rejected("no_match")

    async def _alert_state_of(self, partition: int) -> AlertState:
        return await self._state_of(self._alert_state, load_alert_state, partition)

    async def _publish_alerts(self, partition: int, alerts: Iterable[Alert]) -> None:
        for item in alerts:
            await self._publish(bus.ALERTS, item.id.encode(), encode(item), partition=partition)
            metrics.alerts_total.labels(rule=item.rule, outcome=item.held or "raised").inc()

    async def _refresh_rules(self) -> None:
        """Load changed rules, and publish the digests that are due although no further story has arrived."""
        await asyncio.to_thread(self.rules.look)
        rules = self.rules.found.rules
        waiting = any(rule.digest_minutes or rule.quiet_hours for rule in rules) or any(
            alert_state.waiting for alert_state in self._alert_state.values()
        )
        if not waiting or not self.marks_read.is_set():
            return
        async with self._alert_lock:
            for partition in sorted(p for topic, p in self.heartbeat.assigned if topic == bus.STORIES):
                await self._publish_alerts(
                    partition, (await self._alert_state_of(partition)).due(rules, _now(), self.marks)
                )

    async def _finish(self, event: Any, outcome: Outcome) -> None:
        await self._quarantine(outcome)
        event.ack()
        self.heartbeat.finish()

    async def _quarantine(self, outcome: Outcome) -> None:
        if (failure := outcome.failure) is not None:
            try:
                await self._publish(bus.QUARANTINE, failure.id.encode(), encode(failure))
            except faust_app.TooLargeError:  # the cluster takes less than the topic's own limit
                await self._publish(bus.QUARANTINE, failure.id.encode(), encode(stage.without_raw(failure)))

    # --- Kafka -------------------------------------------------------------------------------------------------------

    async def _publish(self, topic: str, key: bytes, value: bytes, *, partition: int | None = None) -> None:
        """Write a record and wait until Kafka confirms it, however long Kafka is unavailable."""
        while True:
            try:
                await faust_app.send(self._topics[topic], key, value, partition)
            except faust_app.SendError as error:
                log.warning("publish_retried", topic=topic, error=str(error))
                stage.retried("publish")
                await asyncio.sleep(PUBLISH_RETRY_SECONDS)
            else:
                metrics.published_total.labels(topic=topic).inc()
                return

    async def _on_revoked(self, _app: Any, revoked: Any, **_: Any) -> None:
        """Drop the state of revoked partitions: their new worker reads it from the topics."""
        self._acks.forget(revoked)
        self._revocations += 1
        for tp in revoked:
            if tp.topic == bus.BRIEFS:
                self._stories.pop(tp.partition, None)
            elif tp.topic == bus.STORIES:
                self._alert_state.pop(tp.partition, None)

    async def _update_heartbeat(self) -> None:
        beat = self.heartbeat
        beat.beat_at = time.monotonic()
        beat.assigned = frozenset((tp.topic, tp.partition) for tp in self.app.consumer.assignment())
        beat.answered = faust_app.answered(self.app)
        beat.under_way = len(self._acks)
        metrics.in_progress_records.labels(stage="read").set(beat.under_way)

    # --- start and stop ----------------------------------------------------------------------------------------------

    async def run(self, ending: threading.Event) -> int:
        """Start, work until SIGTERM or SIGINT, drain, stop. Return the exit status. `ending` is set when the end begins."""
        stop = asyncio.Event()

        def on_signal() -> None:
            stop.set()
            ending.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, on_signal)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.rules.request)
        starting = asyncio.create_task(self._beat())
        warm = asyncio.create_task(self.pool.warm())
        there = await asyncio.to_thread(bus.wait_for_topics, self.settings, ending)
        if not there:
            warm.cancel()
            starting.cancel()
            self.pool.close()
            log.info("worker_stopped", crashed=False)
            return 0
        await warm
        log.info("pool_ready", processes=self.pool.size)
        return await self._work(stop, ending, starting)

    async def _beat(self) -> None:
        """Show that the event loop lives while the worker starts; afterwards Faust's timer does."""
        while True:
            self.heartbeat.beat_at = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)

    async def _work(self, stop: asyncio.Event, ending: threading.Event, starting: asyncio.Task[None]) -> int:
        """Work until `stop`, drain, stop. Return the exit status."""
        readers = self.start_readers()
        await self.app.start()
        starting.cancel()
        backfills = threading.Thread(
            target=past.follow, args=(self.settings, self.read_past, asyncio.get_running_loop(), ending),
            kwargs={"at_once": 2 * self.pool.size}, name="past", daemon=True,
        )  # fmt: skip
        backfills.start()
        log.info("worker_started", processes=self.pool.size, version=VERSION)
        while not (stop.is_set() or self.app.should_stop or any(reader.done() for reader in readers)):  # noqa: ASYNC110 - three conditions, one of them in Faust
            await asyncio.sleep(0.2)
        crashed = not stop.is_set()
        ending.set()
        await self._drain(readers)
        await asyncio.to_thread(backfills.join, PAST_SECONDS)
        await self.app.stop()
        self.pool.close()
        log.info("worker_stopped", crashed=crashed)
        return 1 if crashed else 0

    async def _drain(self, readers: list[asyncio.Task[None]]) -> None:
        """Finish the articles that the pool reads now; the stop commits them. Those that wait are read after the next start."""
        self.heartbeat.draining = True
        self._inbox.close()
        await asyncio.wait(readers, timeout=self.settings.worker.drain_timeout_seconds)
        log.info("drained", left=len(self._acks))
        for reader in readers:
            if reader.done() and not reader.cancelled() and (error := reader.exception()):
                log.critical("reader_failed", exc_info=error)
            reader.cancel()


def run(settings: Settings) -> int:
    """Run the worker process until it is stopped or Faust has crashed, and return the exit status."""
    broker = bus.BrokerWatch(settings)
    worker = WorkerApp(settings)
    watchdog = Watchdog(
        worker.heartbeat, group=bus.WORKER_GROUP, stall_seconds=settings.worker.stall_timeout_seconds,
        broker=broker,
    )  # fmt: skip
    metrics.build_info.labels(version=VERSION, process="worker").set(1)

    def readiness() -> tuple[bool, dict[str, object]]:
        good, detail = watchdog.ready()
        return good, {**detail, **worker.rules.shown()}

    server = metrics.serve(settings.http.host, settings.http.worker_port, healthy=watchdog.healthy, readiness=readiness)
    stop, ending = threading.Event(), threading.Event()
    threading.Thread(
        target=feedback.follow, args=(settings, worker.marks, stop, worker.marks_read), name="feedback", daemon=True
    ).start()
    threading.Thread(
        target=watchdog.run, args=(lambda: bus.Observer(settings), stop), name="watchdog", daemon=True
    ).start()
    try:
        with broker.running(ending):
            return asyncio.run(worker.run(ending))
    finally:
        stop.set()
        server.shutdown()


async def _wait_for_cancel() -> None:
    """Wait until the task is cancelled, so that its current message stays unacknowledged."""
    await asyncio.Event().wait()


def _source(event: Any) -> Source:
    message = event.message
    return Source(message.topic, message.partition, message.offset, message.key, message.value or b"")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
