"""What a page says about itself: JSON-LD, Open Graph and other meta tags, headings. Pure: a parsed page in, facts out."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree
from lxml.html import HtmlElement

from pipeline.page import dates
from pipeline.page.boilerplate import PARTS
from pipeline.page.urls import same_site

_ARTICLE_TYPES: Final = ("article", "posting", "report")
_GENERIC: Final = frozenset({"home", "homepage", "news", "index", "untitled", "article", "startseite", "404", "error"})


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page declares. Dates may be without a time zone, or be a day only: `parse_date` says."""

    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: str | None = None
    updated: str | None = None
    publisher: str = ""
    language: str | None = None
    image_url: str | None = None
    canonical_url: str | None = None
    body: str = ""
    paywalled: bool = False


def facts(tree: HtmlElement, url: str) -> PageFacts:
    """A page and its URL in, what it declares about itself out. Never raises for what a page may hold."""
    linked = _article(tree)
    meta = _meta(tree)
    publisher = _name(linked.get("publisher")) or meta.get("og:site_name", "") or meta.get("application-name", "")
    return PageFacts(
        titles=tuple(_titles(tree, linked, meta, publisher)),
        authors=tuple(_authors(tree, linked, meta, publisher)),
        published=_first_date(
            _text(linked.get("datePublished")),
            *(meta.get(name) for name in _PUBLISHED),
            _text(linked.get("dateCreated")),
            _time(tree),
        ),
        updated=_first_date(_text(linked.get("dateModified")), *(meta.get(name) for name in _UPDATED), _changed(tree)),
        publisher=publisher,
        language=_language(_text(linked.get("inLanguage")) or tree.get("lang") or meta.get("og:locale")),
        image_url=_absolute(url, _lead_image(tree, linked, meta)),
        canonical_url=canonical(tree, url),
        body=_text(linked.get("articleBody")),
        paywalled=_closed(linked) or meta.get("article:content_tier") in ("locked", "metered"),
    )


_LARGEST_PART: Final = 0.3
"""Share of the page's text: a part above it is the article, whatever it is called."""


def without_furniture(tree: HtmlElement) -> None:
    """A parsed page in; the parts that are hidden, or by their class or id are not the article, are taken out of it."""
    body = tree.find("body")
    if body is None:
        return
    largest = len(body.text_content()) * _LARGEST_PART
    doomed = []
    for element in body.iter(etree.Element):
        if element.tag in ("body", "main", "article"):
            continue
        marks = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", f"{element.get('class', '')} {element.get('id', '')}").casefold()
        hidden = element.get("hidden") is not None or "display:none" in element.get("style", "").replace(" ", "")
        if (hidden or PARTS.search(marks)) and len(element.text_content()) < largest:
            doomed.append(element)
    doomed += _link_lists(body)
    for element in doomed:
        if element.getparent() is not None:
            element.drop_tree()


def _link_lists(body: HtmlElement) -> Iterator[HtmlElement]:
    """Lists of headlines (each item begins with a link that is most of it), and paragraphs that are one link: "read also"."""
    for element in body.iter("ul", "ol"):
        items = element.findall("li")
        linked = [item for item in items if (links := _link_text(item)) >= 20 and 2 * links >= _length(item) - 20]
        headed = [item for item in items if _begins_with_link(item)]
        if (len(items) >= 3 and len(linked) >= 0.8 * len(items)) or (
            len(items) >= 4 and len(headed) >= 0.9 * len(items)
        ):
            yield element
    for element in body.iter("p"):
        children = [child for child in element if isinstance(child.tag, str)]
        length = _length(element)
        if length >= 20 and children and _link_text(element) >= length - 2:
            yield element


def _begins_with_link(item: HtmlElement) -> bool:
    """Whether an item's first words, a headline's worth of them, are a link."""
    first = next(
        (" ".join(a.text_content().split()) for a in item.iter("a") if a.get("href") and a.text_content().strip()), ""
    )
    return len(first) >= 20 and " ".join(item.text_content().split()).startswith(first)


def _link_text(element: HtmlElement) -> int:
    return sum(_length(link) for link in element.iter("a") if link.get("href"))


def _length(element: HtmlElement) -> int:
    return len(" ".join(element.text_content().split()))


def prose(tree: HtmlElement) -> list[str]:
    """A page in, the paragraphs of the <article> that holds the most of them out: those that are mostly text, not links."""
    best: list[str] = []
    for article in tree.iter("article"):
        texts = []
        for paragraph in article.iter("p"):
            text = " ".join(paragraph.text_content().split())
            if len(text) > 40 and sum(len(link.text_content()) for link in paragraph.iter("a")) < 0.3 * len(text):
                texts.append(text)
        if sum(map(len, texts)) > sum(map(len, best)):
            best = texts
    return best


_PUBLISHED: Final = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date", "pubdate",
    "publishdate", "publish-date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date",
    "cxenseparse:recs:publishtime",
    "article.published", "published_at", "publication_date", "date",
)  # fmt: skip
_AUTHOR: Final = ("author", "article:author", "parsely-author", "dc.creator", "byl", "sailthru.author")
_UPDATED: Final = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "lastmod",
)


def _meta(tree: HtmlElement) -> dict[str, str]:
    """Name (or property) -> content, first one wins, names in lower case."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = (element.get("content") or "").strip()
        if name and content:
            found.setdefault(name.strip().casefold(), content)
    return found


def _article(tree: HtmlElement) -> dict[str, Any]:
    """The JSON-LD object that describes the article, or an empty one."""
    best: dict[str, Any] = {}
    for element in tree.iter("script"):
        if (element.get("type") or "").split(";")[0].strip().casefold() != "application/ld+json" or not element.text:
            continue
        for thing in _things(_json(element.text), 0):
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
    """JSON as pages write it: in a comment or CDATA, with raw line ends inside strings; anything else is None."""
    text = (
        text.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>").strip()
    )
    for attempt in (text, re.sub(r"[\x00-\x1f]+", " ", text)):
        try:
            return msgspec.json.decode(attempt.rstrip(";").encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            continue
    return None


def _things(node: object, depth: int) -> Iterator[dict[str, Any]]:
    if depth > 6:
        return
    if isinstance(node, list):
        for item in node:
            yield from _things(item, depth + 1)
    elif isinstance(node, dict):
        yield node
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement"):
            if isinstance(node.get(key), list | dict):
                yield from _things(node[key], depth + 1)


def _text(value: object) -> str:
    """A JSON-LD value in, its text out: a string, the first of a list, or a name."""
    if isinstance(value, list) and value:
        value = value[0]
    return _plain(value) if isinstance(value, str) else _name(value)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^<>]{1,200}>", "", text))).strip()


def _name(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return _plain(value)
    name = value.get("name") if isinstance(value, dict) else None
    return _text(name) if isinstance(name, str | list) else ""


def _image(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl")
    return value if isinstance(value, str) else ""


def _closed(linked: dict[str, Any]) -> bool:
    """Whether the article says that it, or a part of it, is not for everybody."""
    parts = linked.get("hasPart")
    things = [linked, *(parts if isinstance(parts, list) else [parts])]
    return any(str(t.get("isAccessibleForFree", "")).casefold() == "false" for t in things if isinstance(t, dict))


def _lead_image(tree: HtmlElement, linked: dict[str, Any], meta: dict[str, str]) -> str | None:
    """The picture that the page names as its own, or else the first in a <figure> of the article."""
    named = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image")
    declared = _first(
        _image(linked.get("image")), *(meta.get(name) for name in named), _image(linked.get("thumbnailUrl"))
    )
    if declared:
        return declared
    found = tree.xpath("//link[@rel='image_src']/@href|//article//figure//img/@src|//figure//img/@src")
    return next((str(link) for link in found if not str(link).startswith("data:")), None)


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _first_date(*values: str | None) -> str | None:
    """The first that is a date: a system that knows none writes the year 1, or nothing but a brace."""
    return next((value for value in values if value and parse_date(value) is not None), None)


def _titles(tree: HtmlElement, linked: dict[str, Any], meta: dict[str, str], publisher: str) -> Iterator[str]:
    """Candidates for the headline, best first, without the site's name at either end."""
    headings = [_plain(heading.text_content()) for heading in tree.iter("h1")]
    headings = [heading for heading in headings if 8 < len(heading) < 300]
    page = next((_plain(title.text_content()) for title in tree.iter("title")), "")
    declared = [_text(linked.get("headline")), meta.get("og:title", ""), meta.get("twitter:title", "")]
    for candidate in (*declared, *headings, page):
        title = without_site(_plain(candidate), publisher)
        # "Headline - Section | Site": a heading that the longer form begins with is the headline itself
        title = next((h for h in headings if title != h and title.startswith(h) and len(h) > 20), title)
        if len(title) > 3 and title.casefold() not in _GENERIC and title.casefold() != publisher.casefold():
            yield title


def without_site(title: str, publisher: str) -> str:
    """A page's title in, the headline out: a part that names the site is cut off either end."""
    parts = re.split(r"\s+[|»–—·:-]+\s+|\s*\|\s*", title)
    if len(parts) < 2:
        return title
    site = re.sub(r"\W|^the ", "", publisher.casefold())

    def is_site(part: str) -> bool:
        bare = re.sub(r"\W|^the ", "", part.casefold())
        return bool(site) and (bare in site or site in bare) and len(bare) > 1

    if is_site(parts[-1]) and len(parts[0]) > 10:
        return title[: title.rindex(parts[-1])].rstrip(" |»–—·:-")
    if is_site(parts[0]) and len(parts[-1]) > 10:
        return title[title.index(parts[0]) + len(parts[0]) :].lstrip(" |»–—·:-")
    return title


def _authors(tree: HtmlElement, linked: dict[str, Any], meta: dict[str, str], publisher: str) -> Iterator[str]:
    declared = linked.get("author") or linked.get("creator")
    names = [_name(item) for item in (declared if isinstance(declared, list) else [declared])]
    if not any(names):
        names = [
            meta.get(key, "")
            for key in ("author", "article:author", "parsely-author", "dc.creator", "byl", "sailthru.author")
        ]
    if not any(names):
        names = [_plain(e.text_content()) for e in tree.xpath("//*[@rel='author' or @itemprop='author']")[:4]]
    seen: set[str] = set()
    for name in (single for byline in names for single in split_authors(byline)):
        if name.casefold() not in seen and name.casefold() != publisher.casefold():
            seen.add(name.casefold())
            yield name


def split_authors(written: str) -> list[str]:
    """A byline in, the names in it out: "By Ann Lee and Bo Ek, AFP" has three."""
    written = re.sub(r"^\s*(?:by|written by|von|par|por|di)\s*:?\s+", "", _plain(written), flags=re.IGNORECASE)
    if re.match(r"https?://|www\.|/", written) or len(written) > 200:
        return []
    names = re.split(r"\s*(?:,|;|\||/|\band\b|&|\bund\b|\bet\b)\s*", re.sub(r"\(.*?\)|\S+@\S+|@\w+", "", written))
    return [
        name for part in names if 1 < len(name := part.strip(" .-–—")) < 60 and not re.search(r"\d{2,}|[<>{}]", name)
    ]


def _time(tree: HtmlElement) -> str | None:
    """The first <time>, or marked element, that says when the article was published."""
    for element in tree.iter("time"):
        stamp = element.get("datetime")
        marks = f"{element.get('class', '')} {element.get('itemprop', '')} {element.get('pubdate', '')}".casefold()
        if (stamp and not _UPDATE_MARK.search(marks)) and (
            "publish" in marks or "pubdate" in marks or element.xpath("ancestor::header|ancestor::article")
        ):
            return str(stamp)
    for element in tree.xpath("//*[@itemprop='datePublished']|//abbr[contains(@class,'published')]")[:3]:
        stamp = element.get("content") or element.get("datetime") or element.get("title") or element.text_content()
        if parse_date(stamp) is not None:
            return str(stamp)
    return None


_UPDATE_MARK = re.compile(r"updat|modif")


def _changed(tree: HtmlElement) -> str | None:
    """The first <time> that says when the article was changed."""
    for element in tree.iter("time"):
        marks = f"{element.get('class', '')} {element.get('itemprop', '')}".casefold()
        if element.get("datetime") and _UPDATE_MARK.search(marks):
            return str(element.get("datetime"))
    return None


def lone_time(tree: HtmlElement) -> str | None:
    """The time of a page all of whose <time>s are of one day: nothing marks it, and there is nothing else that it can mean."""
    stamps = [str(stamp) for element in tree.iter("time") if parse_date(stamp := element.get("datetime")) is not None]
    return stamps[0] if stamps and len({stamp[:10] for stamp in stamps}) == 1 else None


def _language(declared: str | None) -> str | None:
    code = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", declared or "")
    return code.group().casefold() if code else None


def _absolute(base: str, link: str | None) -> str | None:
    if not link:
        return None
    try:
        absolute = urljoin(base, link.strip())
        return absolute if urlsplit(absolute).scheme in ("http", "https") and len(absolute) < 2000 else None
    except ValueError:
        return None


def canonical(tree: HtmlElement, url: str) -> str | None:
    """The address that the page wants to be known by, if it is on the same site."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").casefold().split():
            link = _absolute(url, element.get("href"))
            if link is not None and same_site(link, url):
                return link
    return None


_EXACT = re.compile(r"\d:\d{2}.*?(?:[+-]\d{2}:?\d{2}|\b(?:Z|UT|UTC|GMT|[A-Z]{1,4}T)\b)")
"""A time of day, and a zone behind it."""


def parse_date(text: str | None) -> tuple[dt.datetime, bool] | None:
    """A written date in, (moment in UTC, whether it is exact: a time of day with a zone) out; None for anything else."""
    text = (text or "").strip()
    if not 6 <= len(text) <= 60:
        return None
    moment = _iso(text) or _unix(text)
    if moment is None:
        worded = dates.moment(text)
        return None if worded is None else (worded, _EXACT.search(text) is not None)
    exact = moment.tzinfo is not None
    try:
        moment = moment.astimezone(dt.UTC) if exact else moment.replace(tzinfo=dt.UTC)
    except (OverflowError, ValueError):
        return None
    return (moment, exact) if 1990 <= moment.year <= 2100 else None


_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})"
    r"(?:[T ]\s*(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?.{0,12}$",
    re.IGNORECASE,
)


def _iso(text: str) -> dt.datetime | None:
    found = _ISO.match(text)
    if found is None or re.search(r"\d\s*(?!UTC|GMT)[A-Z]{3,5}$", text):  # a zone by another name: `written` knows it
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    offset: dt.tzinfo | None = None
    if zone:
        digits = re.sub(r"\D", "", zone).ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:]) if digits.strip("0") else 0
        offset = (
            dt.timezone(dt.timedelta(minutes=-minutes if zone.startswith("-") else minutes)) if minutes < 1440 else None
        )
    try:
        return dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=offset
        )
    except ValueError:
        return None


def _unix(text: str) -> dt.datetime | None:
    if not re.fullmatch(r"1\d{9}(?:\d{3})?", text):
        return None
    return dt.datetime.fromtimestamp(int(text[:10]), dt.UTC)
