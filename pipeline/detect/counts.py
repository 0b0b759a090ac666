"""How many, pure: text -> counted things and casualties. `a million rounds` -> 1000000 rounds, `killed 12 people` -> 12 dead.

A figure counts when a plural noun follows it, or when a verb of dying or wounding stands by it. What is no count (dates,
ages, percentages, distances, ordinals, names such as T-72, vague figures) is left out: silence is better than a wrong figure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from pipeline.annotate.names import GAZETTEER
from pipeline.detect import numerals
from pipeline.records import Quantity

_STATUSES: Final = frozenset(("dead", "injured", "missing"))
LARGEST: Final = 1e10
"""There are fewer people, and fewer of anything the news counts one by one."""

_LIST: Final = GAZETTEER / "counts.toml"
_WORDS: Final = {
    name: frozenset(words.split())
    for name, words in tomllib.loads((GAZETTEER / "counts.toml").read_text(encoding="utf-8")).items()
}
PERSONS: Final = _WORDS["persons"]
THINGS: Final = _WORDS["things"]
_SINGULAR: Final = {
    "person": "people", "serviceman": "servicemen", "gunman": "gunmen", "man": "men", "woman": "women", "child": "children",
    "policeman": "policemen", "fisherman": "fishermen", "mercenary": "mercenaries", "body": "bodies", "battery": "batteries",
    "persons": "people", "others": "people", "souls": "people", "nationals": "people", "national": "people", "crew": "crew",
    "police": "police", "personnel": "personnel", "people": "people", "aircraft": "aircraft", "himars": "himars",
    "cattle": "cattle", "sheep": "sheep", "staff": "staff", "men": "men", "women": "women", "children": "children",
    "artillery": "artillery", "servicemen": "servicemen", "gunmen": "gunmen", "policemen": "policemen",
    "policewomen": "policewomen", "militiamen": "militiamen", "fishermen": "fishermen",
}  # fmt: skip
"""Nouns whose plural is no matter of one `s`, and those that only mean people."""
_WEAPONS: Final = _WORDS["weapons"]
_NOT_COUNTED: Final = _WORDS["not_counted"]
_STOP: Final = _WORDS["stop"]
_NAMED_BEFORE: Final = _WORDS["named_before"]
_YEAR_BEFORE: Final = _WORDS["year_before"]

_CREWS: Final = frozenset(("police", "crew", "personnel", "staff", "aircraft", "artillery"))
"""Plurals without an s that also stand before another plural: two police stations."""
_SEEN: Final = frozenset(("crashes", "strikes", "hits", "lands", "collides"))
"""Verbs that look like plurals: a Cessna 310 crashes, a 7.4 magnitude earthquake strikes."""
_PURE_JOIN: Final = re.compile(r"\s*(?:,|,? and|,? &)\s+(?:at least |another |up to |some |about )?\Z")
_ANCHOR: Final = re.compile(r"[^\W\d_]+|\d")
_NUMBER: Final = re.compile(numerals.NUMBER, re.IGNORECASE)
_STARTS: Final = frozenset((*numerals.UNITS, *numerals.TENS, "a", "an", "half", "quarter"))
_DIGIT: Final = re.compile(r"\d")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_NUMERALS: Final = frozenset((*numerals.UNITS, *numerals.TENS, *numerals.SCALES, "half", "quarter"))
_NEXT: Final = re.compile(r"[ \u00a0\n-]([^\W\d_](?:[\w'’–-]*\w)?)")
_OF: Final = re.compile(r" of (?:the|its|their|his|our|those|these)(?: [a-z]+)?(?= )", re.IGNORECASE)
_UNFIT_AFTER: Final = re.compile(
    r"(?:[-–—/:'’.,]?[\w°%])|\s?(?:%|°|per cent|percent|pc\b|-\s?years?-old|years? old)|-|–|'s|’s|/", re.IGNORECASE
)

_ABOUT: Final = (
    r"(?:(?:at least|more than|fewer than|less than|no fewer than|up to|as many as|about|around|some|nearly|almost|over|"
    r"an estimated|another|approximately|roughly|just|all|the lives of|the other|further|a further|"
    r"an additional|well over|close to|a total of)\s+)*"
)
_DEATH: Final = (
    r"(?:kill(?:s|ed|ing)?|murder(?:s|ed|ing)?|massacr(?:ed|es|ing)|slain|slaughter(?:ed|ing)|"
    r"execut(?:ed|es|ing)|behead(?:ed|ing))"
)
_WOUND: Final = r"(?:injur(?:ed|es|e|ing)|wound(?:ed|s|ing)?|hurt(?:s|ing)?|maim(?:ed|ing))"
_DEATH_BEFORE: Final = re.compile(
    rf"(?:\b{_DEATH}|\bdeath toll\b[^.;!?\n]{{0,140}}?\b(?:to|at|of|past|passe[ds]|"
    r"exceeds?|exceeded|tops|topped|surpass\w*|above|is|was|hit)"
    rf"|\b(?:dead|fatalities|deaths):|\bclaim(?:s|ed|ing) the lives of)\s+{_ABOUT}\Z",
    re.IGNORECASE,
)
_LIVES_BEFORE: Final = re.compile(
    rf"\b(?:claim(?:s|ed|ing)?|cost(?:s|ing)?|took|taken|taking|lost)\s+{_ABOUT}\Z", re.IGNORECASE
)
_WOUND_BEFORE: Final = re.compile(rf"(?:\b{_WOUND}|\b(?:injured|wounded):)\s+{_ABOUT}\Z", re.IGNORECASE)
_EITHER_BEFORE: Final = re.compile(rf"\b(?:killed|dead) (?:or|and) (?:injured|wounded)\s+{_ABOUT}\Z", re.IGNORECASE)
_LINK: Final = (
    r"(?:\s*[,(][^,.;()]{1,60}[,)])?(?:\s+(?:in|on|at|from|aboard|near|inside|who)\s+(?:(?!\band\b)[^,.;]){1,45}?)?"
    r"(?:\s+(?:were|was|have|has|had|been|are|is|being|be|reportedly|also|others|more|feared|reported|confirmed|left|believed|declared|still|"
    r"presumed|now|already|either|to|shot|both|all|have been|may|people|reported)\b)*"
)
_DEAD_AFTER: Final = re.compile(
    rf"{_LINK}\s+(?:killed|dead|died|slain|murdered|massacred|executed|drowned|perished|beheaded|"
    r"(?:have |had )?lost their lives)\b",
    re.IGNORECASE,
)
_HURT_AFTER: Final = re.compile(rf"{_LINK}\s+(?:injured|wounded|hurt|hospitali[sz]ed)\b", re.IGNORECASE)
_GONE_AFTER: Final = re.compile(rf"{_LINK}\s+missing\b", re.IGNORECASE)
_BOTH_AFTER: Final = re.compile(rf"{_LINK}\s+(?:killed|dead) (?:or|and) (?:injured|wounded)\b", re.IGNORECASE)
_LEFT_AFTER: Final = re.compile(r"\s+(dead|killed|injured|wounded|hurt|missing)\b", re.IGNORECASE)


class _Noun(NamedTuple):
    unit: str
    end: int
    person: bool
    known: bool


def named(text: str, lows: Iterable[str] | None = None) -> bool:
    """Whether a number stands in a text at all; `a` alone is none. `lows` are its words in lower case, where they are known."""
    words = map(str.lower, _LETTERS.findall(text)) if lows is None else lows
    return _DIGIT.search(text) is not None or not _NUMERALS.isdisjoint(words)


def find_counts(text: str, taken: Sequence[tuple[int, int]] = ()) -> tuple[Quantity, ...]:
    """Text and the stretches that are money in, the counted things out, in order."""
    return tuple(_shared(text, list(_counts(text, taken))))


def _shared(text: str, found: list[Quantity]) -> list[Quantity]:
    """Who stand in one list with the dead are dead: killed 12 soldiers and 3 civilians; two rebels, three civilians killed."""
    for pairs in (range(1, len(found)), range(len(found) - 1, 0, -1)):
        for number in pairs:
            left, right = found[number - 1], found[number]
            if (left.unit in _STATUSES) == (right.unit in _STATUSES):
                continue
            if not _PURE_JOIN.fullmatch(text, left.end or 0, right.start or 0):
                continue
            status = left.unit if left.unit in _STATUSES else right.unit
            which = number if left.unit in _STATUSES else number - 1
            if found[which].unit in PERSONS:
                found[which] = msgspec.structs.replace(found[which], unit=status)
    return found


def _counts(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[Quantity]:
    free = 0
    for anchor in _ANCHOR.finditer(text):
        start = anchor.start()
        word = anchor.group()
        if start < free or not (word.isdigit() or word.lower() in _STARTS):
            continue
        match = _NUMBER.match(text, start)
        if match is None:
            continue
        free = match.end()
        if any(begin < match.end() and start < end for begin, end in taken) or not _counts_something(text, match):
            continue
        value = numerals.value(match.group())
        if value is None or not 0 < value <= LARGEST or numerals.vague(text, start):
            continue
        if value != int(value) and value < 1000:  # a measure: magnitude 7.4
            continue
        found = _read(text, start, match.end(), value)
        if found is not None:
            free = max(free, found.end or 0)
            yield found


def _counts_something(text: str, match: re.Match[str]) -> bool:
    """Not a date, an age, a share, an ordinal, a compound (`10-day`) or part of a name (`T-72`, `Article 5`)."""
    start, end = match.span()
    before = text[start - 1 : start]
    if before and (
        before.isalnum() or before in "$€£¥₹#.-–/:_@'’+°" or (before == "," and text[start - 2 : start - 1].isdigit())
    ):
        return False
    if _UNFIT_AFTER.match(text, end):
        return False
    earlier = re.search(r"([\w'/]+)[.]?\s\Z", text[max(0, start - 16) : start])
    previous = earlier[1].lower() if earlier else ""
    if previous in _NAMED_BEFORE and match.group()[:1].isdigit():
        return False
    bare_year = match.group().isdigit() and len(match.group()) == 4 and 1900 <= int(match.group()) <= 2100
    return not (bare_year and (previous in _YEAR_BEFORE or not _person_next(text, end)))


def _person_next(text: str, end: int) -> bool:
    match = _NEXT.match(text, end)
    return match is not None and match[1].lower() in PERSONS


def _read(text: str, start: int, end: int, value: float) -> Quantity | None:
    """The figure with its noun, or with the verb that makes a casualty of it."""
    noun = _noun(text, end, value)
    following = _NEXT.match(text, end)
    if noun is None and following is not None and following[1].lower() in _NOT_COUNTED:
        return None
    status = _status(text, start, noun.end if noun else end, noun)
    if noun is None:
        if status is None:
            return None
        after = _LEFT_AFTER.match(text, end)
        stop = after.end() if after else end
        return Quantity(text=text[start:stop], value=value, unit=status, start=start, end=stop)
    if (
        not noun.known
        and status is None
        and value <= 3
        and re.search(r"\b(?:the|these|those|both|first|last)\s\Z", text[max(0, start - 7) : start], re.IGNORECASE)
    ):
        return None  # "the two leaders" counts nothing that is news
    if noun.unit in _SEEN and text[start].isdigit() and re.search(r"[A-Z]\w*\s\Z", text[max(0, start - 20) : start]):
        return None
    unit = status or noun.unit
    return Quantity(text=text[start : noun.end], value=value, unit=unit, start=start, end=noun.end)


def _noun(text: str, end: int, value: float) -> _Noun | None:
    """The noun that is counted: the first plural after the figure, past its adjectives."""
    position = end
    of = _OF.match(text, end)
    if of is not None and value > 1:
        position = of.end()
    for step in range(6):
        match = _NEXT.match(text, position)
        if match is None:
            return None
        word, low = match[1], match[1].lower()
        if (
            low in _STOP
            or (low in _NOT_COUNTED and not (step and low == "second"))
            or word.endswith(("'s", "’s", "s'", "s’"))
        ):
            return None
        position = match.end()
        if text[position : position + 1] in ("'", "’") and low.endswith(
            "s"
        ):  # seven Kurdistan Workers' Party militants
            position += 1
            continue
        if value == 1:
            if low in PERSONS or low in THINGS:
                match = _NEXT.match(text, position)
                if match is not None and match[1].lower() in PERSONS:  # one crew member
                    low, position = match[1].lower(), match.end()
                return _Noun(_plural(low), position, low in PERSONS, known=True)
            if step >= 3:
                return None
            continue
        if low in PERSONS or low in THINGS or low in _WEAPONS or (_plural_looking(word) and step < 5):
            return _settled(text, word, position)
    return None


def _settled(text: str, word: str, position: int) -> _Noun | None:
    """The plural found, or the one right behind it that it only qualifies: `personnel carriers`, `missiles systems`."""
    low = word.lower()
    match = _NEXT.match(text, position)
    if match is not None and text[match.start()] == " ":
        following = match[1].lower()
        if following in THINGS or following in PERSONS:
            if _plural_looking(match[1]) or following in _SINGULAR:
                low, position, word = following, match.end(), match[1]
        elif low in _CREWS and _plural_looking(match[1]) and following not in _STOP:
            low, position, word = following, match.end(), match[1]
        elif low in THINGS | PERSONS and not low.endswith("s") and low not in _SINGULAR:
            return _noun_after_modifier(match, low)
    if low in PERSONS or low in THINGS or low in _WEAPONS:
        return _Noun(_plural(low), position, low in PERSONS, known=True)
    if word[0].isupper():  # Palestinians, Houthis, Kurds
        return _Noun("people", position, person=True, known=True)
    return _Noun(low, position, person=low.endswith(("ers", "ors", "ists", "ants", "ees")), known=False)


def _noun_after_modifier(match: re.Match[str], modifier: str) -> _Noun | None:
    """`12 missile strikes`, `3 tank crews`: a singular that is known only qualifies the plural behind it."""
    word = match[1]
    if _plural_looking(word) and word.islower():
        return _Noun(word, match.end(), person=False, known=False)
    return _Noun(_plural(modifier), match.start(), modifier in PERSONS, known=True)


def _plural_looking(word: str) -> bool:
    low = word.lower()
    return (
        len(low) > 3 and low.endswith("s") and not low.endswith(("ss", "us", "is", "'s", "ous")) and not word.isupper()
    ) or (word[0].isupper() and low.endswith(("lis", "qis", "nis", "dis", "mis", "his", "tis")))


def _plural(low: str) -> str:
    if low in _SINGULAR:
        return _SINGULAR[low]
    return low if low.endswith("s") else low + "s"


def _status(text: str, start: int, end: int, noun: _Noun | None) -> str | None:
    """dead, injured, missing or casualties, when the words around say so of people."""
    if noun is not None and noun.unit in ("deaths", "fatalities"):
        return "dead"
    if noun is not None and noun.unit == "injuries":
        return "injured"
    window = max(0, start - 220)
    if noun is not None and noun.unit == "lives":
        return "dead" if _LIVES_BEFORE.search(text, window, start) else None
    if noun is not None and not noun.person:
        return None
    if _EITHER_BEFORE.search(text, window, start) or _BOTH_AFTER.match(text, end):
        return "casualties"
    if _ends_with(_DEATH_BEFORE, text, window, start):
        return "dead"
    if _ends_with(_WOUND_BEFORE, text, window, start):
        return "injured"
    after = _LINKED if noun is not None else _DIRECT
    for pattern, unit in after:
        if pattern.match(text, end):
            return unit
    return None


def _ends_with(pattern: re.Pattern[str], text: str, window: int, start: int) -> bool:
    return pattern.search(text, window, start) is not None


_LINKED: Final = ((_DEAD_AFTER, "dead"), (_HURT_AFTER, "injured"), (_GONE_AFTER, "missing"))
_DIRECT: Final = (
    (
        re.compile(
            r"(?: (?:were|was|have been|others|are|people|reported|confirmed|more|feared))* (?:dead|killed|died|deaths)\b",
 re.IGNORECASE
        ),
        "dead",
    ),
    (re.compile(r"(?: (?:were|was|have been|others|are|reported|more))* (?:injured|wounded|hurt)\b", re.IGNORECASE), "injured"),
    (re.compile(r"(?: (?:were|was|others|are|reported|more))* missing\b", re.IGNORECASE), "missing"),
)  # fmt: skip
