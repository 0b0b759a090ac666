"""A happening in, one structured line out: what, who and whom, where, when, how much. And how names and sums are written.

The line has no verb: it says the kind, and `planned` where the reports say so. A part that is not sure is left out, and without
a party that is sure there is no line: nothing is better than something wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.vocabulary import FUNCTION_WORDS
from pipeline.records import Happening, Party, Place, When
from pipeline.track.families import FAMILIES, family

MOST_NAMED: Final = 3
"""If there are more parties than this, only the first are named and the rest counted."""
SIZES: Final = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
EXACT: Final = frozenset({"instant", "day"})
TOLLS: Final = ("dead", "injured", "missing")
NOUNS: Final = {"call": "telephone call", "clash": "fighting", "strike": "air or missile strike"}
"""Kinds whose slug is no plain noun for a reader."""
SURE: Final = {
    "kind": 0.7, "modality": 0.8, "actors": 0.85, "recipients": 0.8, "places": 0.8, "date": 0.7, "money": 0.8,
}  # fmt: skip
"""The least share (the reader's own probability) at which a part is told. Set by reading the lines of the sample and of real
articles: below these are most of the wrong parties, places and days, above them few."""
LONGEST: Final = 5
"""Words of a proper name; a description (`Congolese army`) has one less."""
LITTLE: Final = 3
"""Words of so many letters, such as `of` and `the`, are in lower case in a name too."""


def line(happening: Happening) -> str:
    """Return the line of a happening; empty if no party of it is sure, or if it is not sure what happened."""
    if not (_sure(happening, "kind") and _sure(happening, "modality")):
        return ""
    whom = happening.recipients if _sure(happening, "recipients") else ()
    who = happening.actors if _sure(happening, "actors") else ()
    if FAMILIES[family(happening)].directed and len(who) > len(whom):
        # `North Korea threatened South Korea`: one is named on both sides
        who = tuple(party for party in who if party.country is None or party.country not in {p.country for p in whom})
    actors, recipients = _names(who, happening), _names(whom, happening)
    recipients = [name for name in recipients if name not in actors]
    if not actors and (not recipients or happening.actors):
        return ""
    noun = NOUNS.get(happening.kind, happening.kind.replace("_", " "))
    what = " ".join(word for word in (happening.subtype or "", noun) if word)
    start = f"{what[0].upper()}{what[1:]}" + (" (planned)" if happening.phase == "planned" else "")
    sides = " → ".join(side for side in (joined(actors), joined(recipients)) if side)
    parts = (
        f"{start}: {sides if actors else f'→ {sides}'}",
        _where(happening) if _sure(happening, "places") else "",
        _when(happening.date) if _sure(happening, "date") else "",
        _much(happening, money=_sure(happening, "money")),
    )
    return " · ".join(part for part in parts if part)


def _sure(happening: Happening, part: str) -> bool:
    """Return whether the reader is sure of a part; what no reader found (a user's own kind) is."""
    return not happening.shares or happening.shares.get(part, 0.0) >= SURE[part]


def _names(parties: Iterable[Party], happening: Happening) -> list[str]:
    """Return the names of the parties that are resolved: of one country the country itself, in talks the person who talks."""
    sides: dict[str, list[Party]] = {}
    for party in parties:
        if party.name and _is_name(party.name):
            sides.setdefault(party.country or party.name, []).append(party)
    talks = family(happening) == "talks"
    chosen = [min(own, key=lambda p: (_is_land(p) == talks, not _is_proper(p.name or ""))) for own in sides.values()]
    names = list(dict.fromkeys(party.name for party in chosen if party.name))
    return [name for name in names if not any(_is_other_form(name, other) for other in names)]


def _is_other_form(name: str, other: str) -> bool:
    """Return whether `other` is a better form of a name: `Bernie Sanders` for `Sanders` and for `Senator Bernie Sanders`."""
    mine, theirs = set(name.lower().split()), set(other.lower().split())
    return (theirs < mine and len(theirs) > 1) or (mine < theirs and len(mine) == 1)


def _is_name(name: str) -> bool:
    """Return whether a name is whole and no piece of a sentence (`for Kabul right away`, `Washington and`)."""
    words = name.split()
    ends = {words[0].lower(), words[-1].lower()}
    return (
        len(words) <= (LONGEST if _is_proper(name) else LONGEST - 1) and name[0].isalnum() and not ends & FUNCTION_WORDS
    )


def _is_land(party: Party) -> bool:
    return party.country is not None and (party.name or party.text).lower() == country_name(party.country).lower()


def _is_proper(name: str) -> bool:
    """Return whether a name is one, and not a description (`Libyan commander`)."""
    return all(not word[0].islower() for word in name.split() if len(word) > LITTLE)


def _where(happening: Happening) -> str:
    """Return the finest place if all reports name one; a country that is a party is not named again."""
    parties = {p.country for p in (*happening.actors, *happening.recipients)}
    fine = [p for p in happening.places if p.lat is not None and p.name]
    names = list(dict.fromkeys(p.name for p in fine if not _is_country(p) or p.country not in parties))
    return names[0] or "" if len(names) == 1 else ""


def _is_country(place: Place) -> bool:
    return place.country is not None and place.name == country_name(place.country)


def _when(date: When | None) -> str:
    return day(date.start) if date is not None and date.precision in EXACT else ""


def day(date: dt.date) -> str:
    """Return a date as newspapers write it: 10 November 2026."""
    return f"{date:%-d %B %Y}"


def _much(happening: Happening, *, money: bool) -> str:
    """Return the sum, or the toll, that the reports agree on; where they differ, the lowest and the highest."""
    sums = sorted({(m.currency, m.value) for m in happening.money}) if money else []
    if len({currency for currency, _ in sums}) == 1:
        low, high = in_words(sums[0][1], sums[0][0]), in_words(sums[-1][1], sums[-1][0])
        return low if len(sums) == 1 else f"{low} to {high}"
    tolls = [
        f"{min(found):g}{f' to {max(found):g}' if len(found) > 1 else ''} {unit}"
        for unit in TOLLS
        if (found := {q.value for q in happening.quantities if q.unit == unit})
    ]
    return ", ".join(tolls)


def named(parties: Iterable[Party]) -> Iterable[str]:
    """Yield a short name for each party, every name once."""
    seen: set[str] = set()
    for party in parties:
        name = party.name or _trimmed(party.text)
        if name and name.lower() not in seen:
            seen.add(name.lower())
            yield name


def _trimmed(text: str) -> str:
    """Return the text without a leading article, cut to 60 characters."""
    words = re.sub(r"^(?:the|a|an|its|their|his|her)\s+", "", text.strip(), flags=re.IGNORECASE)
    return words if len(words) <= 60 else words[:57].rsplit(" ", 1)[0] + " ..."


def joined(names: list[str]) -> str:
    """Return names as "A, B and C"."""
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[: MOST_NAMED - 1])} and {len(names) - MOST_NAMED + 1} others"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return names[0] if names else ""


def in_words(value: float, currency: str) -> str:
    """Return a sum as newspapers write it: 350000000 USD is "$350 million"."""
    size, word = next((s for s in SIZES if value >= s[0]), (1.0, ""))
    number = f"{value / size:,.2f}".rstrip("0").rstrip(".")
    sign = SIGNS.get(currency)
    return f"{sign}{number}{word}" if sign else f"{number}{word} {currency}"
