"""JSON Feed 1 and 1.1: a feed's bytes in, its entries out. Pure."""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

import msgspec

from pipeline.collect.entry import (
    ENTRIES,
    FeedEntry,
    FeedError,
    ParsedFeed,
    join_url,
    language,
    text_or_empty,
)
from pipeline.page import decode
from pipeline.page.date_parsing import parse_iso
from pipeline.page.plain import plain_text
from pipeline.records import content_id

_VERSION: Final = "jsonfeed.org/version"
_LAST_COMMA: Final = re.compile(r",\s{0,80}([\]}])")


def parse(body: bytes, url: str) -> ParsedFeed:
    """The bytes of a JSON feed and its URL in, its entries out.

    Raises:
        FeedError: the bytes are not JSON, or JSON of another kind.
    """
    text = decode.text(body)
    try:
        found = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        found = _lenient(text, error)
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise FeedError("not a feed: JSON of another kind")
    if _VERSION not in text_or_empty(found.get("version")) and not any(
        isinstance(item, dict) and {"url", "content_html", "content_text"} & item.keys() for item in found["items"]
    ):
        raise FeedError("not a feed: JSON of another kind")
    hubs = found.get("hubs")
    known = [hub for hub in hubs if isinstance(hub, dict)] if isinstance(hubs, list) else []
    websub = [hub for hub in known if text_or_empty(hub.get("type")).lower() in ("websub", "pubsubhubbub")]
    hub = next((address for hub in (*websub, *known) if (address := text_or_empty(hub.get("url")))), None)
    defaults = (language(found.get("language")), _authors(found))
    items = [item for item in found["items"][:ENTRIES] if isinstance(item, dict)]
    return ParsedFeed(
        title=plain_text(text_or_empty(found.get("title"))),
        url=text_or_empty(found.get("home_page_url")),
        language=defaults[0],
        hub=hub or None,
        topic=join_url(url, text_or_empty(found.get("feed_url"))),
        entries=tuple(_entry(item, url, *defaults) for item in items),
        kind="JSON Feed",
    )


def _lenient(text: str, error: Exception) -> Any:
    """Return what a text says that is almost JSON: with line breaks in its strings, NaN, half a letter, a comma at its end.

    Raises:
        FeedError: it is something else.
    """
    try:
        found = json.loads(_LAST_COMMA.sub(r"\1", text), strict=False)
        return msgspec.json.decode(
            json.dumps(found, ensure_ascii=False).encode("utf-8", "replace").replace(b": NaN", b": null")
        )
    except (ValueError, RecursionError):
        raise FeedError(f"not a feed: broken JSON ({error})") from error


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    """A feed or an item in, the names of its `authors`, or of its one `author`, out."""
    authors = item.get("authors")
    people = authors if isinstance(authors, list) else [item.get("author")]
    return tuple(name for p in people if isinstance(p, dict) and (name := plain_text(text_or_empty(p.get("name")))))


def _entry(
    item: dict[str, Any], base: str, default_language: str | None, default_authors: tuple[str, ...]
) -> FeedEntry:
    """An item of a JSON feed in, an `Entry` out; language and authors are the feed's where the item has none."""
    identity = item.get("id")
    identity = str(identity) if isinstance(identity, str | int | float) and not isinstance(identity, bool) else ""
    link = text_or_empty(item.get("url")) or text_or_empty(item.get("external_url"))
    title = plain_text(text_or_empty(item.get("title")))
    content_html, content_text = text_or_empty(item.get("content_html")), text_or_empty(item.get("content_text"))
    if not link and re.match(r"https?://", identity):
        link = identity
    content = content_html or "".join(f"<p>{html.escape(p)}</p>" for p in content_text.splitlines() if p.strip())
    return FeedEntry(
        id=identity or link or title or content_id(content_html, content_text),
        url=join_url(base, link),
        title=title,
        published_at=parse_iso(item.get("date_published")),
        updated_at=parse_iso(item.get("date_modified")),
        summary=plain_text(text_or_empty(item.get("summary"))),
        content=content,
        authors=_authors(item) or default_authors,
        language=language(item.get("language")) or default_language,
    )
