"""Paragraphs in, the article's own paragraphs and its wire credit out: pure rules about lines that are not reporting.

They run over plain text and over what is left of a page. A rule names a habit of publishers, never one publisher.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from pipeline import settings


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    furniture: tuple[str, ...]
    tail: tuple[str, ...]
    parts: tuple[str, ...]
    agencies: dict[str, tuple[str, ...]]


_FILE: Final = Path(__file__).with_name("boilerplate.toml")
_RULES: Final = settings.convert(settings.read_toml(_FILE), _Rules, where=_FILE.name)

AGENCIES: Final = {written: name for name, forms in _RULES.agencies.items() for written in forms}
"""How agencies sign, lower case, and the name that they are known by."""

_NAMES = "|".join(sorted((re.escape(name) for name in AGENCIES), key=len, reverse=True))
_LIST = rf"(?P<agency>{_NAMES})(?:(?:\s*(?:,|/|&|\+|and|with|·|\|)\s*)(?:{_NAMES}|staff|agencies|wires?))*"
_I = re.IGNORECASE

_CREDIT: Final = (
    # a whole line: "-with AAP", "(Reuters)", "— AP", "Source: AFP", "With reporting by Reuters and AP"
    re.compile(
        rf"^[\W_]*(?:(?:with|via|from|by|source|sources|credit|agency)\b:?\s*)?"
        rf"(?:(?:additional\s+)?(?:reporting|files|material|inputs?|information|wires?)\s*(?:by|from)?\s*:?\s*)?{_LIST}[\W_]*$",
        _I,
    ),
    re.compile(rf"^[\W_]*{_LIST}(?:\s+\w+){{0,3}}\s+contributed to this (?:report|story|article)\W*$", _I),
    re.compile(
        rf"^[\W_]*(?:this (?:story|article|report) (?:was|is|has been)\b.{{0,60}}?\b(?:by|from|via)\s+)"
        rf"{_LIST}\b.{{0,120}}$",
        _I,
    ),
    re.compile(rf"^(?:©|\(c\)|copyright)\s*(?:\d{{4}}\s*)?{_LIST}\b.{{0,160}}$", _I),
)
_SIGNED: Final = re.compile(
    r"^(?:[-–—]+\s*(?:with|by)\s+|source\s*:\s*|\()(?P<agency>[A-Z][\w.&’'-]*(?: [A-Z][\w.&’'-]*){0,3})\)?\.?$"
)
"""A last line that signs for an agency which is not in the list: "— with Harbour Wire", "(Harbour Wire)"."""
_DATELINE = re.compile(rf"^[^a-z(]{{2,40}}[^(]{{0,40}}\((?P<agency>{_NAMES})\)\s*[-–—:]", 0)
_DATELINE_ANY = re.compile(rf"^.{{0,60}}\((?P<agency>{_NAMES})\)\s*[-–—]{{1,2}}\s", _I)

_NEVER: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.furniture)

_TAIL: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.tail)
PARTS: Final = re.compile(rf"(?:^|[\s_-])(?:{'|'.join(_RULES.parts)})(?:$|[\s_-])")
"""Matches the class or id (lower case) of a part of a page that is not the article."""

_LONGEST_TAIL: Final = 420
"""Characters. A paragraph longer than this is prose, whatever word of the list above it holds."""

_SPACES = re.compile(r"[^\S\n]+")


def paragraphs(text: str) -> list[str]:
    """Text in, its paragraphs out: split at line ends, white space made single, empty ones gone."""
    return [line for part in text.splitlines() if (line := _SPACES.sub(" ", part).strip())]


def clean(lines: Sequence[str], *, title: str = "") -> tuple[list[str], str | None]:
    """An article's paragraphs and its title in; those that are reporting, and the agency credited, out.

    The title is not repeated at the head, furniture is dropped anywhere, and publishers' tails at the end.
    """
    kept = _after_title(list(lines), alike(title))
    credit: str | None = None
    body: list[str] = []
    for line in kept:
        agency = _credited(line)
        if agency is not None:
            credit = credit or agency
        elif not any(pattern.search(line) for pattern in _NEVER):
            body.append(line)
    body = _without_tail(body)
    if len(body) > 1 and (signed := _SIGNED.match(body[-1])) is not None:
        del body[-1]
        credit = credit or signed.group("agency")
    return body, credit or _dateline_agency(body)


def _after_title(lines: list[str], wanted: str) -> list[str]:
    """Drop the headline where it stands at the head, and the scraps of a menu above it."""
    for position, line in enumerate(lines[:5]):
        if wanted and alike(line) == wanted:
            return _after_title(lines[position + 1 :], wanted)
        if len(line) >= 60:
            break
    return lines


def agency_of(name: str) -> str | None:
    """A byline in, the agency that it names out: "AFP", "By Reuters"."""
    return AGENCIES.get(re.sub(r"^(?:by|from|via)\s+", "", name.strip(), flags=_I).strip(" .,()").casefold())


def alike(text: str) -> str:
    """A line in, the letters and digits that remain when two spellings of a headline are to be compared out."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _credited(line: str) -> str | None:
    """The agency that a line does nothing but credit."""
    if len(line) > 240:
        return None
    for pattern in _CREDIT:
        found = pattern.match(line)
        if found is not None:
            name = found.group("agency")
            # "Spa" and "nan" are words too: short names are believed only as agencies write them
            if len(name) > 4 or name.isupper() or name == AGENCIES[name.casefold()]:
                return AGENCIES[name.casefold()]
    return None


def _dateline_agency(body: Sequence[str]) -> str | None:
    """The agency in "MOSCOW (Reuters) - ..." at the head of the text; that line stays."""
    for line in body[:3]:
        found = _DATELINE.match(line) or _DATELINE_ANY.match(line)
        if found is not None:
            return AGENCIES[found.group("agency").casefold()]
    return None


def _without_tail(body: list[str]) -> list[str]:
    """Drop what follows the last paragraph of reporting: going up from the end, while a line reads like a publisher's."""
    end = len(body)
    position = end
    while position > 1:
        line = body[position - 1]
        if len(line) <= _LONGEST_TAIL and any(pattern.search(line) for pattern in _TAIL):
            position -= 1
            end = position
        elif len(line) < 60 and line[-1] not in ".!?”\"'’)" and position > end - 3 and end < len(body):
            position -= 1  # a heading above a box that was dropped: gone only if the box goes on above it
        else:
            break
    return body[:end]
