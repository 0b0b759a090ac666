"""Counts and sums of happenings, so that what several articles report counts once. Pure.

A story's document has its happenings as nested documents. A search of stories in; the same search of happenings out, as an
aggregation: what can be asked of a happening must hold for one and the same happening, the rest for its story.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.index.filters import SearchError

PATH: Final = "news.happenings"

_FIELDS: Final = {
    "@timestamp": "first_seen_at",
    **{
        f"news.{name}": name
        for name in (
            "actor_countries", "actor_names", "actor_names.text", "amount_usd", "confidence", "countries", "dead", "event_type",
            "injured", "kind", "modality", "phase", "place_countries", "place_names", "place_names.text", "publishers",
            "recipient_countries", "recipient_names", "recipient_names.text", "source_count", "subtype",
        )
    },
}  # fmt: skip
"""The fields of a story that its happenings have too, and their names there."""


def search(query: Mapping[str, Any], aggs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the query and the aggregations for `aggs` over the happenings of a search of stories.

    What a story tells as background is another story's news, and is not counted.

    Raises:
        SearchError: something is to be counted that only the story has, not each of its happenings.
    """
    if lacking := sorted(set(_fields(aggs)) - _FIELDS.keys()):
        raise SearchError(f"count: a happening has no {', '.join(lacking)}; count stories or reports")
    clauses = query["bool"]["filter"]
    own = [clause for clause in clauses if set(_fields(clause)) <= _FIELDS.keys()]
    inside: dict[str, Any] = {
        "bool": {"filter": [_inside(one) for one in own], "must_not": [{"term": {f"{PATH}.background": True}}]}
    }
    rest = {**query["bool"], "filter": [clause for clause in clauses if clause not in own]}
    stories = {"bool": {"filter": [{"bool": rest}, {"nested": {"path": PATH, "query": inside}}]}}
    matching = {"filter": inside, "aggs": _inside(aggs)}
    return stories, {"happenings": {"nested": {"path": PATH}, "aggs": {"matching": matching}}}


def answer(aggregations: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the number of happenings and the aggregations of an answer to `search`."""
    found = aggregations.get("happenings", {}).get("matching", {})
    return int(found.get("doc_count", 0)), found


def _fields(part: Any) -> Iterator[str]:
    """Yield the fields that a query is about."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key.startswith(("news.", "url.", "event.", "rule.", "@")):
                yield key
            elif key == "field":
                yield value
            else:
                yield from _fields(value)
    elif isinstance(part, list):
        for one in part:
            yield from _fields(one)


def _inside(part: Any) -> Any:
    """Return a query or aggregation of stories as one of happenings."""
    if isinstance(part, Mapping):
        return {_name(key): _name(value) if key == "field" else _inside(value) for key, value in part.items()}
    return [_inside(one) for one in part] if isinstance(part, list) else part


def _name(field: str) -> str:
    return f"{PATH}.{_FIELDS[field]}" if field in _FIELDS else field
