"""Mark-up that changes what a page says: struck and hidden text, footnotes, and articles in odd elements. Pure.

`settle` changes a parsed page, before anything is read from it, so that its plain text says what a reader of the page sees. The
only importer of cssselect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cssselect import SelectorError
from lxml import etree, html
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from pipeline.page import kinship
from pipeline.page.boilerplate import letters_of
from pipeline.page.plain import POWER_OF, RAISED, without_struck_letters

_STRUCK_TAGS: Final = ("del", "s", "strike")
_STRUCK_MARK: Final = re.compile(
    r"(?:^|[\s_-])(?:line-?through|strike-?through|struck|superseded|deleted|removed-text|text-removed)(?:$|[\s_-])"
)
_STRUCK_WORDS: Final = re.compile(
    r"(?:^|\s)(?:\w{1,4}[-_]+|text[-_])?(?:strike(?:[-_]?(?:out|text))?|striked|del(?:eted)?(?:[-_]text)?)(?:$|\s)"
)
"""The same for a span or the like within a sentence: of a whole block, "strike" is rather what it is about."""

_WITHIN: Final = ("span", "font", "em", "i", "b", "strong", "u", "small", "abbr", "a", "label")
_STRUCK_DATA: Final = ("data-strike", "data-strikethrough", "data-deleted")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STRUCK_STYLE: Final = re.compile(r"text-decoration(?:-line)?\s*:[^;}]*line-through", re.IGNORECASE)
_HIDDEN_STYLE: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?:\.0+)?(?:px|em|rem|%)?\s*(?:;|!|\}|$)"
    r"|(?:left|top|right|text-indent)\s*:\s*-\d{4,5}(?:px|em|rem)|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01]",
    re.IGNORECASE,
)
_UNSEEN_MARK: Final = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-?reader(?:-?(?:text|only))?|assistive-text|u-hidden-visually)(?:$|\s)",
    re.IGNORECASE,
)
"""Text that is read aloud only: "opens in a new window". Some sites mark their only headline so."""

_HEADLINES: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_MEDIA: Final = re.compile(r"@[^{};]{0,300}\{((?:[^{}]{0,4000}\{[^{}]{0,4000}\}){0,200}[^{}]{0,400})\}", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.{0,4000}?\*/", re.DOTALL)
_RULE: Final = re.compile(r"([^{}]{1,400})\{([^{}]{0,2000})\}")

SELECTORS: Final = 100
"""Selectors of a page's own styles that are followed. Those that strike or hide something are few."""

_LARGEST_PART: Final = 0.3
"""Share of the page's text. A hidden part with more than this is the article, which a script shows."""

_ORDINAL: Final = re.compile(r"(?:st|nd|rd|th|er|re|e|[ºªoa])", re.IGNORECASE)
_NOTE: Final = re.compile(
    r"[\[(]?\s*(?:\d{1,3}|[a-z]|[ivx]{2,5}|note \d{1,2})(?:\s*[,;–-]\s*\d{1,3})*\s*[\])]?|[*†‡§¶#]+\d{0,2}",
    re.IGNORECASE,
)
_LONGEST_NOTE: Final = 30
"""Characters. What is longer is no mark of a note."""

_RAISED_STYLE: Final = re.compile(
    r"vertical-align\s*:\s*(?:super|text-top|[.\d]+(?:em|px|%))|(?:^|[;{\s])top\s*:\s*-[.\d]+(?:em|ex|px)",
    re.IGNORECASE,
)
_NOTE_MARK: Final = re.compile(
    r"(?:foot|end)?note|cite|reference|\bref\b|\bfn\b|(?:^|\s)super(?:script)?(?:$|\s)|(?:^|\s)sup(?:$|\s)",
    re.IGNORECASE,
)
_POWER_OF: Final = re.compile(f"{POWER_OF}$")


def settle(tree: HtmlElement) -> None:
    """A parsed page in; its struck and hidden text and its footnote marks are removed, and powers become one character each."""
    _settle_blocks(tree)
    struck, hidden, lifted = _styled(tree)
    body = tree.find("body") if tree.tag != "body" else tree
    whole = len(body.text_content()) if body is not None else 0
    for element in list(tree.iter(etree.Element)):
        if element.getparent() is None or element.tag in ("html", "body", "head"):
            continue
        if _is_struck(element, struck) or (
            _is_hidden(element, hidden) and len(element.text_content()) < whole * _LARGEST_PART
        ):
            _drop(element)
        elif element.tag in ("sup", "sub", "a", "span"):
            _settle_raised(element, lifted)
    free_article(tree)


_BLOCKS: Final = frozenset(
    (
        "p", "div", "ul", "ol", "table", "section", "article", "blockquote", "pre", "figure", "form", "aside", "nav", "dl",
        "hr", *_HEADLINES,
    )
)  # fmt: skip
LOOSE_CHARACTERS: Final = 40
"""Characters of a text outside of paragraphs that is one itself."""


def _settle_blocks(tree: HtmlElement) -> None:
    """Make paragraphs and blocks of what only looks like them.

    That is text behind a headline, old mark-up, and parts for readers without scripts.
    """
    body = tree.find("body")
    if body is None:
        return
    whole = len(body.text_content())
    for element in list(body.iter("noscript", "template")):
        length = len(element.text_content())
        if length >= kinship.UNSCRIPTED_CHARACTERS and 2 * length >= whole:
            element.tag = "div"
    for element in list(body.iter("font", "center", "details", "summary", *_HEADLINES)):
        if element.tag in _HEADLINES:
            if len((element.tail or "").strip()) >= LOOSE_CHARACTERS:
                _wrap(element, element.tail or "")
        elif element.tag == "summary":
            element.tag = "p" if len(element.text_content()) >= 2 * LOOSE_CHARACTERS else element.tag
        elif element.tag == "details" or any(child.tag in _BLOCKS for child in element):
            element.tag = "div"
            if len((element.text or "").strip()) >= LOOSE_CHARACTERS:
                _wrap(None, element.text or "", element)


def _wrap(before: HtmlElement | None, text: str, inside: HtmlElement | None = None) -> None:
    """Put a text and what follows it in its line into a paragraph: behind an element, or at the beginning of one."""
    paragraph = html.Element("p")
    paragraph.text = text
    following = list(before.itersiblings()) if before is not None else list(inside if inside is not None else ())
    if before is not None:
        before.tail = None
        before.addnext(paragraph)
    elif inside is not None:
        inside.text = None
        inside.insert(0, paragraph)
    for element in following:
        if not isinstance(element.tag, str) or element.tag in _BLOCKS or element.tag == "br":
            return
        paragraph.append(element)


def _drop(element: HtmlElement) -> None:
    """Remove an element; a space stays where it stood between two words."""
    element.tail = f" {element.tail or ''}"
    element.drop_tree()


def _is_struck(element: HtmlElement, styled: set[HtmlElement]) -> bool:
    marks = _CAMEL.sub("-", element.get("class") or "").casefold()
    return (
        element.tag in _STRUCK_TAGS
        or element.get("role") == "deletion"
        or any(element.get(name) not in (None, "false") for name in _STRUCK_DATA)
        or _STRUCK_STYLE.search(element.get("style") or "") is not None
        or _STRUCK_MARK.search(marks) is not None
        or (element.tag in _WITHIN and _STRUCK_WORDS.search(marks) is not None)
        or element in styled
    )


def _is_hidden(element: HtmlElement, styled: set[HtmlElement]) -> bool:
    return (
        element.get("hidden") is not None
        or element.tag == "template"
        or (element.tag == "dialog" and element.get("open") is None)
        or _HIDDEN_STYLE.search(element.get("style") or "") is not None
        or (element.tag not in _HEADLINES and _UNSEEN_MARK.search(element.get("class") or "") is not None)
        or element in styled
    )


def _styled(tree: HtmlElement) -> tuple[set[HtmlElement], set[HtmlElement], set[HtmlElement]]:
    """Return the elements that the page's own styles strike through, those that they hide, and those that they raise.

    What is hidden on some screens only (@media) is not hidden.
    """
    struck: list[str] = []
    hidden: list[str] = []
    lifted: list[str] = []
    for style in tree.iter("style"):
        text = _COMMENT.sub(" ", (style.text or "")[:200_000])
        everywhere = _MEDIA.sub(" ", text)
        for selectors, rules in _RULE.findall(_MEDIA.sub(r" \1 ", text)):
            if _STRUCK_STYLE.search(rules):
                struck += selectors.split(",")
        for selectors, rules in _RULE.findall(everywhere):
            if _HIDDEN_STYLE.search(rules):
                hidden += selectors.split(",")
            if _RAISED_STYLE.search(rules):
                lifted += selectors.split(",")
    return _selected(tree, struck), _selected(tree, hidden), _selected(tree, lifted)


def _selected(tree: HtmlElement, selectors: Iterable[str]) -> set[HtmlElement]:
    """Return the elements that CSS selectors select. A selector that is not known, or of a tag alone, selects none."""
    found: set[HtmlElement] = set()
    for selector in list(dict.fromkeys(map(str.strip, selectors)))[:SELECTORS]:
        if not re.search(r"[.#\[]", selector):
            continue
        try:
            found.update(CSSSelector(selector, translator="html")(tree))
        except (SelectorError, etree.XPathError, RecursionError):
            continue
    return found


def _settle_raised(raised: HtmlElement, lifted: set[HtmlElement]) -> None:
    """Remove a raised mark of a note, and write a power in raised digits: neither may be read as part of a number.

    A link or span counts as raised if it is marked as a note, raised by its style, or leads to a place on the page.
    """
    text = " ".join(raised.text_content().split())
    if len(text) > _LONGEST_NOTE:
        return
    previous, parent = raised.getprevious(), raised.getparent()
    before = (previous.tail if previous is not None else parent.text if parent is not None else "") or ""
    before = before[-_LONGEST_NOTE:]  # it grows with each mark that is removed
    links = [raised] if raised.tag == "a" else list(raised.iter("a"))
    linked = any((link.get("href") or "").find("#") >= 0 for link in links)
    marked = _NOTE_MARK.search(f"{raised.get('class') or ''} {raised.get('id') or ''}") is not None
    if raised.tag != "sup":
        styled = raised in lifted or _RAISED_STYLE.search(raised.get("style") or "") is not None
        joins = before[-1:].isalnum() if raised.tag == "sub" else (linked or marked or styled)
        if joins and _NOTE.fullmatch(text) and (raised.tag != "sub" or before[-1:].isdigit()):
            raised.drop_tree()
        return
    if text.lstrip("-").isdigit() and not linked and not marked and _POWER_OF.search(before.rstrip()):
        for child in list(raised):
            child.drop_tag()
        raised.text = text.translate(RAISED)
    elif linked or marked or (_NOTE.fullmatch(text) and not _ORDINAL.fullmatch(text)):
        raised.drop_tree()


_FRAMES: Final = ("aside", "td", "th", "tr", "tbody", "table", "section", "fieldset", "form")


_HEADING_TAGS: Final = ("h2", "h3", "h4", "b", "strong", "font", "big", "th")


def headlines(tree: HtmlElement, titles: Sequence[str] = ()) -> list[HtmlElement]:
    """A parsed page and its possible titles in, its headline out: the first-level headings, else another that is a title."""
    found = [
        element
        for element in tree.iter(etree.Element)
        if element.tag == "h1" or (element.get("role") == "heading" and element.get("aria-level") == "1")
    ]
    wanted = {letters for title in titles if len(letters := letters_of(title)) >= _SHORTEST_HEADLINE}
    if found or not wanted:
        return found
    return [element for element in tree.iter(*_HEADING_TAGS) if letters_of(element.text_content()) in wanted][:1]


_SHORTEST_HEADLINE: Final = 12
"""Letters. A shorter title may stand in a menu too."""


def free_article(tree: HtmlElement, titles: Sequence[str] = ()) -> None:
    """Make plain blocks of the elements that hold the page's headline: an article may stand in an aside or in a table.

    Where the headline stands outside of it, the article is the frame right after it.
    """
    for headline in headlines(tree, titles):
        inside = [element for element in headline.iterancestors() if element.tag in _FRAMES]
        for element in inside or _frames_after(headline):
            element.tag = "div"


def _frames_after(headline: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the frame that follows a headline and has its words, and the frames in it that have them."""
    wanted = kinship.words(headline.text_content())

    def has_words(element: HtmlElement) -> bool:
        found = kinship.words(element.text_content())
        return len(wanted & found) >= max(kinship.TITLE_SHARE * len(wanted), 2)

    for node in (headline, *headline.iterancestors("header", "hgroup", "div")):
        for sibling in node.itersiblings():
            if isinstance(sibling.tag, str) and has_words(sibling):
                if sibling.tag in _FRAMES:
                    yield from [element for element in sibling.iter(*_FRAMES) if has_words(element)]
                return


def without_notes(line: str) -> str:
    """A paragraph in, the same without raised digits behind a number out: they are marks of notes, except in powers of ten.

    Letters that are struck through by a sign of Unicode are left out too.
    """
    return _RAISED_DIGITS.sub("", without_struck_letters(line))


_RAISED_DIGITS: Final = re.compile(r"(?<=\d)(?<!\b10)[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
