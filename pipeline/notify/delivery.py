"""The messages of one channel in; each alert is sent, retried, skipped as a duplicate, or put into quarantine.

Delivery is at least once: the offset moves after the channel has accepted the alert, and the alert's id goes with it as
`Idempotency-Key`. An alert that the channel refuses for good, or too often, goes to quarantine (stage `notify`).
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from pipeline import bus, metrics, stage
from pipeline.alert.rules import Channel
from pipeline.notify import DeliveryError, RetryError, Send
from pipeline.records import Alert, RecordError, content_id, decode, encode
from pipeline.stage import Outcome, Source

log = structlog.get_logger("notify")

DELIVERED_KEPT: Final = 10_000
"""How many ids of delivered alerts a channel keeps, to skip an alert that comes again while the process runs."""

RETRY_AFTER_MAX_SECONDS: Final = 900.0
KAFKA_RETRY_SECONDS: Final = 2.0


class ShutdownError(Exception):
    """The process has to end while an alert waits for its next try. Nothing is committed."""


class ChannelDelivery:
    """Holds one channel's delivered ids and its progress. `handle` delivers a batch."""

    def __init__(
        self,
        channel: Channel,
        send: Send,
        quarantine: Callable[[bytes, bytes], None],
        stop: threading.Event,
        *,
        draw: Callable[[float, float], float] = random.uniform,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        since: dt.datetime | None = None,
    ) -> None:
        self.channel = channel
        self.progress = bus.Progress()
        self.since = since
        self._send = send
        self._quarantine = quarantine
        self._stop = stop
        self._draw = draw
        self._now = now
        self._delivered: OrderedDict[str, None] = OrderedDict()

    def handle(self, messages: list[bus.Message]) -> None:
        """Deliver each alert that names this channel, or put it into quarantine; return when all have their outcome.

        Raises:
            ShutdownError: the process has to end. Alerts without an outcome are read again at the next start.
        """
        for message in messages:
            source = Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
            began = time.perf_counter()
            outcome = self._outcome(message, source)
            if outcome is not None:
                metrics.stage_duration_seconds.labels(stage="notify").observe(time.perf_counter() - began)
                stage.settle("notify", outcome, source)

    def _outcome(self, message: bus.Message, source: Source) -> Outcome | None:
        """Deliver one message and return its outcome; None if it is not for this channel, or older than the channel."""
        if message.value is None or (self.since is not None and message.timestamp_ms < self.since.timestamp() * 1000):
            return None
        try:
            alert = decode(message.value, Alert)
        except RecordError as error:
            return self._give_up(source, error, content_id("notify", message.topic, message.partition, message.offset))
        if self.channel.name not in alert.channels:
            return None
        if alert.id in self._delivered:
            return Outcome("rejected", "duplicate")
        try:
            self._deliver(alert)
        except DeliveryError as error:
            metrics.alerts_total.labels(rule=alert.rule, outcome="failed").inc()
            metrics.deliveries_total.labels(channel=self.channel.name, outcome="failed").inc()
            # If it is sent again from quarantine, it must go to this channel alone: the others have had it.
            alone = encode(msgspec.structs.replace(alert, channels=(self.channel.name,)))
            again = Source(source.topic, source.partition, source.offset, source.key, alone)
            return self._give_up(again, error, content_id("notify", self.channel.name, alert.id))
        self._remember(alert)
        return Outcome("ok")

    def _deliver(self, alert: Alert) -> None:
        """Send until the channel accepts the alert, and wait longer after each try.

        Raises:
            DeliveryError: the channel refuses it for good, or does not accept it within its tries.
            ShutdownError: the process has to end.
        """
        channel = self.channel
        for number in range(1, channel.tries + 1):
            try:
                self._send(alert, self._now())
            except RetryError as error:
                self.progress.notes["problem"] = str(error)
                if number == channel.tries:
                    raise DeliveryError(f"channel {channel.name}: gave up after {number} tries: {error}") from error
                metrics.deliveries_total.labels(channel=channel.name, outcome="retried").inc()
                stage.retried("notify")
                wait = self.wait_seconds(number, error.retry_after_seconds)
                log.warning("delivery_failed", channel=channel.name, alert=alert.id, attempt=number, error=str(error),
                            again_in_seconds=round(wait, 1))  # fmt: skip
                if self._stop.wait(wait):
                    raise ShutdownError from error
            except DeliveryError as error:
                raise DeliveryError(f"channel {channel.name}: {error}") from error
            else:
                self.progress.notes.pop("problem", None)
                return

    def wait_seconds(self, attempt: int, retry_after_seconds: float | None) -> float:
        """Return the wait after `attempt` tries: it doubles, varies by chance, and is at least what the receiver asked for."""
        longest = min(self.channel.backoff_max_seconds, self.channel.backoff_seconds * 2.0 ** (attempt - 1))
        return max(self._draw(longest / 2, longest), min(retry_after_seconds or 0.0, RETRY_AFTER_MAX_SECONDS))

    def _remember(self, alert: Alert) -> None:
        metrics.deliveries_total.labels(channel=self.channel.name, outcome="ok").inc()
        metrics.alerts_total.labels(rule=alert.rule, outcome="delivered").inc()
        age = (self._now() - alert.raised_at).total_seconds()
        metrics.article_age_seconds.labels(stage="notify").observe(max(0.0, age))
        self._delivered[alert.id] = None
        if len(self._delivered) > DELIVERED_KEPT:
            self._delivered.popitem(last=False)

    def _give_up(self, source: Source, error: Exception, failure_id: str) -> Outcome:
        failure = msgspec.structs.replace(stage.failure("notify", source, error, now=self._now()), id=failure_id)
        self._quarantine(failure.id.encode(), encode(failure))
        return Outcome("quarantined", failure.error_type, failure)
