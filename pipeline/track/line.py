"""A happening in, one structured line out: what, who and whom, where, when, how much. And how names and sums are written.

The line has no verb: it says the kind, and `planned` where the reports say so. A part that the reader is not sure of, or that
too few articles say (claims.py), is left out. Where what remains does not say who did what to whom there is no line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.records import Happening, Party
from pipeline.track.claims import JOINT, TOLLS, Agreed, agreed, is_land
from pipeline.track.families import FAMILIES, family

MOST_NAMED: Final = 3
"""If there are more parties than this, only the first are named and the rest counted."""
SIZES: Final = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
NOUNS: Final = {"call": "telephone call", "clash": "fighting", "strike": "air or missile strike"}
"""Kinds whose slug is no plain noun for a reader."""
UNKNOWN_MONEY: Final = "XXX"
"""The code (ISO 4217) of a sum whose currency is not known: such a sum says nothing."""
BOTH: Final = frozenset({"sanctions", "statements", "supply", "concessions"})
"""Families of which a line says something only with both sides: a support of somebody, an accusation of somebody."""
WHOM: Final = frozenset({"appointment", "arrest", "assassination", "legal_action", "release"})
"""Kinds of which a line says something only with whom it befell: a court takes many legal actions."""
PAIR: Final = 2
"""Talks and agreements have so many parties: one alone says half."""


def line(happening: Happening) -> str:
    """Return the line of a happening; empty if it is not sure what happened, or no party of it is."""
    told = agreed(happening)
    if told is None:
        return ""
    kind = family(happening)
    countries = {one.name or one.text: one.country for one in (*happening.actors, *happening.recipients)}
    befell = {countries.get(name) or name for name in told.recipients}
    # `North Korea threatened South Korea`: one is named on both sides
    directed = FAMILIES[kind].directed
    actors = [name for name in told.actors if not directed or (countries.get(name) or name) not in befell]
    recipients = [name for name in told.recipients if name not in actors]
    where = _where(told, happening)
    if not _says_enough(happening, actors, recipients, where):
        return ""
    noun = NOUNS.get(happening.kind, happening.kind.replace("_", " "))
    what = " ".join(word for word in (happening.subtype or "", noun) if word)
    start = f"{what[0].upper()}{what[1:]}" + (" (planned)" if happening.phase == "planned" else "")
    sides = " → ".join(side for side in (joined(actors), joined(recipients)) if side)
    parts = (
        f"{start}: {sides if actors else f'→ {sides}'}",
        where,
        day(told.day) if told.day is not None else "",
        _much(told),
    )
    return " · ".join(part for part in parts if part)


def _says_enough(happening: Happening, actors: list[str], recipients: list[str], where: str) -> bool:
    """Return whether parties and place say enough of a happening of its kind to stand as a line."""
    kind = family(happening)
    if happening.kind in WHOM:
        return bool(recipients)
    if kind in BOTH:
        return bool(actors and recipients)
    if kind in JOINT:
        return len(actors) >= PAIR or (happening.kind == "ceasefire" and bool(actors and where))
    if happening.kind == "election":
        return len(actors) >= PAIR or any(is_land(one) and one.name in actors for one in happening.actors)
    if happening.kind == "resignation":
        return bool(actors) and not recipients
    if happening.kind == "coup":
        return bool(actors or recipients)
    return bool(actors and (recipients or where))


def _where(told: Agreed, happening: Happening) -> str:
    """Return the place if it is one; a country that is a party is not named again."""
    lands = {country_name(one.country) for one in (*happening.actors, *happening.recipients) if one.country}
    names = [name for name in told.places if name not in lands]
    return names[0] if len(names) == 1 else ""


def day(date: dt.date) -> str:
    """Return a date as newspapers write it: 10 November 2026."""
    return f"{date:%-d %B %Y}"


def _much(told: Agreed) -> str:
    """Return the sum, or the toll, that the reports agree on; where they differ, the lowest and the highest."""
    currencies = {currency for currency, _ in told.amounts}
    if len(currencies) == 1 and UNKNOWN_MONEY not in currencies:
        sums = [in_words(value, currency) for currency, value in told.amounts]
        return sums[0] if len(sums) == 1 else f"{sums[0]} to {sums[-1]}"
    tolls = {unit: [value for one, value in told.tolls if one == unit] for unit in TOLLS}
    return ", ".join(
        f"{min(found):g}{f' to {max(found):g}' if len(found) > 1 else ''} {unit}"
        for unit, found in tolls.items()
        if found
    )


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
