"""A page whose text only its scripts hold in, the paragraphs of its article out. Pure.

Such pages are built in the browser from JSON: `__NEXT_DATA__`, `window.__INITIAL_STATE__ = {...}` and the like. Every publisher
has other names in it. What is common: the article is an object with the page's headline, and its body is its longest text, as
HTML, as plain text, or as a list of blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml.html import HtmlElement

from pipeline.page import kinship
from pipeline.page.json_ld import paragraphs_of

LONGEST: Final = 4_000_000
"""Characters of scripts that are read."""

DEPTH: Final = 40
"""Levels of JSON that are read."""

SHORTEST: Final = 40
"""Characters. A shorter string is a name or a label, no paragraph."""

_STATE: Final = re.compile(
    r"^\s*(?:window|self|globalThis)?\.?[\w.$]{2,40}(?:\[[\"'][\w-]{2,40}[\"']\])?\s*=\s*(?=[{\[])"
)
_TITLES: Final = ("headline", "title", "name", "seoTitle", "heading")
_ADDRESS: Final = re.compile(r"^(?:https?:|data:|/)\S*$|^\S+$")
_NO_PROSE: Final = re.compile(r"[{}<>]{2}|function\s*\(|^\s*[.#@][\w-]+\s*\{|\w+:\w+;")


def paragraphs(tree: HtmlElement, titles: tuple[str, ...]) -> list[str]:
    """A parsed page and its possible headlines in, the paragraphs of the article in its scripts out; empty without one."""
    wanted = [names for title in titles if len(names := kinship.words(title)) >= 2]
    best: list[str] = []
    left = LONGEST
    for script in tree.iter("script"):
        text = script.text or ""
        left -= len(text)
        if len(text) < 200 or left < 0 or "ld+json" in (script.get("type") or ""):
            continue
        for thing in _headed(_state(text), wanted, 0):
            found = _body(thing, 0)
            if sum(map(len, found)) > sum(map(len, best)):
                best = found
    return best


def _state(text: str) -> object:
    """Return the JSON of a script that is JSON, or that gives JSON to a variable; None for any other script."""
    found = _STATE.match(text)
    start = found.end() if found is not None else 0
    text = text[start:].strip()
    if not text.startswith(("{", "[")):
        return None
    end = max(text.rfind("}"), text.rfind("]")) + 1
    for attempt in (text, text[:end], text.partition("};")[0] + "}"):
        try:
            return msgspec.json.decode(attempt.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            continue
    return None


def _headed(node: object, wanted: list[frozenset[str]], depth: int) -> Iterator[dict[str, Any]]:
    """Yield the objects that have the page's headline."""
    if depth > DEPTH:
        return
    if isinstance(node, dict):
        names = [kinship.words(node[key]) for key in _TITLES if isinstance(node.get(key), str)]
        if any(len(name & title) >= 0.8 * max(len(name), len(title)) for name in names for title in wanted):
            yield node
        for value in node.values():
            yield from _headed(value, wanted, depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _headed(value, wanted, depth + 1)


def _body(node: object, depth: int) -> list[str]:
    """An article's object in, its longest run of paragraphs out: of one string, or of the blocks of one list."""
    if depth > DEPTH:
        return []
    if isinstance(node, str):
        return _prose(node)
    if isinstance(node, dict):
        parts = [_body(value, depth + 1) for value in node.values()]
        return max(parts, key=lambda part: sum(map(len, part)), default=[])
    if isinstance(node, list):
        return [paragraph for value in node for paragraph in _body(value, depth + 1)]
    return []


def _prose(text: str) -> list[str]:
    """A string in, its paragraphs out; an empty list for an address, a name or code."""
    if len(text) < SHORTEST or _ADDRESS.match(text) or (_NO_PROSE.search(text) and "</" not in text):
        return []
    return [paragraph for paragraph in paragraphs_of(text) if " " in paragraph or len(paragraph) >= SHORTEST]
