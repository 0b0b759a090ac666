"""An Article in, its text without boilerplate, headline, byline, dates, language and credit out. Pure: no network, no clock.

trafilatura finds the body of a page; what it leaves at the edges is cut by `boilerplate`, and what the page says about itself
is read by `page`. The only importer of trafilatura, htmldate and py3langid.
"""

from __future__ import annotations

import datetime as dt
import functools
import html
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from htmldate import find_date
from lxml.html import HtmlElement
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from trafilatura.core import bare_extraction
from trafilatura.utils import load_html

from pipeline.page import boilerplate, dates, facts
from pipeline.records import Article, content_id
from pipeline.stage import Rejected

# A page that holds no text is an outcome here, counted as one; the library would write a line for each beside it.
for _name in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

FEWEST_CHARACTERS: Final = 40
"""Shorter than any flash: "Explosion heard in central Kyiv, mayor says." has 44."""

PIECES: Final = 1.6
"""How much more text an <article> has to hold than was found in it before it is believed to be in pieces."""

LANGUAGE_CHARACTERS: Final = 60
"""Below this a guess at the language is a coin's toss; the page's or feed's own word is taken."""

LANGUAGES: Final = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "hy", "id",
    "it", "ja", "ka", "ko", "lt", "lv", "mk", "ms", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta",
    "th", "tr", "uk", "ur", "vi", "zh", "no", "nb",
)  # fmt: skip
"""The languages that international news is written in: among all of the model's, Latin and Esperanto win too often."""

_WALL = re.compile(
    r"(?:enable|turn on|activate|requires?) (?:javascript|cookies)|accept (?:all )?cookies|are you a robot"
    r"|verify (?:that )?you are (?:a )?human|checking your browser|access (?:to this page has been )?denied",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[\.\.\.\]|\[…\]|\[\+\d+ chars\])\s*$|(?:continue reading|read (?:more|the full (?:story|article)))\W*$"
    r"|\b(?:subscribe|log in|sign in|register)\b.{0,60}\bto (?:continue|read|keep reading|access)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What an article says and what is known of it. Paragraphs of `text` are parted by an empty line; dates are UTC."""

    title: str
    text: str
    authors: tuple[str, ...] = ()
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    language: str | None = None
    publisher: str = ""
    credit: str | None = None
    image_url: str | None = None
    canonical_url: str | None = None
    truncated: bool = False


def extract(article: Article) -> Extracted:
    """Article in, its text and facts out.

    Raises:
        Rejected: it is empty, is no text, or is shorter than a news flash.
    """
    if not article.html.strip():
        raise Rejected("empty")
    if _is_binary(article.html):
        raise Rejected("not_text")
    if article.content_type.split(";")[0].strip().casefold() in ("text/plain", "text/markdown"):
        return _from_text(article)
    return _from_page(article)


def _from_text(article: Article) -> Extracted:
    title, body = _split_title(article.html, article.title)
    lines, credit = boilerplate.clean(boilerplate.paragraphs(body), title=title)
    return _made(article, facts.PageFacts(), title or article.title, lines, credit)


def _split_title(text: str, given: str) -> tuple[str, str]:
    """Plain text in, (headline, rest) out: the first line is one if it is short, is no sentence, and stands alone."""
    text = _unwrapped(text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \n\t"))
    first, _, rest = text.partition("\n")
    first = first.strip()
    stands_alone = rest.startswith("\n") or not rest.strip()
    looks_like_one = 3 < len(first) <= 200 and first[-1] not in ".;," and rest.strip() != ""
    if boilerplate.alike(first) == boilerplate.alike(given) and given:
        return given, rest
    if looks_like_one and stands_alone:
        return first.lstrip("# "), rest
    return given, text


def _unwrapped(text: str) -> str:
    """Join lines that were broken at a fixed width, as in mail: only where most lines of a paragraph are about that long."""
    blocks = re.split(r"\n\s*\n", text)
    joined = []
    for block in blocks:
        lines = block.split("\n")
        full = [line for line in lines[:-1] if 45 <= len(line.rstrip()) <= 90 and line.rstrip()[-1] not in ".!?"]
        goes_on = any(line[:1].islower() for line in lines[1:])  # a list of items begins each with a capital
        wrapped = goes_on and 2 * len(full) > len(lines) - 1
        joined.append(" ".join(line.strip() for line in lines) if wrapped else block)
    return "\n\n".join(joined)


def _from_page(article: Article) -> Extracted:
    tree = load_html(article.html)
    if tree is None:
        # a fragment without a tag, or a page that the parser finds nothing in: its words are all there is
        return _from_text(msgspec.structs.replace(article, html=html.unescape(re.sub(r"<[^<>]*>", " ", article.html))))
    stated = facts.facts(tree, article.url)
    title = next(iter(stated.titles), "") or article.title
    dates = _page_dates(tree, stated, article)
    facts.without_furniture(tree)
    lines, credit = boilerplate.clean(_body(tree, stated), title=title)
    return _made(article, stated, title, lines, credit, dates=dates)


def _body(tree: HtmlElement, stated: facts.PageFacts) -> list[str]:
    """A parsed page in, the paragraphs of its body out."""
    found = bare_extraction(tree, fast=True, include_comments=False, favor_recall=True)
    lines = boilerplate.paragraphs(found.text) if found is not None and found.text else []
    length = sum(map(len, lines))
    # a body in several pieces is found in part: then the page's own word, or its <article>, has far more
    declared = boilerplate.paragraphs(stated.body)
    if sum(map(len, declared)) > 2 * length + 200:
        return declared
    prose = facts.prose(tree)
    return prose if sum(map(len, prose)) > PIECES * length + 200 else lines


def _made(
    article: Article,
    stated: facts.PageFacts,
    title: str,
    lines: list[str],
    credit: str | None,
    *,
    dates: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
) -> Extracted:
    """The last step for pages and plain text alike: fill in from the feed what the page does not say."""
    text = "\n\n".join(lines)
    title = title or _named_by_file(article.url)
    walled = len(text) < 600 and _WALL.search(text) is not None
    short = len(text) < FEWEST_CHARACTERS
    fallback = " ".join(boilerplate.paragraphs(article.summary))
    used_summary = (walled or short) and len(fallback) >= FEWEST_CHARACTERS
    if used_summary:
        text = fallback
    elif walled:
        raise Rejected("not_text")
    elif not text and not title:
        raise Rejected("empty")
    elif short:
        raise Rejected("too_short")
    names, signed = _bylines(stated.authors or article.authors)
    declared = article.language or stated.language
    return Extracted(
        title=" ".join(title.split()),
        text=text,
        authors=names,
        published_at=dates[0] or article.published_at,
        updated_at=dates[1] or article.updated_at,
        language=language_of(text) or declared,
        publisher=article.publisher or stated.publisher,
        credit=credit or signed,
        image_url=stated.image_url,
        canonical_url=stated.canonical_url or article.canonical_url,
        truncated=used_summary or stated.paywalled or _CUT_OFF.search(text[-160:]) is not None,
    )


def _named_by_file(url: str) -> str:
    """A file: URL in, the words of the file's name out: what is left where neither feed nor text has a title."""
    if not url.startswith("file:"):
        return ""
    return " ".join(re.findall(r"\w+", unquote(url).rpartition("/")[2].rpartition(".")[0].replace("_", " ")))


def _bylines(written: Iterable[str]) -> tuple[tuple[str, ...], str | None]:
    """Bylines in, (people, agency) out: "AFP" is not a person."""
    names = [name for byline in written for name in facts.split_authors(byline)]
    agencies = [agency for name in names if (agency := boilerplate.agency_of(name))]
    people = tuple(dict.fromkeys(name for name in names if boilerplate.agency_of(name) is None))
    return people, (agencies[0] if agencies else None)


def published_on(article: Article) -> dt.datetime | None:
    """An article in, when its page says it was published out; None where it says nothing, or there is no page."""
    tree = load_html(article.html) if article.content_type.startswith("text/html") else None
    return None if tree is None else _page_dates(tree, facts.facts(tree, article.url), article)[0]


_SAME_DAY: Final = dt.timedelta(hours=38)
"""A day without a zone may begin 14 hours before the one of Greenwich, and ends 24 later."""

Dated = tuple[dt.datetime, bool]


def _declared(tree: HtmlElement, stated: facts.PageFacts, url: str, latest: dt.datetime) -> Dated | None:
    """What the page declares, then the day in its address, then the one <time> that it has."""
    for written in (stated.published, facts.lone_time(tree)):
        found = facts.parse_date(written)
        if found is not None and found[0] <= latest:
            day = dates.day_in(url) if written != stated.published else None
            return found if day is None or abs(day - found[0]) < _SAME_DAY else (day, False)
    day = dates.day_in(url)
    return (day, False) if day is not None and day <= latest else None


def _searched(tree: HtmlElement, url: str, latest: dt.datetime) -> Dated | None:
    """What the text itself seems to say, unless the address names another month."""
    found = find_date(tree, original_date=True, extensive_search=True, max_date=latest.replace(tzinfo=None))
    published = facts.parse_date(found)
    month = dates.date_in(url)
    if (
        published is not None
        and month is not None
        and (published[0].year, published[0].month) != (month.year, month.month)
    ):
        return min(month, latest), False
    return published if published is None or published[0] <= latest else None


def _page_dates(
    tree: HtmlElement, stated: facts.PageFacts, article: Article
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the page says it was published and updated. An exact moment in the feed beats the same day on the page."""
    latest = article.fetched_at + dt.timedelta(days=1)
    told = article.published_at
    # a feed that has one date for both (or a sitemap's lastmod) does not know when the article appeared
    vague = told is None or told == article.updated_at
    published = _declared(tree, stated, article.url, latest)
    if published is None and vague:
        published = _searched(tree, article.url, latest)
    updated = facts.parse_date(stated.updated)
    moment = None
    if published is not None:
        moment = published[0]
        if not published[1] and told is not None and abs(told - moment) < _SAME_DAY:
            moment = told
    changed = updated[0] if updated is not None and updated[1] and updated[0] <= latest else None
    return moment, changed if changed is None or moment is None or changed > moment else None


@functools.lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = set(identifier.labels)
    identifier.set_languages([code for code in LANGUAGES if code in known])
    return identifier


def language_of(text: str) -> str | None:
    """A text in, its language (ISO 639-1) out; None where the text is too short to tell."""
    if len(text) < LANGUAGE_CHARACTERS:
        return None
    code, _ = _identifier().classify(text[:1500])
    return str(code) if code else None


def _is_binary(text: str) -> bool:
    """Whether the text is no text: a picture or a PDF that came as one."""
    head = text[:4000]
    if head.startswith(("%PDF", "PK\x03\x04", "\x89PNG", "GIF8", "\x1f\x8b")):
        return True
    odd = sum(1 for c in head if (c < " " and c not in "\n\r\t\f") or c == "\ufffd" or "\x7f" <= c < "\xa0")
    return odd * 10 > len(head)


# --- the command `dateline extract --jsonl` ---------------------------------------------------------------------------


class _Line(msgspec.Struct):
    html: str
    id: Any = None
    url: str = ""


def extract_jsonl(lines: Iterable[bytes | str], *, now: dt.datetime | None = None) -> Iterator[bytes]:
    """Lines of `{"id", "url", "html"}` in, a line for each out; a bad one gives `{"id", "error"}`, and the rest goes on."""
    for line in lines:
        if not line.strip():
            continue
        yield msgspec.json.encode(_answer(line, now or dt.datetime.now(dt.UTC)))


def _answer(line: bytes | str, now: dt.datetime) -> dict[str, object]:
    known: Any = None
    try:
        loose = msgspec.json.decode(line)
        known = loose.get("id") if isinstance(loose, dict) else None
        asked = msgspec.convert(loose, _Line)
        extracted = extract(from_page(asked.html, asked.url, now=now))
    except Rejected as rejected:
        return {"id": known, "error": f"rejected: {rejected.reason}"}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"id": known, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - one page must not end the run, whatever a parser throws at it
        return {"id": known, "error": f"{type(error).__name__}: {error}"}
    return {
        "id": known,
        "title": extracted.title,
        "text": extracted.text,
        "published": extracted.published_at.isoformat() if extracted.published_at else None,
        "authors": list(extracted.authors),
        "language": extracted.language,
    }


def from_page(page_html: str, url: str, *, now: dt.datetime) -> Article:
    """A page's source and address in, the article that a collector would have made of it out."""
    return Article(
        id=content_id(url or page_html),
        url=url,
        feed_id="",
        fetched_at=now,
        first_seen_at=now,
        content_hash=content_id(page_html),
        html=page_html,
    )
