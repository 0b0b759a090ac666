"""A page whose text only its scripts hold in, the paragraphs of its article out. Pure.

Such pages are built in the browser from JSON: `__NEXT_DATA__`, `window.__INITIAL_STATE__ = {...}` and the like. Every publisher
has other names in it. What is common: the article is an object with the page's headline, and its body is its longest text, as
HTML, as plain text, or as a list of blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from lxml.html import HtmlElement

from pipeline.page import kinship
from pipeline.page.json_ld import paragraphs_of

LONGEST: Final = 4_000_000
"""Characters of scripts that are read."""

DEPTH: Final = 40
"""Levels of JSON that are read."""

SHORTEST: Final = 40
"""Characters. A shorter string is a name or a label, no paragraph."""

_START: Final = re.compile(r"(?:^|[=(,:]|return)\s*(?=[{\[]|\"[^\"]{0,40}\{\\\")")
"""Where JSON may begin in a script: `window.state = {`, `push([`, `JSON.parse("{`."""

ATTEMPTS: Final = 60
"""Places of one script that are tried: most scripts are code, and none of theirs is JSON."""

_UNDEFINED: Final = re.compile(r"(?<=[:,\[])\s*(?:undefined|void 0)(?=\s*[,}\]])")
_DECODER: Final = json.JSONDecoder()
_TITLES: Final = ("headline", "headlines", "title", "name", "seoTitle", "heading")
_KINDS: Final = ("nodeType", "type", "tag", "tagName", "_type", "kind")
_PARAGRAPHS: Final = frozenset(("paragraph", "p", "block", "heading", "listitem", "list-item", "li", "blockquote"))
_TEXTS: Final = ("value", "text", "content", "children", "nodes", "leaves")
_ADDRESS: Final = re.compile(r"^(?:https?:|data:|/)\S*$|^\S+$")
_NO_PROSE: Final = re.compile(r"[{}<>]{2}|function\s*\(|^\s*[.#@][\w-]+\s*\{|\w+:\w+;")


def paragraphs(tree: HtmlElement, titles: tuple[str, ...]) -> list[str]:
    """A parsed page and its possible headlines in, the paragraphs of the article in its scripts out; empty without one."""
    wanted = [names for title in titles if len(names := kinship.words(title)) >= 2]
    best: list[str] = []
    for text in _sources(tree):
        states = list(_states(text))
        named: dict[str, object] = {}
        for state in states:
            _name(state, named, 0)
        for thing in _headed(states, wanted, 0):
            found = _body(thing, named, 0)
            if sum(map(len, found)) > sum(map(len, best)):
                best = found
    return best


def _sources(tree: HtmlElement) -> Iterator[str]:
    """Yield the scripts of a page and those attributes of its elements that hold JSON, up to `LONGEST` characters of them."""
    left = LONGEST
    scripts = (s.text or "" for s in tree.iter("script") if "ld+json" not in (s.get("type") or ""))
    attributes = (str(value) for value in tree.xpath("//@*[string-length(.) > 200 and starts-with(., '{')]"))
    for text in chain(scripts, attributes):
        left -= len(text)
        if len(text) >= 200 and left >= 0:
            yield text


def _states(text: str) -> Iterator[object]:
    """Yield the JSON of a script: all of it, or what it gives to variables and functions."""
    text = _UNDEFINED.sub("null", text)
    position, attempts = 0, 0
    while attempts < ATTEMPTS and (found := _START.search(text, position)) is not None:
        attempts += 1
        try:
            state, position = _DECODER.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            position = found.end() + 1
        else:
            yield state


def _name(node: object, named: dict[str, object], depth: int) -> None:
    """Note the objects that others refer to by name, such as "Body:1"."""
    if depth > DEPTH:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if ":" in key and isinstance(value, dict):
                named.setdefault(key, value)
            _name(value, named, depth + 1)
    elif isinstance(node, list):
        for value in node:
            _name(value, named, depth + 1)


def _headed(node: object, wanted: list[frozenset[str]], depth: int) -> Iterator[dict[str, Any]]:
    """Yield the objects that have the page's headline, also in JSON that is a string of JSON."""
    if depth > DEPTH:
        return
    if isinstance(node, dict):
        names = [kinship.words(title) for key in _TITLES for title in _strings(node.get(key))]
        if any(len(name & title) >= 0.8 * max(len(name), len(title)) for name in names for title in wanted):
            yield node
        for value in node.values():
            yield from _headed(value, wanted, depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _headed(value, wanted, depth + 1)
    elif isinstance(node, str) and len(node) >= 200 and '{"' in node:
        for state in _states(node):
            yield from _headed(state, wanted, depth + 2)


def _strings(value: object) -> list[str]:
    """Return a title, or the titles of an object such as {"basic": ..., "mobile": ...}."""
    if isinstance(value, dict):
        return [text for text in value.values() if isinstance(text, str)]
    return [value] if isinstance(value, str) else []


def _body(node: object, named: dict[str, object], depth: int) -> list[str]:
    """An article's object in, its longest run of paragraphs out: of one string, or of the blocks of one list."""
    if depth > DEPTH:
        return []
    if isinstance(node, str):
        return _prose(node)
    if isinstance(node, dict):
        if isinstance(reference := node.get("__ref"), str):
            return _body(named.get(reference), named, depth + 4)  # more than a level, as references may go in a circle
        if any(str(node.get(key)).casefold() in _PARAGRAPHS for key in _KINDS) and (joined := _joined(node, depth)):
            return joined
        parts = [_body(value, named, depth + 1) for value in node.values()]
        return max(parts, key=lambda part: sum(map(len, part)), default=[])
    if isinstance(node, list):
        return [paragraph for value in node for paragraph in _body(value, named, depth + 1)]
    return []


def _joined(node: dict[str, Any], depth: int) -> list[str]:
    """A paragraph in, its text out: it may be in pieces, as links and words in bold are objects of their own."""
    if not any(isinstance(node.get(key), list) for key in _TEXTS):
        return []
    return _prose("".join(_pieces(node, depth)))


def _pieces(node: object, depth: int) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list) and depth <= DEPTH:
        for value in node:
            yield from _pieces(value, depth + 1)
    elif isinstance(node, dict) and depth <= DEPTH:
        for key in _TEXTS:
            if key in node:
                yield from _pieces(node[key], depth + 1)
                return


def _prose(text: str) -> list[str]:
    """A string in, its paragraphs out; an empty list for an address, a name or code."""
    if len(text) < SHORTEST or _ADDRESS.match(text) or (_NO_PROSE.search(text) and "</" not in text):
        return []
    return [paragraph for paragraph in paragraphs_of(text) if " " in paragraph or len(paragraph) >= SHORTEST]
