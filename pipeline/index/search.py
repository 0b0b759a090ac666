"""A search in, the matching events out, by relevance and recency. Pure except for the call of `client.query`."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Final

from pipeline.index import client
from pipeline.index.filters import RECENT_DAYS, SearchError, parse_since
from pipeline.index.terms import search_terms
from pipeline.settings import Settings

_TARGET: Final = re.compile(r"\b(?:on|against|to|for|towards?|at)\s+(?:the\s+)?(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The number of matching events, and the best of them."""

    total: int
    hits: tuple[dict[str, Any], ...]


def search(
    settings: Settings,
    text: str,
    *,
    kind: str | None = None,
    since: str | None = None,
    limit: int = 20,
    now: dt.datetime | None = None,
) -> SearchResult:
    """Return the events that match the words of `text`, of one kind and since a time if these are given.

    Raises:
        SearchError: `since` or `limit` cannot be understood.
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    now = now or dt.datetime.now(dt.UTC)
    body = request(text, kind=kind, since=parse_since(since, now=now) if since else None, limit=limit, now=now)
    answer = client.query(settings, "events", **body)["hits"]
    return SearchResult(int(answer["total"]["value"]), tuple(hit(found) for found in answer["hits"]))


def request(text: str, *, kind: str | None, since: dt.datetime | None, limit: int, now: dt.datetime) -> dict[str, Any]:
    """Return the body of the search request.

    Most of the words must match. A hit ranks higher if it has the whole phrase, if its recipient is the one that the text names
    after `on`, `against`, `to` ..., or if it is new. An empty text lists the newest events; a text without words finds nothing.

    Raises:
        SearchError: the limit is not between 0 and 1000.
    """
    if not 0 <= limit <= 1000:
        raise SearchError(f"limit: {limit} is not between 0 and 1000")
    filters: list[dict[str, Any]] = []
    if kind:
        filters.append({"term": {"news.kind": kind}})
    if since:
        filters.append({"range": {"@timestamp": {"gte": since.isoformat()}}})
    recent = {"field": "@timestamp", "origin": now.isoformat(), "pivot": f"{RECENT_DAYS}d", "boost": 2.0}
    clauses: dict[str, Any] = {"filter": filters, "should": [{"distance_feature": recent}]}
    words = search_terms(text)
    if words:
        clauses["must"] = [{"match": {"news.search": {"query": words, "minimum_should_match": "2<67%"}}}]
        clauses["should"].append({"match_phrase": {"news.search": {"query": words, "slop": 3, "boost": 1.5}}})
        if target := _TARGET.search(text):
            clauses["should"].append(
                {"match": {"news.recipient_search": {"query": search_terms(target[1]), "boost": 5.0}}}
            )
    elif text.strip():
        clauses["must"] = [{"match_none": {}}]
    return {
        "query": {"bool": clauses},
        "size": limit,
        "track_total_hits": True,
        "sort": ["_score", {"@timestamp": {"order": "desc", "unmapped_type": "date"}}],
    }


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
