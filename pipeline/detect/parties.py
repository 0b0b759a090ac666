"""Spans of roles -> parties: who a noun phrase names, in the light of the names that stand before it in the article."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pipeline.annotate.names import fold
from pipeline.annotate.parse import Mention
from pipeline.annotate.places import IN_COUNTRY
from pipeline.annotate.plain import Plain
from pipeline.annotate.resolve import Resolver
from pipeline.detect.duals import both, is_dual, of_states, two_lands
from pipeline.detect.offices import Offices
from pipeline.detect.persons import (
    APART,
    BACK,
    BARE,
    FIRST_PRONOUNS,
    HOME,
    PRONOUNS,
    SECTORS,
    distinct,
    known,
    words_of,
)
from pipeline.detect.phrases import (
    ACRONYM,
    AGAINST,
    ARTICLES,
    CAPITAL,
    GAP,
    JOINED,
    LAND,
    LEAD,
    LOOSE,
    OFFICES,
    OPEN,
    SMALL,
    START,
    THE,
    TWO_SENTENCES,
    begun,
    is_pronoun,
    is_where,
    last_word,
    named,
    of_people,
    office_in,
    untitled,
    written_as_name,
)
from pipeline.detect.referents import Name, Text
from pipeline.records import Party

BEGINNING: Final = 300
"""Characters: some two sentences, which say where the news is from."""
STATE: Final = frozenset(("GOV", "MIL", "COP", "JUD", "LEG", "SPY", None))
"""Sectors of a phrase of a people that acts for the state; None is one that nothing is known of."""


@dataclass(slots=True)
class SectionNames:
    """One section's text with its names; `short` are the article's persons by last names, `headline` the title's names."""

    text: str
    names: list[Name]
    resolver: Resolver
    on: dt.date | None
    short: dict[str, Party] = field(default_factory=dict)
    headline: Sequence[Name] = ()

    def parties(self, spans: Sequence[tuple[int, int]]) -> tuple[Party, ...]:
        """Spans in, the parties that they name out, each once."""
        found: list[Party] = []
        for start, end in self._joined(spans):
            found += self._span(start, end)
        return distinct(found)

    def _joined(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Spans in, with two that one capital word parts as one out: `Prime`, `Arvind Rao` in `Prime Minister Arvind Rao`."""
        joined: list[tuple[int, int]] = []
        for start, end in spans:
            if joined and GAP.fullmatch(self.text[joined[-1][1] : start]):
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return joined

    def introduce(self) -> None:
        """Remember every person of two names or more by the last one, with the country where the text says it.

        A first name alone and an acronym behind the full name (`Free Press Union (FPU)`) are remembered too; last names that
        were not seen as names become names.
        """
        self.names = [one for name in self.names for one in (self._listed(name) if "," in name.text else [name])]
        people = [name for name in self.names if name.label == "PERSON" and " " in name.text]
        for name in people:
            last = last_word(name.text)
            known_before = self.short.get(last)
            if known_before is None or not known_before.country:
                self.short[last] = name.party if name.party.country else self._person(name, name.party)
        for name in people:
            first = name.text.split()[0].casefold()
            if first not in SECTORS:
                self.short.setdefault(first, self.short[last_word(name.text)])
            self._hold(name)
        for match in ACRONYM.finditer(self.text):
            before = next((n for n in self.names if n.end <= match.start() <= n.end + 2 and n.label != "PERSON"), None)
            if before is not None:
                self.short.setdefault(match[1], named(before.party, before.text))
        self._find_last_names()

    def _listed(self, name: Name) -> list[Name]:
        """A name as it is, or the countries that it lists: `Mali, Burkina Faso` is found as one."""
        each = [
            Name(start, end, text, name.label, self.resolver.party(text, on=self.on))
            for start, end in self._parts(name.start, name.end)
            if self.resolver.country(text := self.text[start:end])
        ]
        return each if len(each) == name.text.count(",") + 1 else [name]

    def _hold(self, name: Name) -> None:
        """Remember whose office it is, `the prime minister`, unless two persons of the article have it."""
        before = self.text[max(0, name.start - 40) : name.start].split()
        office: list[str] = []
        while before and (before[-1].casefold() in SECTORS or before[-1] in OFFICES):
            office.insert(0, before.pop().casefold())
        if office and (not before or before[-1].casefold() not in ("vice", "deputy", "former", "ex", "then")):
            key, bearer = "the " + " ".join(office), self.short[last_word(name.text)]
            other = self.short.setdefault(key, bearer)
            if other.name != bearer.name:
                self.short[key] = Party(text=key)
            if bearer.country:
                self.short.setdefault(f"{bearer.country} {' '.join(office)}", bearer)

    def _find_last_names(self) -> None:
        """Make names of capital words that are last names of persons named before in full and that nobody saw as names."""
        covered = iter([*self.names, None])
        name = next(covered)
        found: list[Name] = []
        for match in CAPITAL.finditer(self.text):
            while name is not None and name.end <= match.start():
                name = next(covered)
            party = self.short.get(match[0].casefold())
            if party is not None and (name is None or name.start >= match.end()):
                found.append(Name(match.start(), match.end(), match[0], "PERSON", party))
        if found:
            self.names = sorted([*self.names, *found], key=START)

    def country_at(self, start: int, end: int) -> str | None:
        """The one country that the names of a sentence are of, else those of the section's beginning, else of most of it.

        None if a sentence names several. A place behind `in` or `at` may be where somebody speaks, or where something happens:
        it says nothing, and leaves it open whose people another country's sentence speaks of.
        """
        for first, last in ((start, end), (0, BEGINNING)):
            inside = [n for n in self.names if first <= n.start < last and n.party.country]
            there = {n.party.country for n in inside if is_where(self.text, n.start)}
            lands = {n.party.country for n in inside if not is_where(self.text, n.start)}
            if len(lands) == 1 and there <= lands:
                return next(iter(lands))
            if lands and first == start:
                return None
        return self._main_country()

    def _main_country(self) -> str | None:
        """The country that headline and section name at least twice as often as any other; None if there is no such."""
        told = [n for n in self.names if n.party.country and not is_where(self.text, n.start)]
        told += [n for n in self.headline if n.party.country]
        most = Counter(n.party.country for n in told).most_common(2)
        if not most or (len(most) == 2 and most[0][1] < 2 * most[1][1]):
            return None
        return most[0][0]

    def words(self, start: int, end: int) -> str:
        """A span's words without the article before them, of a pronoun whom it means; nothing if only small words are left."""
        text = LOOSE.sub("", ARTICLES.sub("", LEAD.sub("", self.text[start:end]))).strip()
        if is_pronoun(text):
            return next((party.name or party.text for party in self._pronoun(text.casefold(), start)), text)
        return "" if text.casefold() in SMALL else text

    def _span(self, start: int, end: int) -> Iterator[Party]:
        if lands := two_lands(self.text[start:end], start, self.resolver):
            yield from lands
            return
        whole = self._one(start, end)
        parts = list(self._parts(start, end))
        if len(parts) > 1 and not (whole is not None and whole.name and known(whole) and self._is_name(start, end)):
            each = [self._one(a, b) for a, b in parts]
            if all(one is not None and known(one) for one in each):
                yield from (one for one in each if one is not None)
                return
        words = self.text[start:end].strip()
        if is_dual(words):
            yield from self._both(words, start)
        elif is_pronoun(words):
            yield from self._pronoun(words.casefold(), start)
        elif whole is not None:
            yield whole

    def _both(self, words: str, start: int) -> Iterator[Party]:
        """`The two countries`, `both leaders`: the two named before, or the words alone, of no country."""
        named = both(words, start, self._look, lambda name: next(self._each([name])).country, self.headline)
        end = start + len(words)
        two = [*self._each(named)] or [Party(text=words)]
        if not named or named[0] in self.headline:  # its names stand in another section
            two = [msgspec.structs.replace(one, text=words, start=start, end=end) for one in two]
        for one in two:
            land = self.resolver.country_name(one.country) if one.country and of_states(words) else None
            yield one if land is None else msgspec.structs.replace(one, name=land, sector="GOV", identifier=None)

    def within_name(self, start: int, end: int) -> bool:
        """Whether a town is only a part of a person's or an organisation's name: no place is told by `Abu Dhabi TV`."""
        place = self.resolver.place(self.text[start:end])
        is_country = place is not None and place.reason == IN_COUNTRY
        labels = ("PERSON",) if is_country else ("PERSON", "ORG")
        return any(
            name.label in labels and name.start <= start and end <= name.end and len(name.text) > end - start
            for name in self.names
        )

    def _is_name(self, start: int, end: int) -> bool:
        return any(name.start <= start and name.end >= end for name in self.names)

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        at = start
        for match in JOINED.finditer(self.text, start, end):
            if match.start() > at:
                yield at, match.start()
            at = match.end()
        if at < end:
            yield at, end

    def _one(self, start: int, end: int) -> Party | None:
        """One noun phrase, without what is joined to it."""
        start, end = self._bounds(start, end)
        cut = ARTICLES.match(self.text[start:end])
        bare = start + cut.end() if cut and cut.end() < end - start else start
        text = self.text[bare:end].strip()
        if not text or is_pronoun(text) or text.casefold() in SMALL:
            return None
        inside = [n for n in self.names if n.start < end and n.end > bare]
        over = next((n for n in inside if n.start <= bare and n.end >= end), None)
        if over is not None:
            bare, end, text = over.start, over.end, over.text
        party = self._named_in(text, end, inside, over)
        if not known(party):
            party = (
                self._at_home(end, text, party) or self._definite(bare, text, party) or self._owned(start, bare, party)
            )
        elif party.name and party.identifier is None and party.country and of_people(text):
            land = self.resolver.country_name(party.country)  # `German diplomats` are no name: who is meant is Germany
            party = msgspec.structs.replace(party, name=land if party.sector in STATE else None)
        if not party.name and not party.country and written_as_name(self.text, bare, bare + len(text)):
            party = self._person(Name(bare, bare + len(text), text, "PERSON", party), party)
        return msgspec.structs.replace(party, text=text, start=bare, end=bare + len(text))

    def _bounds(self, start: int, end: int) -> tuple[int, int]:
        """A span without the small words and signs at its ends."""
        start = begun(self.text, start, end)
        return start, start + len(LOOSE.sub("", OPEN.sub("", self.text[start:end])))

    def _named_in(self, text: str, end: int, inside: list[Name], over: Name | None) -> Party:
        """The party that a phrase names, by the names `inside` it; one of them may stand `over` all of it."""
        party = self.resolver.party(text, on=self.on)
        if party.country and (holder := self.short.get(f"{party.country} {office_in(text)}")) is not None:
            return holder  # whom the article names, not whom our list has: that may be out of date
        if over is not None and known(over.party) and not (known(party) and party.country):
            party = over.party
        people = [n for n in inside if n.label == "PERSON"]
        heads = words_of(re.split(r"\s(?:of|from|to)\s", text)[0])
        if heads and heads[-1] in APART and over is None and not (people and people[-1].end >= end):  # `Bui Thanh Son`
            return Party(text=text, country=party.country)
        bearer = people[-1] if people and people[-1].end >= end and " " in people[-1].text else None
        if bearer is not None and party.name and not set(words_of(fold(party.name))) & set(words_of(fold(bearer.text))):
            if party.identifier is not None:
                return self._person(bearer, Party(text=text))  # `Smith loyalist Jane Roe` is not Smith
            party = msgspec.structs.replace(party, name=bearer.text)
        elif bearer is not None and party.name and party.identifier is None and party.name == text:
            party = msgspec.structs.replace(party, name=bearer.text)
        if people and party.identifier is None and not (known(party) and party.country):
            party = self._person(people[0], party)
        if not known(party) and (
            short := self.short.get(text) or self.short.get(text.casefold() if text.istitle() else "")
        ):
            return short
        if not known(party) and (owner := next((n for n in inside if known(n.party)), None)) is not None:
            party = Party(
                text=text, name=owner.party.name, country=owner.party.country,
                sector=SECTORS.get(last_word(text)) or owner.party.sector, identifier=owner.party.identifier,
            )  # fmt: skip
        return party

    def _at_home(self, end: int, text: str, party: Party) -> Party | None:
        """`the army` of `the army in Pyongyang`: of the country whose name follows the span."""
        behind = LAND.match(self.text, end)
        if behind is None or last_word(text) not in HOME:
            return None
        land = next((n for n in self.names if n.start == behind.end() and n.label != "PERSON"), None)
        if land is None or not land.party.country:
            return None
        name = self.resolver.country_name(land.party.country) if last_word(text) == "government" else None
        return msgspec.structs.replace(party, name=name, country=land.party.country)

    def _owned(self, start: int, bare: int, party: Party) -> Party:
        """`its forces`, `his government`: of the country of whom the pronoun means."""
        owner = next((word for word in words_of(self.text[start:bare]) if word in PRONOUNS - FIRST_PRONOUNS), None)
        if owner is None:
            return party
        lands = {one.country for one in self._pronoun(owner, start)}
        return msgspec.structs.replace(party, country=lands.pop()) if len(lands) == 1 else party

    def _person(self, name: Name, party: Party) -> Party:
        """A person without a country: known by the last name, or by the words beside it (`Dutch prime minister Jan Visser`)."""
        if party.identifier is not None:
            return party
        last, bare = last_word(name.text), untitled(name.text)
        introduced = self.short.get(last)
        if introduced is not None and " " in bare and words_of(bare)[0] not in words_of(introduced.name or ""):
            introduced = None  # another of that last name
        if introduced is not None and introduced.country:
            return introduced
        if (found := Offices(self.text, self.names, self.resolver, self.on).bearer(name, party)) is not None:
            self.short.setdefault(last, found)
            return found
        if introduced is not None and introduced.name and " " not in bare:
            return introduced
        if not party.name:
            party = msgspec.structs.replace(party, name=name.text)
        self.short.setdefault(last, party)
        return party

    def _definite(self, start: int, text: str, party: Party) -> Party | None:
        """`the court`, `the president`: whom the text called so before, or else whom it named last of that sort."""
        low = text.casefold()
        head = low.split()[-1]
        office = all(word.islower() or word.casefold() in SECTORS or word in OFFICES for word in text.split())
        if not office or not (head in BACK or head in SECTORS):
            return None
        the = THE.search(self.text, max(0, start - 8), start) is not None
        if the or head in BARE or text[:1].isupper():
            called = self._look.noun(low, start) or self.short.get(f"the {low}")
            if called is not None and known(called):
                return msgspec.structs.replace(called, sector=called.sector or party.sector)
        sort = BACK.get(head)
        if sort is None or any(word[:1].isupper() for word in text.split()[:-1]):
            return None
        if sort in ("person", "country") and (main := self._main_country()) is not None:
            land = self.resolver.country_name(main)
            if sort == "country":
                return Party(text=text, name=land, country=main, sector=party.sector or "GOV")
            holder = self.resolver.party(f"{low} of {land}", on=self.on)
            if holder.identifier:
                return holder
        return self._look.last_of(sort, head, start, party)

    def _pronoun(self, low: str, start: int) -> Iterator[Party]:
        """A pronoun's bearers: the subject that the text goes on about; of `we`, who is quoted."""
        if low in FIRST_PRONOUNS:
            said_by = self._look.speaker(start)
            found = [] if said_by is None else [said_by]
        else:
            found = [*self._look.pronoun(low, start)]
        return self._each(found)

    def _each(self, names: Sequence[Name]) -> Iterator[Party]:
        """Names that a phrase leads back to in, their parties where they stand out."""
        for name in names:
            party = name.party
            if name.label == "PERSON" and not party.country:
                party = self._person(name, party)
            yield msgspec.structs.replace(party, text=name.text, start=name.start, end=name.end)

    @property
    def _look(self) -> Text:
        return Text(self.text, self.names, self._one)


def names_of(read: Plain, mentions: Sequence[Mention]) -> list[Name]:
    """The mentions of a section, in words, as names in characters; `anti-Syrian` names nobody."""
    named = [
        Name(read.offsets[m.start], read.offsets[m.start] + len(m.text), m.text, m.label, m.party) for m in mentions
    ]
    return [
        name
        for name in named
        if not (name.label == "PERSON" and TWO_SENTENCES.search(name.text))
        and not (
            read.text[name.start - 1 : name.start] == "-"
            and AGAINST.search(read.text, max(0, name.start - 6), name.start)
        )
    ]
