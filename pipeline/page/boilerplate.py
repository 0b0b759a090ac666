"""Paragraphs in, those that are reporting and the news agency that is credited out. Pure.

The rules run over plain text and over the text of pages. A rule describes what many publishers do, never one publisher.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from pipeline import settings
from pipeline.page.plain import without_unseen


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    furniture: tuple[str, ...]
    tail: tuple[str, ...]
    parts: tuple[str, ...]
    consent: tuple[str, ...]
    offer: tuple[str, ...]
    agencies: dict[str, tuple[str, ...]]


_FILE: Final = Path(__file__).with_name("boilerplate.toml")
_RULES: Final = settings.convert(settings.read_toml(_FILE), _Rules, where=_FILE.name)

AGENCIES: Final = {written: name for name, forms in _RULES.agencies.items() for written in forms}
"""How agencies sign, in lower case, and the name that each is known by."""

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
"""A last line that credits an agency which is not in the list: "— with Harbour Wire", "(Harbour Wire)"."""
_DATELINE = re.compile(rf"^[^a-z(]{{2,40}}[^(]{{0,40}}\((?P<agency>{_NAMES})\)\s*[-–—:]", 0)
_DATELINE_ANY = re.compile(rf"^.{{0,60}}\((?P<agency>{_NAMES})\)\s*[-–—]{{1,2}}\s", _I)

_FURNITURE: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.furniture)

_TAIL: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.tail)
CLUTTER_MARKS: Final = re.compile(rf"(?:^|[\s_-])(?:{'|'.join(_RULES.parts)})(?:$|[\s_-])")
"""Matches the class or id (lower case) of a part of a page that is not the article."""

CONSENT_TOPICS: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.consent)
"""What notices that ask for consent speak of."""

OFFER_TOPICS: Final = tuple(re.compile(pattern, _I) for pattern in _RULES.offer)
"""What offers to subscribe speak of; the first is of every offer."""

_LONGEST_TAIL: Final = 420
"""Characters. A longer paragraph is reporting, whatever words it contains."""

_SPACES = re.compile(r"[^\S\n]+")


def paragraphs(text: str) -> list[str]:
    """Text in, its paragraphs out: split at line ends, with single spaces, without empty ones or unseen characters."""
    return [line for part in without_unseen(text).splitlines() if (line := _SPACES.sub(" ", part).strip())]


def clean(lines: Sequence[str], *, title: str = "") -> tuple[list[str], str | None]:
    """An article's paragraphs and its title in, those that are reporting and the agency that is credited out.

    The title is dropped at the head, lines such as "Share this story" anywhere, and a publisher's closing lines at the end.
    """
    kept = _after_title(list(lines), letters_of(title))
    credit: str | None = None
    body: list[str] = []
    for line in kept:
        agency = _credited_agency(line)
        if agency is not None:
            credit = credit or agency
        elif not any(pattern.search(line) for pattern in _FURNITURE):
            body.append(line)
    body = _without_tail(body)
    if len(body) > 1 and (signed := _SIGNED.match(body[-1])) is not None:
        del body[-1]
        credit = credit or signed.group("agency")
    return body, credit or _dateline_agency(body)


def _after_title(lines: list[str], title: str) -> list[str]:
    """Drop the title where it stands at the head, and the short lines of a menu above it."""
    for position, line in enumerate(lines[:5]):
        if title and letters_of(line) == title:
            return _after_title(lines[position + 1 :], title)
        if len(line) >= 60:
            break
    return lines


def agency_of(name: str) -> str | None:
    """A byline such as "AFP" or "By Reuters" in, the agency that it names out."""
    return AGENCIES.get(re.sub(r"^(?:by|from|via)\s+", "", name.strip(), flags=_I).strip(" .,()").casefold())


def letters_of(text: str) -> str:
    """A line in, its letters and digits in lower case out, to compare two spellings of a title."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _credited_agency(line: str) -> str | None:
    """Return the agency if the line only credits one."""
    if len(line) > 240:
        return None
    for pattern in _CREDIT:
        found = pattern.match(line)
        if found is not None:
            name = found.group("agency")
            # "Spa" and "nan" are words too: a short name counts only as the agency writes it
            if len(name) > 4 or name.isupper() or name == AGENCIES[name.casefold()]:
                return AGENCIES[name.casefold()]
    return None


def _dateline_agency(body: Sequence[str]) -> str | None:
    """Return the agency in "MOSCOW (Reuters) - ..." at the head of the text. The line stays."""
    for line in body[:3]:
        found = _DATELINE.match(line) or _DATELINE_ANY.match(line)
        if found is not None:
            return AGENCIES[found.group("agency").casefold()]
    return None


def _without_tail(body: list[str]) -> list[str]:
    """Drop what follows the last paragraph of reporting: from the end upwards, as long as the lines match `tail`."""
    end = len(body)
    position = end
    while position > 1:
        line = body[position - 1]
        if len(line) <= _LONGEST_TAIL and any(pattern.search(line) for pattern in _TAIL):
            position -= 1
            end = position
        elif len(line) < 60 and line[-1] not in ".!?”\"'’)" and position > end - 3 and end < len(body):
            position -= 1  # a heading inside the dropped lines: dropped only if a line above it is dropped too
        else:
            break
    return body[:end]
