"""A page whose text only its scripts hold in, the paragraphs of its article out. Pure.

Such pages are built in the browser from JSON: `__NEXT_DATA__`, `window.__INITIAL_STATE__ = {...}` and the like. Every publisher
has other names in it. What is common: the article is an object with the page's headline, and its body is its longest text, as
HTML, as plain text, or as a list of blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from lxml.html import HtmlElement

from pipeline.page import kinship
from pipeline.page.json_ld import paragraphs_of

LONGEST: Final = 4_000_000
"""Characters of scripts that are read."""

DEPTH: Final = 40
"""Levels of JSON that are read."""

HEADED: Final = 50
"""The most objects of one script with the page's headline that are read: each may be most of the script."""

SHORTEST: Final = 40
"""Characters. A shorter string is a name or a label, no paragraph."""

_START: Final = re.compile(r"(?:^|[=(,:]|return)\s*(?=[{\[]|\"[^\"]{0,40}\{\\\")")
"""Where JSON may begin in a script: `window.state = {`, `push([`, `JSON.parse("{`."""

ATTEMPTS: Final = 60
"""Places of one script that are tried: most scripts are code, and none of theirs is JSON."""

_UNDEFINED: Final = re.compile(r"(?<=[:,\[])\s*(?:undefined|void 0)(?=\s*[,}\]])")
_DECODER: Final = json.JSONDecoder()
_TITLES: Final = ("headline", "headlines", "title", "name", "heading")
"""How the names of headlines end: "title", "seoTitle", "articleTitle"."""

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
        if text.startswith("<"):
            told = _prose(text)
            fits = any(kinship.shares_words(title, " ".join(told)) for title in titles)
            best = told if fits and sum(map(len, told)) > sum(map(len, best)) else best
        states = list(_states(text))
        named: dict[str, object] = {}
        for state in states:
            _name(state, named, 0)
        body = _Body(named, frozenset().union(*wanted))
        tried: dict[int, object] = {}
        for thing, around in islice(_headed(states, {}, wanted, 0), HEADED):
            found = body.read(thing, 0)
            if not found and id(around) not in tried:
                tried[id(around)] = around
                found = body.read(around, 0)
            if sum(map(len, found)) > sum(map(len, best)):
                best = found
    return best


def _sources(tree: HtmlElement) -> Iterator[str]:
    """Yield the scripts of a page and those attributes of its elements that hold JSON, up to `LONGEST` characters of them."""
    left = LONGEST
    scripts = (s.text or "" for s in tree.iter("script") if "ld+json" not in (s.get("type") or ""))
    attributes = (str(value) for value in tree.xpath(kinship.LONG_DATA))
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


def _headed(
    node: object, around: dict[str, Any], wanted: list[frozenset[str]], depth: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the objects that have the page's headline, each with the one it is a part of; also in JSON that is a string."""
    if depth > DEPTH:
        return
    if isinstance(node, dict):
        titles = (value for key, value in node.items() if key.casefold().endswith(_TITLES))
        names = [kinship.words(title) for value in titles for title in _strings(value)]
        if any(len(name & title) >= 0.8 * max(len(name), len(title)) for name in names for title in wanted):
            yield node, around
        for value in node.values():
            yield from _headed(value, node, wanted, depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _headed(value, {}, wanted, depth + 1)
    elif isinstance(node, str) and len(node) >= 200 and '{"' in node:
        for state in _states(node):
            yield from _headed(state, {}, wanted, depth + 2)


LONGEST_TITLE: Final = 300
"""Characters."""


def _strings(value: object) -> list[str]:
    """Return a title, or the titles of an object such as {"basic": ..., "mobile": ...}."""
    if isinstance(value, dict):
        return [text for text in value.values() if isinstance(text, str) and len(text) <= LONGEST_TITLE]
    return [value] if isinstance(value, str) and len(value) <= LONGEST_TITLE else []


class _Body:
    """Reads articles' objects. `named` are the objects that others refer to, `wanted` the words of the page's headlines."""

    def __init__(self, named: dict[str, object], wanted: frozenset[str]) -> None:
        self._named, self._wanted = named, wanted

    def read(self, node: object, depth: int) -> list[str]:
        """An article's object in, its body out: of one string, or of the blocks of one list."""
        if depth > DEPTH:
            return []
        if isinstance(node, str):
            return _prose(node)
        if isinstance(node, dict):
            if isinstance(reference := node.get("__ref"), str):
                return self.read(
                    self._named.get(reference), depth + 4
                )  # more than a level, as references may go in a circle
            if any(str(node.get(key)).casefold() in _PARAGRAPHS for key in _KINDS) and (joined := _joined(node, depth)):
                return joined
            return self._best([part for value in node.values() if (part := self.read(value, depth + 1))])
        if isinstance(node, list):
            return [paragraph for value in node for paragraph in self.read(value, depth + 1)]
        return []

    def _best(self, parts: list[list[str]]) -> list[str]:
        """Return the longest part; where others are about as long, one with words of the headline goes before."""
        lengths = [sum(map(len, part)) for part in parts]
        longest = max(lengths, default=0)
        rivals = [(n, part) for n, part in zip(lengths, parts, strict=True) if n * RIVAL_SHARE >= longest]
        if len(rivals) > 1:
            told = {n: len(self._wanted & kinship.words(" ".join(part))) for n, part in rivals}
            rivals = [rival for rival in rivals if told[rival[0]] >= kinship.TITLE_SHARE * len(self._wanted)] or rivals
        return max(rivals, key=lambda rival: rival[0], default=(0, []))[1]


RIVAL_SHARE: Final = 3
"""So many times longer than the body the texts of other articles beside it may be."""


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
