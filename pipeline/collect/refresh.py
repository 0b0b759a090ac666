"""A page's bytes in, the URL that its `<meta http-equiv="refresh">` leads to out. Pure.

Link shorteners, feed services and old publishing systems answer with such a stub where others redirect. It is followed as a
redirect is, with the same limits and the same guard.
"""

from __future__ import annotations

import html
import re
from typing import Final

from pipeline.collect.entry import plain_text

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


def target(body: bytes) -> str | None:
    """A page in, the link that it leads to at once out; None where it leads nowhere, or only after a while."""
    if b"refresh" not in body[:HEAD_BYTES].lower():
        return None
    head = _ASIDE.sub(" ", body[:HEAD_BYTES].decode("utf-8", "replace"))
    for tag in _TAG.findall(head):
        content = _CONTENT.search(tag)
        found = _VALUE.match(html.unescape(next(filter(None, content.groups()), ""))) if content is not None else None
        if found is None:
            continue
        delay = float(found.group(1)) if re.search(r"\d", found.group(1)) else 0.0
        is_stub = len(plain_text(_ASIDE.sub(" ", body.decode("utf-8", "replace")[:400_000]))) <= STUB_CHARACTERS
        if delay == 0 or (delay <= LONGEST_DELAY_SECONDS and is_stub):
            return found.group(2)
    return None
