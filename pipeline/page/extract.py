"""An Article in, its text without boilerplate, title, authors, dates, language and credit out. Pure: no network, no clock.

trafilatura finds the body of a page, `boilerplate` removes what it leaves at the edges, and `facts` reads what the page
declares about itself. The only importer of trafilatura and py3langid.
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
from lxml import etree
from lxml.html import HtmlElement
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from trafilatura.core import bare_extraction
from trafilatura.utils import load_html

from pipeline.page import boilerplate, clutter, facts, kinship, live, markup, offers, page_dates, script_body
from pipeline.records import Article, PageUpdate, content_id
from pipeline.stage import Rejected

# A page without text is an outcome here, and counted; the libraries would log a line for each page as well.
for _name in ("trafilatura", "htmldate", "courlan"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

FEWEST_CHARACTERS: Final = 40
"""No news flash is shorter: "Explosion heard in central Kyiv, mayor says." has 44."""

MISSED_TEXT_RATIO: Final = 1.6
"""The <article> must hold so many times the text that trafilatura found before its own paragraphs are taken instead."""

LANGUAGE_CHARACTERS: Final = 60
"""A shorter text is too short to detect its language; the language that the page or the feed declares is taken."""

LANGUAGES: Final = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "hy", "id",
    "it", "ja", "ka", "ko", "lt", "lv", "mk", "ms", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw", "ta",
    "th", "tr", "uk", "ur", "vi", "zh", "no", "nb",
)  # fmt: skip
"""The languages of international news. Among all languages of the model, Latin and Esperanto are detected too often."""

_WALL = re.compile(
    r"(?:enable|turn on|activate|requires?) (?:javascript|cookies)|accept (?:all )?cookies|are you a robot"
    r"|verify (?:that )?you are (?:a )?human|checking your browser|access (?:to this page has been )?denied",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[\.\.\.\]|\[…\]|\[\+\d+ chars\])\s*$|(?:continue reading|read (?:more|the full (?:story|article)))\W*$"
    r"|\b(?:subscribe|log in|sign in|register)\b.{0,60}\bto (?:continue|read|keep reading|access)"
    r"|\b(?:last|all your|your) (?:\w+ )?free (?:stor(?:y|ies)|articles?)\b|\bbecome a (?:member|subscriber)\b",
    re.IGNORECASE,
)


TEASER_CHARACTERS: Final = 600
"""An offer to subscribe under a text that is shorter says that the rest is not shown; under a longer one it is furniture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """An article's text and facts. Paragraphs of `text` are separated by an empty line; dates are in UTC."""

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
    updates: tuple[PageUpdate, ...] = ()


def extract(article: Article) -> Extracted:
    """Article in, its text and facts out.

    Raises:
        Rejected: it is empty, is not text, or is shorter than a news flash.
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
    return _extracted(article, facts.PageFacts(), title or article.title, lines, credit)


def _split_title(text: str, feed_title: str) -> tuple[str, str]:
    """Plain text in, its title and the rest out.

    The title is the one that was given. Without one it is the first line, if that is short, no sentence, no day or dateline,
    and alone.
    """
    text = _unwrapped(text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \n\t"))
    first, _, rest = text.partition("\n")
    first = first.strip()
    stands_alone = rest.startswith("\n") or not rest.strip()
    if feed_title.strip():
        same = boilerplate.letters_of(first) == boilerplate.letters_of(feed_title)
        return feed_title, rest if same else text
    looks_like_title = 3 < len(first) <= 200 and first[-1] not in ".;," and rest.strip() != ""
    if looks_like_title and stands_alone and not live.is_day(first) and not _DATELINE.fullmatch(first):
        return first.lstrip("# "), rest
    return "", text


_DATELINE: Final = re.compile(r"[A-Z][A-Z.'’ -]{2,40}(?:,[^()]{0,40})?(?:\([^()]{2,30}\)\s*|\s)[-–—]{0,2}\s?")
"""A place in capitals with a day or an agency behind it: `KYIV, June 2 (Reuters) -`."""


def _unwrapped(text: str) -> str:
    """Join lines that were wrapped at a fixed width, as in mail, where most lines of a paragraph are about that long."""
    blocks = re.split(r"\n\s*\n", text)
    joined = []
    for block in blocks:
        lines = block.split("\n")
        full = [line for line in lines[:-1] if 45 <= len(line.rstrip()) <= 90 and line.rstrip()[-1] not in ".!?"]
        continues = any(line[:1].islower() for line in lines[1:])  # the items of a list begin with a capital
        wrapped = continues and 2 * len(full) > len(lines) - 1
        joined.append(" ".join(line.strip() for line in lines) if wrapped else block)
    return "\n\n".join(joined)


def _from_page(article: Article) -> Extracted:
    tree = load_html(article.html)
    if tree is None:
        # a fragment without tags, or a page in which the parser finds nothing: only its words are left
        return _from_text(msgspec.structs.replace(article, html=html.unescape(re.sub(r"<[^<>]*>", " ", article.html))))
    markup.settle(tree)
    declared = facts.read_facts(tree, article.url)
    title = facts.without_site(next(iter(declared.titles), ""), article.publisher) or article.title
    markup.free_article(tree, titles := (*declared.titles, article.title))
    dates = page_dates.page_dates(tree, declared, article)
    told = declared.updates or live.shown_updates(tree, _life(article, declared, dates))
    headed = clutter.under_headline(tree, titles)
    shown = sum(map(len, headed.paragraphs))
    in_script = [] if shown >= TEASER_CHARACTERS else script_body.paragraphs(tree, titles)
    clutter.remove_clutter(tree)
    clutter.remove_notices(tree, titles)
    body = _body(tree, declared, headed, in_script, title)
    lines, credit = boilerplate.clean([markup.without_notes(line) for line in body], title=title)
    lines, offered = offers.without_offer(lines, title)
    cut = offered or (sum(map(len, lines)) < TEASER_CHARACTERS and any(_CUT_OFF.search(line) for line in body[-2:]))
    return _extracted(article, declared, title, lines, credit, dates=dates, updates=told, cut=cut)


def _life(
    article: Article, declared: facts.PageFacts, dates: tuple[dt.datetime | None, dt.datetime | None]
) -> live.Life:
    begun, changed = dates[0] or article.published_at, dates[1] or article.updated_at
    return live.Life(article.fetched_at, declared.locale or article.locale, begun, changed)


def _body(
    tree: HtmlElement, declared: facts.PageFacts, headed: clutter.Headed, in_script: list[str], title: str
) -> list[str]:
    """A parsed page in, the paragraphs of its body out. `headed` stand under its headline, `in_script` in its scripts."""
    etree.strip_elements(tree, "script", with_tail=False)  # the library would read JSON-LD as one long paragraph
    found = bare_extraction(tree, fast=True, include_comments=False, favor_recall=True)
    lines = boilerplate.paragraphs(found.text) if found is not None and found.text else []
    lines = clutter.without_strangers(lines, headed, title)
    length = sum(map(len, lines))
    # of a body in several parts only one may be found: then the declared body, or the <article>, has far more text
    declared_lines = boilerplate.paragraphs(declared.body)
    updates = [text for one in declared.updates for text in (one.headline, *one.paragraphs) if text]
    fewest = 2 * length + 200 if length >= FEWEST_CHARACTERS else 2 * length
    if not kinship.shares_words(title, " ".join(lines)):  # such as a notice, where the article is in a script
        fewest = FEWEST_CHARACTERS
    if lines and length < TEASER_CHARACTERS and _CUT_OFF.search(lines[-1]):  # the beginning alone is shown
        fewest = length
    for other in (declared_lines, updates):
        if sum(map(len, other)) > fewest:
            return other
    prose = clutter.article_paragraphs(tree)
    if sum(map(len, in_script)) > max(fewest, sum(map(len, prose))):
        return in_script
    return prose if sum(map(len, prose)) > MISSED_TEXT_RATIO * length + 200 else lines


def _extracted(
    article: Article,
    declared: facts.PageFacts,
    title: str,
    lines: list[str],
    credit: str | None,
    *,
    dates: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
    updates: tuple[live.Update, ...] = (),
    cut: bool = False,
) -> Extracted:
    """The text of a page or a plain text in, the result out; what the page does not say is taken from the feed.

    Raises:
        Rejected: the text is empty, too short, or a wall's, and the feed has no text.
    """
    text = "\n\n".join(lines)
    title = title or _title_of_file(article.url)
    is_wall = _is_wall(article, declared, text)
    short = len(text) < FEWEST_CHARACTERS
    fallback = " ".join(boilerplate.paragraphs(article.summary))
    used_summary = (is_wall or short) and len(fallback) >= FEWEST_CHARACTERS
    moments: list[dt.datetime | None] = []
    if used_summary:
        text = fallback
    elif is_wall:
        raise Rejected("wall")
    elif not text and not title:
        raise Rejected("empty")
    elif short:
        raise Rejected("too_short")
    else:
        moments = live.written_at(lines, updates, _life(article, declared, dates))
    if is_wall:  # nothing else of a wall is the article's either
        title, declared, dates, credit = article.title or title, facts.PageFacts(), (None, None), None
    authors, agency = _authors_and_agency(declared.authors or article.authors)
    declared_language = article.language or declared.language
    return Extracted(
        title=" ".join(title.split()),
        text=text,
        authors=authors,
        published_at=dates[0] or article.published_at,
        updated_at=dates[1] or article.updated_at,
        language=language_of(text) or declared_language,
        publisher=article.publisher or declared.publisher,
        credit=credit or agency,
        image_url=declared.image_url,
        canonical_url=article.canonical_url or declared.canonical_url,
        truncated=article.truncated
        or used_summary
        or declared.paywalled
        or cut
        or _CUT_OFF.search(text[-160:]) is not None,
        updates=_updates(lines, moments),
    )


def _updates(lines: list[str], moments: list[dt.datetime | None]) -> tuple[PageUpdate, ...]:
    """The paragraphs of a text and when each was written in, where each update of the text begins out."""
    found: list[PageUpdate] = []
    start = 0
    for line, at in zip(lines, moments, strict=False):
        if at is not None and (not found or found[-1].at != at):
            found.append(PageUpdate(start=start, at=at))
        start += len(line) + 2  # an empty line is between two paragraphs
    return tuple(found)


def _is_wall(article: Article, declared: facts.PageFacts, text: str) -> bool:
    """Whether a text is a wall's: it has no word of what the feed says, or is short and asks for scripts or cookies."""
    if len(text) < 600 and _WALL.search(text) is not None:
        return True
    titles = tuple(kinship.words(title) for title in declared.titles)
    page = kinship.PageWords(titles, text, len(text))
    return bool(text and declared.titles) and not kinship.is_article_of(page, article.title, article.summary)


def _title_of_file(url: str) -> str:
    """A file: URL in, the words of the file's name out: the title where neither the feed nor the text has one."""
    if not url.startswith("file:"):
        return ""
    return " ".join(re.findall(r"\w+", unquote(url).rpartition("/")[2].rpartition(".")[0].replace("_", " ")))


def _authors_and_agency(bylines: Iterable[str]) -> tuple[tuple[str, ...], str | None]:
    """Bylines in, the people and the news agency in them out: "AFP" is not a person."""
    names = [name for byline in bylines for name in facts.split_authors(byline)]
    agencies = [agency for name in names if (agency := boilerplate.agency_of(name))]
    people = tuple(dict.fromkeys(name for name in names if boilerplate.agency_of(name) is None))
    return people, (agencies[0] if agencies else None)


def published_on(article: Article) -> dt.datetime | None:
    """An article in, when its page says it was published out; None where the page does not say, or there is no page."""
    tree = load_html(article.html) if article.content_type.startswith("text/html") else None
    return None if tree is None else page_dates.page_dates(tree, facts.read_facts(tree, article.url), article)[0]


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
    """Whether the text is really binary data, such as a picture or a PDF."""
    head = text[:4000]
    if head.startswith(("%PDF", "PK\x03\x04", "\x89PNG", "GIF8", "\x1f\x8b")):
        return True
    odd = sum(1 for c in head if (c < " " and c not in "\n\r\t\f") or c == "\ufffd" or "\x7f" <= c < "\xa0")
    return odd * 10 > len(head)


# --- the command `dateline extract --jsonl` ---------------------------------------------------------------------------


class _PageLine(msgspec.Struct):
    html: str
    id: Any = None
    url: str = ""


def extract_jsonl(lines: Iterable[bytes | str], *, now: dt.datetime | None = None) -> Iterator[bytes]:
    """Lines of `{"id", "url", "html"}` in, a line for each out. A bad line gives `{"id", "error"}`; the rest goes on."""
    for line in lines:
        if not line.strip():
            continue
        yield msgspec.json.encode(_answer(line, now or dt.datetime.now(dt.UTC)))


def _answer(line: bytes | str, now: dt.datetime) -> dict[str, object]:
    line_id: Any = None
    try:
        decoded = msgspec.json.decode(line)
        line_id = decoded.get("id") if isinstance(decoded, dict) else None
        page = msgspec.convert(decoded, _PageLine)
        extracted = extract(from_page(page.html, page.url, now=now))
    except Rejected as rejected:
        return {"id": line_id, "error": f"rejected: {rejected.reason}"}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"id": line_id, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - one page must not end the run, whatever error a parser raises
        return {"id": line_id, "error": f"{type(error).__name__}: {error}"}
    return {
        "id": line_id,
        "title": extracted.title,
        "text": extracted.text,
        "published": extracted.published_at.isoformat() if extracted.published_at else None,
        "authors": list(extracted.authors),
        "language": extracted.language,
    }


def from_page(page_html: str, url: str, *, now: dt.datetime) -> Article:
    """A page's HTML and URL in, the article that a collector would make of it out."""
    return Article(
        id=content_id(url or page_html),
        url=url,
        feed_id="",
        fetched_at=now,
        first_seen_at=now,
        content_hash=content_id(page_html),
        html=page_html,
    )
