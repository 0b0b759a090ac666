"""Searches: a list of items page by page, and more like one of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from pipeline.alert.feedback import verdict_id
from pipeline.console.api import ApiError, Call, Endpoint
from pipeline.console.desk import Desk
from pipeline.index import filters as filters_
from pipeline.index import items
from pipeline.index.errors import RefusedError, RequestError
from pipeline.index.filters import INDEX, Filters, Mark, Order, Resource
from pipeline.index.items import Item

KEEP_SECONDS: Final = 120
"""How long a cursor lives without use; each page renews it."""

MOST_MARKS: Final = 10_000
"""The most marks that a search of alerts by mark looks at: as many as Elasticsearch returns at once."""

MORE: Final = 100
"""The most events, alerts or related stories that come with one item."""


class ListQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The filters of a search, its order and page."""

    sort: Order = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 20
    cursor: Annotated[str, Meta(max_length=20_000)] = ""


class SimilarQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many similar items."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a search; `next` is the cursor of the page after it."""

    total: int
    items: list[Any]
    next: str | None = None
    took_ms: int = 0


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a list goes on: its point in time, the last item's sort values, and the search itself."""

    resource: Resource
    pit: str
    after: list[Any]
    query: dict[str, Any]


def listed(resource: Resource) -> Any:
    """Return the call that lists items of a resource."""

    def call(desk: Desk, call: Call) -> ItemPage:
        asked: ListQuery = call.query
        if asked.cursor:
            return _next_page(desk, resource, asked)
        pit = desk.searcher.open_pit(INDEX[resource], keep_seconds=KEEP_SECONDS)
        try:
            hits = _search(desk, resource, asked, pit=pit)
        except BaseException:
            desk.searcher.close_pit(pit)
            raise
        pit = str(hits.get("pit_id", pit))
        found, total = hits["hits"]["hits"], int(hits["hits"]["total"]["value"])
        more = _cursor(resource, pit, found, asked) if len(found) < total else None
        if more is None:
            desk.searcher.close_pit(pit)
        return ItemPage(total=total, items=marked(desk, resource, found), next=more, took_ms=int(hits["took"]))

    return call


def _next_page(desk: Desk, resource: Resource, asked: ListQuery) -> ItemPage:
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(asked.cursor), type=Cursor)
        query = msgspec.convert(cursor.query, ListQuery)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise ApiError(400, "cursor: is none of this API", "cursor") from None
    if cursor.resource != resource:
        raise ApiError(400, f"cursor: is one of {cursor.resource}", "cursor")
    try:
        hits = _search(desk, resource, query, pit=cursor.pit, after=cursor.after)
    except (RefusedError, RequestError):
        raise ApiError(410, "cursor: is too old; search again", "cursor") from None
    found = hits["hits"]["hits"]
    pit = str(hits.get("pit_id", cursor.pit))
    more = _cursor(resource, pit, found, query) if len(found) == query.limit else None
    if more is None:
        desk.searcher.close_pit(pit)
    total = int(hits["hits"]["total"]["value"])
    return ItemPage(total=total, items=marked(desk, resource, found), next=more, took_ms=int(hits["took"]))


def _cursor(resource: Resource, pit: str, found: list[dict[str, Any]], query: ListQuery) -> str | None:
    if not found:
        return None
    table = {name: value for name, value in msgspec.structs.asdict(query).items() if value not in ("", (), None)}
    cursor = Cursor(resource=resource, pit=pit, after=found[-1]["sort"], query=table)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def _search(
    desk: Desk, resource: Resource, asked: ListQuery, *, pit: str = "", after: list[Any] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "query": query_of(desk, resource, asked),
        "size": asked.limit,
        "sort": filters_.order(asked.sort, asked),
        "track_total_hits": True,
        "source_excludes": [name for name in items.HIDDEN if not (resource == "articles" and name == "news.text")],
    }
    if pit:
        body["pit"] = {"id": pit, "keep_alive": f"{KEEP_SECONDS}s"}
        body["source"] = {"excludes": body.pop("source_excludes")}
    if after is not None:
        body["search_after"] = after
    return desk.searcher.search(INDEX[resource], **body)


def query_of(desk: Desk, resource: Resource, asked: Filters) -> dict[str, Any]:
    """Return the query of a search; the item that `like` names is looked up, and the story whose events or articles are meant.

    Raises:
        ApiError: there is no such item or story.
        SearchError: a filter cannot be understood.
    """
    like = ""
    if asked.like:
        hit = desk.hit(resource, asked.like, hidden=())
        if hit is None:
            raise ApiError(404, f"like: there is no such item among the {resource}: {asked.like}", "like")
        like = text_of(resource, hit["_source"]["news"])
    parts = _PARTS_OF_A_STORY.get(resource, "") if asked.story_id else ""
    own = _ids_in(desk, asked.story_id, parts) if parts else []
    plain = msgspec.structs.replace(asked, story_id="") if parts else asked
    query = filters_.query(resource, plain, now=desk.now(), like=like)
    if parts:
        query["bool"]["filter"].append({"terms": {"event.id": own}})
    if asked.mark:
        query["bool"]["filter"].append(_with_marks(desk, asked.mark))
    return query


_PARTS_OF_A_STORY: Final[Mapping[Resource, str]] = {"events": "event_ids", "articles": "article_ids"}
"""The field of a story with the ids of its events and of its articles."""


def _ids_in(desk: Desk, story_id: str, name: str) -> list[str]:
    hit = desk.hit("stories", story_id, hidden=())
    if hit is None:
        raise ApiError(404, f"story_id: there is no such story: {story_id}", "story_id")
    return list(hit["_source"]["news"].get(name, ()))


def _with_marks(desk: Desk, marks: tuple[Mark, ...]) -> dict[str, Any]:
    """Return the clause for alerts with one of these marks; marks are documents of their own, by the alert's id."""
    judged = {
        "bool": {"filter": [{"term": {"news.target": "alert"}}], "must_not": [{"term": {"news.verdict": "mute"}}]}
    }
    answer = desk.searcher.search(
        "feedback", query=judged, size=MOST_MARKS, source_includes=["news.name", "news.verdict"]
    )
    said = [(hit["_source"]["news"]["name"], hit["_source"]["news"]["verdict"]) for hit in answer["hits"]["hits"]]
    choices: list[dict[str, Any]] = [{"terms": {"event.id": [name for name, verdict in said if verdict in marks]}}]
    if "none" in marks:
        choices.append({"bool": {"must_not": [{"terms": {"event.id": [name for name, _ in said]}}]}})
    return {"bool": {"should": choices, "minimum_should_match": 1}}


def text_of(resource: Resource, news: dict[str, Any]) -> str:
    """Return the text of an item by which similar ones are found."""
    if resource == "articles":
        return f"{news.get('title', '')}\n{news.get('text', '')[:5000]}"
    if resource == "alerts":
        return f"{news.get('headline', '')}\n{news.get('evidence', '')}"
    return str(news.get("search", ""))


def marked(desk: Desk, resource: Resource, found: list[dict[str, Any]]) -> list[Item]:
    """Return the items of hits; alerts get what people said of them."""
    shown = [items.item(resource, hit) for hit in found]
    if resource != "alerts" or not shown:
        return shown
    marks = desk.searcher.search(
        "feedback", query={"terms": {"event.id": [verdict_id(one.id) for one in shown]}}, size=len(shown)
    )["hits"]["hits"]
    said = {hit["_id"]: hit["_source"]["news"] for hit in marks}
    return [
        msgspec.structs.replace(one, mark=mark.get("verdict"), marked_by=mark.get("by", ""), note=mark.get("note", ""))
        if (mark := said.get(verdict_id(one.id)))
        else one
        for one in shown
    ]


def search_items(
    desk: Desk, resource: Resource, asked: Filters, *, limit: int = MORE, sort: Order = "newest"
) -> list[Item]:
    """Return the first items of a search."""
    table = {name: getattr(asked, name) for name in Filters.__struct_fields__}
    hits = _search(desk, resource, ListQuery(**table, sort=sort, limit=limit))
    return marked(desk, resource, hits["hits"]["hits"])


def similar(resource: Resource) -> Any:
    """Return the call that lists the items most like one."""

    def call(desk: Desk, call: Call) -> ItemPage:
        asked = Filters(like=call.path["id"])
        found = search_items(desk, resource, asked, limit=call.query.limit, sort="relevance")
        return ItemPage(total=len(found), items=found)

    return call


def _page_of(kind: Any) -> Any:
    return msgspec.defstruct(
        f"{kind.__name__}s", [("total", int), ("items", list[kind]), ("next", str | None), ("took_ms", int)]
    )


RESOURCES: Final[tuple[Resource, ...]] = ("events", "stories", "articles", "alerts")

ENDPOINTS: Final = tuple(
    endpoint
    for resource in RESOURCES
    for pages in [_page_of(items.TYPES[resource])]
    for endpoint in (
        Endpoint(method="GET", path=f"/{resource}", about=f"Search {resource}.", call=listed(resource), query=ListQuery,
                 answer=pages),
        Endpoint(method="GET", path=f"/{resource}/{{id}}/similar", about=f"The {resource} most like this one.",
                 call=similar(resource), query=SimilarQuery, answer=pages),
    )
)  # fmt: skip
