"""Snapshots of the index: taken when they are due, restored, and a restore tried out without touching what is searched."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from pipeline import metrics
from pipeline.index import actions, client
from pipeline.index.errors import RefusedError, RequestError, UnavailableError
from pipeline.settings import Settings

log = structlog.get_logger("index")

POLL_SECONDS: Final = 0.5
"""How often it is asked how far a snapshot or a restore is."""

REMOVAL_SECONDS: Final = 600.0
"""How long the removal of old snapshots may take: their files are looked through one by one."""

CHECK: Final = "restorecheck"
"""The part of the names of indices that are restored only to be counted."""

Progress = Callable[[int, int], object]


class SnapshotError(Exception):
    """A snapshot cannot be taken or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot in the repository. `ended_at` is None while it is being taken; `state` SUCCESS says that it is complete."""

    name: str
    state: str
    ended_at: dt.datetime | None
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestoredIndex:
    """An index that was restored to be counted: its documents in the snapshot, and those that are live now (None: none)."""

    index: str
    restored: int
    live: int | None


def _repository(es: Any, settings: Settings) -> str:
    """Return the name of the repository, which is registered if its location is configured.

    Raises:
        SnapshotError: there is none, or its location cannot be used.
    """
    name, location = settings.snapshots.repository, settings.snapshots.location
    if not name:
        raise SnapshotError("no repository is configured: set snapshots.repository in dateline.toml")
    if location:
        try:
            with client.own_errors(f"snapshots.location {location!r}; is it below path.repo of Elasticsearch"):
                es.snapshot.create_repository(
                    name=name, repository={"type": "fs", "settings": {"location": location, "compress": True}}
                )
        except (RefusedError, RequestError, UnavailableError) as error:
            if isinstance(error, UnavailableError) and error.connection_lost:
                raise
            raise SnapshotError(str(error)) from error
    return name


def listed(settings: Settings) -> tuple[Snapshot, ...]:
    """Return the snapshots in the repository, the oldest first.

    Raises:
        SnapshotError: no repository is configured, or it cannot be used.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    with client.opened(settings) as es:
        return _listed(es, _repository(es, settings))


def _listed(es: Any, repository: str) -> tuple[Snapshot, ...]:
    found = es.snapshot.get(repository=repository, snapshot="_all").body["snapshots"]
    made = [
        Snapshot(
            str(one["snapshot"]), str(one["state"]),
            dt.datetime.fromtimestamp(one["end_time_in_millis"] / 1000, dt.UTC) if one.get("end_time_in_millis") else None,
            tuple(sorted(one["indices"])),
        )
        for one in found
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (one.ended_at is None, one.ended_at, one.name)))


def take(settings: Settings, *, now: dt.datetime, wait: bool = True) -> str:
    """Start a snapshot of all indices and return its name; with `wait`, when it is complete.

    Raises:
        SnapshotError: no repository is configured, it cannot be used, or the snapshot is not complete.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    name = f"{settings.elasticsearch.index_prefix}-{now:%Y.%m.%d-%H.%M.%S}"
    with client.opened(settings) as es:
        repository = _repository(es, settings)
        es.snapshot.create(
            repository=repository, snapshot=name, indices=[f"{settings.elasticsearch.index_prefix}-*"],
            include_global_state=False, wait_for_completion=False,
        )  # fmt: skip
        while wait:
            [found] = [one for one in _listed(es, repository) if one.name == name]
            if found.ended_at is None:
                time.sleep(POLL_SECONDS)
            elif found.state != "SUCCESS":
                raise SnapshotError(f"{name} is {found.state}: a part of the index is not in it")
            else:
                break
    return name


def keep(settings: Settings, *, now: dt.datetime) -> str:
    """Take a snapshot if one is due, remove those beyond `snapshots.keep`, and export when the last one was complete.

    Returns the name of the snapshot that was started, or an empty string. While one is being taken nothing is done.

    Raises:
        SnapshotError: the repository cannot be used.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    found = listed(settings)
    complete = [one for one in found if one.state == "SUCCESS" and one.ended_at is not None]
    newest = complete[-1].ended_at if complete else None
    metrics.snapshot_last_success_timestamp_seconds.labels(repository=settings.snapshots.repository).set(
        newest.timestamp() if newest else 0
    )
    if any(one.ended_at is None for one in found) or not settings.snapshots.interval_hours:
        return ""
    own = f"{settings.elasticsearch.index_prefix}-"
    surplus = [one.name for one in complete if one.name.startswith(own)][: -settings.snapshots.keep]
    if surplus:
        with client.opened(settings) as es:
            patient = es.options(request_timeout=REMOVAL_SECONDS, ignore_status=404)  # 404: another indexer removed it
            patient.snapshot.delete(repository=settings.snapshots.repository, snapshot=surplus)
        log.info("snapshots_removed", snapshots=surplus)
    if newest is not None and now - newest < dt.timedelta(hours=settings.snapshots.interval_hours):
        return ""
    name = take(settings, now=now, wait=False)
    log.info("snapshot_started", snapshot=name)
    return name


# --- restore ---------------------------------------------------------------------------------------------------------


def restore(
    settings: Settings, name: str = "", *, replace: bool = False, progress: Progress = lambda _done, _all: None
) -> tuple[Snapshot, tuple[str, ...]]:
    """Restore the indices of a snapshot (the newest complete one without a name) with their aliases; return both.

    With `replace` an index that exists is removed first; without, it stays as it is and is not restored.

    Raises:
        SnapshotError: there is no such snapshot, or it has no index of Dateline.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    with client.opened(settings) as es:
        repository = _repository(es, settings)
        chosen, ours = _chosen(settings, _listed(es, repository), name)
        there = {index for index in ours if es.indices.exists(index=index)}
        if there and replace:
            es.indices.delete(index=sorted(there))
            there = set()
        wanted = [index for index in ours if index not in there]
        if wanted:
            es.snapshot.restore(
                repository=repository, snapshot=chosen.name, indices=wanted, include_aliases=True,
                include_global_state=False, wait_for_completion=False,
                index_settings={"index.number_of_replicas": settings.elasticsearch.replicas},
            )  # fmt: skip
            _wait(es, wanted, progress)
        return chosen, tuple(wanted)


def check(
    settings: Settings, name: str = "", *, progress: Progress = lambda _done, _all: None
) -> tuple[Snapshot, tuple[RestoredIndex, ...]]:
    """Restore a snapshot beside the live indices, count what is in it, and remove it again; return the counts.

    Raises:
        SnapshotError: there is no such snapshot, or it has no index of Dateline.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    prefix = settings.elasticsearch.index_prefix
    with client.opened(settings) as es:
        repository = _repository(es, settings)
        chosen, ours = _chosen(settings, _listed(es, repository), name)
        beside = {index: f"{prefix}-{CHECK}-{index.removeprefix(prefix + '-')}" for index in ours}
        es.indices.delete(index=list(beside.values()), ignore_unavailable=True)
        try:
            es.snapshot.restore(
                repository=repository, snapshot=chosen.name, indices=list(ours), include_aliases=False,
                include_global_state=False, rename_pattern=f"^{prefix}-(.+)$", rename_replacement=f"{prefix}-{CHECK}-$1",
                index_settings={"index.number_of_replicas": 0}, wait_for_completion=False,
            )  # fmt: skip
            _wait(es, list(beside.values()), progress)
            return chosen, tuple(_counted(es, beside))
        finally:
            es.indices.delete(index=list(beside.values()), ignore_unavailable=True)


def _counted(es: Any, beside: dict[str, str]) -> Iterator[RestoredIndex]:
    for index, copy in beside.items():
        there = bool(es.indices.exists(index=index))
        yield RestoredIndex(index, client.count(es, copy), client.count(es, index) if there else None)


def _chosen(settings: Settings, found: Sequence[Snapshot], name: str) -> tuple[Snapshot, tuple[str, ...]]:
    """Return a snapshot (the newest complete one without a name) and the indices of Dateline in it."""
    complete = [one for one in found if one.state == "SUCCESS" and one.ended_at is not None]
    chosen = [one for one in complete if one.name == name] if name else complete[-1:]
    if not chosen:
        names = ", ".join(one.name for one in complete[-3:]) or "none"
        raise SnapshotError(f"no complete snapshot {name or 'is there'}; the newest: {names}")
    prefix = settings.elasticsearch.index_prefix
    ours = tuple(index for index in chosen[0].indices if any(f"-{n}-v" in index for n in actions.INDICES))
    ours = tuple(
        index for index in ours if index.startswith(f"{prefix}-") and not index.startswith(f"{prefix}-{CHECK}-")
    )
    if not ours:
        raise SnapshotError(f"{chosen[0].name} has no index {prefix}-*")
    return chosen[0], ours


def _wait(es: Any, indices: Sequence[str], progress: Progress) -> None:
    """Wait until every primary shard of these indices is restored.

    Raises:
        RequestError: a shard could not be restored.
    """
    while True:
        shards = [
            shard
            for one in es.indices.recovery(index=",".join(indices)).body.values()
            for shard in one["shards"]
            if shard["primary"]
        ]
        done = sum(shard["stage"] == "DONE" for shard in shards)
        progress(done, max(len(shards), len(indices)))
        health = es.cluster.health(index=",".join(indices), wait_for_status="yellow", timeout="1s").body
        if health["status"] != "red" and done >= len(indices):
            return
        if health["status"] == "red" and not health["initializing_shards"] and done == len(shards) >= len(indices):
            raise RequestError(f"{', '.join(indices)}: {health['unassigned_shards']} shards could not be restored")
        time.sleep(POLL_SECONDS)
