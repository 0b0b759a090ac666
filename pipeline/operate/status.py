"""Settings in, the state of the whole service out: processes, lag, failing feeds, the index, alerts of the last day.

Each part is asked on its own, so that one that does not answer does not hide the others. No answer is a problem too.
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


class FeedHealth(msgspec.Struct, frozen=True):
    """The part of a `FeedState` that the status shows; its thousands of seen entries are not decoded."""

    id: str
    url: str = ""
    failures: int = 0
    error: str | None = None
    checked_at: dt.datetime | None = None
    succeeded_at: dt.datetime | None = None
    silence: str | None = None
    title: str = ""
    retired: bool = False
    due_at: dt.datetime | None = None
    newest_at: dt.datetime | None = None
    entries: int = 0
    gap_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """The number of records of a topic that a group has not read yet."""

    group: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `dateline status` shows."""

    processes: tuple[probe.ProcessState, ...] = ()
    lag: tuple[GroupLag, ...] = ()
    feeds: int = 0
    feeds_failing: tuple[FeedHealth, ...] = ()
    feeds_silent: tuple[FeedHealth, ...] = ()
    index: dict[str, Any] = field(default_factory=dict)
    alerts: int = 0
    alerts_by_rule: dict[str, int] = field(default_factory=dict)
    kafka_problem: str = ""

    @property
    def down(self) -> bool:
        """Return whether a process, Kafka or Elasticsearch does not answer."""
        answering = all(process.up for process in self.processes)
        return not answering or bool(self.kafka_problem) or not self.index.get("reachable")

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what an operator has to look at, one sentence each."""
        found = [f"{process.name}: {process.problem}" for process in self.processes if process.problem]
        for what in ("rules", "feeds"):
            wrong = ((process.name, (process.detail or {}).get(f"{what}_problem")) for process in self.processes)
            found += [f"{name}: the old {what} go on: {problem}" for name, problem in wrong if problem]
        if self.kafka_problem:
            found.append(f"kafka: {self.kafka_problem}")
        if not self.index.get("reachable"):
            found.append(f"index: {self.index.get('error') or 'not asked'}")
        elif self.index.get("status") == "red":
            found.append("index: the cluster's status is red: a part of the data cannot be reached")
        sizes = self.index.get("indices", {}).items()
        found += [f"index: {alias}: {size['problem']}" for alias, size in sizes if size.get("problem")]
        return tuple(found)

    def table(self) -> dict[str, Any]:
        """Return the status as plain dicts and lists, for --json."""
        return {
            "ok": not self.problems,
            "problems": list(self.problems),
            "processes": [
                {"name": p.name, "address": p.address, "up": p.up, "ready": p.ready, "detail": p.detail}
                for p in self.processes
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
    """Return the status of the service. Never raises because a part does not answer."""
    from pipeline.index import sizes  # noqa: PLC0415 - the client is slow to load

    with ThreadPoolExecutor(len(probe.NAMES) + 1) as pool:
        health = pool.submit(sizes.health, settings)
        probes = [pool.submit(probe.process, name, probe.address(settings.http, name)) for name in probe.NAMES]
        try:
            _require_kafka(settings)
            lag, feeds, alerts, problem = *_kafka(settings, now), ""
        except bus.BusError as error:
            lag, feeds, alerts, problem = (), (), (), str(error)
        return Status(
            processes=tuple(future.result() for future in probes),
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
    """Check by a plain connection first: Kafka's client tries for ten seconds, which is too long for a status."""
    if not probe.listens(settings.bootstrap_servers):
        raise bus.BusError(f"no answer at {settings.bootstrap_servers}")


def _kafka(
    settings: Settings, now: dt.datetime
) -> tuple[tuple[GroupLag, ...], tuple[FeedHealth, ...], tuple[Alert, ...]]:
    lag = by_topic(bus.lags(settings))
    feeds = feed_states(bus.read_all(settings, bus.FEEDS))
    alerts = recent(bus.read_all(settings, bus.ALERTS), since=now - dt.timedelta(hours=ALERT_HOURS))
    return lag, feeds, alerts


def by_topic(lags: Iterable[bus.Lag]) -> tuple[GroupLag, ...]:
    """Return the lag of each group on each topic, summed over the partitions."""
    found: dict[tuple[str, str], int] = {}
    for lag in lags:
        found[lag.group, lag.topic] = found.get((lag.group, lag.topic), 0) + lag.records
    return tuple(GroupLag(group, topic, records) for (group, topic), records in sorted(found.items()))


def feed_states(messages: Iterable[bus.Message]) -> tuple[FeedHealth, ...]:
    """Return the last state of each feed on the compacted topic of feeds, those with the most failures first."""
    found: dict[bytes, FeedHealth] = {}
    newest: dict[bytes, int] = {}
    for message in messages:
        key = message.key or b""
        if key.startswith(b"backfill-"):  # part of the journal of `dateline collect`, not a feed
            continue
        if message.timestamp_ms < newest.get(key, 0):
            continue  # the old state of a feed whose site changed, in another partition
        newest[key] = message.timestamp_ms
        if message.value is None:
            found.pop(key, None)
            continue
        try:
            found[key] = msgspec.json.decode(message.value, type=FeedHealth)
        except msgspec.DecodeError:
            continue
    return tuple(sorted(found.values(), key=lambda feed: (-feed.failures, feed.id)))


def recent(messages: Iterable[bus.Message], *, since: dt.datetime) -> tuple[Alert, ...]:
    """Return the alerts that rang and were written to the topic since then, each once."""
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
