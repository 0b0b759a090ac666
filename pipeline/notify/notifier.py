"""The notifier process: alerts from `news.alerts` in, deliveries to their channels out.

Each channel has its own thread and consumer group, so that one that does not answer delays no other and continues where it
stopped. A channel that is new or changed in alerts.toml is connected without a restart.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from pipeline import bus, metrics
from pipeline.alert.reload import LOOK_SECONDS, RuleWatch
from pipeline.alert.rules import Channel, RuleSet
from pipeline.notify import Send, channels
from pipeline.notify.delivery import (
    KAFKA_RETRY_SECONDS,
    RETRY_AFTER_MAX_SECONDS,
    ChannelDelivery,
    ShutdownError,
)
from pipeline.process import VERSION, StopEvent
from pipeline.settings import Settings

log = structlog.get_logger("notify")

GROUP: Final = "dateline-notifier-"
"""The consumer group of a channel is this and the channel's name."""

LOOK_BACK: Final = dt.timedelta(hours=1)
"""A new channel begins with the alerts of the last hour, not with all that the topic holds."""

LAG_SECONDS: Final = 3.0
"""How often the broker is asked for the lag of each channel."""

STALL_SECONDS: Final = RETRY_AFTER_MAX_SECONDS + 120
"""How long a channel may wait for its receiver between two tries before it counts as stalled."""


def run(settings: Settings, *, stop: threading.Event | None = None) -> None:
    """Deliver alerts until SIGTERM or SIGINT, or until `stop` is set if it is given.

    Raises:
        SettingsError: a rule or channel is wrong, or the file or variable of a secret does not exist.
        OSError: the port of /metrics is taken.
    """
    stopping = stop or StopEvent()
    publisher = bus.PatientPublisher(settings, stopping)
    broker = bus.BrokerWatch(settings)

    def quarantine(key: bytes, value: bytes) -> None:
        if not publisher.put(bus.QUARANTINE, [(key, value)]):
            raise ShutdownError

    pool = ChannelPool(settings, quarantine)
    watch = RuleWatch(settings, lambda found, read_secrets: pool.connect(found, read_secrets=read_secrets))
    if stop is None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopping.set())
        signal.signal(signal.SIGHUP, lambda *_: watch.request())

    def ready() -> tuple[bool, dict[str, object]]:
        good, detail = readiness(pool.deliveries, broker.problem)
        return good, {**detail, **watch.shown()}

    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(broker.running(stopping))
        cleanup.callback(publisher.close)
        cleanup.callback(pool.close)
        http = settings.http
        server = metrics.serve(http.host, http.notifier_port, healthy=lambda: (True, {}), readiness=ready)
        cleanup.callback(server.server_close)
        cleanup.callback(server.shutdown)
        metrics.build_info.labels(version=VERSION, process="notifier").set(1)
        log.info("notifier_started", channels=[delivery.channel.name for delivery in pool.deliveries],
                 metrics=f"http://{http.host}:{server.server_address[1]}/metrics")  # fmt: skip
        pool.start()
        threading.Thread(target=report_lag, args=(settings, pool, stopping), name="lag", daemon=True).start()
        while not stopping.wait(LOOK_SECONDS):
            watch.look()
    log.info("notifier_stopped")


@dataclass(frozen=True, slots=True)
class ConnectedChannel:
    """A channel at work. `made_from` is its configuration and secrets, by which a change is noticed."""

    made_from: tuple[object, ...]
    delivery: ChannelDelivery
    thread: threading.Thread
    stop: threading.Event


class ChannelPool:
    """Holds the channels at work. `connect` starts and stops channels to match alerts.toml; unchanged ones go on."""

    def __init__(self, settings: Settings, quarantine: Callable[[bytes, bytes], None]) -> None:
        self._settings = settings
        self._quarantine = quarantine
        self._connected: dict[str, ConnectedChannel] = {}
        self._leaving: list[threading.Thread] = []
        self._started = False

    @property
    def deliveries(self) -> list[ChannelDelivery]:
        """The deliveries of the channels at work."""
        return [connected.delivery for connected in self._connected.values()]

    def connect(self, found: RuleSet, *, read_secrets: bool = False) -> None:
        """Start the channels of `found` that are new or changed, and stop those that are gone.

        `read_secrets` also reads the secrets of unchanged channels, and restarts those whose secret has changed.

        Raises:
            SettingsError: a channel cannot be used. Then nothing is changed.
        """
        wanted = {c.name: c for c in found.channels.values() if c.type != "kafka" or c.topic}
        new = {}
        for name, channel in wanted.items():
            known = self._connected.get(name)
            if known is not None and known.delivery.channel == channel and not read_secrets:
                continue
            secrets = (channels.read_secret(channel, self._settings, key) for key in ("url", "secret"))
            made_from = (channel, *secrets)
            if known is None or known.made_from != made_from:
                new[name] = (made_from, channel, channels.sender(channel, self._settings))
        for name in [name for name in self._connected if name not in wanted or name in new]:
            self._disconnect(name)
        for name, (made_from, channel, send) in new.items():
            self._connected[name] = self._connect(made_from, channel, send)
            if self._started:
                self._connected[name].thread.start()

    def _connect(self, made_from: tuple[object, ...], channel: Channel, send: Send) -> ConnectedChannel:
        stop = threading.Event()
        delivery = ChannelDelivery(channel, send, self._quarantine, stop)
        before = [thread for thread in self._leaving if thread.name == f"channel-{channel.name}"]

        def run() -> None:
            for (
                thread
            ) in before:  # the last try of its predecessor may still be under way; only this channel waits for it
                thread.join()
            deliver_alerts(self._settings, delivery, stop)

        return ConnectedChannel(made_from, delivery, threading.Thread(target=run, name=f"channel-{channel.name}"), stop)

    def _disconnect(self, name: str) -> None:
        connected = self._connected.pop(name)
        connected.stop.set()
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        if self._started:
            self._leaving.append(connected.thread)

    def start(self) -> None:
        """Start the thread of every channel."""
        self._started = True
        for connected in self._connected.values():
            connected.thread.start()

    def close(self) -> None:
        """Stop every channel and wait until all have stopped."""
        started = self._leaving + ([c.thread for c in self._connected.values()] if self._started else [])
        for connected in self._connected.values():
            connected.stop.set()
        for thread in started:
            thread.join()


def deliver_alerts(settings: Settings, delivery: ChannelDelivery, stop: threading.Event) -> None:
    """Read `news.alerts` for one channel, in its own group, until `stop` is set. If Kafka is unavailable it waits."""
    group = GROUP + delivery.channel.name
    known = False
    while not stop.is_set():
        try:
            if not known and is_new(settings, group):
                delivery.since = dt.datetime.now(dt.UTC) - LOOK_BACK
            known = True
            bus.consume(settings, topics=(bus.ALERTS,), group=group, handle=delivery.handle, stop=stop, max_records=1,
                        wait_seconds=0.3, name=bus.member_name(settings.http.notifier_port),
                        progress=delivery.progress)  # fmt: skip
        except ShutdownError:
            return
        except Exception as error:  # noqa: BLE001 - the thread of a channel never ends silently; its records are read again
            delivery.progress.problem = f"{type(error).__name__}: {error}"[:300]
            log.warning("channel_interrupted", channel=delivery.channel.name, error=delivery.progress.problem)
            stop.wait(KAFKA_RETRY_SECONDS)
            delivery.progress.problem = ""


def is_new(settings: Settings, group: str) -> bool:
    """Return whether the channel of a group has never committed an offset."""
    return not any(lag.committed is not None for lag in bus.lags(settings, [group]))


def report_lag(settings: Settings, pool: ChannelPool, stop: threading.Event) -> None:
    """Update `dateline_consumer_lag_records` for every channel until `stop` is set."""
    observer: bus.Observer | None = None
    while not stop.wait(LAG_SECONDS):
        try:
            observer = observer or bus.Observer(settings)
            metrics.set_lag(lag_rows(observer, (delivery.channel.name for delivery in pool.deliveries)))
        except bus.BusError as error:
            log.debug("lag_unknown", error=str(error))
            observer = None
    if observer is not None:
        observer.close()


def lag_rows(observer: bus.Observer, names: Iterable[str]) -> list[tuple[str, str, int, int]]:
    """Return (group, topic, partition, records) of the channels; each group is asked alone, because a new one is unknown."""
    return [
        (lag.group, lag.topic, lag.partition, lag.records) for name in names for lag in observer.lags([GROUP + name])
    ]


def readiness(deliveries: list[ChannelDelivery], broker: str = "") -> tuple[bool, dict[str, object]]:
    """Return whether every channel has its partitions and polls, and Kafka has no problem `broker`.

    A channel that waits for its receiver is ready, and says so.
    """
    now = time.monotonic()
    states = {d.channel.name: d.progress.ready(now=now, stall_seconds=STALL_SECONDS) for d in deliveries}
    good = all(state[0] for state in states.values()) and not broker
    return good, {"problem": broker, "channels": {name: detail for name, (_, detail) in states.items()}}
