"""JSON Feed 1 and 1.1: bytes in, entries out. Pure."""

from __future__ import annotations

import html
import re
from typing import Any, Final

import msgspec

from pipeline.collect.entry import ENTRIES, Entry, FeedError, Parsed, joined, language, plain, string
from pipeline.page import decode
from pipeline.page.dates import iso
from pipeline.records import content_id

_VERSION: Final = "jsonfeed.org/version"


def parse(body: bytes, url: str) -> Parsed:
    """The bytes of a JSON feed and its address in, its entries out.

    Raises:
        FeedError: it is JSON of another kind, or none.
    """
    try:
        found = msgspec.json.decode(decode.text(body).encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedError(f"not a feed: broken JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise FeedError("not a feed: JSON of another kind")
    if _VERSION not in string(found.get("version")) and not any(
        isinstance(item, dict) and {"url", "content_html", "content_text"} & item.keys() for item in found["items"]
    ):
        raise FeedError("not a feed: JSON of another kind")
    hubs = found.get("hubs")
    known = [hub for hub in hubs if isinstance(hub, dict)] if isinstance(hubs, list) else []
    websub = [hub for hub in known if string(hub.get("type")).lower() in ("websub", "pubsubhubbub")]
    hub = next((address for hub in (*websub, *known) if (address := string(hub.get("url")))), None)
    listed = found.get("authors")
    people = listed if isinstance(listed, list) else [found.get("author")]
    whole = (language(found.get("language")), _names(people))
    items = [item for item in found["items"][:ENTRIES] if isinstance(item, dict)]
    return Parsed(
        title=plain(string(found.get("title"))),
        url=string(found.get("home_page_url")),
        language=whole[0],
        hub=hub or None,
        topic=joined(url, string(found.get("feed_url"))),
        entries=tuple(_entry(item, url, *whole) for item in items),
        kind="JSON Feed",
    )


def _names(people: list[Any]) -> tuple[str, ...]:
    return tuple(name for p in people if isinstance(p, dict) and (name := plain(string(p.get("name")))))


def _entry(item: dict[str, Any], base: str, spoken: str | None, authors: tuple[str, ...]) -> Entry:
    identity = item.get("id")
    identity = str(identity) if isinstance(identity, str | int | float) and not isinstance(identity, bool) else ""
    link = string(item.get("url")) or string(item.get("external_url"))
    title = plain(string(item.get("title")))
    content_html, content_text = string(item.get("content_html")), string(item.get("content_text"))
    if not link and re.match(r"https?://", identity):
        link = identity
    listed = item.get("authors")
    people = listed if isinstance(listed, list) else [item.get("author")]
    content = content_html or "".join(f"<p>{html.escape(p)}</p>" for p in content_text.splitlines() if p.strip())
    return Entry(
        id=identity or link or title or content_id(content_html, content_text),
        url=joined(base, link),
        title=title,
        published_at=iso(item.get("date_published")),
        updated_at=iso(item.get("date_modified")),
        summary=plain(string(item.get("summary"))),
        content=content,
        authors=_names(people) or authors,
        language=language(item.get("language")) or spoken,
    )
