"""The path on Kafka: one Faust agent for each topic, in data order. The only importer of faust.

    news.articles -> read (extract, annotate, detect in the pool) -> news.documents, news.events
    news.events   -> track                                        -> news.stories
    news.stories  -> alert                                        -> news.alerts

Delivery is at least once and every step is idempotent, so the effect is exactly once: nothing here rests on transactions.
A message is acknowledged by hand, after what it leads to is on its topic, and in the order of its partition: Faust's own
acknowledging would also count a message whose processing was cut off, and would step over one still under way.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
import ssl
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka as driver

from pipeline import bus, metrics, stage
from pipeline.alert import feedback
from pipeline.alert.reload import LOOK_SECONDS, RuleWatch
from pipeline.alert.throttle import AlertState
from pipeline.records import Alert, Event, RecordError, Story, decode, encode
from pipeline.settings import Settings
from pipeline.stage import Outcome, Rejected, Source
from pipeline.track.stories import PARTITION, Stories
from pipeline.version import VERSION
from pipeline.worker.pool import Pool, Read
from pipeline.worker.watchdog import Pulse, Watchdog

log = structlog.get_logger("worker")

READ_STEPS = ("extract", "annotate", "detect")


class _CommittedThread(driver.AIOKafkaConsumerThread):
    """Reads committed records only; Faust has no setting for it outside its own transactions."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - read when the consumer starts
        return consumer


class _CommittedConsumer(driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)


class _CommittedTransport(driver.Transport):
    Consumer = _CommittedConsumer


class InOrder:
    """Acknowledges the messages of each partition in the order they came, whatever order they are finished in."""

    def __init__(self) -> None:
        self._waiting: dict[Any, deque[list[Any]]] = {}
        self._slots: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def add(self, event: Any) -> None:
        """A message that has come in."""
        slot = [event, False]
        self._slots[id(event)] = slot
        self._waiting.setdefault(event.message.tp, deque()).append(slot)

    def done(self, event: Any) -> None:
        """A message that is finished: it and those behind it that are finished too are acknowledged, as far as possible."""
        slot = self._slots.pop(id(event), None)
        if slot is None:
            return  # its partition was taken away meanwhile: the new owner reads it again
        slot[1] = True
        queue = self._waiting.get(event.message.tp, deque())
        while queue and queue[0][1]:
            queue.popleft()[0].ack()

    def forget(self, partitions: Iterable[Any]) -> None:
        """Partitions that were taken away: what is under way there is never acknowledged by this worker."""
        for partition in partitions:
            for slot in self._waiting.pop(partition, ()):
                self._slots.pop(id(slot[0]), None)


class Worker:
    """One worker: the Faust app, its pool and the state of the partitions it owns."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pulse = Pulse()
        self.pool = Pool(settings)
        self.rules = RuleWatch(settings)
        self.marks = feedback.Marks()
        self.marks_read = threading.Event()
        self.app = _faust_app(settings)
        self._order = InOrder()
        self._inbox: asyncio.Queue[Any] = asyncio.Queue(maxsize=4 * self.pool.size * settings.worker.batch_records)
        self._stories: dict[int, Stories] = {}
        self._alert_state: dict[int, AlertState] = {}
        self._ringing = asyncio.Lock()
        self._revocations = 0
        self._topics = {topic: _raw_topic(self.app, topic) for topic in bus.TOPICS}
        self.app.agent(self._topics[bus.ARTICLES], name="read")(self._read_articles)
        self.app.agent(self._topics[bus.EVENTS], name="track")(self._track_events)
        self.app.agent(self._topics[bus.STORIES], name="alert")(self._alert_stories)
        self.app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self.app.timer(interval=0.5)(self._beat)
        self.app.timer(interval=LOOK_SECONDS)(self._tend_rules)

    # --- articles: many at once, in the pool ---------------------------------------------------------------------

    async def _read_articles(self, stream: Any) -> None:
        async for event in _events(stream):
            if self.pulse.draining:
                await _never()
            self._order.add(event)
            await self._inbox.put(event)

    async def read_forever(self) -> None:
        """Hand articles to the pool, a few at a time, and publish what comes of them. One task for each pool process."""
        while True:
            first = await self._inbox.get()
            waiting = self._inbox.qsize()
            share = -(-waiting // self.pool.size)  # leave the other processes their part
            more = min(waiting, share, self.settings.worker.batch_records - 1)
            chunk = [first, *(self._inbox.get_nowait() for _ in range(more))]
            reads = await self.pool.read([event.message.value or b"" for event in chunk])
            for event, read in zip(chunk, reads, strict=True):
                await self._settle_read(_source(event), read)
                self._order.done(event)
                self.pulse.finished += 1

    async def _settle_read(self, source: Source, read: Read) -> None:
        """Publish what came of an article, count each step it passed, and the one it ended in."""
        for name, seconds in read.seconds.items():
            metrics.stage_duration_seconds.labels(stage=name).observe(seconds)
        for name in READ_STEPS[: READ_STEPS.index(read.stage)]:
            stage.settle(name, Outcome(), source)
        outcome = Outcome(read.outcome, read.reason)
        if read.outcome == "ok":
            try:
                await self._publish_read(read)
            except MessageSizeTooLargeError as error:
                outcome = Outcome("quarantined", failure=stage.failure(read.stage, source, error, now=_now()))
        elif read.outcome == "failed":
            failure = stage.failed(
                read.stage, source, error_type=read.error_type, error=read.error, trace=read.trace, now=_now()
            )
            outcome = Outcome("quarantined", failure=failure)
        await self._quarantine(outcome)
        stage.settle(read.stage, outcome, source)

    async def _publish_read(self, read: Read) -> None:
        await self._publish(bus.DOCUMENTS, read.article_id.encode(), read.document)
        for key, value in read.events:
            await self._publish(bus.EVENTS, key, value, partition=PARTITION)
        metrics.article_age_seconds.labels(stage="detect").observe(max(0.0, time.time() - read.fetched_at))
        for labels in read.labels:
            metrics.events_total.labels(*labels).inc()

    # --- events and stories: one after the other, for their order is their meaning --------------------------------

    async def _track_events(self, stream: Any) -> None:
        async for event in _events(stream):
            source = _source(event)
            with stage.recorded("track", source) as outcome:
                await self._track(event.message.partition, decode(source.raw, Event))
            await self._finish(event, outcome)

    async def _track(self, partition: int, event: Event) -> None:
        if partition not in self._stories:
            self._stories[partition] = await asyncio.to_thread(load_stories, self.settings, partition)
        changed = self._stories[partition].fold(event)
        if not changed:
            raise Rejected("unchanged")
        for story in changed:  # in this order: what a crash leaves undone is made up when the event is read again
            await self._publish(bus.STORIES, story.id.encode(), encode(story), partition=partition)
            metrics.stories_total.labels(change=story.change).inc()

    async def _alert_stories(self, stream: Any) -> None:
        async for event in _events(stream):
            source = _source(event)
            with stage.recorded("alert", source) as outcome:
                await self._alert(event.message.partition, decode(source.raw, Story))
            await self._finish(event, outcome)

    async def _alert(self, partition: int, story: Story) -> None:
        while not self.marks_read.is_set():  # noqa: ASYNC110 - set by a thread; a mute counts from the first story on
            await asyncio.sleep(0.05)
        async with self._ringing:
            raised = (await self._alert_state_of(partition)).ring(self.rules.found.rules, story, self.marks)
            await self._raise(partition, raised)
        if not raised:
            raise Rejected("no_match")

    async def _alert_state_of(self, partition: int) -> AlertState:
        """What has rung in a partition. What was read while partitions were taken away may be old soon: it is not kept."""
        if partition in self._alert_state:
            return self._alert_state[partition]
        before = self._revocations
        alert_state = await asyncio.to_thread(load_alert_state, self.settings, partition)
        if before == self._revocations:
            self._alert_state[partition] = alert_state
        return alert_state

    async def _raise(self, partition: int, raised: Iterable[Alert]) -> None:
        for item in raised:
            await self._publish(bus.ALERTS, item.id.encode(), encode(item), partition=partition)
            metrics.alerts_total.labels(rule=item.rule, outcome=item.held or "raised").inc()

    async def _tend_rules(self) -> None:
        """Take new rules, and let out the digests whose time has come without another story."""
        await asyncio.to_thread(self.rules.look)
        rules = self.rules.found.rules
        waiting = any(rule.digest_minutes or rule.quiet_hours for rule in rules) or any(
            alert_state.waiting for alert_state in self._alert_state.values()
        )
        if not waiting or not self.marks_read.is_set():
            return
        async with self._ringing:
            for partition in sorted(p for topic, p in self.pulse.assigned if topic == bus.STORIES):
                await self._raise(partition, (await self._alert_state_of(partition)).due(rules, _now(), self.marks))

    async def _finish(self, event: Any, outcome: Outcome) -> None:
        await self._quarantine(outcome)
        event.ack()
        self.pulse.finished += 1

    async def _quarantine(self, outcome: Outcome) -> None:
        if outcome.failure is not None:
            await self._publish(bus.QUARANTINE, outcome.failure.id.encode(), encode(outcome.failure))

    # --- Kafka ---------------------------------------------------------------------------------------------------

    async def _publish(self, topic: str, key: bytes, value: bytes, *, partition: int | None = None) -> None:
        """Write a record and wait for Kafka's yes, however long Kafka is away: nothing is acknowledged before."""
        pause = 0.5
        while True:
            try:
                sent = await self._topics[topic].send(key=key, value=value, partition=partition)
                await sent
            except (KafkaError, ProducerSendError) as error:
                cause = error.__cause__ if isinstance(error, ProducerSendError) else error
                if isinstance(cause, MessageSizeTooLargeError):
                    raise cause from error
                log.warning("publish_retried", topic=topic, error=str(error))
                stage.retried("publish")
                await asyncio.sleep(pause)
                pause = min(2 * pause, 15.0)
            else:
                metrics.published_total.labels(topic=topic).inc()
                return

    async def _on_revoked(self, _app: Any, revoked: Any, **_: Any) -> None:
        """Forget what belongs to partitions that go to another worker: it reads the state from the topics."""
        self._order.forget(revoked)
        self._revocations += 1
        for tp in revoked:
            if tp.topic == bus.EVENTS:
                self._stories.pop(tp.partition, None)
            elif tp.topic == bus.STORIES:
                self._alert_state.pop(tp.partition, None)

    async def _beat(self) -> None:
        pulse = self.pulse
        pulse.beat_at = time.monotonic()
        pulse.assigned = frozenset((tp.topic, tp.partition) for tp in self.app.consumer.assignment())
        pulse.under_way = len(self._order)
        metrics.in_progress_records.labels(stage="read").set(pulse.under_way)

    # --- life ----------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Start, work until SIGTERM or SIGINT, drain, stop. Returns the exit status."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.rules.request)
        warm = asyncio.create_task(self.pool.warm())
        await asyncio.to_thread(bus.wait_for_topics, self.settings)
        await warm
        log.info("pool_ready", processes=self.pool.size)
        readers = [asyncio.create_task(self.read_forever()) for _ in range(self.pool.size)]
        await self.app.start()
        log.info("worker_started", processes=self.pool.size, version=VERSION)
        while not (stop.is_set() or self.app.should_stop or any(reader.done() for reader in readers)):  # noqa: ASYNC110 - three causes, one of them in Faust
            await asyncio.sleep(0.2)
        crashed = not stop.is_set()
        await self._drain(readers)
        await self.app.stop()
        self.pool.close()
        log.info("worker_stopped", crashed=crashed)
        return 1 if crashed else 0

    async def _drain(self, readers: list[asyncio.Task[None]]) -> None:
        """Take no more articles, finish those under way, and let their acknowledgement be committed with the stop."""
        self.pulse.draining = True
        deadline = time.monotonic() + self.settings.worker.drain_timeout_seconds
        while len(self._order) and time.monotonic() < deadline and not any(reader.done() for reader in readers):  # noqa: ASYNC110 - bounded by time
            await asyncio.sleep(0.05)
        log.info("drained", left=len(self._order))
        for reader in readers:
            if reader.done() and not reader.cancelled() and (error := reader.exception()):
                log.critical("reader_failed", exc_info=error)
            reader.cancel()


def run(settings: Settings) -> int:
    """The worker process: settings in, exit status out. Blocks until it is told to stop, or Faust has crashed."""
    worker = Worker(settings)
    watchdog = Watchdog(worker.pulse, group=bus.WORKER_GROUP, stall_seconds=settings.worker.stall_timeout_seconds)
    metrics.build_info.labels(version=VERSION, process="worker").set(1)

    def readiness() -> tuple[bool, dict[str, object]]:
        good, detail = watchdog.ready()
        return good, {**detail, **worker.rules.shown()}

    server = metrics.serve(settings.http.host, settings.http.worker_port, healthy=watchdog.healthy, readiness=readiness)
    stop = threading.Event()
    threading.Thread(
        target=feedback.follow, args=(settings, worker.marks, stop, worker.marks_read), name="feedback", daemon=True
    ).start()
    threading.Thread(
        target=watchdog.run, args=(lambda: bus.Observer(settings), stop), name="watchdog", daemon=True
    ).start()
    try:
        return asyncio.run(worker.run())
    finally:
        stop.set()
        server.shutdown()


def load_stories(settings: Settings, partition: int) -> Stories:
    """The open stories of a partition, as the topic of stories remembers them: the latest revision of each."""
    latest: dict[str, Story] = {}
    for message in bus.read_all(settings, bus.STORIES, partition):
        with stage.recorded("recover", _message_source(message)):
            story = decode(message.value, Story)
            if story.id not in latest or latest[story.id].revision <= story.revision:
                latest[story.id] = story
    log.info("stories_recovered", partition=partition, stories=len(latest))
    return Stories(settings.track, latest.values())


def load_alert_state(settings: Settings, partition: int) -> AlertState:
    """What has rung and what waits in a partition, as the topic of alerts remembers it."""
    alert_state = AlertState()
    for message in bus.read_all(settings, bus.ALERTS, partition):
        try:
            alert_state.remember(decode(message.value, Alert))
        except RecordError:
            continue  # garbage there is the notifier's to report
    return alert_state


# --- Faust's edge ----------------------------------------------------------------------------------------------------


def _faust_app(settings: Settings) -> faust.App:
    worker = settings.worker
    app = faust.App(
        bus.WORKER_GROUP,
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=worker.session_timeout_seconds,
        broker_heartbeat_interval=worker.heartbeat_seconds,
        broker_request_timeout=max(40.0, 2 * worker.session_timeout_seconds),
        broker_commit_interval=1.0,
        # aiokafka takes a member without partitions for one that hangs: after so long it would leave the group for good, and a
        # worker that stands by would not take over. Whether work stalls is the watchdog's to say.
        broker_max_poll_interval=10 * 365 * 86_400.0,
        broker_max_poll_records=64,
        consumer_max_fetch_size=bus.MESSAGE_BYTES,
        consumer_auto_offset_reset="earliest",
        producer_max_request_size=bus.QUARANTINE_BYTES,
        producer_request_timeout=30.0,
        producer_compression_type="gzip",
        producer_acks=-1,
        stream_buffer_maxsize=64,  # an article is up to a megabyte, so the default of 4096 could fill the memory
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "dateline-worker",
    )
    app.transport = _CommittedTransport(app.conf.broker_consumer, app)
    return app


def _credentials(settings: Settings) -> Any:
    kafka = settings.kafka
    context = ssl.create_default_context(cafile=str(settings.path(kafka.ca_file)) if kafka.ca_file else None)
    if kafka.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password,
            mechanism=kafka.sasl_mechanism,
            ssl_context=context if kafka.security_protocol == "SASL_SSL" else None,
        )
    return None


def _raw_topic(app: faust.App, name: str) -> Any:
    """Bytes in and out: Faust drops a message that it cannot decode, so decoding is ours, inside the stage."""
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        internal=False,
    )


async def _events(stream: Any) -> AsyncIterator[Any]:
    async for event in stream.noack().events():
        yield event


async def _never() -> None:
    """Wait to be cancelled: the message in hand stays unacknowledged."""
    await asyncio.Event().wait()


def _source(event: Any) -> Source:
    return _message_source(event.message)


def _message_source(message: Any) -> Source:
    return Source(message.topic, message.partition, message.offset, message.key, message.value or b"")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
