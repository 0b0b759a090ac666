"""An event in, what its article says for sure out (`claims`); a happening in, what enough of its reports say out (`agreed`).

A line that is not sure is not shown, so each part of it is asked for twice: the reader must be sure of it in the report, and
enough of the articles that are about the happening must say the same. What one article says in passing, and what a parser took
for a name, stays in the record and out of the line. Pure.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pipeline.annotate.groups import country_name
from pipeline.annotate.vocabulary import FUNCTION_WORDS
from pipeline.records import Event, Happening, Party, Place, Report
from pipeline.track.families import NAMED, family, kinds_alike
from pipeline.track.lead import beginnings, is_about

SURE: Final = {
    "kind": 0.6, "modality": 0.6, "actors": 0.6, "recipients": 0.6, "places": 0.6, "date": 0.6, "money": 0.6,
}  # fmt: skip
"""The least share (the reader's own probability) at which a report counts for a part, if others say the same."""
ALONE: Final = {
    "kind": 0.9, "modality": 0.9, "actors": 0.95, "recipients": 0.9, "places": 0.9, "date": 0.9, "money": 0.9,
}  # fmt: skip
"""The same where one article alone is about the happening. Set by reading the lines of our own 556 articles: of those that one
article tells most were wrong or said nothing with .7 to .85."""
MOST: Final = 0.6
"""Of the articles that say anything of a side, the place, the day or the kind, so many must say the same."""
HALF: Final = 0.5
"""Of all articles about a happening, so many must have its kind."""
WIDER: Final = {"summit": "meeting"}
"""Leaders who come together for a summit meet: who tells the wider kind does not speak against the narrower one."""
SOME: Final = 0.3
"""Of all articles about a happening, so many must say a part. Both set by reading the lines of our own articles."""
ONE_SIDE: Final = 3
"""A party stands on a side if so many times more articles have it there than on the other."""
FEW: Final = 3
"""Up to so many articles, a sum or toll of one of them counts; of more, it is one that two of them say."""
EXACT: Final = frozenset({"instant", "day"})
TOLLS: Final = ("dead", "injured", "missing")
LONGEST: Final = 5
"""Words of a proper name; a description (`Congolese army`) has one less."""
LITTLE: Final = 3
"""Words of so many letters, such as `of` and `the`, are in lower case in a name too."""
JOINT: Final = frozenset({"talks", "accords", "cooperation"})
"""Families whose parties all do the same: they stand side by side, however a report has them."""
PERSONAL: Final = frozenset({"arrest", "appointment", "assassination", "release", "resignation"})
"""What befalls persons: a country as the one that it befell is read from `a Somali`."""
PEOPLE: Final = frozenset({"CVL", "CRM", "REB", "OPP", "REF", "LAB", "EDU", "MED", "BUS"})
"""Sectors of people: a country with one of them is read from `Somali pirates` or `Greek students`, and did not act itself."""
GROUPS: Final = frozenset({"REB", "OPP", "CRM"})
"""Sectors of those who act against their country."""
STATES: Final = frozenset({"supply", "sanctions", "force"})
"""Families of what states do: a minister who announces an aid package gives it for the country."""
_BELONGS: Final = re.compile(
    r"\b(?:against|behind|by|for|from|linked to|loyal to|near|under|wife of|son of|with)\s", re.IGNORECASE
)
"""Behind such words stands to whom a party belongs."""
REGIONS: Final = frozenset(
    {"Africa", "Asia", "Balkans", "Caucasus", "Europe", "Latin America", "Middle East", "Western world"}
)
"""Parts of the world: `a range of Middle East leaders` is nobody in particular."""
COUNTS: Final = frozenset({"dozens", "hundreds", "many", "millions", "others", "scores", "several", "thousands"})
"""Words that stand for nobody in particular."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What enough articles say of a happening, in words and numbers; empty where they do not agree."""

    actors: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    day: dt.date | None = None
    amounts: tuple[tuple[str, float], ...] = ()
    tolls: tuple[tuple[str, float], ...] = ()


# --- one report ------------------------------------------------------------------------------------------------------


def claims(event: Event) -> dict[str, Any]:
    """Return the fields of the report of an event that say what its article says for sure."""
    sure = _sure(event.shares, SURE)
    if not {"kind", "modality"} <= sure:
        return {"lead": is_about(event), "kind": event.kind if "kind" in sure else ""}
    exact = event.date is not None and event.date.precision in EXACT
    befell = [one for one in event.recipients if not (event.kind in PERSONAL and is_land(one))]
    return {
        "lead": is_about(event),
        "kind": event.kind,
        "actors": _names(event.actors, event) if "actors" in sure else (),
        "recipients": _names(befell, event) if "recipients" in sure else (),
        "places": _places(event.places) if "places" in sure else (),
        "day": event.date.start if event.date is not None and exact and "date" in sure else None,
        "amounts": tuple((one.currency, one.value) for one in event.money) if "money" in sure else (),
        "tolls": tuple((one.unit, one.value) for one in event.quantities if one.unit in TOLLS),
    }


def _sure(shares: Mapping[str, float], least: Mapping[str, float]) -> set[str]:
    """Return the parts that the reader is sure of; what no reader found (a user's own kind) is."""
    return {part for part, share in least.items() if not shares or shares.get(part, 0.0) >= share}


def _names(parties: Iterable[Party], event: Event) -> tuple[str, ...]:
    """Return the names of the parties that are known and named in the words: no `he` and no piece of a sentence."""
    named = ((one, name) for one in parties if (name := one.name or _own_name(one, event)) and is_name(name))
    return tuple(
        dict.fromkeys(
            name
            for one, name in named
            if name not in REGIONS
            and _is_named(one)
            and not _is_place(one, event)
            and not _is_cut_from_title(one, event)
        )
    )


def _own_name(party: Party, event: Event) -> str:
    """Return the words of a party nobody knows if they are a name, as a company's is; empty at a sentence's start."""
    unknown = party.country is None and party.sector is None and party.text[:1].isupper() and is_proper(party.text)
    begins = event.evidence.startswith(party.text) and not any(letter.isupper() for letter in party.text[1:])
    return party.text if unknown and not begins else ""


def _is_named(party: Party) -> bool:
    told = {key for text in (party.name or party.text, country_name(party.country or "")) for key in beginnings(text)}
    if (is_land(party) and party.sector in PEOPLE) or (
        party.sector == "IGO" and party.text[:1].isupper() and _is_of(party)
    ):
        return False
    if not is_land(party) and (belongs := _BELONGS.search(party.text)) is not None:
        # `Libyan diplomats loyal to Gaddafi` are not Gaddafi
        return not beginnings(party.name or "").isdisjoint(beginnings(party.text[: belongs.start()]))
    return not told.isdisjoint(beginnings(party.text))


def _is_of(party: Party) -> bool:
    """Return whether a party only belongs to the one that its name says: `UN-run school`."""
    return beginnings(party.text.split()[-1]).isdisjoint(beginnings(f"{party.name} {party.text.split()[0]}"))


def _is_place(party: Party, event: Event) -> bool:
    """Return whether a party is named by a place alone, and is no country: the mayor of Valencia is not Valencia."""
    return not is_land(party) and (party.name or party.text) in {place.name for place in event.places}


def _is_cut_from_title(party: Party, event: Event) -> bool:
    """Return whether a party of no country is named only in a title where every word has a capital: `Italy Marks Day`."""
    words = [word for word in event.article_title.split() if len(word) > LITTLE and word[0].isalpha()]
    in_title = event.section == "title" or party.text not in event.evidence
    return in_title and party.country is None and len(words) > LITTLE and all(word[0].isupper() for word in words)


def is_name(name: str) -> bool:
    """Return whether a name is whole and no piece of a sentence (`for Kabul right away`, `Texas. Jeffs`)."""
    words = name.split()
    ends = {words[0].lower(), words[-1].lower()}
    longest = LONGEST if is_proper(name) else LONGEST - 1
    cut = any(len(word) > LITTLE and word.endswith(".") for word in words[:-1])
    nobody = words[0].lower() in COUNTS or all(word.endswith(".") or not word[0].isalpha() for word in words)
    several = "," in name or " and " in name.lower()
    return len(words) <= longest and name[0].isalnum() and not (ends & FUNCTION_WORDS or cut or nobody or several)


def is_proper(name: str) -> bool:
    """Return whether a name is one, and not a description (`Libyan commander`)."""
    return all(not word[0].islower() for word in name.split() if len(word) > LITTLE)


def is_land(party: Party) -> bool:
    """Return whether a party is a country as such."""
    return party.country is not None and (party.name or party.text).lower() == country_name(party.country).lower()


def _places(places: Iterable[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in places if one.name and one.lat is not None))


# --- the reports of a happening --------------------------------------------------------------------------------------


def lead_articles(happening: Happening) -> int:
    """Return how many articles are about a happening, by their titles and first sentences."""
    return len({one.article_id for one in happening.reports if one.lead})


def agreed(happening: Happening) -> Agreed | None:
    """Return what enough of the articles that are about a happening say of it; None if they do not agree on what happened."""
    told: dict[str, list[Report]] = {}
    for report in happening.reports:
        if report.lead:
            told.setdefault(report.article_id, []).append(report)
    each = list(told.values())
    sure = set(ALONE) if len(each) > 1 else _sure(happening.shares, ALONE)
    if not {"kind", "modality"} <= sure or not _is_agreed(happening.kind, [{one.kind for one in own} for own in each]):
        return None
    actors, recipients = _sides(each, happening)
    if len(each) == 1:
        actors, recipients = (_in_title(names, each[0][0]) for names in (actors, recipients))
    places = _enough([_said(name for one in own for name in one.places) for own in each])
    days = _enough([_said(one.day for one in own if one.day) for own in each])
    amounts = _numbers([_said(pair for one in own for pair in one.amounts) for own in each])
    return Agreed(
        actors=actors if "actors" in sure else (),
        recipients=recipients if "recipients" in sure or family(happening) in JOINT else (),
        places=places if "places" in sure else (),
        day=days[0] if len(days) == 1 and "date" in sure else None,
        amounts=amounts if "money" in sure else (),
        tolls=_numbers([_said(pair for one in own for pair in one.tolls) for own in each]),
    )


def _is_agreed(kind: str, kinds: Sequence[set[str]]) -> bool:
    """Return whether at least half of the articles have the kind or its wider one, and most of them this or one like it."""
    alike = sum(any(kinds_alike(kind, one) for one in own) for own in kinds)
    same = sum(not own.isdisjoint({kind, WIDER.get(kind, kind)}) for own in kinds)
    return same >= HALF * len(kinds) and alike >= MOST * len(kinds)


def _in_title(names: Iterable[str], report: Report) -> tuple[str, ...]:
    """Return the names that the title of the one article has too, if it has one: it is about them."""
    title = beginnings(report.title)
    return tuple(name for name in names if not title or not title.isdisjoint(beginnings(name)))


def _said(items: Iterable[T]) -> tuple[T, ...]:
    """Return what one article says, each once."""
    return tuple(dict.fromkeys(items))


def _enough(said: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """Return what most of the articles that say anything say, if they are enough of all; the most said first."""
    counts = Counter(one for own in said for one in own)
    least = max(MOST * sum(bool(own) for own in said), SOME * len(said))
    return tuple(one for one, number in counts.most_common() if number >= least)


def _numbers(said: Sequence[tuple[tuple[str, float], ...]]) -> tuple[tuple[str, float], ...]:
    """Return the numbers of the units that enough articles give; of many articles only what two say."""
    units = _enough([_said(unit for unit, _ in own) for own in said])
    counts = Counter(pair for own in said for pair in own if pair[0] in units)
    least = 1 if len(said) <= FEW else 2
    return tuple(sorted(pair for pair, number in counts.items() if number >= least))


def _sides(each: Sequence[Sequence[Report]], happening: Happening) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the actors and recipients that enough articles have, each on one side only."""
    kind = family(happening)
    parties = {one.name or one.text: one for one in (*happening.actors, *happening.recipients)}
    if kind in JOINT:
        all_of = [_said(name for one in own for name in (*one.actors, *one.recipients)) for own in each]
        return _enough(_as_one(all_of, parties, kind)), ()
    befallen = {} if happening.kind in NAMED else parties
    actors = _as_one([_said(name for one in own for name in one.actors) for own in each], parties, kind)
    recipients = _as_one([_said(name for one in own for name in one.recipients) for own in each], befallen, kind)
    did, befell = (Counter(name for own in side for name in own) for side in (actors, recipients))
    return (
        tuple(name for name in _enough(actors) if did[name] >= ONE_SIDE * befell[name]),
        tuple(name for name in _enough(recipients) if befell[name] >= ONE_SIDE * did[name]),
    )


def _as_one(said: Sequence[tuple[str, ...]], parties: Mapping[str, Party], kind: str) -> list[tuple[str, ...]]:
    """Return the names with one form of each party: the most said of one country, or of names that share their words.

    Of what states do it is the country itself; of equally many the country too, in talks the person who talks.
    """
    counts = Counter(name for own in said for name in own)
    lands = {name for name in counts if name in parties and is_land(parties[name])}
    states = (
        {one.country: one.name for name, one in parties.items() if name in lands and one.name} if kind in STATES else {}
    )

    def rank(name: str) -> tuple[int, bool, bool, bool, int]:
        words = len(name.split())
        return -counts[name], (name in lands) == (kind == "talks"), not is_proper(name), words == 1, words

    form: dict[str, str] = {}
    for name in sorted(counts, key=rank):
        same = (one for one in form if _are_one(parties.get(name), parties.get(one)) or _is_form(name, one))
        form[name] = form[first] if (first := next(same, "")) else name
    official = {name: states.get(one.country) for name, one in parties.items() if one.sector not in GROUPS}
    return [_said(official.get(form[name]) or form[name] for name in own) for own in said]


def _are_one(ours: Party | None, theirs: Party | None) -> bool:
    """Return whether two parties are of one country and act for it: its government and its president, but not its rebels."""
    if ours is None or theirs is None or ours.country is None or ours.country != theirs.country:
        return False
    return GROUPS.isdisjoint({ours.sector, theirs.sector})


def _is_form(name: str, other: str) -> bool:
    """Return whether one of two names has all words of the other, or its initials: `Jenkin`, `Warren Jeffs Trial`, `HP`."""
    ours, theirs = set(name.lower().split()), set(other.lower().split())
    return ours <= theirs or theirs <= ours or name == _initials(other) or other == _initials(name)


def _initials(name: str) -> str:
    """Return the first letters of a name of several words; empty for one word."""
    letters = "".join(word[0] for word in name.split() if word[0].isupper())
    return letters if len(letters) > 1 else ""
