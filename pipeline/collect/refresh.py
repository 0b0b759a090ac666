"""A page's bytes in, the URL that its `<meta http-equiv="refresh">` leads to out. Pure.

Link shorteners, feed services and old publishing systems answer with such a stub where others redirect. It is followed as a
redirect is, with the same limits and the same guard.
"""

from __future__ import annotations

import html
import re
from typing import Final

from pipeline.page import urls
from pipeline.page.plain import plain_text

LONGEST_DELAY_SECONDS: Final = 10.0
"""A page that waits longer is meant to be read: front pages load themselves again after some minutes."""

STUB_CHARACTERS: Final = 600
"""Characters. A page with more text that waits at all is an article that goes on to something else."""

HEAD_BYTES: Final = 65_536
"""Bytes in which the tag is looked for: it stands in the head."""

_ASIDE: Final = re.compile(r"<!--.*?-->|<(noscript|script|style|template)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<meta\b(?=[^>]{0,1000}\bhttp-equiv\s*=\s*[\"']?\s*refresh\b)[^>]{0,4000}>", re.IGNORECASE)
_CONTENT: Final = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_VALUE: Final = re.compile(
    r"\s*(\d*\.?\d*)\s*(?:[;,]|\s)\s*(?:url\s*=\s*)?[\"']?\s*([^\"']+?)\s*[\"']?\s*$", re.IGNORECASE
)


_BASE: Final = re.compile(r"<base\b[^>]{0,400}?\bhref\s*=\s*[\"']?\s*([^\"'\s>]{1,2000})", re.IGNORECASE)
_SCRIPT: Final = re.compile(
    r"\b(?:window\.|document\.|self\.|top\.)?location(?:\.href)?\s*(?:=\s*|\.(?:replace|assign)\s*\(\s*)([\"'])([^\"'<>]{1,2000})\1"
)
EMPTY_CHARACTERS: Final = 120
"""Characters. A page with hardly any text, such as "You are being redirected", is a stub for readers with scripts."""


def base(body: bytes, url: str) -> str:
    """A page and its URL in, the URL that its links are relative to out."""
    found = _BASE.search(body[:HEAD_BYTES].decode("utf-8", "replace"))
    return urls.join(url, html.unescape(found.group(1))) if found is not None else url


def link_in(content: str) -> str | None:
    """The value of a refresh ("0; url=/a") in, its link out; None without one, or where it waits."""
    found = _VALUE.match(html.unescape(content))
    if found is None or (re.search(r"\d", found.group(1)) and float(found.group(1)) > LONGEST_DELAY_SECONDS):
        return None
    return found.group(2)


def target(body: bytes) -> str | None:
    """A page in, the link that it leads to at once out; None where it leads nowhere, or only after a while.

    A page without text may also lead on by its script, or by what it says to readers without scripts.
    """
    start = body[:HEAD_BYTES]
    if b"refresh" not in start.lower() and b"location" not in start:
        return None
    whole = start.decode("utf-8", "replace")
    characters = len(plain_text(_ASIDE.sub(" ", body.decode("utf-8", "replace")[:400_000])))
    if (link := _declared(_ASIDE.sub(" ", whole), characters)) is not None:
        return link
    if characters > EMPTY_CHARACTERS:
        return None
    links = [link for _, link in _SCRIPT.findall(whole)]
    return (links[0] if len(set(links)) == 1 else None) or _declared(whole, characters)


def _declared(head: str, characters: int) -> str | None:
    """A page's head and the length of its text in, the link of its refresh out."""
    for tag in _TAG.findall(head):
        content = _CONTENT.search(tag)
        found = _VALUE.match(html.unescape(next(filter(None, content.groups()), ""))) if content is not None else None
        if found is None:
            continue
        delay = float(found.group(1)) if re.search(r"\d", found.group(1)) else 0.0
        if delay == 0 or (delay <= LONGEST_DELAY_SECONDS and characters <= STUB_CHARACTERS):
            return found.group(2)
    return None
