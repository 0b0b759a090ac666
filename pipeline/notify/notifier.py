"""Alert -> the world: terminal, webhook, apprise, Alertmanager. The notifier process; only importer of apprise.

Each channel is a consumer group and a thread of its own, so one that is down holds up no other and goes on where it
stopped; one that is new or changed in alerts.toml is connected without a restart. Delivery is at least once: the offset moves
after the channel's yes, and the alert's id goes with it as `Idempotency-Key`. A channel that keeps saying no, or says a final
no, puts the alert into quarantine (stage `notify`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import random
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from pipeline import bus, metrics, stage
from pipeline.alert.reload import LOOK_SECONDS, RuleWatch
from pipeline.alert.rules import Channel, RuleSet
from pipeline.notify import deliver
from pipeline.notify.deliver import AgainError, DeliveryError, Send
from pipeline.records import Alert, RecordError, content_id, decode, encode
from pipeline.settings import Settings, SettingsError
from pipeline.stage import Outcome, Source
from pipeline.version import VERSION

log = structlog.get_logger("notify")

GROUP: Final = "dateline-notifier-"
"""A channel's consumer group is this and its name."""

DELIVERED_KEPT: Final = 10_000
"""Ids of delivered alerts that a channel remembers: it skips an alert that comes again while the process lives."""

LOOK_BACK: Final = dt.timedelta(hours=1)
"""A channel that is new starts with the alerts of the last hour, not with all that the topic keeps."""

RETRY_AFTER_MOST_SECONDS: Final = 900.0
KAFKA_RETRY_SECONDS: Final = 2.0


class _StoppedError(Exception):
    """The process is to end while an alert waits for its next try: nothing is committed."""


class ChannelThread:
    """One channel at work: what it delivered, and how it tries again."""

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
        """Deliver each alert that names this channel, or put it into quarantine; returns when all are settled.

        Raises:
            _StoppedError: the process is to end; what was not settled is read again at the next start.
        """
        for message in messages:
            source = Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
            began = time.perf_counter()
            outcome = self._settle(message, source)
            if outcome is not None:
                metrics.stage_duration_seconds.labels(stage="notify").observe(time.perf_counter() - began)
                stage.settle("notify", outcome, source)

    def _settle(self, message: bus.Message, source: Source) -> Outcome | None:
        """What became of one message; None when it is not for this channel, or older than the channel."""
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
            # Sent again, it goes to this channel alone: the others have had it.
            alone = encode(msgspec.structs.replace(alert, channels=(self.channel.name,)))
            again = Source(source.topic, source.partition, source.offset, source.key, alone)
            return self._give_up(again, error, content_id("notify", self.channel.name, alert.id))
        self._remember(alert)
        return Outcome("ok")

    def _deliver(self, alert: Alert) -> None:
        """Send until the channel says yes, waiting longer each time.

        Raises:
            DeliveryError: a final no, or no yes within the tries that the channel has.
            _StoppedError: the process is to end.
        """
        channel = self.channel
        for number in range(1, channel.tries + 1):
            try:
                self._send(alert, self._now())
            except AgainError as error:
                self.progress.notes["problem"] = str(error)
                if number == channel.tries:
                    raise DeliveryError(f"channel {channel.name}: gave up after {number} tries: {error}") from error
                metrics.deliveries_total.labels(channel=channel.name, outcome="retried").inc()
                stage.retried("notify")
                wait = self.wait_seconds(number, error.retry_after_seconds)
                log.warning("delivery_failed", channel=channel.name, alert=alert.id, attempt=number, error=str(error),
                            again_in_seconds=round(wait, 1))  # fmt: skip
                if self._stop.wait(wait):
                    raise _StoppedError from error
            except DeliveryError as error:
                raise DeliveryError(f"channel {channel.name}: {error}") from error
            else:
                self.progress.notes.pop("problem", None)
                return

    def wait_seconds(self, attempt: int, retry_after_seconds: float | None) -> float:
        """How long to wait after so many tries: twice as long each time, spread by chance, never less than was asked for."""
        most = min(self.channel.backoff_max_seconds, self.channel.backoff_seconds * 2.0 ** (attempt - 1))
        return max(self._draw(most / 2, most), min(retry_after_seconds or 0.0, RETRY_AFTER_MOST_SECONDS))

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


def sender(channel: Channel, settings: Settings) -> Send:
    """A channel in, the function that sends through it out.

    Raises:
        SettingsError: its secret's file or variable is not there, or its address is none that is understood.
    """
    if channel.type == "kafka":
        return Topic(channel, settings).send
    if channel.type != "apprise":
        return deliver.sender(channel, settings)
    import apprise  # noqa: PLC0415 - loads over a hundred services: only who uses it pays for it

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines name addresses
    service = apprise.Apprise()
    if not service.add(deliver.secret(channel, settings, "url")):
        raise SettingsError(f"channel {channel.name}: url is none that apprise understands")

    def send(alert: Alert, _now: dt.datetime) -> None:
        full = channel.text == "full" or channel.template
        title, body = alert.headline, deliver.text(alert, channel) if full else alert.url
        if not service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise AgainError("apprise: the service did not take it")

    return send


def run(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """The notifier: alerts to their channels until SIGTERM or SIGINT, or until `stop` is set where one is given.

    Raises:
        SettingsError: a rule or channel is wrong, or a secret's file or variable is not there.
        OSError: the port of /metrics is taken.
    """
    ending = stop or threading.Event()
    quarantine = Quarantine(settings, ending)
    lines = Switchboard(settings, quarantine.put)
    watch = RuleWatch(settings, lambda found, anew: lines.connect(found, anew=anew))
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: ending.set())
        signal.signal(signal.SIGHUP, lambda *_: watch.request())

    def ready() -> tuple[bool, dict[str, object]]:
        good, detail = readiness(lines.outlets)
        return good, {**detail, **watch.shown()}

    with contextlib.ExitStack() as cleanup:
        cleanup.callback(quarantine.close)
        cleanup.callback(lines.close)
        http = settings.http
        server = metrics.serve(http.host, http.notifier_port, healthy=lambda: (True, {}), readiness=ready)
        cleanup.callback(server.server_close)
        cleanup.callback(server.shutdown)
        metrics.build_info.labels(version=VERSION, process="notifier").set(1)
        log.info("notifier_started", channels=[outlet.channel.name for outlet in lines.outlets],
                 metrics=f"http://{http.host}:{server.server_address[1]}/metrics")  # fmt: skip
        lines.start()
        threading.Thread(target=watch_lag, args=(settings, lines, ending), name="lag", daemon=True).start()
        while not ending.wait(LOOK_SECONDS):
            watch.look()
    log.info("notifier_stopped")


@dataclass(frozen=True, slots=True)
class Line:
    """A channel that is connected: what it was made of, its outlet and its thread."""

    made_of: tuple[object, ...]
    outlet: ChannelThread
    thread: threading.Thread
    stop: threading.Event


class Switchboard:
    """The channels that are at work. `connect` changes them to what alerts.toml says; who did not change notices nothing."""

    def __init__(self, settings: Settings, quarantine: Callable[[bytes, bytes], None]) -> None:
        self._settings = settings
        self._quarantine = quarantine
        self._lines: dict[str, Line] = {}
        self._leaving: list[threading.Thread] = []
        self._started = False

    @property
    def outlets(self) -> list[ChannelThread]:
        """Those at work now."""
        return [line.outlet for line in self._lines.values()]

    def connect(self, found: RuleSet, *, anew: bool = False) -> None:
        """The channels of the file in; those that are new or changed start, those that are gone end.

        Raises:
            SettingsError: a channel cannot be used: then nothing is changed.
        """
        wanted = {c.name: c for c in found.channels.values() if c.type != "kafka" or c.topic}
        made = {}
        for name, channel in wanted.items():
            known = self._lines.get(name)
            if known is not None and known.outlet.channel == channel and not anew:
                continue
            made_of = (channel, *(deliver.secret(channel, self._settings, key) for key in ("url", "secret")))
            if known is None or known.made_of != made_of:
                made[name] = (made_of, channel, sender(channel, self._settings))
        for name in [name for name in self._lines if name not in wanted or name in made]:
            self._disconnect(name)
        for name, (made_of, channel, send) in made.items():
            self._lines[name] = self._line(made_of, channel, send)
            if self._started:
                self._lines[name].thread.start()

    def _line(self, made_of: tuple[object, ...], channel: Channel, send: Send) -> Line:
        stop = threading.Event()
        outlet = ChannelThread(channel, send, self._quarantine, stop)
        before = [thread for thread in self._leaving if thread.name == f"channel-{channel.name}"]

        def run() -> None:
            for thread in before:  # its last try may still be under way; nobody else waits for that
                thread.join()
            work(self._settings, outlet, stop)

        return Line(made_of, outlet, threading.Thread(target=run, name=f"channel-{channel.name}"), stop)

    def _disconnect(self, name: str) -> None:
        line = self._lines.pop(name)
        line.stop.set()
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        if self._started:
            self._leaving.append(line.thread)

    def start(self) -> None:
        """Let every channel begin."""
        self._started = True
        for line in self._lines.values():
            line.thread.start()

    def close(self) -> None:
        """End every channel and wait until all have ended."""
        started = self._leaving + ([line.thread for line in self._lines.values()] if self._started else [])
        for line in self._lines.values():
            line.stop.set()
        for thread in started:
            thread.join()


LAG_SECONDS: Final = 3.0
"""How often the broker is asked how far each channel is behind."""


def watch_lag(settings: Settings, lines: Switchboard, stop: threading.Event) -> None:
    """Keep `dateline_consumer_lag_records` of every channel, for as long as the process lives."""
    observer: bus.Observer | None = None
    while not stop.wait(LAG_SECONDS):
        try:
            observer = observer or bus.Observer(settings)
            metrics.set_lag(lag_rows(observer, (outlet.channel.name for outlet in lines.outlets)))
        except bus.BusError as error:
            log.debug("lag_unknown", error=str(error))
            observer = None
    if observer is not None:
        observer.close()


def lag_rows(observer: bus.Observer, channels: Iterable[str]) -> list[tuple[str, str, int, int]]:
    """Channels in, (group, topic, partition, records) of each out; a group that has not begun is asked for by itself."""
    return [
        (lag.group, lag.topic, lag.partition, lag.records) for name in channels for lag in observer.lags([GROUP + name])
    ]


def readiness(outlets: list[ChannelThread]) -> tuple[bool, dict[str, object]]:
    """Ready when every channel has its partitions and polls; one that waits for its receiver is ready, and says so."""
    now = time.monotonic()
    states = {o.channel.name: o.progress.ready(now=now, stall_seconds=STALL_SECONDS) for o in outlets}
    good = all(state[0] for state in states.values())
    metrics.ready.set(good)
    return good, {"channels": {name: detail for name, (_, detail) in states.items()}}


STALL_SECONDS: Final = RETRY_AFTER_MOST_SECONDS + 120
"""A channel may wait this long for its receiver between two tries before it counts as stalled."""


def work(settings: Settings, outlet: ChannelThread, stop: threading.Event) -> None:
    """One channel's loop: reads news.alerts as its own group; when Kafka is away it waits for it."""
    group = GROUP + outlet.channel.name
    while not stop.is_set():
        try:
            if is_new(settings, group):
                outlet.since = dt.datetime.now(dt.UTC) - LOOK_BACK
            bus.consume(settings, topics=(bus.ALERTS,), group=group, handle=outlet.handle, stop=stop, max_records=1,
                        wait_seconds=0.3, progress=outlet.progress)  # fmt: skip
        except _StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - a channel's thread never dies silently; what was read is read again
            outlet.progress.problem = f"{type(error).__name__}: {error}"[:300]
            log.warning("channel_interrupted", channel=outlet.channel.name, error=outlet.progress.problem)
            stop.wait(KAFKA_RETRY_SECONDS)
            outlet.progress.problem = ""


def is_new(settings: Settings, group: str) -> bool:
    """Whether this channel has never settled an alert."""
    return not any(lag.committed is not None for lag in bus.lags(settings, [group]))


class Topic:
    """Another topic as a channel: the alert as it is, under its id."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._topic = channel.topic
        self._settings = settings
        self._publisher: bus.Publisher | None = None

    def send(self, alert: Alert, _now: dt.datetime) -> None:
        """Write it and wait for Kafka's yes.

        Raises:
            AgainError: Kafka, or the topic, is not there.
        """
        try:
            self._publisher = self._publisher or bus.Publisher(self._settings)
            self._publisher.send(self._topic, alert.id.encode(), encode(alert))
            self._publisher.flush()
        except bus.BusError as error:
            self._publisher = None
            raise AgainError(str(error)) from error


class Quarantine:
    """Writes failures of all channels; made when the first one needs it, and again after Kafka was away."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._lock = threading.Lock()
        self._publisher: bus.Publisher | None = None

    def put(self, key: bytes, value: bytes) -> None:
        """Write one failure and wait for Kafka's yes, however long Kafka is away.

        Raises:
            _StoppedError: the process is to end before Kafka was there.
        """
        while True:
            try:
                with self._lock:
                    self._publisher = self._publisher or bus.Publisher(self._settings)
                    self._publisher.send(bus.QUARANTINE, key, value)
                    self._publisher.flush()
            except bus.BusError as error:
                log.warning("quarantine_waits", error=str(error))
                if self._stop.wait(KAFKA_RETRY_SECONDS):
                    raise _StoppedError from error
            else:
                return

    def close(self) -> None:
        """Let go of the producer."""
        with self._lock:
            if self._publisher is not None:
                self._publisher.close()
