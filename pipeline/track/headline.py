"""A story's kind, parties, place and sums in, its headline out. The templates are in headlines.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.records import Event, Money, Party, Place, Story

FILE: Final = Path(__file__).with_name("headlines.toml")
MOST_NAMED: Final = 3
"""If there are more parties than this, only the first are named and the rest counted."""

_BRACKET: Final = re.compile(r"\[([^\[\]]*)\]")
_FIELD: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
SIZES: Final = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@cache
def lines() -> dict[str, dict[str, dict[str, str]]]:
    """Return the templates by kind, and by event type for kinds that have none."""
    return tomllib.loads(FILE.read_text("utf-8"))


def headline(record: Event | Story) -> str:
    """Return the headline of a story or event, like "Putin and Xi meet in Moscow"."""
    own = lines()["kind"].get(record.kind) or lines()["type"][record.event_type]
    people = record.event_type == "CONSULT"
    actors = list(named(_speaking(record.actors, people=people)))
    recipients = list(named(_speaking(record.recipients, people=people)))
    recipients = [name for name in recipients if name not in actors]
    words = {
        "who": joined(actors),
        "whom": joined(recipients),
        "where": where(record.places, without={p.country for p in record.recipients if p.country}),
        "place": where(record.places),
        "money": amount(record.money),
        "subtype": record.subtype or "",
        "what": record.kind.replace("_", " "),
    }
    planned = record.modality == "planned" if isinstance(record, Event) else record.phase == "planned"
    form = "bare" if not actors else "planned" if planned else "many" if _plural(actors) else "one"
    for choice in own[form].split("|"):
        if (line := _filled(choice, words)) is not None:
            return line[0].upper() + line[1:]
    return _filled(lines()["type"][record.event_type]["bare"], words) or words["what"].capitalize()


def _filled(template: str, words: dict[str, str]) -> str | None:
    """Return a template filled in; None if a field outside the brackets is empty."""

    def value(match: re.Match[str]) -> str:
        first, second = match.group(1), match.group(2)
        if second == "where":
            return words["whom"] or words["place"] if first == "whom" else words[first]
        return words[first]

    def part(match: re.Match[str]) -> str:
        inner = match.group(1)
        return _FIELD.sub(value, inner) if all(value(m) for m in _FIELD.finditer(inner)) else ""

    line = _BRACKET.sub(part, template)
    if any(not value(m) for m in _FIELD.finditer(line)):
        return None
    return _FIELD.sub(value, line)


def named(parties: Iterable[Party]) -> Iterable[str]:
    """Yield a short name for each party, every name once."""
    seen: set[str] = set()
    for party in parties:
        name = party.name or _trimmed(party.text)
        if name and name.lower() not in seen:
            seen.add(name.lower())
            yield name


def _speaking(parties: Iterable[Party], *, people: bool) -> list[Party]:
    """Return the parties to name.

    Of a country and a person of that country only one is named: with `people` the person, else the country.
    """
    listed = list(parties)
    known = [p for p in listed if p.country or p.name]
    listed = known or listed  # unresolved parties are named only if no other is
    lands = {p.country for p in listed if _is_land(p)}
    others = {p.country for p in listed if not _is_land(p)}
    if people:
        return [p for p in listed if not (_is_land(p) and p.country in others)]
    return [p for p in listed if _is_land(p) or p.country not in lands]


def _is_land(party: Party) -> bool:
    return party.country is not None and (party.name or party.text).lower() == country_name(party.country).lower()


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


def _plural(names: list[str]) -> bool:
    """Return whether the verb is plural: several parties, or one that names many people."""
    last = names[0].rsplit(" ", 1)[-1]
    crowd = last.endswith("s") and last[:1].islower() and not last.endswith("ss")
    return len(names) > 1 or crowd or last.lower() in {"police", "people", "troops", "taliban", "houthis"}


def where(places: Iterable[Place], without: Iterable[str] = ()) -> str:
    """Return the name of the finest place; the countries in `without`, which are named as parties, are left out."""
    skipped = set(without)
    fine = [p for p in places if p.lat is not None or p.country is None]
    for place in fine or list(places):
        name = place.name or place.text
        if place.lat is None and place.country in skipped:
            continue
        return name
    return ""


def amount(money: Iterable[Money]) -> str:
    """Return the largest sum in words, like "$350 million"; an empty string if there is none."""
    largest = max(money, key=lambda m: (m.value, m.currency), default=None)
    return in_words(largest.value, largest.currency) if largest is not None else ""


def in_words(value: float, currency: str) -> str:
    """Return a sum as newspapers write it: 350000000 USD is "$350 million"."""
    size, word = next((s for s in SIZES if value >= s[0]), (1.0, ""))
    number = f"{value / size:,.2f}".rstrip("0").rstrip(".")
    sign = SIGNS.get(currency)
    return f"{sign}{number}{word}" if sign else f"{number}{word} {currency}"
