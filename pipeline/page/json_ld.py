"""JSON-LD, schema.org's description of an article inside a page: a parsed page in, the object and its values out. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml.html import HtmlElement

_ARTICLE_TYPES: Final = ("article", "posting", "report")


def article_object(tree: HtmlElement) -> dict[str, Any]:
    """Return the JSON-LD object that describes the article, or an empty one."""
    best: dict[str, Any] = {}
    for element in tree.iter("script"):
        if (element.get("type") or "").split(";")[0].strip().casefold() != "application/ld+json" or not element.text:
            continue
        for thing in _objects(_json(element.text), 0):
            kinds = thing.get("@type")
            names = [kinds] if isinstance(kinds, str) else [k for k in kinds or () if isinstance(k, str)]
            if any(kind.casefold().endswith(_ARTICLE_TYPES) for kind in names) and (
                "headline" in thing or "datePublished" in thing or "articleBody" in thing
            ):
                return thing
            if (
                not best
                and any(kind in ("WebPage", "NewsMediaOrganization") for kind in names)
                and "datePublished" in thing
            ):
                best = thing
    return best


def _json(text: str) -> object:
    """Decode JSON as pages write it: also in a comment or CDATA, and with line ends inside strings; None if it is not JSON."""
    text = (
        text.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>").strip()
    )
    for attempt in (text, re.sub(r"[\x00-\x1f]+", " ", text)):
        try:
            return msgspec.json.decode(attempt.rstrip(";").encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            continue
    return None


def _objects(node: object, depth: int) -> Iterator[dict[str, Any]]:
    """Yield an object and those inside it that may be the article, six levels deep at most."""
    if depth > 6:
        return
    if isinstance(node, list):
        for item in node:
            yield from _objects(item, depth + 1)
    elif isinstance(node, dict):
        yield node
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement"):
            if isinstance(node.get(key), list | dict):
                yield from _objects(node[key], depth + 1)


def text_of(value: object) -> str:
    """A JSON-LD value in, its text out: the string, the first of a list, or the object's name."""
    if isinstance(value, list) and value:
        value = value[0]
    return without_markup(value) if isinstance(value, str) else name_of(value)


def without_markup(text: str) -> str:
    """Text with HTML tags and entities in, plain text on one line out."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^<>]{1,200}>", "", text))).strip()


def name_of(value: object) -> str:
    """A JSON-LD value in, the name of the person or organization out."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return without_markup(value)
    name = value.get("name") if isinstance(value, dict) else None
    return text_of(name) if isinstance(name, str | list) else ""


def image_of(value: object) -> str:
    """A JSON-LD value in, the URL of the image out."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl")
    return value if isinstance(value, str) else ""


def is_paywalled(article: dict[str, Any]) -> bool:
    """Whether the article's object says that it, or a part of it, is not free to read."""
    parts = article.get("hasPart")
    things = [article, *(parts if isinstance(parts, list) else [parts])]
    return any(str(t.get("isAccessibleForFree", "")).casefold() == "false" for t in things if isinstance(t, dict))
