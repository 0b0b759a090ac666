"""The only importer of faust and aiokafka: settings in, a configured Faust app, its topics and its send function out."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import faust
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka as driver

from pipeline import bus
from pipeline.settings import Settings

TooLargeError: Final = MessageSizeTooLargeError
"""Kafka refuses a record because of its size: sending it again is useless."""


class SendError(Exception):
    """Kafka did not take a record; it may take it later."""


class _Records(dict[Any, Any]):
    """What was read at once, and how many seeks of the client came before: what an earlier one read is read again."""

    def __init__(self, records: Mapping[Any, Any], seeks: int) -> None:
        super().__init__(records)
        self.seeks = seeks


class _CommittedThread(driver.AIOKafkaConsumerThread):
    """Reads only committed records. Faust has no setting for it outside its own transactions.

    After a rebalance Faust moves the client back to what is committed. What was read shortly before may reach it later: it then
    counted those records as read, dropped the same records when they were read again, and nothing was committed until the
    watchdog ended the process. So here the seeks are counted.
    """

    seeks = 0

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - read when the consumer starts
        return consumer

    async def _fetch_records(self, *arguments: Any, **options: Any) -> Any:
        return _Records(await super()._fetch_records(*arguments, **options), self.seeks)

    async def seek_to_committed(self) -> Any:
        return await self.call_thread(self._seek_all)

    async def _seek_all(self) -> dict[Any, int | None]:
        """Move to the committed offsets, all at once, or to the start of a partition without one. Return the offsets."""
        consumer = self._ensure_consumer()
        committed = {place: await consumer.committed(place) for place in consumer.assignment()}
        unread = [place for place, offset in committed.items() if not offset or offset < 0]
        starts = await consumer.beginning_offsets(unread) if unread else {}
        for place in (
            consumer.assignment() & committed.keys()
        ):  # no await from here on: nothing is read between two seeks
            consumer.seek(place, starts.get(place, committed[place]))
        self.seeks += 1
        return committed


class _ReadOffsets(dict[Any, int | None]):
    """The offset of the last record of each partition that Faust has taken. Faust also sets those of dropped records."""

    def __init__(self, is_current: Callable[[], bool]) -> None:
        super().__init__()
        self._is_current = is_current

    def __missing__(self, place: Any) -> None:
        return None

    def __setitem__(self, place: Any, offset: int | None) -> None:
        if self._is_current():
            super().__setitem__(place, offset)


class _CommittedConsumer(driver.Consumer):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seeks_before = 0
        self._read_offset = _ReadOffsets(self._is_current)

    def _new_consumer_thread(self) -> Any:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)

    def _is_current(self) -> bool:
        """Whether the records that are handed out now were read after the last seek."""
        return bool(self._seeks_before == self._thread.seeks)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's own
        records, active = await super()._wait_next_records(timeout)
        if isinstance(records, _Records):
            self._seeks_before = records.seeks
        return (records if self._is_current() else {}), active

    async def getmany(self, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - Faust's own
        async with contextlib.aclosing(super().getmany(timeout)) as found:
            async for one in found:
                if not self._is_current():
                    return
                yield one

    async def _commit_offsets(self, offsets: Any, start_new_transaction: bool = True) -> bool:
        """Commit. What Kafka has not taken is committed again: Faust counts it as committed, and the lag would stay."""
        before = {tp: self._committed_offset.get(tp) for tp in offsets}
        committed: bool = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:
            for tp, offset in offsets.items():
                if self._committed_offset.get(tp) == offset:
                    self._committed_offset[tp] = before[tp]
        return committed


class _CommittedTransport(driver.Transport):
    Consumer = _CommittedConsumer


def create_app(settings: Settings) -> Any:
    """Return a Faust app without agents."""
    worker = settings.worker
    app = faust.App(
        bus.WORKER_GROUP,
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=worker.session_timeout_seconds,
        broker_heartbeat_interval=worker.heartbeat_seconds,
        broker_request_timeout=max(40.0, 2 * worker.session_timeout_seconds),
        broker_commit_interval=1.0,
        # aiokafka treats a member without partitions as one that hangs: after this interval it leaves the group for good, and a
        # standby worker would not take over. The watchdog decides whether work stalls.
        broker_max_poll_interval=10 * 365 * 86_400.0,
        broker_max_poll_records=64,
        consumer_max_fetch_size=bus.MESSAGE_BYTES,
        consumer_auto_offset_reset="earliest",
        producer_max_request_size=bus.QUARANTINE_BYTES,
        producer_request_timeout=30.0,
        producer_compression_type="zstd",
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
    if kafka.certificate_file:
        context.load_cert_chain(settings.path(kafka.certificate_file), settings.path(kafka.key_file))
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


def answered(app: Any) -> tuple[float, float]:
    """Return when (time.monotonic) Kafka last answered a request for records: for the least and the most recent partition.

    0 stands for a partition that has had no answer yet, and for both where no partition is assigned. An answer without a record
    counts. A partition of which enough records wait for the worker is not asked for more.
    """
    consumer = app.consumer._thread._consumer  # noqa: SLF001 - Faust passes it on nowhere; an integration test notices a change
    places = consumer.assignment() if consumer is not None else ()
    to_monotonic = time.monotonic() - time.time()
    at = [(consumer.last_poll_timestamp(place) or 0.0) / 1000 + to_monotonic for place in places]
    return (max(0.0, min(at)), max(0.0, *at)) if at else (0.0, 0.0)


def bytes_topic(app: Any, name: str) -> Any:
    """Return a topic whose keys and values are bytes. Faust drops a message that it cannot decode, so the stages decode."""
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        internal=False,
    )


async def unacknowledged(stream: Any) -> AsyncIterator[Any]:
    """Yield the messages of a Faust stream. The caller acknowledges each by its `ack`."""
    async for event in stream.noack().events():
        yield event


async def send(topic: Any, key: bytes, value: bytes, partition: int | None) -> None:
    """Write a record and wait until Kafka confirms it.

    Raises:
        TooLargeError: the record is too large for Kafka.
        SendError: any other failure.
    """
    try:
        sent = await topic.send(key=key, value=value, partition=partition)
        await sent
    except (KafkaError, ProducerSendError) as error:
        cause = error.__cause__ if isinstance(error, ProducerSendError) else error
        if isinstance(cause, MessageSizeTooLargeError):
            raise cause from error
        raise SendError(str(error)) from error
