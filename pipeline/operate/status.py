"""How the whole service is: its processes, the lag of each group, feeds that fail, the index, alerts of the last day.

Each part is asked for itself, so that one that is away does not hide the others: what could not be asked is a problem too.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from pipeline import bus
from pipeline.operate import probe
from pipeline.records import Alert, RecordError, decode
from pipeline.settings import Settings

ALERT_HOURS: Final = 24


class FeedSeen(msgspec.Struct, frozen=True):
    """What matters here of a `FeedState`; the thousands of entries that it has seen are not read."""

    id: str
    url: str = ""
    failures: int = 0
    error: str | None = None
    checked_at: dt.datetime | None = None
    succeeded_at: dt.datetime | None = None
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """Records of a topic that a group has still to read."""

    group: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `dateline status` tells."""

    processes: tuple[probe.ProcessState, ...] = ()
    lag: tuple[GroupLag, ...] = ()
    feeds: int = 0
    feeds_failing: tuple[FeedSeen, ...] = ()
    feeds_silent: tuple[FeedSeen, ...] = ()
    index: dict[str, Any] = field(default_factory=dict)
    alerts: int = 0
    alerts_by_rule: dict[str, int] = field(default_factory=dict)
    kafka_problem: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What an operator has to look at, in words."""
        found = [f"{answer.name}: {answer.problem}" for answer in self.processes if answer.problem]
        told = ((a.name, (a.detail or {}).get("rules_problem")) for a in self.processes)
        found += [f"{name}: the old rules go on: {problem}" for name, problem in told if problem]
        if self.kafka_problem:
            found.append(f"kafka: {self.kafka_problem}")
        if not self.index.get("reachable"):
            found.append(f"index: {self.index.get('error') or 'not asked'}")
        elif self.index.get("status") == "red":
            found.append("index: the cluster's status is red: a part of the data cannot be reached")
        return tuple(found)

    def table(self) -> dict[str, Any]:
        """The same as plain tables, for --json."""
        return {
            "ok": not self.problems,
            "problems": list(self.problems),
            "processes": [
                {"name": a.name, "address": a.address, "up": a.up, "ready": a.ready, "detail": a.detail}
                for a in self.processes
            ],
            "lag": [{"group": item.group, "topic": item.topic, "records": item.records} for item in self.lag],
            "feeds": {
                "known": self.feeds,
                "failing": msgspec.to_builtins(self.feeds_failing),
                "silent": msgspec.to_builtins(self.feeds_silent),
            },
            "index": self.index,
            "alerts": {"hours": ALERT_HOURS, "total": self.alerts, "by_rule": self.alerts_by_rule},
        }


def gather(settings: Settings, *, now: dt.datetime) -> Status:
    """Settings in, how everything is out. Never raises for a part that is away."""
    from pipeline.index import indexer  # noqa: PLC0415 - the client is slow to load

    with ThreadPoolExecutor(len(probe.NAMES) + 1) as pool:
        health = pool.submit(indexer.health, settings)
        asked = [pool.submit(probe.process, name, probe.address(settings.http, name)) for name in probe.NAMES]
        try:
            _require_kafka(settings)
            lag, feeds, alerts, problem = *_kafka(settings, now), ""
        except bus.BusError as error:
            lag, feeds, alerts, problem = (), (), (), str(error)
        return Status(
            processes=tuple(future.result() for future in asked),
            lag=lag,
            feeds=len(feeds),
            feeds_failing=tuple(feed for feed in feeds if feed.failures),
            feeds_silent=tuple(feed for feed in feeds if feed.silence and not feed.failures),
            index=health.result(),
            alerts=len(alerts),
            alerts_by_rule=dict(Counter(alert.rule for alert in alerts).most_common()),
            kafka_problem=problem,
        )


def _require_kafka(settings: Settings) -> None:
    """The client tries for ten seconds; a person who asks how things are should not wait for that."""
    if not probe.listens(settings.bootstrap_servers):
        raise bus.BusError(f"nobody answers at {settings.bootstrap_servers}")


def _kafka(
    settings: Settings, now: dt.datetime
) -> tuple[tuple[GroupLag, ...], tuple[FeedSeen, ...], tuple[Alert, ...]]:
    lag = by_topic(bus.lags(settings))
    feeds = feed_states(bus.read_all(settings, bus.FEEDS))
    alerts = recent(bus.read_all(settings, bus.ALERTS), since=now - dt.timedelta(hours=ALERT_HOURS))
    return lag, feeds, alerts


def by_topic(lags: Iterable[bus.Lag]) -> tuple[GroupLag, ...]:
    """The lag of each partition in, the lag of each group on each topic out."""
    found: dict[tuple[str, str], int] = {}
    for lag in lags:
        found[lag.group, lag.topic] = found.get((lag.group, lag.topic), 0) + lag.records
    return tuple(GroupLag(group, topic, records) for (group, topic), records in sorted(found.items()))


def feed_states(messages: Iterable[bus.Message]) -> tuple[FeedSeen, ...]:
    """The compacted topic of feeds in, the last state of each out, those that fail longest first."""
    found: dict[bytes, FeedSeen] = {}
    newest: dict[bytes, int] = {}
    for message in messages:
        key = message.key or b""
        if key.startswith(b"backfill-"):  # a page of the journal of `dateline collect`: no feed
            continue
        if message.timestamp_ms < newest.get(key, 0):
            continue  # a feed whose site changed left an old state in another partition
        newest[key] = message.timestamp_ms
        if message.value is None:
            found.pop(key, None)
            continue
        try:
            found[key] = msgspec.json.decode(message.value, type=FeedSeen)
        except msgspec.DecodeError:
            continue
    return tuple(sorted(found.values(), key=lambda feed: (-feed.failures, feed.id)))


def recent(messages: Iterable[bus.Message], *, since: dt.datetime) -> tuple[Alert, ...]:
    """The topic of alerts in, those that rang and were written to it since then out, each once."""
    found: dict[str, Alert] = {}
    for message in messages:
        if message.timestamp_ms < since.timestamp() * 1000:
            continue
        try:
            alert = decode(message.value, Alert)
        except RecordError:
            continue
        if not alert.held:
            found[alert.id] = alert
    return tuple(found.values())
