"""A noun phrase in, its Party with country and sector out; also a text to its names, a place's name to its coordinates. Pure.

The names are data (gazetteer/*.tsv), read once. A phrase resolves to the name at its end (`Russian President Vladimir Putin`),
else to a sector by its head noun and a country by the name in it (`Israeli forces`: ISR, MIL), else to nothing.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import operator
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import msgspec

from pipeline.annotate.names import (
    SECTOR_OF_ROLE,
    WORD,
    Entry,
    Index,
    KnownName,
    Term,
    find,
    fold,
    load_index,
    rows,
    standing,
)
from pipeline.annotate.places import Places
from pipeline.annotate.titles import GENERAL, noun, only_there
from pipeline.records import Party, Place

_QUOTES: Final = ' \t\r\n\u00a0,;:.!?"“”«»()[]-–—'
_SPACES: Final = re.compile(r"\s+")
_POSSESSIVE: Final = re.compile(r"['’]s?$")
_TOKEN: Final = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_STATE: Final = frozenset(("GOV", "MIL", "COP", "JUD", "LEG", "SPY"))
"""Sectors that are parts of the state."""
_PARTICLES: Final = frozenset(("al", "bin", "van", "de", "der", "von", "el", "da", "dos", "ben"))
_NOT_THE_HOLDER: Final = (
    " former ", " ex ", " deputy ", " s office ", " spokesman ", " adviser ", " aide ", " elect ", " then ",
    " new ", " incoming ", " next ", " future ", " designate ",
)  # fmt: skip
_HIS_OWN: Final = frozenset(
    ("administration", "administrations", "army", "cabinet", "camp", "campaign", "campaigns", "forces", "government", "office",
     "presidency", "regime", "team", "troops")
)  # fmt: skip
"""What acts for the person whose name stands before it: `Assad's forces`, not `Assad's supporters`."""
_ABROAD: Final = frozenset(
    ("embassy", "embassies", "consulate", "consulates", "ambassador", "ambassadors", "envoy", "diplomats")
)
"""What is in another country than its own: `the consulate in Seattle`."""
_OWNED: Final = re.compile(r"['’]")
_EMPLOYED: Final = re.compile(r"\s(?:for|at|with)\s(?:the\s)?$")
"""Between an office and whose it is."""
_CACHED: Final = 50_000
"""At most so many phrases are cached; a day of news has fewer different ones."""


class Resolver:
    """The gazetteer, with a cache of look-ups. It cannot be pickled: each process loads its own."""

    def __init__(self) -> None:
        self._index: Index = load_index()
        self._heads = self._index.sectors
        lists = self._index.words
        self._titles, self._front, self._cut = lists["titles"], lists["front"], lists["cut"]
        self._owners = lists["owners"]
        self._offices = [(office, role, frozenset(only.split())) for office, role, only in rows("offices.tsv")]
        self._offices.sort(key=lambda row: -len(row[0]))
        self._parties: dict[tuple[str, dt.date | None], Party] = {}
        self._timeless: dict[str, Party] = {}
        self._day_counted = False

    @cached_property
    def _places(self) -> Places:
        return Places(self._index)

    # --- names --------------------------------------------------------------------------------------------------------

    def find(self, text: str) -> tuple[KnownName, ...]:
        """Return the countries, peoples, capitals, organisations, groups and persons named in a text, in order."""
        return find(self._index, text)

    def spans(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Return (first, one past the last) of each known name among the words of a text."""
        named = standing(self._index, " ".join(words))
        if not named:
            return []
        letters = itertools.accumulate(map(len, words), initial=0)
        begins = list(map(operator.add, letters, range(len(words) + 1)))  # one space between two words
        spans = []
        for start, end, _ in named:
            first, last = bisect.bisect_left(begins, start), bisect.bisect_left(begins, end + 1)
            if begins[first] == start and begins[last] == end + 1:
                spans.append((first, last))
        return spans

    def country(self, name: str) -> str | None:
        """Return the ISO 3166 alpha-3 code for a country's name, people, adjective or capital; else None."""
        entry = self._whole(name)
        land = entry is not None and entry.kind in ("country", "adjective", "people", "capital")
        return entry.country if entry is not None and land else None

    def is_shared(self, name: str) -> bool:
        """Return whether other states have a body of that name too: `Senate`."""
        return (entry := self._whole(name)) is not None and entry.soft and entry.kind in ("body", "org")

    def country_name(self, code: str) -> str | None:
        """Return the usual name of a country by its alpha-3 code; None if the code is unknown."""
        return self._index.country_names.get(code)

    def members(self, organisation: str) -> frozenset[str]:
        """Return the alpha-3 codes of an organisation's members; empty if they are not in the gazetteer."""
        entry = self._whole(organisation)
        return self._index.members.get(entry.name, frozenset()) if entry is not None else frozenset()

    def holder(self, country: str, role: str, on: dt.date) -> Entry | None:
        """Return who held a role (of holders.tsv) in a country on a day; None if unknown."""
        self._day_counted = True
        for term, entry in self._index.offices.get((country, role), ()):
            if (term.since or dt.date.min) <= on <= (term.until or dt.date.max):
                return entry
        return None

    def place(self, text: str, countries: Sequence[str] = ()) -> Place | None:
        """Return the place of a name; `countries` are those that the article names, most frequent first. None if unknown."""
        return self._places.find(text, countries)

    # --- parties ------------------------------------------------------------------------------------------------------

    def party(self, text: str, *, on: dt.date | None = None, countries: Sequence[str] = ()) -> Party:
        """Return the party that a noun phrase of a text means; without a known name it has neither name nor country.

        `on` is the day for holders of an office (`the Russian president`); `countries` are those of the article, for a body
        that every country has (`the Senate`).
        """
        known = self._timeless.get(text) or self._parties.get((text, on))
        if known is None:
            known = self._keep(text, on)
        if known.country is None and known.sector in _STATE and known.name is None and countries:
            return msgspec.structs.replace(known, country=countries[0])
        return known

    def _keep(self, text: str, on: dt.date | None) -> Party:
        """Resolve a phrase and cache it: for that day, or for all days if the day made no difference."""
        self._day_counted = on is None
        party = self._resolve(text, on)
        if len(self._timeless) + len(self._parties) >= _CACHED:
            self._timeless.clear()
            self._parties.clear()
        if self._day_counted:
            self._parties[text, on] = party
        else:
            self._timeless[text] = party
        return party

    def _whole(self, text: str) -> Entry | None:
        words = WORD.findall(fold(text))
        if words and words[0].lower() == "the" and " ".join(words).lower() not in self._index.whole:
            words = words[1:]
        entry = self._index.whole.get(" ".join(words).lower())
        return entry if entry is not None and entry.kind != "none" else None

    def _resolve(self, text: str, on: dt.date | None) -> Party:
        phrase = _POSSESSIVE.sub("", _SPACES.sub(" ", text).strip(_QUOTES)).strip(_QUOTES)
        if not phrase or len(phrase) > 400:
            return Party(text=text)
        tokens = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(phrase)]
        mentions = self.find(phrase)
        start = self._body(tokens, mentions)
        exact = self._exact(phrase, start, mentions)
        if exact is not None:
            return self._of(exact, text, on)
        return self._described(text, phrase, [token for token in tokens if token[1] >= start], mentions, on)

    def _body(self, tokens: list[tuple[str, int, int]], mentions: Sequence[KnownName]) -> int:
        """Return the start of the phrase without articles, numbers and `senior`, and never inside a name."""
        named = {mention.start for mention in mentions}
        for word, start, _ in tokens:
            if start in named or not (word.lower() in self._front or word[0].isdigit()):
                return start
        return 0

    def _exact(self, phrase: str, start: int, mentions: Sequence[KnownName]) -> Entry | None:
        """Return the entry if the whole phrase is a name, in the same or another spelling; else None."""
        for mention in mentions:
            if mention.end == len(phrase) and (
                mention.start == start or (mention.start < start and phrase[0].isalnum())
            ):
                return mention.entry
        body = phrase[start:]
        entry = self._whole(body) if body[:1].isupper() or body.islower() is False else None
        if entry is not None and entry.soft and " " in body:
            return None
        return entry

    def _described(
        self,
        text: str,
        phrase: str,
        tokens: list[tuple[str, int, int]],
        mentions: Sequence[KnownName],
        on: dt.date | None,
    ) -> Party:
        """Resolve a description: its head noun gives the sector, the names in it the country."""
        head_at, cut = self._head(tokens, mentions)
        titled = self._titled(phrase, tokens, mentions)
        if titled is not None:
            return self._of(titled, text, on)
        before = [m for m in mentions if m.end <= cut]
        last = before[-1] if before else None
        if (
            last is not None
            and last.end >= cut - 1
            and last.kind in ("holder", "org", "group", "body", "country", "capital")
        ):
            own = self._of(last.entry, text, on)
            if last.kind in ("holder", "group") or own.country is None or all(m.country == own.country for m in before):
                return own
        head = noun(tokens, head_at) if 0 <= head_at < len(tokens) else ""
        sector = self._heads.get(head) or self._heads.get(head.rsplit("-", 1)[-1])
        owner = self._owner(phrase, tokens, mentions, cut)
        person = self._person(tokens, mentions, cut)
        if person:
            known = self._whole(person)
            if known is not None and known.kind == "holder":
                return self._of(known, text, on)
            title = self._sector_of_titles(tokens, cut)
            country = owner.country if owner else only_there(phrase)
            return Party(text=text, name=person, country=country, sector=title or sector or _lent(owner))
        if sector is None and cut < len(phrase) and phrase[cut : cut + 4] == " of ":
            sector = self._resolve(phrase[cut + 4 :], on).sector  # a member of the Syrian parliament
        if owner is None:
            return self._located(text, phrase, [] if head in _ABROAD else tokens, sector)
        if owner.kind == "org":
            return Party(
                text=text, name=owner.party_name, country=None, sector=owner.sector, identifier=owner.entry.identifier
            )
        if owner.kind == "region":
            return Party(text=text, name=owner.party_name, sector=sector)
        if on is not None and owner.country and (holder := self._office(phrase, owner.country, on)) is not None:
            return self._of(holder, text, on)
        by_name = owner.kind in ("group", "body") or (owner.kind == "holder" and head in _HIS_OWN)
        if by_name and not (owner.kind == "body" and sector):
            group_sector = owner.sector if sector in (None, "GOV", "MIL", "REB", "CVL") else sector
            return Party(text=text, name=owner.party_name, country=owner.country, sector=group_sector)
        name = phrase[tokens[0][1] :] if tokens else phrase
        return Party(text=text, name=_tidy(name), country=owner.country, sector=sector or _lent(owner))

    def _titled(self, phrase: str, tokens: list[tuple[str, int, int]], mentions: Sequence[KnownName]) -> Entry | None:
        """Return the person at the end of `Secretary of State Antony Blinken`, if the rest of the phrase is a title."""
        last = mentions[-1] if mentions else None
        if last is None or last.kind != "holder" or last.end < len(phrase):
            return None
        before = [(word.lower(), start) for word, start, end in tokens if end <= last.start]
        for number, (word, _) in enumerate(before):
            if word in self._cut and (
                number == 0 or word not in ("of", "for") or before[number - 1][0] not in self._titles
            ):
                return None
        return last.entry

    def _head(self, tokens: list[tuple[str, int, int]], mentions: Sequence[KnownName]) -> tuple[int, int]:
        """Return the number of the head noun, and the offset at which its part of the phrase ends."""
        inside = [(m.start, m.end) for m in mentions]
        for number, (word, start, _) in enumerate(tokens):
            if number and word.lower() in self._cut and not any(a < start < b for a, b in inside):
                return number - 1, tokens[number - 1][2]
        return len(tokens) - 1, tokens[-1][2] if tokens else 0

    def _owner(
        self, phrase: str, tokens: list[tuple[str, int, int]], mentions: Sequence[KnownName], cut: int
    ) -> KnownName | None:
        """Return the name that the head noun belongs to: one before it, else one after `of`, `in` or `from`, not after `to`."""
        before = [m for m in mentions if m.end <= cut]
        topic = bool(before) and before[0].kind in ("country", "region") and not _OWNED.match(phrase, before[0].end)
        employer = next((m for m in mentions if m.sector == "NGO" and _EMPLOYED.search(phrase, cut, m.start)), None)
        if topic and employer is not None:
            return employer  # `Kenya director for Human Rights Watch`
        if before:
            states = [m for m in before if m.country]
            groups = [m for m in before if m.kind in ("group", "org")]
            return (
                groups[-1] if groups and before[-1].kind in ("group", "org") else (states[0] if states else before[-1])
            )
        abroad = any(word.lower() in _ABROAD and end <= cut for word, _, end in tokens)
        for number, (word, start, end) in enumerate(tokens):
            if start < cut or word.lower() not in self._owners or (abroad and word.lower() != "of"):
                continue
            rest = [token for token in tokens[number + 1 :] if token[0].lower() not in ("to", "in", "the")]
            stop = next((token[1] for token in rest if token[0].lower() in self._cut), len(phrase))
            for mention in mentions:
                if mention.start >= end and (mention.start < stop or word.lower() in ("of", "living", "fleeing")):
                    return mention
        return None

    def _person(self, tokens: list[tuple[str, int, int]], mentions: Sequence[KnownName], cut: int) -> str | None:
        """Return an unknown person's name at the end: capitalised words after a title (`Foreign Minister Jane Doe`)."""
        words = [token for token in tokens if token[2] <= cut]
        covered = [(m.start, m.end) for m in mentions if m.kind != "holder"]
        last_title = -1
        for number, (word, _, _) in enumerate(words):
            if word.lower().rstrip(".") in self._titles:
                last_title = number
        name: list[str] = []
        for word, start, _ in words[last_title + 1 :]:
            if any(a <= start < b for a, b in covered) or not (word[:1].isupper() or word in _PARTICLES):
                name = []
                continue
            name.append(word)
        if last_title < 0 or not name or len(name) > 5:
            return None
        return " ".join(name)

    def _sector_of_titles(self, tokens: Iterable[tuple[str, int, int]], cut: int) -> str | None:
        sector, before = None, ""
        for word, _, end in tokens:
            low = word.lower()
            second = low == "general" and before in GENERAL
            if end <= cut and low in self._titles and low in self._heads and not second:
                sector = self._heads[low]
            before = low
        return sector

    def _located(self, text: str, phrase: str, tokens: list[tuple[str, int, int]], sector: str | None) -> Party:
        """Resolve a phrase without a known party: a town or province in it gives the country (`residents of Mariupol`)."""
        runs: list[list[tuple[str, int, int]]] = []
        for token in tokens:
            if token[0][:1].isupper():
                if runs and token[1] == runs[-1][-1][2] + 1:
                    runs[-1].append(token)
                else:
                    runs.append([token])
        for run in runs:
            if run[0][1] == tokens[0][1] and tokens[0][0].lower() in self._titles:
                continue
            name = phrase[run[0][1] : run[-1][2]]
            place = self._places.sure(name)
            if place is not None:
                whole = place.name if len(run) == len(tokens) else _tidy(phrase[tokens[0][1] :])
                return Party(text=text, name=whole, country=place.country, sector=sector)
        return Party(text=text, country=only_there(phrase), sector=sector)

    def _of(self, entry: Entry, text: str, on: dt.date | None) -> Party:
        country, sector = entry.country, entry.sector
        if entry.terms and on is not None:
            self._day_counted = True
            term = _term(entry.terms, on)
            if term is not None:
                country, sector = term.country, _sector(term, sector)
        return Party(text=text, name=entry.name, country=country, sector=sector, identifier=entry.identifier)

    def _office(self, phrase: str, country: str, on: dt.date) -> Entry | None:
        """Return the holder on that day of an office: `the Russian president`, `the president of France`; else None."""
        plain = " " + " ".join(word.lower() for word in WORD.findall(fold(phrase))) + " "
        if any(word in plain for word in _NOT_THE_HOLDER):
            return None
        for office, role, only in self._offices:
            if f" {office} " in plain and (not only or country in only):
                found = self.holder(country, role, on)
                if found is not None:
                    ends = plain.rstrip().endswith(office)
                    return found if ends or f" {office} of " in plain else None
        return None


def _lent(owner: KnownName | None) -> str | None:
    return owner.sector if owner is not None and owner.kind in ("country", "capital", "body") else None


def _tidy(name: str) -> str:
    return name.replace("’", "'").strip(_QUOTES)


def _term(terms: Sequence[Term], on: dt.date) -> Term | None:
    """Return the office of a person on that day, or the last one before it."""
    held = [term for term in terms if (term.since or dt.date.min) <= on]
    return held[-1] if held else None


def _sector(term: Term, otherwise: str | None) -> str | None:
    return SECTOR_OF_ROLE.get(term.role, "GOV") if term.role else otherwise


_loaded: list[Resolver] = []


def load() -> Resolver:
    """Return the resolver of this process, built at the first call."""
    if not _loaded:
        _loaded.append(Resolver())
    return _loaded[0]
