"""The title and text of a feed's entry and a page in, whether the page is the entry's article out. Pure.

A wall (consent, log-in, subscription, browser check, error page) can be worded in any way and any language. What it lacks is
what the entry says: an article has the words of its own headline in its text, and a wall does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree, html
from lxml.html import HtmlElement

ENTRY_WORDS: Final = 3
"""A title with fewer words than this does not tell whether a page is about it."""

TEXT_WORDS: Final = 6
"""The same for the text of an entry."""

HEADLINE_SHARE: Final = 0.6
"""Share of the words of one headline that another has, if both are of one article."""

TITLE_SHARE: Final = 0.34
"""Share of a title's words that an article has in its text. Measured on the pages of tests/cases: articles have 60% or more,
walls 20% or less, so the middle is taken; likewise the next two."""

TEXT_SHARE: Final = 0.2
"""The same for the words of a summary."""

BEYOND_SHARE: Final = 0.1
"""Share of a summary's other words that a short article has at least, beside those of the title."""

ELSEWHERE_SHARE: Final = 0.5
"""The same where the address has led to another site, which walls do, and where a headline alone is no sign."""

PROSE_CHARACTERS: Final = 600
"""A page with so much text under the entry's own headline is its article, even if a playful headline shares no word with it;
with less text one word is enough. Where the feed has a text, its words decide: then a wall can be told, and does no harm."""

_NOT_READ: Final = ("script", "style", "noscript", "template", "nav", "footer", "svg", "select", "button", "a")
_JSON_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)', re.DOTALL)
_LONG_STRING: Final = 40
"""Characters of a string of JSON that may be text."""

_SCRIPT_CHARACTERS: Final = 400_000
STEM: Final = 5
"""Letters of a word that count: `tomatoes` in a headline and `tomato` in the text are one word, in any language."""

_LONG_TITLE: Final = 8
"""Characters of a title in a script without spaces, which is one word here."""

_LONGEST_TITLE: Final = 1000
"""Characters of a title that are looked for: a feed may write a whole text into it."""

_LEAST_REST: Final = 20
"""Characters beside the title of a page that says anything else."""

_WORDS: Final = re.compile(r"\w+")
_NO_SPACES: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+")
"""Scripts that write no spaces between words: Thai, Lao, Japanese and Chinese."""


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words of a page: its headlines, and its text without menus, links and headings."""

    headlines: tuple[frozenset[str], ...] = ()
    text: str = ""
    characters: int = 0

    def body(self, title: str = "") -> frozenset[str]:
        """The words of the text, without those places where it only repeats a title or its form in an address.

        "To read “...”, sign in" and "We found no page for ..." say the title, and nothing of the article. What says nothing
        else is a flash.
        """
        parts = _WORDS.findall(title[:_LONGEST_TITLE].replace("_", " "))
        if len(parts) >= ENTRY_WORDS or (parts and len(title) >= _LONG_TITLE):
            echo = re.compile(r"[\W_]+".join(map(re.escape, parts)), re.IGNORECASE)
            rest = echo.sub(" ", self.text)
            if len(rest.strip()) >= _LEAST_REST:
                return words(rest)
        return words(self.text)


def words(text: str) -> frozenset[str]:
    """Text in, the beginnings of its words of four letters or more and its numbers out, so that inflected forms are one.

    Where a script has no spaces these are pairs of characters.
    """
    folded = text.casefold()
    found: set[str] = set()
    rests = _WORDS.findall(folded)
    if _NO_SPACES.search(folded) is not None:  # seldom, and looking into each word takes longer than all the rest
        for word in rests:
            for run in _NO_SPACES.findall(word):
                found.update(run[i : i + 2] for i in range(max(1, len(run) - 1)))
        rests = [_NO_SPACES.sub("", word) for word in rests]
    found.update(rest[:STEM] for rest in rests if len(rest) >= 4 or (len(rest) >= 2 and rest.isdigit()))
    return frozenset(found)


def read(page: str) -> PageWords:
    """A page in, its words out. No content of a page makes it raise an error."""
    tree = parse(page)
    if tree is None:
        return PageWords(text=page, characters=len(page))
    body = " ".join(_texts(tree))
    characters = len(body)
    if characters < PROSE_CHARACTERS:  # the text of some pages stands in a script only
        body = " ".join([body, *_json_texts(tree), *_texts_without_scripts(tree)])
    return PageWords(tuple(words(title) for title in headlines(tree)), body, characters)


def parse(page: str) -> HtmlElement | None:
    """A page in, its tree out; None where it has none, such as an empty page."""
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def headlines(tree: HtmlElement) -> Iterator[str]:
    """A parsed page in, what may be its headline out: its title, og:title and first-level headings."""
    for element in tree.iter("title", "h1"):
        yield " ".join(element.text_content().split())
    for element in tree.iter("meta"):
        if (element.get("property") or element.get("name") or "").casefold() in ("og:title", "twitter:title"):
            yield element.get("content") or ""


def _texts(tree: HtmlElement) -> Iterator[str]:
    """Yield the texts of a page in its order, without those of menus, links and first-level headings."""
    body = tree.find("body")
    if body is None:
        return
    skipped: set[HtmlElement] = set()
    for element in body.iter():
        parent = element.getparent()
        hidden = (
            parent in skipped or not isinstance(element.tag, str) or element.tag in _NOT_READ or element.tag == "h1"
        )
        if hidden:
            skipped.add(element)
        elif element.text:
            yield " ".join(element.text.split())
        if element.tail and parent is not None and parent not in skipped:
            yield " ".join(element.tail.split())


def _json_texts(tree: HtmlElement) -> Iterator[str]:
    """Yield the long strings of a page's JSON, of its other scripts, and of what its elements keep for scripts."""
    for element in tree.iter("script"):
        if element.text:
            is_json = "json" in (element.get("type") or "").casefold()
            strings = _JSON_STRING.findall(element.text[:_SCRIPT_CHARACTERS])
            yield from (text for text in strings if len(text) >= (_LONG_STRING if is_json else 2 * _LONG_STRING))
    yield from (str(value)[:_SCRIPT_CHARACTERS] for value in tree.xpath(LONG_DATA))


LONG_DATA: Final = "//@*[string-length(.) > 200 and (starts-with(., '{') or contains(., '<p'))]"
"""The attributes of a page that may hold a text: as JSON or as HTML."""

UNSCRIPTED_CHARACTERS: Final = 200
"""Characters of what is shown without scripts. "Please turn scripts on" is shorter."""


def _texts_without_scripts(tree: HtmlElement) -> Iterator[str]:
    """Yield what the page shows to readers without scripts, or makes its elements of."""
    for element in tree.iter("noscript", "template"):
        text = element.text_content()
        if len(text) >= UNSCRIPTED_CHARACTERS:
            yield text


def headed_by(page: PageWords, title: str) -> bool | None:
    """Whether the page has the title as its headline; None for a title that is too short to tell."""
    wanted = words(title)
    if len(wanted) < ENTRY_WORDS:
        return None
    return any(
        len(wanted & headline) >= HEADLINE_SHARE * min(len(wanted), max(len(headline), ENTRY_WORDS))
        for headline in page.headlines
    )


def is_article_of(page: PageWords, title: str, text: str, *, elsewhere: bool = False) -> bool:
    """Whether a page is the article of an entry with this title and text (a summary, or empty).

    `elsewhere`: its address has led to another site. An entry with too few words is given the benefit of the doubt.
    """
    body = page.body(title)
    in_title = _share(words(title), body, ENTRY_WORDS)
    in_text = _share(words(text[:2000]), body, TEXT_WORDS)
    if in_title is None and in_text is None:
        return True
    beyond = _share(words(text[:2000]) - words(title), body, TEXT_WORDS)
    if page.characters < PROSE_CHARACTERS and beyond is not None and beyond < BEYOND_SHARE:
        return False  # a short text that repeats the title, such as an offer to subscribe
    least = ELSEWHERE_SHARE if elsewhere else TITLE_SHARE
    if (in_title or 0.0) >= least or (in_text or 0.0) >= (TITLE_SHARE if elsewhere else TEXT_SHARE):
        return True
    has_prose = page.characters >= PROSE_CHARACTERS or (in_title or 0.0) > 0
    return in_text is None and has_prose and headed_by(page, title) is True


def is_doubtful(page: PageWords, title: str, text: str) -> bool:
    """Whether a page is the article of an entry by its headline alone: neither title nor text have a word in common with it."""
    return (
        _share(words(text[:2000]), (), TEXT_WORDS) is None and _share(words(title), page.body(title), ENTRY_WORDS) == 0
    )


def shares_words(title: str, text: str) -> bool:
    """Whether a text has some of a title's words; also where the title is too short to tell."""
    share = _share(words(title), words(text), ENTRY_WORDS)
    return share is None or share >= TEXT_SHARE


def _share(wanted: frozenset[str], found: Iterable[str], fewest: int) -> float | None:
    return len(wanted.intersection(found)) / len(wanted) if len(wanted) >= fewest else None
