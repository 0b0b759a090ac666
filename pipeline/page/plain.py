"""A piece of HTML (a feed's title or summary, a value of JSON) in, its plain text out. Pure."""

from __future__ import annotations

import bisect
import html
import re
from typing import Final

TIMES_ESCAPED: Final = 4
"""How often a text may have been escaped: systems that pass it on escape it again."""

RAISED: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
POWER_OF: Final = r"(?:(?<![^\W\d])[kcdmn]?m|\bmi|\bft|\byd|\bin|\bcm|\b10)"
"""Behind these, a raised number is a power: km², 10⁶."""

_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f\u00ad\u200b\u200e\u200f\u2060\ufeff\ufffe\uffff]")
_BLOCK = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr|/?h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]*)>")
_POWER = re.compile(rf"({POWER_OF})<sup(?:\s[^<>]*)?>\s*(-?\d{{1,3}})\s*</sup\s*>")
_PAIR = re.compile(r"<(/?)(script|style|del|s|strike)(?:\s[^<>]*)?>", re.IGNORECASE)
_INVISIBLE = re.compile(
    r"<(\w+)\s(?=[^<>]*(?:line-through|strike-?through|display\s*:\s*none))[^<>]*+>[^<>]*+</\1\s*>"
    r"|<sup(?:\s[^<>]*)?>\s*+(?:<a\s[^<>]*>\s*+)?[\[(]?(?:\d{1,3}|[a-z*†‡])[\])]?\s*+(?:</a\s*>\s*+)?</sup\s*>",
    re.IGNORECASE,
)
_STRUCK_LETTERS = re.compile(r"(?:[^\s\u0335\u0336][\u0335\u0336]+\s?)+")
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{3,8});", re.IGNORECASE)
_KNOWN_TAG = re.compile(
    r"</(?:a|abbr|b|big|center|cite|code|del|div|em|font|h\d|i|ins|li|mark|nobr|p|q|s|small|span|strike|strong|sub|sup|u|ul|ol)\s*>"
    r"|<(?:br|hr|img|p|wbr)\b",
    re.IGNORECASE,
)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")


def visible(markup: str) -> str:
    """HTML in, the same without scripts, struck text and marks of notes out; a power is written in raised digits."""
    powers = _POWER.sub(lambda found: found[1] + found[2].translate(RAISED), markup) if "<sup" in markup else markup
    return _INVISIBLE.sub(" ", _without_pairs(powers))


def _without_pairs(markup: str) -> str:
    """HTML in, the same without scripts, styles and struck text out. Not one pattern: many open tags would take it hours."""
    tags = list(_PAIR.finditer(markup))
    ends: dict[str, list[int]] = {}
    for tag in tags:
        if tag[1]:
            ends.setdefault(tag[2].casefold(), []).append(tag.end())
    kept, at = [], 0
    for tag in tags:
        closing = ends.get(tag[2].casefold(), [])
        following = bisect.bisect_right(closing, tag.end())
        if not tag[1] and tag.start() >= at and following < len(closing):
            kept += [markup[at : tag.start()], " "]
            at = closing[following]
    return "".join([*kept, markup[at:]])


def without_unseen(text: str) -> str:
    """Text in, the same without characters that nobody sees and that part words for a program out.

    They are soft hyphens, spaces without width, marks of direction and control characters. The joiners that Persian and Indian
    scripts need are not among them.
    """
    return _UNSEEN.sub("", text)


def without_struck_letters(text: str) -> str:
    """Text in, the same without letters that a sign of Unicode strikes through out: there is no mark-up in a plain text."""
    return _STRUCK_LETTERS.sub("", text) if "\u0336" in text or "\u0335" in text else text


def plain_text(markup: str) -> str:
    """HTML in, its text on one line out, without struck text and marks of notes, and however often it was escaped."""
    for times in range(TIMES_ESCAPED):
        markup = _CDATA.sub("", markup)
        if "<" in markup and (times == 0 or _KNOWN_TAG.search(markup)):
            markup = _TAG.sub("", _BLOCK.sub(" ", visible(markup)))
        if not _ESCAPED.search(markup):
            break
        markup = html.unescape(markup)
    return " ".join(without_unseen(without_struck_letters(html.unescape(markup))).split())
