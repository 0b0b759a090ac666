"""JSON-LD, schema.org's description of an article inside a page: a parsed page in, the object and its values out. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml.html import HtmlElement

from pipeline.page import kinship, urls
from pipeline.page.plain import plain_text, visible

_ARTICLE_TYPES: Final = ("article", "posting", "report")


def article_object(tree: HtmlElement, url: str = "") -> dict[str, Any]:
    """A page and its URL in, the JSON-LD object that describes its own article out, or an empty one.

    A page also declares the articles that it links to. Its own is the one with the page's URL, else with the page's headline;
    else the only one, if nothing speaks against it.
    """
    found: list[dict[str, Any]] = []
    whole: dict[str, Any] = {}
    for element in tree.iter("script"):
        if (element.get("type") or "").split(";")[0].strip().casefold() != "application/ld+json" or not element.text:
            continue
        for thing in _objects(_json(element.text), 0):
            kinds = _kinds(thing)
            if any(kind.casefold().endswith(_ARTICLE_TYPES) for kind in kinds) and (
                "headline" in thing or "datePublished" in thing or "articleBody" in thing
            ):
                found.append(thing)
            elif not whole and {"WebPage", "NewsMediaOrganization"} & set(kinds) and "datePublished" in thing:
                whole = thing
    return _own(found, tree, url) or (whole if _is_here(whole, tree, url) else {})


def _kinds(thing: dict[str, Any]) -> list[str]:
    kinds = thing.get("@type")
    return [kinds] if isinstance(kinds, str) else [k for k in kinds or () if isinstance(k, str)]


def _here(tree: HtmlElement, url: str) -> set[str]:
    """Return the addresses of a page: its own, and those that it declares, if they may be of one article."""
    own = _address(url, url)
    declared = {link: _address(link, url) for link in _declared_links(tree)}
    return {
        own,
        *(to for link, to in declared.items() if to == own or urls.is_telling(urls.absolute(link, url) or "")),
    } - {""}


def _is_here(thing: dict[str, Any], tree: HtmlElement, url: str) -> bool:
    """Whether an object may be of this page: it has no address, or the page's."""
    there, here = _addresses(thing, url), _here(tree, url)
    return not there or not here or bool(there & here)


def _own(found: list[dict[str, Any]], tree: HtmlElement, url: str) -> dict[str, Any]:
    """Return the object of the page's own article, or an empty one."""
    here = _here(tree, url)
    titles = [words for title in kinship.headlines(tree) if (words := kinship.words(title))]
    located = [thing for thing in found if here & _addresses(thing, url)]
    headed = [thing for thing in found if _is_headline(thing, titles)]
    # a report on the same event has a like headline and an address of its own; a page that moved, the very same headline
    unplaced = [thing for thing in headed if not _addresses(thing, url)]
    moved = [thing for thing in headed if _is_headline(thing, titles, least=SAME_HEADLINE)]
    best = next((thing for thing in located if thing in headed), None)
    best = best or next(iter((*located, *unplaced, *moved)), None)
    if best is not None:
        return best
    if len(found) != 1 or _is_headline(found[0], titles) is False or not _is_here(found[0], tree, url):
        return {}
    return found[0]


SAME_HEADLINE: Final = 0.9
"""Share of the words of the longer of two headlines that the other has, if they are the same but for a word."""


def _is_headline(thing: dict[str, Any], titles: list[frozenset[str]], least: float | None = None) -> bool | None:
    """Whether the headline of an object is one of the page's; None where one of them is too short to tell.

    `least` is the share of the longer one's words that the other must have; without it, that of the shorter one's is taken.
    """
    headline = kinship.words(text_of(thing.get("headline")) or text_of(thing.get("name")))
    titles = [title for title in titles if len(title) > 1]
    if len(headline) < 2 or not titles:
        return None
    if least is not None:
        return any(len(headline & title) >= least * max(len(headline), len(title)) for title in titles)
    return any(len(headline & title) >= kinship.HEADLINE_SHARE * min(len(headline), len(title)) for title in titles)


def _declared_links(tree: HtmlElement) -> Iterator[str]:
    """Yield the URLs that a page declares as its own."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").casefold().split():
            yield element.get("href") or ""
    for element in tree.iter("meta"):
        if (element.get("property") or "").casefold() == "og:url":
            yield element.get("content") or ""


def _addresses(thing: dict[str, Any], base: str) -> set[str]:
    """Return the addresses at which an object says its article is."""
    links: list[object] = []
    for key in ("url", "@id", "mainEntityOfPage"):
        value = thing.get(key)
        links += [value.get("@id"), value.get("url")] if isinstance(value, dict) else [value]
    return {address for link in links if isinstance(link, str) and (address := _address(link, base))}


def _address(link: str, base: str) -> str:
    """A link in, what two links to one page share out; empty for a link to a front page, which names no article."""
    found = urls.absolute(link, base) if link else None
    if found is None:
        return ""
    address = urls.address(urls.without_fragment(found))
    return address if "/" in address or "?" in address else ""


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
    return _almost_json(re.sub(r"[\x00-\x1f]+", " ", text))


_LAST_COMMA: Final = re.compile(r",\s{0,80}([\]}])")
_DECODER: Final = json.JSONDecoder(strict=False)
SEVERAL: Final = 20
"""Objects in a row that are read."""


def _almost_json(text: str) -> object:
    """Decode objects in a row, and such with a comma at their end; None for anything else."""
    found: list[object] = []
    text = _LAST_COMMA.sub(r"\1", text)
    position = 0
    while len(found) < SEVERAL and (start := re.compile(r"[\s,;]*(?=[{\[])").match(text, position)) is not None:
        try:
            thing, position = _DECODER.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            break
        found.append(thing)
    return found or None


def _objects(node: object, depth: int) -> Iterator[dict[str, Any]]:
    """Yield an object and those inside it that may be the article, six levels deep at most."""
    if depth > 6:
        return
    if isinstance(node, list):
        for item in node:
            yield from _objects(item, depth + 1)
    elif isinstance(node, dict):
        yield node
        if any(kind.endswith(("List", "Collection", "CollectionPage")) for kind in _kinds(node)):
            return  # a list of other articles
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            if isinstance(node.get(key), list | dict):
                yield from _objects(node[key], depth + 1)


def text_of(value: object) -> str:
    """A JSON-LD value in, its text out: the string, the first of a list, or the object's name."""
    if isinstance(value, list) and value:
        value = value[0]
    return plain_text(value) if isinstance(value, str) else name_of(value)


def paragraphs_of(value: object) -> list[str]:
    """A JSON-LD value (text, HTML, escaped HTML, or a list of them) in, its paragraphs out."""
    if isinstance(value, list):
        return [paragraph for item in value[:1000] for paragraph in paragraphs_of(item)]
    if not isinstance(value, str):
        return []
    if "&lt;" in value:
        value = html.unescape(value)
    return [text for part in _BREAK.split(visible(value)) if (text := plain_text(part))]


_BREAK: Final = re.compile(
    r"[\n\r\x85\u2028\u2029]+|(?:\\[nr]){2,}|</?(?:p|div|section|br|h[1-6]|li|ul|ol|blockquote)\b[^<>]{0,400}>",
    re.IGNORECASE,
)
"""The end of a paragraph; some systems escape line ends twice, so that a backslash and a letter are left."""


def name_of(value: object) -> str:
    """A JSON-LD value in, the name of the person or organization out."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return plain_text(value)
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
