"""A person without a country in, the person with that of the office out: `Dutch prime minister Jan Visser`."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pipeline.annotate.names import fold
from pipeline.annotate.resolve import Resolver
from pipeline.annotate.titles import only_there
from pipeline.detect.persons import NATIONAL, OFFICIAL, SECTORS, words_of
from pipeline.detect.phrases import (
    APPOSED,
    APPOSED_LONG,
    AS_OFFICE,
    BREAK,
    MET,
    OF_LAND,
    OFFICE_BEFORE,
    PEOPLE_BEFORE,
    THERE,
    TITLE_NOUN,
    WORD,
    last_word,
    untitled,
)
from pipeline.detect.referents import Name, titled
from pipeline.records import Party

BEFORE_WORDS: Final = 9
"""The most words before a name that say who bears it: `German Foreign Minister`."""
BEFORE: Final = 90
"""The most characters of these words."""
LANDS: Final = 4
"""Countries of an article, the most named first, whose office-holders are looked up."""


_ABROAD: Final = re.compile(
    r"\b(?:ambassador|envoy|emissary|representative|delegate|adviser|advisor|aide)s?\s+(?:in|to)\s", re.IGNORECASE
)
"""Who is at home elsewhere than in the country that is named: `ambassador to Peru`."""
_SENT: Final = re.compile(
    r"((?:[A-Z][\w.]*(?:['’]s)?\s)*)(?:[Ss]pecial\s|[Pp]ermanent\s|[Pp]eace\s)*(?:[Aa]mbassador|[Ee]nvoy)\s+(?:in|to|for)\s+(?:the\s+)?(?:[A-Z][\w-]*,?\s+)+$"
)
"""A title that names the country to which its bearer is sent: `US Ambassador to Germany`."""
_OF_STATE: Final = re.compile(r"\b(?:deputy|assistant|acting) secretary of (?:state|defense|homeland)\b", re.IGNORECASE)
"""American offices in whatever article; an `Assistant Secretary` can be another country's."""
_LED: Final = re.compile(r"\b(?:headed|led|commanded|chaired)\sby\s(?:[\w.-]+\s){0,3}$")
"""Before somebody who may be of the body that is led, and not of the country that the article is about."""
_WHOSE: Final = re.compile(r"\bspokes\w+\s(?:for|at)\s(?:the\s)?|\bserved\sas\s(?:the\s)?")
"""Behind it stands for whom somebody speaks, or what somebody was."""
_STUDIES: Final = re.compile(
    r"(?:\s[a-z]+){0,2}?\s(?:analyst|researcher|expert|specialist|scholar|correspondent|director|economist|historian)\b"
)
_PLACED: Final = re.compile(r"\s(?:for|who|whose|which|that|with|by|to)\s")
"""Behind it stands what the office is for or what its bearer does, no office."""


def _acts(said: Sequence[str]) -> bool:
    """Whether words of a description are of a state's office, as those of a citizen or a writer are not."""
    return not OFFICIAL.isdisjoint(said) or any(
        SECTORS.get(word) in ("GOV", "MIL", "COP", "JUD", "LEG") for word in said
    )


def _own(name: Name, home: str) -> bool:
    """Whether a name beside a person's leaves it open that the person is of a country: it is of that, or of no other body."""
    party = name.party
    return party.country == home or (party.country is None and not party.identifier and party.sector != "IGO")


@dataclass(frozen=True, slots=True)
class Offices:
    """A section's text with its names, in which the offices of persons are looked up; `on` is the day of the article.

    `home` is the country that the article is about. Those who have nothing but this country are added to `guessed`, by name, as
    they are without it.
    """

    text: str
    names: Sequence[Name]
    resolver: Resolver
    on: dt.date | None
    home: str | None = None
    guessed: dict[str, Party] = field(default_factory=dict)

    def bearer(self, name: Name, party: Party) -> Party | None:
        """A person's name and what is known of the person in, the person by the office out; None if it tells no country."""
        if (sent := _SENT.search(self.text, max(0, name.start - BEFORE), name.start)) is not None:
            sender = next((n for n in reversed(self.resolver.find(sent[1])) if n.country or n.sector == "IGO"), None)
            if sender is None:
                return None
            sector = "GOV" if sender.country else sender.sector
            return Party(text=name.text, name=name.text, country=sender.country, sector=sector)
        if (land := self._owner(name)) is not None:
            return Party(text=name.text, name=name.text, country=land, sector=party.sector)
        return self._titled(name) or self._described(name, party) or self._of_article(name) or self._at_home(name)

    def _owner(self, name: Name) -> str | None:
        """The country right before a name: `Sierra Leone's Ernest Bai Koroma`."""
        before = (n for n in self.names if self.text[n.end : name.start] in ("'s ", "’s "))
        return next((land for n in before if (land := self.resolver.country(n.text)) is not None), None)

    def _titled(self, name: Name) -> Party | None:
        """By the office that stands before the name."""
        for word in list(WORD.finditer(self.text, max(0, name.start - BEFORE), name.start))[-BEFORE_WORDS:]:
            title = self.text[word.start() : name.start]
            if (
                BREAK.search(title)
                or not all(titled(part) or TITLE_NOUN.fullmatch(part) for part in title.split())
                or any(n.person and word.start() < n.end <= name.start for n in self.names)  # another person's office
            ):
                continue
            held = self.resolver.party(title + name.text, on=self.on)
            if held.country and not self._is_homonym(title, held.country):
                same = held.name is not None and set(words_of(held.name)) & set(words_of(name.text))
                own = same and held.identifier is not None
                return held if own else msgspec.structs.replace(held, name=name.text)
        return None

    def _is_homonym(self, title: str, country: str) -> bool:
        """Whether an office that only one country in the news has, `Assistant Secretary`, is another's in this article."""
        if self.home in (None, country) or only_there(title) != country or _OF_STATE.search(title):
            return False
        return all(name.party.country != country for name in self.names)

    def _described(self, name: Name, party: Party) -> Party | None:
        """By what stands behind the name, or before it and a comma."""
        behind = APPOSED.match(self.text, name.end)
        before = OFFICE_BEFORE.search(self.text, max(0, name.start - BEFORE), name.start)
        around = (behind, OF_LAND.match(self.text, name.end), before, AS_OFFICE.match(self.text, name.end),
                  APPOSED_LONG.match(self.text, name.end),
                  PEOPLE_BEFORE.search(self.text, max(0, name.start - BEFORE), name.start))  # fmt: skip
        for match in around:
            if match is None or _ABROAD.search(match[1]) or self._person_within(match):
                continue
            if match is before and last_word(re.split(r"\s(?:of|for)\s", match[1])[0]) not in SECTORS:
                continue
            described = self.resolver.party(match[1], on=self.on)
            if not described.country and (whose := _WHOSE.search(match[1])) is not None:
                described = self.resolver.party(match[1][whose.end() :], on=self.on)
            if match is behind and described.sector == "NGO" and described.name:
                return Party(
                    text=name.text, name=name.text, sector="NGO"
                )  # `Kenya director for a charity` is not Kenya's
            if described.country and not self._is_topic(match[1]):
                private = described.sector == "GOV" and not _acts(words_of(match[1]))
                sector = party.sector if match is around[1] else None if private else described.sector
                return Party(text=name.text, name=name.text, country=described.country, sector=sector)
        return None

    def _is_topic(self, said: str) -> bool:
        """Whether the country in a description is what somebody studies: `Syria analyst`."""
        first = next(iter(self.resolver.find(said)), None)
        return (
            first is not None
            and first.kind == "country"
            and first.start == 0
            and _STUDIES.match(said, first.end) is not None
        )

    def _person_within(self, match: re.Match[str]) -> bool:
        """Whether what stands beside a name is or names another person: `Yousef Al-Othaimeen, Pope Francis,`."""
        return any(name.person and match.start(1) <= name.start < match.end(1) for name in self.names)

    def _at_home(self, name: Name) -> Party | None:
        """By an office of a state without the state, `the Defence Secretary`: of the country that the article is about."""
        if self.home is None or _LED.search(self.text, max(0, name.start - BEFORE), name.start):
            return None
        beside = (
            APPOSED.match(self.text, name.end),
            OFFICE_BEFORE.search(self.text, max(0, name.start - BEFORE), name.start),
        )
        title = (self._title(name), name.end - len(last_word(name.text)))
        described = [match.span(1) for match in beside if match is not None and not self._person_within(match)]
        for start, end in (title, *described):
            said = _PLACED.split(self.text[start:end])[0]
            others = [n for n in self.names if n.start < start + len(said) and n.end > start and n.start != name.start]
            if (
                not OFFICIAL.isdisjoint(words_of(said))
                and not _ABROAD.search(said)
                and all(_own(n, self.home) for n in others)
            ):
                bare = untitled(name.text)
                self.guessed[bare] = Party(text=name.text, name=bare)
                return Party(text=name.text, name=bare, country=self.home, sector="GOV")
        return None

    def _title(self, name: Name) -> int:
        """Where the words begin that stand before a name as its title."""
        start = name.start
        for word in reversed([*WORD.finditer(self.text, max(0, name.start - BEFORE), name.start)]):
            apart = self.text[word.end() : start].strip() or (len(word[0]) > 4 and word[0].endswith("."))
            if apart or not (titled(word[0]) or TITLE_NOUN.fullmatch(word[0])):
                break
            start = word.start()
        return start

    def _of_article(self, name: Name) -> Party | None:
        """By a state's office without the state: its holder in a country of the article, or of where the person is met."""
        bare = untitled(name.text)
        at = name.end - len(bare)
        office = NATIONAL.search(self.text, max(0, at - BEFORE), at)
        if office is None:
            return None
        lands = Counter(n.party.country for n in self.names if n.party.country and not n.person)
        for code, _ in lands.most_common(LANDS):
            land = self.resolver.country_name(code or "")
            held = self.resolver.party(f"{office[0].strip().casefold()} of {land}", on=self.on)
            if last_word(bare) in words_of(fold(held.name or "")):
                return held
        peoples = {n.party.country for n in self.names if n.label == "NORP"}
        if len(lands) == 1 and peoples == set(lands):  # an article on Tunisia and a Tunisian president
            return Party(text=name.text, name=bare, country=next(iter(lands)), sector="GOV")
        before = (n for n in reversed(self.names) if n.end <= office.start() and n.party.country)
        there = next((n for n in before if THERE.search(self.text, max(0, n.start - 8), n.start)), None)
        if there is None:
            return None
        told_of = self.text[there.end : office.start()] == ", " and there.party.name == there.text  # `In Mali, `
        if not told_of and not MET.fullmatch(self.text, there.end, office.start()):
            return None
        return Party(text=name.text, name=bare, country=there.party.country, sector="GOV")
