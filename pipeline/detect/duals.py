"""Two parties in one phrase: `both leaders` (who was named before), `North and South Korea`, `Russian-Ukrainian talks`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from pipeline.annotate.resolve import Resolver
from pipeline.detect.phrases import last_word
from pipeline.detect.referents import Name, Text
from pipeline.records import Party

SENTENCES: Final = 6
"""How many sentences back the two are looked for."""
_STATES: Final = (
    "sides|parties|countries|nations|states|neighbou?rs|governments|allies|rivals|powers|armies|militaries|capitals"
)
_PERSONS: Final = "leaders|presidents|ministers|premiers|chancellors|diplomats|envoys|men|women|politicians"
_DUAL: Final = re.compile(
    rf"(?i:(?:the|these|those)\stwo|both|the\spair)"
    rf"(?:\sof\sthem|(?:\sof\sthe)?(?:\s[a-z]+)?\s(?:(?P<state>{_STATES})|(?P<person>{_PERSONS})))?"
)
_SHARED: Final = re.compile(r"(North|South|East|West) and (North|South|East|West) ([A-Z]\w+)")
"""Two countries that share a word: `North and South Korea`."""
_BETWEEN: Final = re.compile(
    r"([A-Z][\w.]+)[-–/]([A-Z]\w+)\b.*\s(?i:talks|negotiations|consultations|dialogue|summit|meetings?|commission|committee|"
    r"delegations?|officials|exercises?|drills|forces|relations)\b"
)
"""Something of two countries: `Russian-Ukrainian talks`."""
_PAIR: Final = re.compile(r"(?:[Tt]he\s)?([A-Z][\w.]+)[-–/]([A-Z]\w+)")
"""Two countries and no more: `the U.S.-Kenya`, which the reader cut from `U.S.-Kenya talks`."""
_NOUN: Final = re.compile(r"([A-Z][\w.’'-]+)\sand\s([A-Z][\w.’'-]+)\s((?i:part(?:y|ies)|campaigns?|administrations?))$")
_PLURAL: Final = re.compile(r"(?:ies|s)$")
_WHERE: Final = re.compile(r"\b(?:in|at|near)\s(?:the\s)?$", re.IGNORECASE)
_AND: Final = re.compile(r"\s+and\s+(?:the\s+)?")


def is_dual(phrase: str) -> bool:
    """Whether a phrase means two that were named before: `the two sides`, `both presidents`, `the two`."""
    return _DUAL.fullmatch(phrase) is not None and phrase.casefold() != "both"


def of_states(phrase: str) -> bool:
    """Whether a dual phrase means states, not persons."""
    match = _DUAL.fullmatch(phrase)
    return match is not None and match["state"] is not None


def two_named(phrase: str, start: int, resolver: Resolver) -> list[Party]:
    """A phrase at `start` in, the two that it names out: `North and South Korea`, `the Roe and Poe campaigns`; else none."""
    match = _SHARED.search(phrase)
    if match is not None:
        lands = [f"{match[1]} {match[3]}", f"{match[2]} {match[3]}"]
    elif (match := _BETWEEN.search(phrase) or _PAIR.fullmatch(phrase)) is not None:
        lands = [match[1], match[2]]
    else:
        return _sharing(phrase, start, resolver)
    named = {code: resolver.country_name(code) for land in lands if (code := resolver.country(land)) is not None}
    if len(named) < len(lands):
        return []
    first, last = start + match.start(), start + match.end()
    return [
        msgspec.structs.replace(resolver.party(name or ""), text=match[0], start=first, end=last)
        for name in named.values()
    ]


def _sharing(phrase: str, start: int, resolver: Resolver) -> list[Party]:
    """Two known ones that share the noun behind them: `the Democratic and Republican parties`."""
    match = _NOUN.search(phrase)
    if match is None:
        return []
    noun = _PLURAL.sub(lambda ending: "y" if ending[0] == "ies" else "", match[3])
    two = [resolver.party(f"{match[number]} {noun}") for number in (1, 2)]
    if any(one.name is None for one in two) or two[0].name == two[1].name:
        return []
    first, last = start + match.start(), start + match.end()
    return [msgspec.structs.replace(one, text=match[0], start=first, end=last) for one in two]


def both(
    phrase: str, start: int, text: Text, land: Callable[[Name], str | None], headline: Sequence[Name] = ()
) -> tuple[Name, ...]:
    """A dual phrase at `start` of a text in, the two names that it stands for out; none where no sentence names just two.

    Of each sentence, from the phrase's own backwards, the states or the persons are looked at, as the phrase says; two persons
    whose country `land` tells stand for their states too. Where a sentence has more than two, those that `and` joins are
    meant. A place behind `in` or `at` is no side. Where the own paragraph names no two states, those of the headline are meant.
    """
    match = _DUAL.fullmatch(phrase)
    if match is None:
        return ()
    sorts = (False, True) if match["state"] else (True, False) if phrase.casefold().endswith("two") else (True,)
    for number, (first, end) in enumerate(text.sentences(start)):
        if number > SENTENCES:
            break
        if match["state"] and "\n" in text.text[first:start] and len(title := _states(headline)) == 2:
            return title
        inside = [n for n in text.names if first <= n.start and n.end <= end]
        for persons in sorts:
            found = [*_distinct(inside, text, persons=persons)]
            if persons and match["state"]:
                found = [name for name in found if land(name)]
            if persons and match["person"] and len(found) > 1:
                found = [name for name in found if name.party.sector in ("GOV", None)]
            if len(found) == 2:
                return tuple(found)
            if pair := _joined(found, text):
                return pair
    return () if match["state"] else _joined([n for n in text.names if n.end <= start and n.person], text)


def _joined(names: Sequence[Name], text: Text) -> tuple[Name, ...]:
    """The one pair of different names that `and` joins; none if there are several."""
    pairs = [(a, b) for a, b in itertools.pairwise(names) if _AND.fullmatch(text.text, a.end, b.start)]
    told = {frozenset((last_word(a.text), last_word(b.text))) for a, b in pairs}
    return pairs[-1] if len(told) == 1 else ()


def _states(headline: Sequence[Name]) -> tuple[Name, ...]:
    """The first name of each country that a headline names."""
    return tuple({name.party.country: name for name in reversed(headline) if name.party.country}.values())[::-1]


def _distinct(names: Sequence[Name], text: Text, *, persons: bool) -> Iterator[Name]:
    """The first name of each person, or of each state."""
    seen: set[str | None] = set()
    for name in names:
        key = last_word(name.text) if persons else name.party.country
        where = _WHERE.search(text.text, max(0, name.start - 12), name.start)
        if name.person == persons and key and key not in seen and not where:
            seen.add(key)
            yield name
