"""Documents of events in, the events that they were made from out, in the order in which they were first seen.

This is the reverse of `documents.event`, for the test of rules on past events. Only the offsets of names are not kept there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from pipeline.index import client
from pipeline.records import Event
from pipeline.settings import Settings

PAGE: Final = 500
"""How many events one request asks for; an event has one to three kilobytes."""

SAME_FIELDS: Final = (
    "kind", "event_type", "subtype", "modality", "confidence", "actors", "recipients", "date", "money", "quantities", "items",
    "evidence", "section", "start", "end", "trigger", "event_mode", "contexts", "export", "attributed_to", "rule", "mentions",
    "article_id", "publisher", "credit", "language", "published_at", "first_seen_at", "fetched_at",
)  # fmt: skip
"""The fields that have the same name in the document and in the record."""


def events(
    settings: Settings, since: dt.datetime | None, *, progress: Callable[[int, int], object] = lambda _done, _all: None
) -> Iterator[Event]:
    """Yield every event that was first seen since then, the earliest first; `progress` gets the count so far and the total.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    wanted = {"range": {"news.first_seen_at": {"gte": since.isoformat()}}} if since else {"match_all": {}}
    order = [
        {"news.first_seen_at": {"order": "asc", "unmapped_type": "date"}},
        {"event.id": {"order": "asc", "unmapped_type": "keyword"}},
    ]
    done = 0
    after: dict[str, Any] = {}
    while True:
        found = client.query(settings, "events", query=wanted, size=PAGE, sort=order, track_total_hits=True, **after)[
            "hits"
        ]
        for hit in found["hits"]:
            done += 1
            yield event(hit["_id"], hit["_source"])
            progress(done, max(done, int(found["total"]["value"])))
        if len(found["hits"]) < PAGE:
            return
        after = {"search_after": found["hits"][-1]["sort"]}


def find(settings: Settings, event_id: str) -> Event | None:
    """Return the event with this id, or None if the index does not have it.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    hits = client.query(settings, "events", query={"term": {"event.id": event_id}}, size=1)["hits"]["hits"]
    return event(hits[0]["_id"], hits[0]["_source"]) if hits else None


def event(event_id: str, source: Mapping[str, Any]) -> Event:
    """Return the event that a document was made from."""
    news = source["news"]
    track = news.get("track", {})
    table = {name: news[name] for name in SAME_FIELDS if name in news}
    table |= {
        "record": "event",
        "id": event_id,
        "places": [_place(place) for place in news.get("places", ())],
        "article_url": source.get("url", {}).get("full", ""),
        "article_title": news.get("title", ""),
        "fingerprint": track.get("fingerprint", ()),
        "subject": track.get("subject", {}),
    }
    return msgspec.convert(table, Event, strict=False)


def _place(place: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in place.items() if key != "location"} | dict(place.get("location", {}))
