"""Keeps the index in bounds: a large index gets a successor, and old ones are removed by age and by size.

It works on every Elasticsearch, without ILM and data streams, and with any number of indexers: each step can be repeated, and
two that take it at once do the same. `plan` decides and is pure, `inspect` and `carry_out` ask and change the server.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from pipeline import metrics
from pipeline.index import actions, client
from pipeline.index.index_table import IndexTable, days_kept, known, next_start, start_of, successor
from pipeline.settings import Settings

log = structlog.get_logger("index")

KEPT: Final = frozenset({"feedback"})
"""What people said of alerts: a few records a day that no later record replaces. They are never removed."""

GIGABYTE: Final = 1e9

State = Literal["live", "replaced", "staged"]


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index of Dateline. It holds items from `start` to `end`; both are None where its name has no moment.

    `live` is searched; `replaced` was taken out of the search by a replay; `staged` is being written by one.
    """

    index: str
    name: str
    state: State = "live"
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    documents: int = 0
    bytes: int = 0
    primary_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the indices and its reason: `size`, `age` or `replaced`."""

    action: Literal["create", "delete"]
    index: str
    name: str
    reason: str


def inspect(settings: Settings) -> tuple[IndexInfo, ...]:
    """Return all indices of Dateline, by name and then by age.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    prefix = settings.elasticsearch.index_prefix
    with client.opened(settings) as es:
        aliases = es.indices.get_alias(index=f"{prefix}-*", expand_wildcards=["open", "closed"]).body
        stats = es.indices.stats(index=f"{prefix}-*", metric="store,docs", level="indices").body.get("indices", {})
        found = described(prefix, aliases, stats)
        return tuple(_with_end(es, one) for one in found)


def described(
    prefix: str, aliases: Mapping[str, Mapping[str, Any]], stats: Mapping[str, Mapping[str, Any]]
) -> tuple[IndexInfo, ...]:
    """Return the indices of Dateline from the server's answers about aliases and sizes. Others are left out."""
    ours = re.compile(rf"{re.escape(prefix)}(?:-r\d+)?-({'|'.join(actions.INDICES)})-v\d+-")
    names = {index: match[1] for index in aliases if (match := ours.match(index))}
    states = {index: _state(prefix, name, aliases[index].get("aliases", {})) for index, name in names.items()}
    live = known({name: [i for i, n in names.items() if n == name and states[i] == "live"] for name in actions.INDICES})
    found = [_info(index, name, states[index], live, stats.get(index, {})) for index, name in names.items()]
    order = {name: number for number, name in enumerate(actions.INDICES)}
    return tuple(sorted(found, key=lambda one: (order[one.name], str(one.start), one.index)))


def _state(prefix: str, name: str, has: Iterable[str]) -> State:
    has = set(has)
    if actions.alias(prefix, name) in has:
        return "live"
    return "replaced" if actions.replaced_alias(prefix, name) in has else "staged"


def _info(index: str, name: str, state: State, live: IndexTable, stats: Mapping[str, Any]) -> IndexInfo:
    start = start_of(index)
    total, primaries = stats.get("total", {}), stats.get("primaries", {})
    return IndexInfo(
        index, name, state, start, None if start is None else live.end(name, start),
        documents=int(primaries.get("docs", {}).get("count", 0)),
        bytes=int(total.get("store", {}).get("size_in_bytes", 0)),
        primary_bytes=int(primaries.get("store", {}).get("size_in_bytes", 0)),
    )  # fmt: skip


def _with_end(es: Any, one: IndexInfo) -> IndexInfo:
    """Return an index without a moment in its name (of an earlier version) with the time of its newest document as its end."""
    if one.start is not None or one.name in KEPT or not one.documents:
        return one
    newest = es.search(index=one.index, size=0, aggs={"newest": {"max": {"field": "@timestamp"}}}).body
    value = newest["aggregations"]["newest"]["value"]
    at = dt.datetime.fromtimestamp(value / 1000, dt.UTC) if value is not None else None
    return IndexInfo(one.index, one.name, one.state, None, at, one.documents, one.bytes, one.primary_bytes)


# --- what has to change ----------------------------------------------------------------------------------------------


def plan(indices: Sequence[IndexInfo], settings: Settings, *, now: dt.datetime) -> tuple[Step, ...]:
    """Return the steps that bring the indices into their bounds, the removals first."""
    old = _too_old(indices, settings, now)
    gone = {step.index for step in old}
    left = [one for one in indices if one.index not in gone]
    return (*old, *_too_much(left, settings, now), *_too_large(left, settings, now))


def _too_old(indices: Iterable[IndexInfo], settings: Settings, now: dt.datetime) -> tuple[Step, ...]:
    """Return the removal of each index whose items are all older than its retention."""
    found = []
    for one in indices:
        days = 0 if one.name in KEPT else days_kept(settings.retention, one.name)
        if days and one.end is not None and one.end <= now - dt.timedelta(days=days):
            found.append(Step("delete", one.index, one.name, "age"))
    return tuple(found)


def _too_much(indices: Sequence[IndexInfo], settings: Settings, now: dt.datetime) -> tuple[Step, ...]:
    """Return the removal of the oldest indices beyond the size of all. An index that still takes items is never removed."""
    limit = settings.retention.total_gb * GIGABYTE
    if not limit:
        return ()
    excess = sum(one.bytes for one in indices) - limit
    order = {name: number for number, name in enumerate(actions.INDICES)}
    done = [one for one in indices if one.name not in KEPT and one.end is not None and one.end <= now]
    found = []
    for one in sorted(done, key=lambda one: (one.end or now, order[one.name], one.index)):
        if excess <= 0:
            break
        found.append(Step("delete", one.index, one.name, "size"))
        excess -= one.bytes
    return tuple(found)


def _too_large(indices: Iterable[IndexInfo], settings: Settings, now: dt.datetime) -> tuple[Step, ...]:
    """Return a successor for each live index that takes items now and is too large, unless it has one already."""
    limit = settings.retention.index_gb * GIGABYTE
    start = next_start(now)
    found = []
    for one in indices:
        if one.state != "live" or one.start is None or one.end is None or one.primary_bytes < limit:
            continue
        if one.start <= now and start < one.end:
            made = successor(settings.elasticsearch.index_prefix, one.name, start)
            found.append(Step("create", made, one.name, "size"))
    return tuple(found)


def replaced(indices: Iterable[IndexInfo]) -> tuple[Step, ...]:
    """Return the removal of all indices that replays have replaced."""
    return tuple(Step("delete", one.index, one.name, "replaced") for one in indices if one.state == "replaced")


# --- change it -------------------------------------------------------------------------------------------------------


def carry_out(settings: Settings, steps: Iterable[Step]) -> None:
    """Take the steps. One that another indexer has taken meanwhile changes nothing.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    with client.opened(settings) as es:
        for step in steps:
            if step.action == "delete":
                es.indices.delete(index=step.index, ignore_unavailable=True)
            elif not es.indices.exists(index=step.index):
                es.options(ignore_status=400).indices.create(index=step.index)  # 400: another indexer has made it
            metrics.index_changes_total.labels(action=step.action, reason=step.reason).inc()
            log.info("index_changed", action=step.action, index=step.index, reason=step.reason)


def keep_in_bounds(settings: Settings, *, now: dt.datetime) -> tuple[Step, ...]:
    """Look at the indices, export their sizes, take the steps that are due, and return these.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    found = inspect(settings)
    sizes: dict[tuple[str], int] = {}
    for one in found:
        key = (actions.alias(settings.elasticsearch.index_prefix, one.name),)
        sizes[key] = sizes.get(key, 0) + one.bytes
    metrics.replace_series(metrics.index_bytes, sizes)
    steps = plan(found, settings, now=now)
    if steps:
        carry_out(settings, steps)
    return steps
