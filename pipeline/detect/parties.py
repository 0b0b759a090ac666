"""Spans of roles -> parties: who a noun phrase names, in the light of the names that stand before it in the article."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.annotate.plain import Plain
from pipeline.annotate.resolve import Resolver
from pipeline.detect.persons import (
    BACK,
    FIRST_PRONOUNS,
    PERSON_PRONOUNS,
    PRONOUNS,
    SECTORS,
    distinct,
    known,
)
from pipeline.records import Party

_ARTICLES: Final = re.compile(
    r"^(?:(?:the|a|an|its|his|their|her|both|all|some|several|at least|more than|about)\s+)+", re.IGNORECASE
)
_LOOSE: Final = re.compile(r"(?:[\s,]+(?:and|or|of|in|to|from|on|at|by|for|with|as|the|an?))+$", re.IGNORECASE)
"""Small words at the end of a span: no noun phrase ends with them."""
_WHERE: Final = re.compile(r"\b(?:in|at|from|near)\s(?:the\s)?$", re.IGNORECASE)
_GAP: Final = re.compile(r"\s+(?:[A-Z]\w*\s+)?")
_JOINED: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|;\s*")
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*\.?")
SMALL: Final = frozenset(
    ("the", "a", "an", "of", "in", "and", "s", "its", "mr", "mrs", "ms", "both", "all", "some", "two")
)
"""What is left of a span that names nobody."""
BACK_CHARACTERS: Final = 1500
"""How far back a pronoun or `the ministry` is looked up: some six sentences."""
BEGINNING: Final = 300
"""Characters: some two sentences, which say where the news is from."""
BEFORE_WORDS: Final = 6
"""The most words before a name that say who bears it: `German Foreign Minister`."""
DOMESTIC: Final = frozenset(("COP", "CVL", "OPP", "REB", "JUD", "LEG", "MIL", "GOV", "SPY"))
"""Sectors of sides that are of some country, named or not."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the section where it stands, in characters."""

    start: int
    end: int
    text: str
    label: str
    party: Party


@dataclass(slots=True)
class SectionNames:
    """One section's text with its names; `short` are persons of the article by their last names."""

    text: str
    names: list[Name]
    resolver: Resolver
    on: dt.date | None
    short: dict[str, Party] = field(default_factory=dict)

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
            if joined and _GAP.fullmatch(self.text[joined[-1][1] : start]):
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return joined

    def introduce(self) -> None:
        """Remember every person of two names or more by the last one, with the country where the text says it."""
        for name in self.names:
            if name.label == "PERSON" and " " in name.text:
                last = _last(name.text)
                known_before = self.short.get(last)
                if known_before is None or not known_before.country:
                    self.short[last] = name.party if name.party.country else self._person(name, name.party)

    def country_at(self, start: int, end: int) -> str | None:
        """The one country that the names of a sentence are of, or else those of the section's beginning; None if several.

        A place behind `in` or `at` counts for nothing: it may be where somebody speaks.
        """
        for first, last in ((start, end), (0, BEGINNING)):
            inside = [n for n in self.names if first <= n.start < last and n.party.country]
            lands = {n.party.country for n in inside if not _WHERE.search(self.text, max(0, n.start - 12), n.start)}
            if lands:
                return next(iter(lands)) if len(lands) == 1 else None
        return None

    def words(self, start: int, end: int) -> str:
        """A span's words without the article before them; nothing where no more than small words are left."""
        text = _LOOSE.sub("", _ARTICLES.sub("", self.text[start:end])).strip()
        return "" if text.casefold() in SMALL else text

    def _span(self, start: int, end: int) -> Iterator[Party]:
        whole = self._one(start, end)
        parts = list(self._parts(start, end))
        if len(parts) > 1 and not (whole is not None and whole.name and known(whole) and self._is_name(start, end)):
            each = [self._one(a, b) for a, b in parts]
            if all(one is not None and known(one) for one in each):
                yield from (one for one in each if one is not None)
                return
        words = self.text[start:end].strip()
        if _is_pronoun(words):
            yield from self._pronoun(words.casefold(), start)
        elif whole is not None:
            yield whole

    def _is_name(self, start: int, end: int) -> bool:
        return any(name.start <= start and name.end >= end for name in self.names)

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        at = start
        for match in _JOINED.finditer(self.text, start, end):
            if match.start() > at:
                yield at, match.start()
            at = match.end()
        if at < end:
            yield at, end

    def _one(self, start: int, end: int) -> Party | None:
        """One noun phrase, without what is joined to it."""
        cut = _ARTICLES.match(self.text[start:end])
        bare = start + cut.end() if cut and cut.end() < end - start else start
        end = bare + len(_LOOSE.sub("", self.text[bare:end]))
        text = self.text[bare:end].strip()
        if not text or _is_pronoun(text) or text.casefold() in SMALL:
            return None
        inside = [n for n in self.names if n.start < end and n.end > bare]
        over = next((n for n in inside if n.start <= bare and n.end >= end), None)
        if over is not None:
            bare, end, text = over.start, over.end, over.text
        party = self.resolver.party(text, on=self.on)
        if over is not None and known(over.party) and not (known(party) and party.country):
            party = over.party
        person = next((n for n in inside if n.label == "PERSON"), None)
        if person is not None and not (known(party) and party.country):
            party = self._person(person, party)
        if not known(party) and (owner := next((n for n in inside if known(n.party)), None)) is not None:
            party = Party(
                text=text, name=owner.party.name, country=owner.party.country,
                sector=SECTORS.get(text.split()[-1].casefold()) or owner.party.sector, identifier=owner.party.identifier,
            )  # fmt: skip
        if not known(party):
            party = self._definite(bare, text, party) or party
        elif party.identifier is None and party.country and _of_people(text):
            land = self.resolver.country_name(party.country)  # `German diplomats` are no name: who is meant is Germany
            party = msgspec.structs.replace(party, name=land or party.name)
        return msgspec.structs.replace(party, text=text, start=bare, end=bare + len(text))

    def _person(self, name: Name, party: Party) -> Party:
        """A person without a country: known by the last name, or by the words before it (`Dutch prime minister Jan Visser`)."""
        last = _last(name.text)
        introduced = self.short.get(last)
        if introduced is not None and introduced.country:
            return introduced
        before = list(_WORD.finditer(self.text, max(0, name.start - 90), name.start))[-BEFORE_WORDS:]
        for word in before:
            gap = self.text[word.end() : name.start]
            if re.search(r"[,.;:()\"“”]", gap.replace(".", "", 1) if word[0].endswith(".") else gap):
                continue
            titled = self.resolver.party(self.text[word.start() : name.end], on=self.on)
            if titled.country:
                found = msgspec.structs.replace(titled, name=name.text if titled.name is None else titled.name)
                self.short.setdefault(last, found)
                return found
        behind = re.match(r",\s+((?:an?|the)?\s?[^,.;]{3,60}?)(?:,|\.|;)", self.text[name.end : name.end + 80])
        if behind is not None:
            described = self.resolver.party(behind[1], on=self.on)
            if described.country:
                found = Party(text=name.text, name=name.text, country=described.country, sector=described.sector)
                self.short.setdefault(last, found)
                return found
        if introduced is not None and introduced.name and " " not in name.text:
            return introduced
        if not party.name:
            party = msgspec.structs.replace(party, name=name.text)
        self.short.setdefault(last, party)
        return party

    def _definite(self, start: int, text: str, party: Party) -> Party | None:
        """`the court`, `the president`: whom the article named before, of that sort."""
        low = text.casefold()
        sort = BACK.get(low.split()[-1])
        if sort is None or any(word[:1].isupper() for word in text.split()[:-1]):
            return None
        for name in self._before(start):
            one = name.party
            if not known(one):
                continue
            if sort == "person" and (name.label == "PERSON" or one.sector == "GOV"):
                return msgspec.structs.replace(one, sector=one.sector or party.sector)
            if sort == "country" and one.country and name.label != "PERSON":
                return Party(text=text, name=one.name, country=one.country, sector=party.sector or one.sector)
            if sort in ("org", "REB", "JUD") and (
                one.sector == sort
                or (sort == "org" and one.sector == "IGO")
                or low.split()[-1] in (one.name or "").casefold().split()  # an international court is an IGO
            ):
                return one
        return None

    def _pronoun(self, low: str, start: int) -> Iterator[Party]:
        """A pronoun's likeliest bearer: the nearest name before it that fits in number and kind."""
        if low in FIRST_PRONOUNS:
            return
        found = None
        for name in self._before(start):
            person = name.label == "PERSON" or (
                name.party.sector == "GOV" and bool(name.party.name) and " " in name.text
            )
            if (low in PERSON_PRONOUNS and person) or (low not in PERSON_PRONOUNS and not person and known(name.party)):
                found = name
                break
        if found is not None and (known(found.party) or low in PERSON_PRONOUNS):
            party = found.party
            if found.label == "PERSON" and not party.country:
                party = self._person(found, party)
            yield msgspec.structs.replace(party, text=found.text, start=found.start, end=found.end)

    def _before(self, start: int) -> Iterator[Name]:
        for name in reversed(self.names):
            if name.end <= start:
                if start - name.end > BACK_CHARACTERS:
                    return
                yield name


def _last(name: str) -> str:
    """A person's last name, by which the text goes on to speak of the person."""
    return name.rsplit(maxsplit=1)[-1].casefold().removesuffix("'s").removesuffix("’s")


def _is_pronoun(text: str) -> bool:
    return text.casefold() in PRONOUNS and text != "US"


def _of_people(text: str) -> bool:
    """Whether a phrase is a people's adjective with a plural noun: `German diplomats`, `three Russian firms`."""
    words = text.split()
    return len(words) > 1 and words[-1].islower() and words[-1].endswith("s") and words[-1] not in ("forces", "affairs")


def names_of(read: Plain, mentions: Sequence[Mention]) -> list[Name]:
    """The mentions of a section, in words, as names in characters."""
    return [
        Name(read.offsets[m.start], read.offsets[m.start] + len(m.text), m.text, m.label, m.party) for m in mentions
    ]


def settle(parties: Sequence[Party], country: str | None) -> tuple[Party, ...]:
    """Sides of a domestic sort without a country are given that of the event's place or other side."""
    if country is None:
        return tuple(parties)
    return tuple(
        msgspec.structs.replace(p, country=country)
        if not p.country and not p.name and p.sector in DOMESTIC else p
        for p in parties
    )  # fmt: skip
