"""One item with what belongs to it: an event in its article, a story with its reports, an article with its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pipeline.console.api import ApiError, Call, Endpoint, User
from pipeline.console.desk import Desk
from pipeline.console.search_endpoints import MORE, RESOURCES, marked, search_items
from pipeline.index import filters as filters_
from pipeline.index import items
from pipeline.index.filters import Filters, Resource, SearchError
from pipeline.index.items import AlertItem, ArticleItem, EventItem, StoryItem


class ItemSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an article's title or text, in Unicode code points, and its role in an event."""

    section: str
    start: int
    end: int
    role: str
    text: str = ""


class ArticleText(msgspec.Struct, frozen=True, kw_only=True):
    """The article that an event was read from."""

    id: str
    title: str = ""
    text: str = ""
    url: str = ""
    publisher: str = ""
    published_at: str | None = None


class EventPage(EventItem, frozen=True, kw_only=True):
    """An event with its article, the parts of the text that it was read from, its stories and the article's other events."""

    article: ArticleText | None = None
    spans: tuple[ItemSpan, ...] = ()
    stories: tuple[StoryItem, ...] = ()
    others: tuple[EventItem, ...] = ()


class ReportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a story."""

    event_id: str = ""
    article_id: str = ""
    title: str = ""
    url: str = ""
    publisher: str = ""
    source: str = ""
    credit: str | None = None
    evidence: str = ""
    modality: str = ""
    confidence: float = 0.0
    language: str | None = None
    attributed_to: str | None = None
    seen_at: str | None = None
    published_at: str | None = None


class MomentItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a story's timeline."""

    at: str
    what: str


class HappeningItem(msgspec.Struct, frozen=True, kw_only=True):
    """One real-world event inside a story: its structured line where that is sure, its reports and what changed in it."""

    id: str
    kind: str = ""
    kind_name: str = ""
    event_type: str = ""
    subtype: str | None = None
    modality: str = ""
    phase: str = ""
    line: str = ""
    evidence: str = ""
    background: bool = False
    confidence: float = 0.0
    source_count: int = 0
    first_seen_at: str | None = None
    last_seen_at: str | None = None
    event_ids: tuple[str, ...] = ()
    timeline: tuple[MomentItem, ...] = ()


class ListedArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An article of a story. `copy_of` is the id of the earlier article whose text it repeats, or empty."""

    id: str
    title: str = ""
    url: str = ""
    publisher: str = ""
    credit: str | None = None
    published_at: str | None = None
    seen_at: str | None = None
    copy_of: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A value and the publishers that report it."""

    value: str
    publishers: tuple[str, ...] = ()


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A field about which the reports of a story say different things."""

    field: str
    values: tuple[Said, ...] = ()


class StoryPage(StoryItem, frozen=True, kw_only=True):
    """A story with its happenings, articles, timeline, reports, events, alerts, and related stories."""

    happenings: tuple[HappeningItem, ...] = ()
    articles: tuple[ListedArticle, ...] = ()
    timeline: tuple[MomentItem, ...] = ()
    reports: tuple[ReportItem, ...] = ()
    alerts: tuple[AlertItem, ...] = ()
    events: tuple[EventItem, ...] = ()
    related: tuple[StoryItem, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()


class ArticlePage(ArticleItem, frozen=True, kw_only=True):
    """An article with its text and events."""

    text: str = ""
    events: tuple[EventItem, ...] = ()


class AlertPage(AlertItem, frozen=True, kw_only=True):
    """An alert with its story."""

    story: StoryItem | None = None


PAGES: Final[dict[Resource, Any]] = {
    "events": EventPage, "stories": StoryPage, "articles": ArticlePage, "alerts": AlertPage,
}  # fmt: skip


def one(resource: Resource) -> Any:
    """Return the call that shows one item of a resource."""

    def call(desk: Desk, call: Call) -> Any:
        hidden = tuple(name for name in items.HIDDEN if name != "news.text")
        hit = desk.hit(resource, call.path["id"], hidden=hidden)
        if hit is None:
            raise ApiError(404, f"there is no such item among the {resource}: {call.path['id']}", "id")
        news = hit["_source"]["news"]
        text = news.get("text", "")
        [shown] = marked(desk, resource, [hit])
        table = {name: getattr(shown, name) for name in shown.__struct_fields__}
        return PAGES[resource](**table, **_WITH[resource](desk, shown, news, text))

    return call


def story_page(desk: Desk, beginning: str) -> StoryPage:
    """Return the story whose id is, or begins with, `beginning`.

    Raises:
        SearchError: there is none, or there are several.
    """
    found = desk.searcher.search("stories", query={"prefix": {"event.id": beginning}}, size=2, source=False)["hits"][
        "hits"
    ]
    exact = [hit["_id"] for hit in found if hit["_id"] == beginning] or [hit["_id"] for hit in found]
    if len(exact) != 1 or not beginning:
        what = (
            "several stories begin like this; give more of the id" if exact and beginning else "there is no such story"
        )
        raise SearchError(f"{beginning!r}: {what}")
    page: StoryPage = one("stories")(desk, Call(path={"id": exact[0]}, query=None, body=None, user=User()))
    return page


def _with_event(desk: Desk, shown: Any, news: dict[str, Any], _text: str) -> dict[str, Any]:
    article = desk.hit("articles", shown.article_id, hidden=("news.search",)) if shown.article_id else None
    others = search_items(desk, "events", Filters(article_id=shown.article_id)) if shown.article_id else []
    stories = desk.searcher.search(
        "stories", query={"term": {"news.event_ids": shown.id}}, size=MORE, source_excludes=list(items.HIDDEN)
    )["hits"]["hits"]
    return {
        "article": _article_text(article) if article else None,
        "spans": tuple(_spans(news, article["_source"]["news"] if article else {})),
        "stories": tuple(items.item("stories", hit) for hit in stories),
        "others": tuple(one for one in others if one.id != shown.id),
    }


def _article_text(hit: dict[str, Any]) -> ArticleText:
    news = hit["_source"]["news"]
    return ArticleText(
        id=hit["_id"], title=news.get("title", ""), text=news.get("text", ""), publisher=news.get("publisher", ""),
        url=hit["_source"].get("url", {}).get("full", ""), published_at=news.get("published_at"),
    )  # fmt: skip


def _spans(news: dict[str, Any], article: dict[str, Any]) -> list[ItemSpan]:
    """Return the parts of an event in its article. The index has no offsets of parties: they are looked up in the evidence."""
    section, start, end = news.get("section", "text"), int(news.get("start", 0)), int(news.get("end", 0))
    evidence = str(news.get("evidence", ""))
    found = [ItemSpan(section=section, start=start, end=end, role="evidence", text=evidence)]
    found += [
        ItemSpan(
            section=m.get("section", "text"), start=m["start"], end=m["end"], role="mention", text=m.get("text", "")
        )
        for m in news.get("mentions", ())
    ]
    parts = [("trigger", news.get("trigger", ""))]
    for role, key in (
        ("actor", "actors"),
        ("recipient", "recipients"),
        ("place", "places"),
        ("money", "money"),
        ("quantity", "quantities"),
    ):
        parts += [(role, part.get("text", "")) for part in news.get(key, ())]
    parts.append(("date", (news.get("date") or {}).get("text", "")))
    whole = str(article.get("title" if section == "title" else "text", "")) or evidence
    offset = start if whole[start:end] == evidence else 0
    inside = evidence if whole[start:end] == evidence else whole
    taken: set[tuple[str, int]] = set()
    for role, words in parts:
        at = inside.find(words) if words else -1
        if at >= 0 and (role, at) not in taken:
            taken.add((role, at))
            found.append(
                ItemSpan(section=section, start=offset + at, end=offset + at + len(words), role=role, text=words)
            )
    return found


def _with_story(desk: Desk, shown: Any, news: dict[str, Any], _text: str) -> dict[str, Any]:
    reports = tuple(
        msgspec.convert({**report, "url": report.get("article_url", "")}, ReportItem, strict=False)
        for report in news.get("reports", ())
    )
    alerts = search_items(desk, "alerts", Filters(story_id=shown.id))
    hits = desk.searcher.search(
        "events", query={"terms": {"event.id": news.get("event_ids", [])[:1000]}}, size=MORE,
        sort=filters_.order("oldest", Filters()), source_excludes=list(items.HIDDEN),
    )["hits"]["hits"]  # fmt: skip
    events = tuple(items.item("events", hit) for hit in hits)
    related = search_items(desk, "stories", Filters(like=shown.id), limit=6, sort="relevance")
    return {
        "happenings": tuple(_happening(one) for one in news.get("happenings", ())),
        "articles": tuple(msgspec.convert(news.get("articles", ()), list[ListedArticle], strict=False)),
        "timeline": tuple(msgspec.convert(news.get("timeline", ()), list[MomentItem], strict=False)),
        "reports": reports,
        "alerts": tuple(alerts),
        "events": events,
        "related": tuple(related),
        "disagreements": tuple(_disagreements(events, news.get("happenings", ()))),
    }


def _happening(found: dict[str, Any]) -> HappeningItem:
    """Return a happening as the index keeps it, with the sentence of its first report."""
    known = {**found.get("details", {}), **{name: value for name, value in found.items() if value is not None}}
    reports = known.get("reports") or [{}]
    fields = {**known, "evidence": reports[0].get("evidence", ""), "kind_name": items.kind_name(known.get("kind", ""))}
    return msgspec.convert(fields, HappeningItem, strict=False)


def _disagreements(events: tuple[Any, ...], happenings: Sequence[dict[str, Any]]) -> list[Disagreement]:
    """Return the numbers that the events of one happening report differently.

    Two strikes of one story may have two tolls, and a plan that came true is no disagreement.
    """
    found = []
    for own in happenings or ({},):
        if own.get("background"):
            continue
        known = frozenset(own.get("details", {}).get("event_ids", ()))
        told = [event for event in events if not happenings or event.id in known]
        for field in ("dead", "injured", "amount_usd"):
            by_value: dict[str, dict[str, None]] = {}
            for event in told:
                if (value := getattr(event, field)) is not None:
                    by_value.setdefault(f"{value:,.0f}", {})[event.publisher or "?"] = None
            if len(by_value) > 1:
                values = tuple(Said(value=value, publishers=tuple(who)) for value, who in by_value.items())
                found.append(Disagreement(field=field, values=values))
    return found


def _with_article(desk: Desk, shown: Any, _news: dict[str, Any], text: str) -> dict[str, Any]:
    events = search_items(desk, "events", Filters(article_id=shown.id), sort="oldest")
    return {"text": text, "events": tuple(events)}


def _with_alert(desk: Desk, shown: Any, _news: dict[str, Any], _text: str) -> dict[str, Any]:
    hit = desk.hit("stories", shown.story_id) if shown.story_id else None
    return {"story": items.item("stories", hit) if hit else None}


_WITH: Final = {"events": _with_event, "stories": _with_story, "articles": _with_article, "alerts": _with_alert}


ENDPOINTS: Final = tuple(
    Endpoint(
        method="GET",
        path=f"/{resource}/{{id}}",
        about=f"One of the {resource}, with what belongs to it.",
        call=one(resource),
        answer=PAGES[resource],
    )
    for resource in RESOURCES
)
