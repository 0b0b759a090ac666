"""A page of several articles in, the part that is one of them out: a post of a live page, an item of a round-up. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from lxml import etree, html
from lxml.html import HtmlElement

from pipeline.page.kinship import HEADLINE_SHARE, parse, words

SHORTEST: Final = 40
"""Characters. A part with less is only a heading or an anchor."""

_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_BOUND: Final = ("tr", "td", "th", "li", "dt", "dd", "summary")
_NAMES: Final = (*_HEADINGS, "a", "dt", "summary")
_ITEMS: Final = ("article", "section", "li", "div", "td", "tr", "details", "header", "hgroup")


def find(page: str, fragment: str, title: str) -> str | None:
    """A page, the fragment of a link to it and the title that is looked for in, the HTML of that part out; None without one.

    The part is the element that the fragment names; else the one under the heading that has the title's words.
    """
    tree = parse(page)
    if tree is None:
        return None
    for element in (*_named(tree, unquote(fragment)), *_headed(tree, title)):
        if (part := _around(element)) is not None:
            return part
    return None


def _named(tree: HtmlElement, name: str) -> Iterator[HtmlElement]:
    """Yield the element that a fragment names."""
    if name and not name.startswith(("/", "!")):
        for element in tree.iter(etree.Element):
            if name in (element.get("id"), element.get("name")) and element.tag not in ("html", "body", "meta"):
                yield element
                return


def _headed(tree: HtmlElement, title: str) -> Iterator[HtmlElement]:
    """Yield the headings below the first level that have the title's words."""
    wanted = words(title)
    if len(wanted) < 2:
        return
    for element in tree.iter(*_HEADINGS[1:]):
        found = words(element.text_content())
        if len(wanted & found) >= HEADLINE_SHARE * max(len(wanted), len(found)):
            yield element


def _around(element: HtmlElement) -> str | None:
    """An element that names or heads a part in, the HTML of the part out; None where there is no text."""
    if _length(element) >= SHORTEST and element.tag not in _NAMES:
        return _markup(element)
    parent = element.getparent()
    # an anchor or a heading: its own block if the block has no second heading of the kind, else what follows
    while parent is not None and parent.tag in _ITEMS and _length(parent) < _length(element) + SHORTEST:
        element, parent = parent, parent.getparent()
    if parent is None:
        return None
    if parent.tag in _ITEMS and len(list(parent.iter(*_HEADINGS))) <= 1:
        return _markup(parent)
    followers = []
    for sibling in element.itersiblings():
        if sibling.tag in _HEADINGS or (sibling.tag == "a" and sibling.get("name")) or sibling.get("id"):
            break
        followers.append(sibling)
    if sum(map(_length, followers)) < SHORTEST:
        return None
    return "".join(map(_markup, (element, *followers)))


def _length(element: HtmlElement) -> int:
    return len(re.sub(r"\s+", " ", element.text_content())) if isinstance(element.tag, str) else 0


def _markup(element: HtmlElement) -> str:
    """Return an element as HTML that stands alone: a cell or an item of a list would be dropped without its table or list."""
    text = str(html.tostring(element, encoding="unicode", with_tail=False))
    return re.sub(r"(</?)(?:tr|td|th|tbody|li|dt|dd|summary)\b", r"\1div", text) if element.tag in _BOUND else text
