"""A search in, the matching events out, by relevance and recency. Pure except for the calls of `client.query`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from pipeline.index import client, csv_text, figures, filters, happenings, items, tables
from pipeline.index.filters import Filters, Order, Resource, SearchError
from pipeline.settings import Settings

Counted = Literal["happenings", "reports"]
"""What groups count: each event once, or each report of it."""

MOST: Final = 1000
"""The most events of one search; `dateline export` has no limit."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The number of matching events, and the best of them."""

    total: int
    hits: tuple[dict[str, Any], ...]


def search(
    settings: Settings,
    text: str = "",
    *,
    kind: str | None = None,
    since: str | None = None,
    filters_: Filters | None = None,
    order: Order = "",
    limit: int = 20,
    now: dt.datetime | None = None,
) -> SearchResult:
    """Return the events that match the words of `text`, of one kind and since a time if these are given, and `filters_`.

    Raises:
        SearchError: a filter or `limit` cannot be understood.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    if not 0 <= limit <= MOST:
        raise SearchError(f"limit: {limit} is not between 0 and {MOST}")
    asked = _asked(text, kind, since, filters_)
    answer = client.query(
        settings, "events", query=filters.query("events", asked, now=now or dt.datetime.now(dt.UTC)), size=limit,
        sort=filters.order(order, asked), track_total_hits=True, source_excludes=list(items.HIDDEN),
    )["hits"]  # fmt: skip
    return SearchResult(int(answer["total"]["value"]), tuple(hit(found) for found in answer["hits"]))


def _asked(text: str, kind: str | None, since: str | None, given: Filters | None) -> Filters:
    given = given or Filters()
    return msgspec.structs.replace(
        given, q=text or given.q, kind=(kind,) if kind else given.kind, since=since or given.since
    )


def as_csv(settings: Settings, asked: Filters, *, limit: int, now: dt.datetime | None = None) -> Iterator[bytes]:
    """Yield the lines of the first events of a search as CSV, in the columns of `dateline export`. Raises as `search`."""
    answer = client.query(
        settings, "events", query=filters.query("events", asked, now=now or dt.datetime.now(dt.UTC)), size=limit,
        sort=filters.order("", asked), source_excludes=list(items.HIDDEN),
    )  # fmt: skip
    form = tables.OWN["events"]
    yield csv_text.lines([form.names, *form.of(answer["hits"]["hits"])])


def groups(
    settings: Settings,
    by: str,
    asked: Filters,
    *,
    counted: Counted = "happenings",
    limit: int = 50,
    now: dt.datetime | None = None,
) -> list[figures.GroupSum]:
    """Return the events of a search in groups, with numbers, money and casualties of each.

    Happenings are those of the stories that fit, each counted once however many articles report it; words are then sought in
    the story. Reports are counted one by one.

    Raises:
        SearchError: a filter cannot be understood, or events cannot be grouped like this.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    resource: Resource = "events" if counted == "reports" else "stories"
    query = filters.query(resource, asked, now=now or dt.datetime.now(dt.UTC))
    aggs = figures.sums(resource, by, limit)
    if counted == "reports":
        answer = client.query(settings, "events", query=query, size=0, aggs=aggs)
        return figures.summed(by, answer.get("aggregations", {}))
    query, aggs = happenings.search(query, aggs)
    answer = client.query(settings, "stories", query=query, size=0, aggs=aggs)
    _, found = happenings.answer(answer.get("aggregations", {}))
    return figures.summed(by, found)


def hit(found: dict[str, Any]) -> dict[str, Any]:
    """Return a hit of Elasticsearch with the field names of our records."""
    source = found["_source"]
    news, url = source["news"], source.get("url", {})
    return {
        "id": found["_id"],
        "score": found.get("_score"),
        "kind": news["kind"],
        "event_type": news["event_type"],
        "modality": news["modality"],
        "subtype": news.get("subtype"),
        "evidence": news.get("evidence", ""),
        "confidence": news.get("confidence"),
        "actors": news.get("actors", []),
        "recipients": news.get("recipients", []),
        "places": news.get("places", []),
        "countries": news.get("countries", []),
        "date": news.get("date"),
        "money": news.get("money", []),
        "quantities": news.get("quantities", []),
        "article_id": news.get("article_id", ""),
        "article_url": url.get("full", ""),
        "article_title": news.get("title", ""),
        "publisher": news.get("publisher", ""),
        "published_at": news.get("published_at"),
        "first_seen_at": news.get("first_seen_at"),
    }
