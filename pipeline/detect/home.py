"""Which country an article or a sentence is about, by its names: where police, ministers and towns without one are at home."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pipeline.annotate.places import IN_COUNTRY
from pipeline.annotate.resolve import Resolver
from pipeline.detect.persons import is_person, is_state, words, words_of
from pipeline.detect.phrases import is_where
from pipeline.detect.referents import Name
from pipeline.records import Party

FIRM: Final = 3
"""An article that names a country so often, and no other half as often, is about that country's ministers and bodies."""
BEGINNING: Final = 300
"""Characters: some two sentences, which say where the news is from."""
BODIES: Final = words(
    "agency alliance army assembly authority board bureau cabinet chamber coalition command commission committee congress "
    "council court department directorate forces front guard guards house ministry movement navy office parliament party "
    "police senate service tribunal"
)
"""Words in the name of a body of one country: `the Electoral Commission` is that of the country that the article is about."""
OFFICE: Final = words("judge justice magistrate prosecutor mayor governor sheriff superintendent inspector police")
"""Offices that act only in their own country."""
_ACROSS: Final = words("african arab asian european global inter-american international islamic world joint")
"""Words in the name of a body of several countries."""
_SECTORS: Final = frozenset(("GOV", "MIL", "COP", "JUD", "LEG", "SPY", "OPP", "PTY", None))


def at_home(party: Party, home: str | None, guessed: dict[str, Party]) -> Party:
    """A body that is known by its name alone, with the country that the article is about; any other party as it is.

    The body as it was is added to `guessed`, by name.
    """
    if home is None or party.country or not party.name or party.identifier or party.sector not in _SECTORS:
        return party
    named = set(words_of(party.name))
    if not named & BODIES or named & _ACROSS:
        return party
    guessed[party.name] = party
    return msgspec.structs.replace(party, country=home)


def in_office(text: str, party: Party, land: str) -> Party:
    """A party as it is, or a person of the country where an office before the name is used: `Judge Jan Visser`."""
    if party.country or party.identifier or party.sector == "IGO" or not party.name or party.start is None:
        return party
    before = words_of(text[max(0, party.start - 24) : party.start])
    untitled = OFFICE.isdisjoint(before[-1:]) and OFFICE.isdisjoint(words_of(party.text)[:1])
    return party if untitled else msgspec.structs.replace(party, country=land)


def is_elsewhere(text: str, party: Party, home: str | None, resolver: Resolver) -> bool:
    """Whether a party is a body of one country where the text, which is about another, means that one's: `the Senate`."""
    body = (party.sector == "LEG" or text.endswith("Court")) and party.country not in (None, home)
    return bool(home and body and resolver.is_shared(text))


def apart(parties: Sequence[Party], others: Sequence[Party], guessed: Mapping[str, Party]) -> tuple[Party, ...]:
    """A side without what was guessed of it (by name, as it was before), if the state that was guessed is of the event too.

    `The Senate condemned Venezuela` is no body of Venezuela, though the article is about Venezuela.
    """
    states = {p.country for p in (*parties, *others) if is_state(p)}
    return tuple(
        msgspec.structs.replace(guessed[p.name], text=p.text, start=p.start, end=p.end)
        if p.name and p.name in guessed and p.country in states
        else p
        for p in parties
    )


def met(parties: Sequence[Party], others: Sequence[Party]) -> tuple[Party, ...]:
    """A side of those who meet, without the country of somebody who is named too: `Kenya` of `Kenyan President Otieno`."""
    persons = {p.country for p in (*parties, *others) if is_person(p)}
    return tuple(p for p in parties if not (is_state(p) and p.country in persons))


def country_at(text: str, names: Sequence[Name], start: int, end: int, home: str | None) -> str | None:
    """The one country that the names of a sentence are of, else those of the text's beginning, else `home`.

    None if a sentence names several. A place behind `in` or `at` may be where somebody speaks, or where something happens:
    it says nothing, and leaves it open whose people another country's sentence speaks of.
    """
    for first, last in ((start, end), (0, BEGINNING)):
        inside = [n for n in names if first <= n.start < last and n.party.country]
        there = {n.party.country for n in inside if is_where(text, n.start)}
        lands = {n.party.country for n in inside if not is_where(text, n.start)}
        if len(lands) == 1 and there <= lands:
            return next(iter(lands))
        if lands and first == start:
            return None
    return home


def within_name(text: str, names: Sequence[Name], resolver: Resolver, start: int, end: int) -> bool:
    """Whether a town is only a part of a person's or an organisation's name: no place is told by `Abu Dhabi TV`."""
    place = resolver.place(text[start:end])
    is_country = place is not None and place.reason == IN_COUNTRY
    labels = ("PERSON",) if is_country else ("PERSON", "ORG")
    return any(
        name.label in labels and name.start <= start and end <= name.end and len(name.text) > end - start
        for name in names
    )


def main_country(text: str, names: Sequence[Name], headline: Sequence[Name], least: int = 1) -> str | None:
    """The country that headline and section name `least` times and twice as often as any other; None if there is no such."""
    told = [n.party.country for n in names if n.party.country and not is_where(text, n.start)]
    told += [n.party.country for n in headline if n.party.country]
    most = Counter(told).most_common(2)
    if not most or most[0][1] < least or (len(most) == 2 and most[0][1] < 2 * most[1][1]):
        return None
    return most[0][0]
