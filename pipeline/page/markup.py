"""Mark-up that changes what a page says: struck and hidden text, footnotes, and articles in odd elements. Pure.

`settle` changes a parsed page, before anything is read from it, so that its plain text says what a reader of the page sees.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree
from lxml.html import HtmlElement

_STRUCK_TAGS: Final = ("del", "s", "strike")
_STRUCK_MARK: Final = re.compile(
    r"(?:^|[\s_-])(?:line-through|strikethrough|strike-through|struck|superseded)(?:$|[\s_-])"
)
_STRUCK_STYLE: Final = re.compile(r"text-decoration(?:-line)?\s*:[^;}]*line-through", re.IGNORECASE)
_HIDDEN_STYLE: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|em|rem|%)?\s*(?:;|!|\}|$)",
    re.IGNORECASE,
)
_AT_BLOCK: Final = re.compile(
    r"@[^{};]{0,300}\{(?:[^{}]{0,4000}\{[^{}]{0,4000}\}){0,200}[^{}]{0,400}\}|/\*.{0,4000}?\*/", re.DOTALL
)
_RULE: Final = re.compile(r"([^{}]{1,400})\{([^{}]{0,2000})\}")
_SIMPLE: Final = re.compile(r"(?:[a-z]{1,10})?([.#])([\w-]{1,60})", re.IGNORECASE)

_LARGEST_PART: Final = 0.3
"""Share of the page's text. A hidden part with more than this is the article, which a script shows."""

_ORDINAL: Final = re.compile(r"(?:st|nd|rd|th|er|re|e|[ºªoa])", re.IGNORECASE)
_NOTE: Final = re.compile(
    r"[\[(]?\s*(?:\d{1,3}|[a-z]|note \d{1,2})(?:\s*[,;–-]\s*\d{1,3})*\s*[\])]?|[*†‡§¶#]+", re.IGNORECASE
)
_NOTE_MARK: Final = re.compile(r"(?:foot|end)?note|cite|reference|\bref\b|\bfn\b", re.IGNORECASE)
_POWER_OF: Final = re.compile(r"(?:(?<![^\W\d])[kcdmn]?m|\bmi|\bft|\byd|\bin|\bcm|\b10)$")
"""Before these, a raised number is a power: km², 10⁶."""

_RAISED: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def settle(tree: HtmlElement) -> None:
    """A parsed page in; its struck and hidden text and its footnote marks are removed, and powers become one character each."""
    struck, hidden = _rules(tree)
    body = tree.find("body") if tree.tag != "body" else tree
    whole = len(body.text_content()) if body is not None else 0
    for element in list(tree.iter(etree.Element)):
        if element.getparent() is None or element.tag in ("html", "body", "head"):
            continue
        if _is_struck(element, struck) or (
            _is_hidden(element, hidden) and len(element.text_content()) < whole * _LARGEST_PART
        ):
            _drop(element)
        elif element.tag == "sup":
            _settle_raised(element)
    _free_article(tree)


def _drop(element: HtmlElement) -> None:
    """Remove an element; a space stays where it stood between two words."""
    element.tail = f" {element.tail or ''}"
    element.drop_tree()


def _is_struck(element: HtmlElement, names: frozenset[str]) -> bool:
    return (
        element.tag in _STRUCK_TAGS
        or _STRUCK_STYLE.search(element.get("style") or "") is not None
        or _STRUCK_MARK.search((element.get("class") or "").casefold()) is not None
        or bool(names & _names(element))
    )


def _is_hidden(element: HtmlElement, names: frozenset[str]) -> bool:
    return (
        element.get("hidden") is not None
        or element.tag == "template"
        or (element.tag == "dialog" and element.get("open") is None)
        or _HIDDEN_STYLE.search(element.get("style") or "") is not None
        or bool(names & _names(element))
    )


def _names(element: HtmlElement) -> set[str]:
    """Return the class names and the id of an element, as simple selectors."""
    names = {f".{name}" for name in (element.get("class") or "").split()}
    return names | {f"#{element.get('id')}"} if element.get("id") else names


def _rules(tree: HtmlElement) -> tuple[frozenset[str], frozenset[str]]:
    """Return the simple selectors (.class, #id) that the page's own styles strike through, and those that they hide."""
    struck: set[str] = set()
    hidden: set[str] = set()
    for style in tree.iter("style"):
        for selectors, rules in _RULE.findall(_AT_BLOCK.sub(" ", (style.text or "")[:200_000])):
            simple = {
                f"{found.group(1)}{found.group(2)}"
                for selector in selectors.split(",")
                if (found := _SIMPLE.fullmatch(selector.strip())) is not None
            }
            if _STRUCK_STYLE.search(rules):
                struck |= simple
            elif _HIDDEN_STYLE.search(rules):
                hidden |= simple
    return frozenset(struck), frozenset(hidden)


def _settle_raised(raised: HtmlElement) -> None:
    """Remove a raised mark of a note, and write a power in raised digits: neither may be read as part of a number."""
    text = " ".join(raised.text_content().split())
    previous, parent = raised.getprevious(), raised.getparent()
    before = (previous.tail if previous is not None else parent.text if parent is not None else "") or ""
    linked = any((link.get("href") or "").find("#") >= 0 for link in raised.iter("a"))
    marked = _NOTE_MARK.search(f"{raised.get('class') or ''} {raised.get('id') or ''}") is not None
    if text.lstrip("-").isdigit() and not linked and not marked and _POWER_OF.search(before.rstrip()):
        for child in list(raised):
            child.drop_tag()
        raised.text = text.translate(_RAISED)
    elif linked or marked or (_NOTE.fullmatch(text) and not _ORDINAL.fullmatch(text)):
        raised.drop_tree()


_FRAMES: Final = ("aside", "td", "th", "tr", "tbody", "table", "section", "fieldset", "form")


def _free_article(tree: HtmlElement) -> None:
    """Make plain blocks of the elements that hold the page's headline: an article may stand in an aside or in a table."""
    for headline in list(tree.iter("h1")):
        for element in headline.iterancestors():
            if element.tag in _FRAMES:
                element.tag = "div"
