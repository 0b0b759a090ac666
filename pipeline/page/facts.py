"""A parsed page in, what it declares about itself out: JSON-LD, Open Graph and other meta tags, headings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from pipeline.page import kinship, live
from pipeline.page.date_parsing import parse_declared
from pipeline.page.json_ld import (
    SAME_HEADLINE,
    article_object,
    image_of,
    is_paywalled,
    name_of,
    paragraphs_of,
    text_of,
)
from pipeline.page.others import Others
from pipeline.page.plain import plain_text
from pipeline.page.urls import absolute, same_site

_GENERIC_TITLES: Final = frozenset(
    {"home", "homepage", "news", "index", "untitled", "article", "startseite", "404", "error"}
)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page declares. `published` and `updated` are as written; `date_parsing.parse_declared` reads them.

    `locale` is its language with its country ("en-GB") where it names one, `updates` are those of a live page.
    """

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
    locale: str = ""
    updates: tuple[live.Update, ...] = ()


def read_facts(tree: HtmlElement, url: str) -> PageFacts:
    """A page and its URL in, what it declares about itself out. No content of a page makes it raise an error."""
    linked = article_object(tree, url)
    others = Others(tree)
    meta = _meta(tree, others)
    declared = text_of(linked.get("inLanguage")) or tree.get("lang")
    declared = declared or meta.get("og:locale") or meta.get("content-language") or ""
    locale = _with_country(declared, tree.get("lang") or "", meta.get("og:locale") or "", url)
    publisher = name_of(linked.get("publisher")) or meta.get("og:site_name", "") or meta.get("application-name", "")
    return PageFacts(
        titles=tuple(_titles(tree, linked, meta, publisher)),
        authors=tuple(_authors(tree, linked, meta, publisher)),
        published=_first_date(
            locale,
            text_of(linked.get("datePublished")),
            *(meta.get(name) for name in _PUBLISHED),
            text_of(linked.get("dateCreated")),
            _published_time(tree, others),
        ),
        updated=_first_date(
            locale, text_of(linked.get("dateModified")), *(meta.get(name) for name in _UPDATED), _updated_time(tree)
        ),
        publisher=publisher,
        language=_language(declared),
        locale=locale,
        image_url=_absolute(url, _lead_image(tree, linked, meta)),
        canonical_url=canonical(tree, url),
        body="\n".join(paragraphs_of(linked.get("articleBody"))),
        updates=live.declared_updates(linked),
        paywalled=is_paywalled(linked) or meta.get("article:content_tier") in ("locked", "metered"),
    )


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


def _meta(tree: HtmlElement, others: Others) -> dict[str, str]:
    """Return the meta tags as name (or property) -> content. Names are in lower case; of two tags the first counts."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = (element.get("content") or "").strip()
        if name and content and not (element.get("itemprop") and others.has(element)):
            found.setdefault(name.strip().casefold(), content)
    return found


def _lead_image(tree: HtmlElement, linked: dict[str, Any], meta: dict[str, str]) -> str | None:
    """Return the image that the page declares, or else the first in a <figure> of the article."""
    named = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image")
    declared = _first(
        image_of(linked.get("image")), *(meta.get(name) for name in named), image_of(linked.get("thumbnailUrl"))
    )
    if declared:
        return declared
    found = tree.xpath("//link[@rel='image_src']/@href|//article//figure//img/@src|//figure//img/@src")
    return next((str(link) for link in found if not str(link).startswith("data:")), None)


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _first_date(locale: str, *values: str | None) -> str | None:
    """Return the first value that is a date. Systems without a date write the year 1, or an unfilled template."""
    return next((value for value in values if value and parse_declared(value, locale) is not None), None)


def _titles(tree: HtmlElement, linked: dict[str, Any], meta: dict[str, str], publisher: str) -> Iterator[str]:
    """Yield candidates for the headline, the best first, without the site's name at either end."""
    headings = [plain_text(heading.text_content()) for heading in tree.iter("h1")]
    headings = [heading for heading in headings if 8 < len(heading) < 300]
    page = next((plain_text(title.text_content()) for title in tree.iter("title")), "")
    headings = _by_title(tree, headings, page)
    declared = [text_of(linked.get("headline")), meta.get("og:title", ""), meta.get("twitter:title", "")]
    for candidate in (*declared, *headings, page):
        title = without_site(plain_text(candidate), publisher)
        # "Headline - Section | Site": a heading that the longer form begins with is the headline itself
        title = next((h for h in headings if title != h and title.startswith(h) and len(h) > 20), title)
        if len(title) > 3 and title.casefold() not in _GENERIC_TITLES and title.casefold() != publisher.casefold():
            yield title


_SEPARATOR: Final = re.compile(r"\s+[|»–—·:-]+\s+|\s*\|\s*")


TITLE_PARTS: Final = 20
"""Parts of a page's title that may be its headline."""


def _by_title(tree: HtmlElement, headings: list[str], page: str) -> list[str]:
    """The first-level headings and the page's title in, first the one that is the title out, also of a lower level.

    Sites write their name, or the headline of the day's first story, as a heading of the first level.
    """
    parts = [kinship.words(part) for part in (page, *_SEPARATOR.split(page)[:TITLE_PARTS])]
    parts = [part for part in parts if len(part) >= kinship.ENTRY_WORDS]

    def likeness(heading: str) -> float:
        own = kinship.words(heading)
        return max((len(own & part) / max(len(own), len(part)) for part in parts), default=0.0)

    ordered = sorted(headings, key=likeness, reverse=True)
    if not parts or (ordered and likeness(ordered[0]) >= kinship.HEADLINE_SHARE):
        return ordered
    lower = (plain_text(heading.text_content()) for heading in tree.iter("h2", "h3"))
    return [*(text for text in lower if len(text) < 300 and likeness(text) >= SAME_HEADLINE), *headings]


def without_site(title: str, publisher: str) -> str:
    """A page's title and its publisher in, the headline out: the site's name is cut off at either end."""
    parts = _SEPARATOR.split(title)
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
    names = [name_of(item) for item in (declared if isinstance(declared, list) else [declared])]
    if not any(names):
        names = [meta.get(key, "") for key in _AUTHOR]
    if not any(names):
        names = [plain_text(e.text_content()) for e in tree.xpath("//*[@rel='author' or @itemprop='author']")[:4]]
    seen: set[str] = set()
    for name in (single for byline in names for single in split_authors(byline)):
        if name.casefold() not in seen and name.casefold() != publisher.casefold():
            seen.add(name.casefold())
            yield name


def split_authors(byline: str) -> list[str]:
    """A byline in, the names in it out: "By Ann Lee and Bo Ek, AFP" has three."""
    byline = re.sub(r"^\s*(?:by|written by|von|par|por|di)\s*:?\s+", "", plain_text(byline), flags=re.IGNORECASE)
    if re.match(r"https?://|www\.|/", byline) or len(byline) > 200:
        return []
    names = re.split(r"\s*(?:,|;|\||/|\band\b|&|\bund\b|\bet\b)\s*", re.sub(r"\(.*?\)|\S+@\S+|@\w+", "", byline))
    return [
        name for part in names if 1 < len(name := part.strip(" .-–—")) < 60 and not re.search(r"\d{2,}|[<>{}]", name)
    ]


def _published_time(tree: HtmlElement, others: Others) -> str | None:
    """Return the time of the first <time>, or other marked element, that says when the article was published."""
    for element in tree.iter("time"):
        stamp = element.get("datetime")
        marks = f"{element.get('class', '')} {element.get('itemprop', '')} {element.get('pubdate', '')}".casefold()
        if (
            (stamp and not _UPDATE_MARK.search(marks))
            and ("publish" in marks or "pubdate" in marks or element.xpath("ancestor::header|ancestor::article"))
            and not others.has(element)
        ):
            return str(stamp)
    for element in tree.xpath("//*[@itemprop='datePublished']|//abbr[contains(@class,'published')]")[:9]:
        if others.has(element):
            continue
        stamp = element.get("content") or element.get("datetime") or element.get("title") or element.text_content()
        if parse_declared(stamp) is not None:
            return str(stamp)
    return None


_UPDATE_MARK = re.compile(r"updat|modif")


def _updated_time(tree: HtmlElement) -> str | None:
    """Return the time of the first <time> that says when the article was updated."""
    for element in tree.iter("time"):
        marks = f"{element.get('class', '')} {element.get('itemprop', '')}".casefold()
        if element.get("datetime") and _UPDATE_MARK.search(marks):
            return str(element.get("datetime"))
    return None


def only_time(tree: HtmlElement) -> str | None:
    """Return the first <time> of a page whose <time>s are all of one day: without a mark it can only be the publication."""
    others = Others(tree)
    stamps = [
        str(stamp)
        for element in tree.iter("time")
        if parse_declared(stamp := element.get("datetime")) is not None and not others.has(element)
    ]
    return stamps[0] if stamps and len({stamp[:10] for stamp in stamps}) == 1 else None


_BORROWED: Final = frozenset(("ai", "am", "cc", "co", "fm", "gg", "io", "la", "ly", "me", "sh", "st", "to", "tv", "ws"))
"""Country domains that sites of every country use."""


def _with_country(declared: str, *others: str) -> str:
    """A language tag in, the same with a country out: of another tag for the language, or of the URL's domain, the last one."""
    language = re.split(r"[-_]", declared)[0].casefold()
    for tag in (declared, *others[:-1]):
        if re.match(r"[a-zA-Z]{2,3}[-_]\w", tag) and tag.casefold().startswith(language):
            return tag
    domain = (urlsplit(others[-1]).hostname or "").rpartition(".")[2] if _is_url(others[-1]) else ""
    country = domain.upper() if re.fullmatch("[a-z]{2}", domain) and domain not in _BORROWED else ""
    return f"{language or 'und'}-{country}" if country else language


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


_LONE_DATE: Final = re.compile(
    r"(?:\D{0,30}\s)?(?P<date>(?:\w{2,12}\.?,?\s+)?"
    r"(?:\d.{3,30}\d{4}|[^\W\d]{3,12}\.?\s+\d{1,2}.{1,4}\d{4}|\d{4}.{4,8})(?:[\s,|·–-]{1,3}\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?(?:\s[A-Z]{1,4})?)?\D{0,3}"
    r"|\d{1,2}([./-])\d{1,2}\2\d{2}"
    r"|\d{4}\s?[年년.].{3,30})"
)
"""A line that is a date, after a label such as "Published:" or a byline."""

_SHORT_YEAR: Final = re.compile(r"\d{4}|\d[./-]\d{1,2}[./-]\d\d$")

LONE_DATES: Final = 5
"""The most lines of a page that are tried as dates: the first are beside the headline."""


_PROSE_CHARACTERS: Final = 80
"""A paragraph of this length is the article's text. A date of the page stands above its second, or has a label."""

_DATE_LABEL: Final = re.compile(
    r"publi|post|updat|date\b|stand\b|veröffentlicht|erstellt|aktuali|pubblicat|inserit|opublikowan|опубликов|дата|発行|更新|公開|發佈|发布|入力",
    re.IGNORECASE,
)


def lone_dates(tree: HtmlElement) -> Iterator[str]:
    """Yield the lines of a page that may be its date: short ones with a year, outside of menus, lists of links and the foot.

    Below the beginning of the text only lines with a label such as "Published:" count: other days are of something else.
    """
    left, prose, others = LONE_DATES, 0, Others(tree)
    for element in tree.iter("p", "span", "div", "time", "h2", "h3", "h4", "h5", "h6", "li", "td", "small", "em"):
        if element.tag == "p" and len(element.text_content()) >= _PROSE_CHARACTERS:
            prose += 1
        text = " ".join((element.text or "").split()) if len(element) == 0 else ""
        found = _LONE_DATE.fullmatch(text) if 8 <= len(text) <= 60 and _SHORT_YEAR.search(text) else None
        if (
            found is not None
            and not others.has(element)
            and (prose < 2 or _DATE_LABEL.search(text))
            and not element.xpath("ancestor::footer|ancestor::nav|ancestor::aside|ancestor::a")
        ):
            yield found["date"].strip(" .|·-–")
            left -= 1
            if not left:
                return


def _language(declared: str | None) -> str | None:
    """A language tag in, its first part (ISO 639) out."""
    code = re.match(r"[a-zA-Z]{2,3}(?=$|[-_])", declared or "")
    return code.group().casefold() if code else None


def _absolute(base: str, link: str | None) -> str | None:
    """A link and the page's URL in, the absolute URL out; None where it is not a web page or too long."""
    found = absolute(link, base) if link else None
    return found if found is not None and len(found) < 2000 else None


def canonical(tree: HtmlElement, url: str) -> str | None:
    """Return the page's canonical link if it leads to the same site."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").casefold().split():
            link = _absolute(url, element.get("href"))
            if link is not None and same_site(link, url):
                return link
    return None
