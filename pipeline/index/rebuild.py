"""New indices in place of old ones: where a replay writes, what it copies, and the switch of the aliases.

A replay writes under a prefix of its own (`news-r202611281405`), so nothing that is searched changes until the switch, which is
one request. The old indices stay, out of the search, until `dateline indices clean --replaced` removes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from pipeline.index import actions, client, lifecycle
from pipeline.index.bulk import item_result
from pipeline.index.errors import UnavailableError
from pipeline.index.index_table import month_index, start_of
from pipeline.settings import Settings

Stage = Literal["detect", "track", "index"]

NAMES: Final[Mapping[Stage, tuple[str, ...]]] = {
    "detect": ("documents", "events", "stories"),
    "track": ("stories",),
    "index": ("documents", "events", "stories", "alerts", "failures"),
}
"""The indices that a replay from each stage on writes again. Feedback has one index that lasts for ever."""

CHANGED: Final = {
    "documents": "news.fetched_at", "events": "news.fetched_at", "stories": "news.last_seen_at",
    "alerts": "news.raised_at", "failures": "news.failed_at",
}  # fmt: skip
"""The field that says when an item was last written."""

PAGE: Final = 500
KEEP: Final = "5m"
"""How long a scan's point in time lives between two pages."""

Progress = Callable[[int, int], object]


class Replay(msgspec.Struct, kw_only=True):
    """A replay and how far it is. It is kept in the index, so that a replay that was killed goes on."""

    id: str
    stage: Stage
    since: dt.datetime
    started_at: dt.datetime
    step: str = "read"
    replaced: dict[str, list[str]] = {}


def _jobs(settings: Settings) -> str:
    return f"{settings.elasticsearch.index_prefix}-replays"


def open_job(settings: Settings) -> Replay | None:
    """Return the replay that was begun and has not ended.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    with client.opened(settings) as es:
        if not es.indices.exists(index=_jobs(settings)):
            return None
        es.indices.refresh(index=_jobs(settings))
        found = es.search(index=_jobs(settings), size=100).body["hits"]["hits"]
    jobs = [msgspec.convert(hit["_source"], Replay, strict=False) for hit in found]
    return next((job for job in jobs if job.step != "done"), None)


def save(settings: Settings, job: Replay) -> None:
    """Write down how far a replay is."""
    with client.opened(settings) as es:
        es.index(index=_jobs(settings), id=job.id, document=msgspec.to_builtins(job), refresh=True)


def staged(settings: Settings, job: Replay) -> Settings:
    """Return settings whose indices are those that the replay writes."""
    prefix = f"{settings.elasticsearch.index_prefix}-r{job.id}"
    return msgspec.structs.replace(
        settings, elasticsearch=msgspec.structs.replace(settings.elasticsearch, index_prefix=prefix)
    )


def abort(settings: Settings, job: Replay) -> None:
    """Remove everything that a replay has written; what is searched does not change."""
    prefix = staged(settings, job).elasticsearch.index_prefix
    with client.opened(settings) as es:
        found = list(es.indices.get_alias(index=f"{prefix}-*").body)
        if found:
            es.indices.delete(index=found)
        _drop_templates(es, prefix)
    job.step = "done"
    save(settings, job)


def _drop_templates(es: Any, prefix: str) -> None:
    for name in actions.INDICES:
        es.options(ignore_status=404).indices.delete_index_template(name=actions.alias(prefix, name))


# --- what is replaced, and what is copied ----------------------------------------------------------------------------


def to_replace(settings: Settings, job: Replay) -> dict[str, list[str]]:
    """Return the live indices of each name that hold items since the beginning of the replay."""
    found: dict[str, list[str]] = {name: [] for name in NAMES[job.stage]}
    for one in lifecycle.inspect(settings):
        if one.name in found and one.state == "live" and one.end is not None and one.end > job.since:
            found[one.name].append(one.index)
    return found


def copy(
    settings: Settings,
    job: Replay,
    name: str,
    query: Mapping[str, Any],
    *,
    newer_only: bool = False,
    progress: Progress,
) -> list[str]:
    """Copy the documents of a query from the live indices into those of the replay; return the ids that were written.

    The later version of a document stays; with `newer_only` one of the same version stays too.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or refuses a document.
    """
    sources = (job.replaced or to_replace(settings, job)).get(name, [])
    target = staged(settings, job)
    written: list[str] = []
    if not sources:
        return written
    with client.opened(settings) as es:
        server = client.ElasticsearchServer(es, target)
        done = 0
        for hits, total in _pages(es, sources, query):
            lines = [_line(target, name, hit, newer_only=newer_only) for hit in hits]
            for hit, answer in zip(hits, server.write(lines, max_records=PAGE), strict=True):
                result, reason = item_result(answer)
                if result not in ("created", "updated", "unchanged"):
                    raise UnavailableError(f"{hit['_id']} of {hit['_index']} cannot be copied: {reason}")
                if result != "unchanged":
                    written.append(str(hit["_id"]))
            done += len(hits)
            progress(done, max(done, total))
    return written


def _line(target: Settings, name: str, hit: Mapping[str, Any], *, newer_only: bool) -> tuple[bytes, bytes]:
    start = start_of(hit["_index"]) or dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    header: dict[str, Any] = {
        "_index": month_index(target.elasticsearch.index_prefix, name, start), "_id": hit["_id"],
        "version": hit["_version"], "version_type": "external" if newer_only else "external_gte",
    }  # fmt: skip
    return msgspec.json.encode({"index": header}), msgspec.json.encode(hit["_source"])


def _pages(es: Any, indices: Iterable[str], query: Mapping[str, Any]) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """Yield the hits of a query page by page as they are now, with their total."""
    es.indices.refresh(index=list(indices))
    pit = es.open_point_in_time(index=list(indices), keep_alive=KEEP).body["id"]
    after: dict[str, Any] = {}
    try:
        while True:
            body = es.search(
                pit={"id": pit, "keep_alive": KEEP}, query=query, size=PAGE, version=True, sort=["_shard_doc"],
                track_total_hits=True, **after,
            ).body  # fmt: skip
            hits = body["hits"]["hits"]
            if not hits:
                return
            yield hits, int(body["hits"]["total"]["value"])
            pit, after = body.get("pit_id", pit), {"search_after": hits[-1]["sort"]}
    finally:
        es.close_point_in_time(id=pit)


def earlier(job: Replay) -> dict[str, Any]:
    """Return the query for the items that were first seen before the replay begins."""
    return {"range": {"news.first_seen_at": {"lt": job.since.isoformat()}}}


def changed_since(name: str, since: dt.datetime) -> dict[str, Any]:
    """Return the query for the items of an index that were written since a moment."""
    return {"range": {CHANGED[name]: {"gte": since.isoformat()}}}


def of_articles(ids: Iterable[str]) -> dict[str, Any]:
    """Return the query for the events of articles."""
    return {"terms": {"news.article_id": list(ids)}}


# --- the switch ------------------------------------------------------------------------------------------------------


def switch(settings: Settings, job: Replay) -> None:
    """Let searches and the indexer use the new indices in place of `job.replaced`, at once. May be repeated.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer, or does not allow it.
    """
    prefix, target = settings.elasticsearch.index_prefix, staged(settings, job).elasticsearch.index_prefix
    changes: list[dict[str, Any]] = []
    with client.opened(settings) as es:
        there = es.indices.get_alias(index=f"{prefix}-*").body
        for name in NAMES[job.stage]:
            live, own = actions.alias(prefix, name), actions.alias(target, name)
            for index in job.replaced.get(name, ()):
                if index in there:
                    changes.append({"add": {"index": index, "alias": actions.replaced_alias(prefix, name)}})
                    changes += [{"remove": {"index": index, "alias": live}}] if live in there[index]["aliases"] else []
            for index, has in there.items():
                if index.startswith(f"{target}-{name}-"):
                    changes.append({"add": {"index": index, "alias": live}})
                    changes += [{"remove": {"index": index, "alias": own}}] if own in has["aliases"] else []
        if changes:
            es.indices.update_aliases(actions=changes)
        _drop_templates(es, target)
