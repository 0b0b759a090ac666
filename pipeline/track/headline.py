"""What a story is called: its kind, parties, place and sums in, one line out. The lines stand in headlines.toml."""

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
"""More parties than this are counted, not named."""

_BRACKET: Final = re.compile(r"\[([^\[\]]*)\]")
_FIELD: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
SIZES: Final = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@cache
def lines() -> dict[str, dict[str, dict[str, str]]]:
    """The templates: by kind, and by event type for the kinds that have none."""
    return tomllib.loads(FILE.read_text("utf-8"))


def headline(record: Event | Story) -> str:
    """A story (or an event on its own) in, its headline out: "Putin and Xi meet in Moscow"."""
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
    """A template in, the line out; None when a word outside the brackets is unknown."""

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
    """Parties in, a short name for each out, every one once: people by their family name where a title came with it."""
    seen: set[str] = set()
    for party in parties:
        name = party.name or _trimmed(party.text)
        if name and name.lower() not in seen:
            seen.add(name.lower())
            yield name


def _speaking(parties: Iterable[Party], *, people: bool) -> list[Party]:
    """Of a country and somebody of that country one is named: who talks to whom, but which state imposes or gives."""
    listed = list(parties)
    known = [p for p in listed if p.country or p.name]
    listed = known or listed  # words that resolve to nobody are named only where nobody else is
    lands = {p.country for p in listed if _is_land(p)}
    others = {p.country for p in listed if not _is_land(p)}
    if people:
        return [p for p in listed if not (_is_land(p) and p.country in others)]
    return [p for p in listed if _is_land(p) or p.country not in lands]


def _is_land(party: Party) -> bool:
    return party.country is not None and (party.name or party.text).lower() == country_name(party.country).lower()


def _trimmed(text: str) -> str:
    """The words of the text without a leading article, cut to what fits a headline."""
    words = re.sub(r"^(?:the|a|an|its|their|his|her)\s+", "", text.strip(), flags=re.IGNORECASE)
    return words if len(words) <= 60 else words[:57].rsplit(" ", 1)[0] + " ..."


def joined(names: list[str]) -> str:
    """Names in, "A, B and C" out."""
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[: MOST_NAMED - 1])} and {len(names) - MOST_NAMED + 1} others"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return names[0] if names else ""


def _plural(names: list[str]) -> bool:
    """Whether the verb is to be plural: several parties, or one that is a crowd."""
    last = names[0].rsplit(" ", 1)[-1]
    crowd = last.endswith("s") and last[:1].islower() and not last.endswith("ss")
    return len(names) > 1 or crowd or last.lower() in {"police", "people", "troops", "taliban", "houthis"}


def where(places: Iterable[Place], without: Iterable[str] = ()) -> str:
    """Places in, the finest one's name out; a country that is named as a party already is left out."""
    skipped = set(without)
    fine = [p for p in places if p.lat is not None or p.country is None]
    for place in fine or list(places):
        name = place.name or place.text
        if place.lat is None and place.country in skipped:
            continue
        return name
    return ""


def amount(money: Iterable[Money]) -> str:
    """Sums in, the largest in words out: "$350 million"."""
    largest = max(money, key=lambda m: (m.value, m.currency), default=None)
    return in_words(largest.value, largest.currency) if largest is not None else ""


def in_words(value: float, currency: str) -> str:
    """A sum in, what a newspaper writes out: 350000000 USD is "$350 million"."""
    size, word = next((s for s in SIZES if value >= s[0]), (1.0, ""))
    number = f"{value / size:,.2f}".rstrip("0").rstrip(".")
    sign = SIGNS.get(currency)
    return f"{sign}{number}{word}" if sign else f"{number}{word} {currency}"
