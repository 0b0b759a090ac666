"""Spans of roles -> parties: who a noun phrase names, in the light of the names that stand before it in the article."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from pipeline.annotate.names import fold
from pipeline.annotate.parse import is_bare
from pipeline.annotate.resolve import Resolver
from pipeline.detect import home as homes
from pipeline.detect.duals import both, is_dual, of_states, two_named
from pipeline.detect.offices import Offices
from pipeline.detect.persons import (
    ABROAD,
    ALONE,
    APART,
    BACK,
    BARE,
    FIRST_PRONOUNS,
    HOME,
    KINGDOMS,
    NEXT,
    PRONOUNS,
    SECTORS,
    distinct,
    is_described,
    known,
    words_of,
)
from pipeline.detect.phrases import (
    ACRONYM,
    ARTICLES,
    CAPITAL,
    FOR,
    LAND,
    LEAD,
    LOOSE,
    OFFICES,
    OPEN,
    PARTICLES,
    SMALL,
    START,
    THE,
    begun,
    is_body,
    is_private,
    is_pronoun,
    is_where,
    last_word,
    named,
    of_people,
    office_in,
    parts_of,
    untitled,
    written_as_name,
)
from pipeline.detect.referents import Name, Text, by_initials
from pipeline.detect.spans import joined, listed
from pipeline.records import Party

STATE: Final = frozenset(("GOV", "MIL", "COP", "JUD", "LEG", "SPY", None))
"""Sectors of a phrase of a people that acts for the state; None is one that nothing is known of."""


@dataclass(slots=True)
class SectionNames:
    """One section's text with its names; `short` are the article's persons by last names, `headline` the title's names.

    `home` is the country that it is about, `firm` the same where that is sure enough for ministers and bodies without one;
    `guessed` are those to whom it was lent, by name, as they are without it.
    """

    text: str
    names: list[Name]
    resolver: Resolver
    on: dt.date | None
    short: dict[str, Party] = field(default_factory=dict)
    headline: Sequence[Name] = ()
    home: str | None = None
    firm: str | None = None
    guessed: dict[str, Party] = field(default_factory=dict)

    def settle_home(self, rest: SectionNames | None = None) -> None:
        """Find out the section's country by its names and the headline's, else take that of the rest of the article."""
        home, firm = (rest.home, rest.firm) if rest else (None, None)
        self.home = homes.main_country(self.text, self.names, self.headline) or home
        self.firm = homes.main_country(self.text, self.names, self.headline, homes.FIRM) or firm

    def parties(self, spans: Sequence[tuple[int, int]]) -> tuple[Party, ...]:
        """Spans in, the parties that they name out, each once."""
        found: list[Party] = []
        for start, end in joined(self.text, self.names, spans):
            found += self._span(start, end)
        return distinct([homes.at_home(party, self.firm, self.guessed) for party in found])

    def introduce(self) -> None:
        """Remember every person of two names or more by the last one, with the country where the text says it.

        A first name alone and an acronym behind the full name (`Free Press Union (FPU)`) are remembered too; last names that
        were not seen as names become names.
        """
        self.names = [one for name in self.names for one in listed(self.text, name, self.resolver, self.on)]
        people = [name for name in self.names if name.label == "PERSON" and " " in name.text]
        for name in people:
            last = last_word(name.text)
            known_before = self.short.get(last)
            if known_before is None or not known_before.country:
                found = name.party if name.party.country else self._person(name, name.party)
                if known_before is None or found.country:  # not his wife, who is named later
                    self.short[last] = found
        for name in people:
            first = name.text.split()[0].casefold()
            if first not in SECTORS:
                self.short.setdefault(first, self.short[last_word(name.text)])
            self._hold(name)
        for match in ACRONYM.finditer(self.text):
            before = next((n for n in self.names if n.end <= match.start() <= n.end + 2 and n.label != "PERSON"), None)
            if before is not None:
                self.short.setdefault(match[1], named(before.party, before.text))
        for initials, party in by_initials(self.names).items():
            self.short.setdefault(initials, party)
        self.names = [self._whose(name) for name in self.names]
        self._find_last_names()

    def _whose(self, name: Name) -> Name:
        """A name as it is, a town's as the person's who is called so, a body's as the article's country's, initials in full."""
        if name.text.isupper() and not known(name.party) and (body := self.short.get(name.text)) is not None:
            return replace(name, party=body)
        if (here := self._here(name.text, name.party)) is not None:
            return replace(name, party=here)
        person = self.short.get(name.text.casefold()) if name.label != "PERSON" and is_bare(name.party) else None
        if person is None or last_word(person.name or "-") != name.text.casefold() or is_where(self.text, name.start):
            return name
        return replace(name, label="PERSON", party=person)

    def _hold(self, name: Name) -> None:
        """Remember whose office it is, `the prime minister`, unless two persons of the article have it."""
        before = self.text[max(0, name.start - 40) : name.start].split()
        office: list[str] = []
        while before and (before[-1].casefold() in SECTORS or before[-1] in OFFICES):
            office.insert(0, before.pop().casefold())
        if (
            office
            and not office[-1].endswith("s")
            and (not before or before[-1].casefold() not in ("vice", "deputy", "former", "ex", "then"))
        ):
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
        """The one country that a sentence, else the section, is about: home.py says how."""
        return homes.country_at(self.text, self.names, start, end, self.home)

    def words(self, start: int, end: int) -> str:
        """A span's words without the article before them, of a pronoun whom it means; nothing if only small words are left."""
        text = LOOSE.sub("", ARTICLES.sub("", LEAD.sub("", self.text[start:end]))).strip()
        if is_pronoun(text):
            return next((party.name or party.text for party in self._pronoun(text.casefold(), start)), text)
        return "" if text.casefold() in SMALL else text

    def _span(self, start: int, end: int) -> Iterator[Party]:
        if lands := two_named(self.text[start:end], start, self.resolver):
            yield from lands
            return
        whole = self._one(start, end)
        parts = joined(self.text, self.names, list(parts_of(self.text, start, end)))
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

    def _is_name(self, start: int, end: int) -> bool:
        return any(name.start <= start and name.end >= end for name in self.names)

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
        party = self._introduced(text, self._named_in(text, end, inside, over))
        if not known(party) or (not party.name and text.istitle()):  # `the Deputy Secretary`
            party = (
                self._at_home(end, text, party) or self._definite(bare, text, party) or self._owned(start, bare, party)
            )
        elif party.country and not party.identifier and of_people(text) and is_described(party, text):
            land = self.resolver.country_name(party.country)  # `German diplomats` are no name: who is meant is Germany
            acts = party.sector in STATE and not is_private(text)
            party = msgspec.structs.replace(party, name=land if acts else None)
        if over is not None and over.label == "ORG" and not party.name and is_body(self.text, bare, end, homes.BODIES):
            party = msgspec.structs.replace(party, name=text)
        elif not party.name and not party.country and written_as_name(self.text, bare, bare + len(text)):
            party = self._person(Name(bare, bare + len(text), text, "PERSON", party), party)
        return msgspec.structs.replace(party, text=text, start=bare, end=bare + len(text))

    def _introduced(self, text: str, party: Party) -> Party:
        """A party as it is, or whom the text named in full before: `Deputy Secretary Sherman`."""
        bare = party.name and " " not in party.name and not party.identifier
        short = self.short.get(last_word(text)) if bare else None
        return short if short is not None and short.country == party.country else party

    def _bounds(self, start: int, end: int) -> tuple[int, int]:
        """A span without the small words and signs at its ends."""
        start = begun(self.text, start, end)
        return start, start + len(LOOSE.sub("", OPEN.sub("", self.text[start:end])))

    def _named_in(self, text: str, end: int, inside: list[Name], over: Name | None) -> Party:
        """The party that a phrase names, by the names `inside` it; one of them may stand `over` all of it."""
        party = self.resolver.party(text, on=self.on)
        if party.country and party.identifier is None and any(self._is_town(n, party) for n in inside):
            party = Party(text=text, sector=party.sector)
        elif (here := self._here(text, party)) is not None:
            return here
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
        short = self.short.get(text) or self.short.get(text.casefold() if text.istitle() else "")
        if short is not None and not known(party):
            return short
        if not known(party) and (owner := next((n for n in inside if known(n.party)), None)) is not None:
            return self._of_owner(text, self.text[end - len(text) : owner.start], owner.party)
        return party

    def _of_owner(self, text: str, before: str, owner: Party) -> Party:
        """A phrase as the party of the name in it, `before` which the rest stands; `Doctors for Mali` has a name of its own."""
        if FOR.search(before) and all(word[:1].isupper() or word in PARTICLES for word in text.split()):
            return Party(text=text, name=text, country=owner.country, sector="CVL")
        sector = SECTORS.get(last_word(text)) or owner.sector
        return Party(text=text, name=owner.name, country=owner.country, sector=sector, identifier=owner.identifier)

    def _here(self, text: str, party: Party) -> Party | None:
        """The body of the article's country that is meant where the list has another one's, `the Senate`; else None."""
        if not homes.is_elsewhere(text, party, self.firm, self.resolver):
            return None
        self.guessed[text] = party
        return Party(text=text, name=text, country=self.firm, sector=party.sector)

    def _is_town(self, name: Name, party: Party) -> bool:
        """Whether a party has its country of a person who has the name of a town: `Bush family` is not of Egypt."""
        return name.label == "PERSON" and name.party.country != party.country == self.resolver.party(name.text).country

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
        if owner is None or last_word(party.text) in ABROAD:
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
        offices = Offices(self.text, self.names, self.resolver, self.on, self.firm, self.guessed)
        if (found := offices.bearer(name, party)) is not None:
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
        if not (office or low in BACK) or not (head in BACK or head in SECTORS):
            return None
        the = THE.search(self.text, max(0, start - 8), start) is not None
        if the or head in BARE or text[:1].isupper():
            called = self._look.noun(low, start) or self.short.get(f"the {low}")
            if called is not None and known(called):
                return msgspec.structs.replace(called, sector=called.sector or party.sector)
        sort = BACK.get(head)
        if sort is None or any(word[:1].isupper() for word in text.split()[:-1]):
            return None
        main = self.home if head != "kingdom" or self.home in KINGDOMS else None
        if sort in ("person", "country") and main is not None:
            land = self.resolver.country_name(main)
            if sort == "country" or low.split()[0] in NEXT:
                return Party(text=text, name=land, country=main, sector=party.sector or "GOV")
            holder = self.resolver.party(f"{low} of {land}", on=self.on)
            if holder.identifier:
                return holder
        found = self._look.last_of(sort, head, start, party)
        if found is not None and sort == "country":
            return msgspec.structs.replace(found, name=self.resolver.country_name(found.country or ""))
        return self.resolver.party(found.name) if found and found.sector == "IGO" and found.name else found

    def _pronoun(self, low: str, start: int) -> Iterator[Party]:
        """A pronoun's bearers: the subject that the text goes on about; of `we`, who is quoted."""
        found: Sequence[Name]
        if low in FIRST_PRONOUNS:
            said_by = self._look.speaker(start)
            found = [] if said_by is None else [said_by]
        else:
            found = self._look.pronoun(low, start)
        state = low in FIRST_PRONOUNS - ALONE and not self._look.quoted(start)  # a minister's `we` in a release
        for one in self._each(found):
            land = self.resolver.country_name(one.country or "") if state and one.sector == "GOV" else None
            yield one if land is None else msgspec.structs.replace(one, name=land, identifier=None)

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
