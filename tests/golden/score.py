"""Compare events with a reader's annotation: which are found, and how many of their fields are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.records import Event, Party

QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


@dataclass
class Score:
    """The events found, those missed, and each wrong field as `event: field: wanted, got`."""

    found: dict[str, Event] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    right: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of right fields among all fields of the events found."""
        return self.right / max(1, self.right + len(self.wrong))


def plain(text: str) -> str:
    """Return the text without differences of case, spaces and kinds of quotation marks."""
    return " ".join(text.translate(QUOTES).casefold().split())


def told_in(event: Event) -> list[str]:
    """Return every passage that reports the event."""
    return [plain(event.evidence), *(plain(mention.text) for mention in event.mentions)]


def find(wanted: Mapping[str, Any], events: Sequence[Event]) -> Event | None:
    """Return the event with the wanted words and type, and the wanted kind if there are several; None if there is none."""
    places = [plain(text) for text in (wanted["evidence"], *wanted.get("also_in", ()))]
    fits = [
        e
        for e in events
        if e.event_type == wanted["event_type"] and any(p in t or t in p for p in places for t in told_in(e))
    ]
    fits.sort(key=lambda e: (e.modality != wanted.get("modality", e.modality), e.kind != wanted["kind"], -e.confidence))
    return fits[0] if fits else None


def named(wanted: str, parties: Sequence[Party]) -> bool:
    """Return whether a country code or a name is among the parties."""
    words = set(plain(wanted).split())
    return any(
        p.country == wanted or words <= set(plain(f"{p.name or ''} {p.text}").replace("'s", "").split())
        for p in parties
    )


def fields(wanted: Mapping[str, Any], event: Event) -> Iterator[tuple[str, bool, object]]:  # noqa: C901 - one line for each field
    """Yield for each wanted field its name, whether it is right, and its value."""
    sides = (*event.actors, *event.recipients)
    yield "kind", event.kind == wanted["kind"], event.kind
    if "modality" in wanted:
        yield "modality", event.modality == wanted["modality"], event.modality
    for name, parties in (("actors", event.actors), ("recipients", event.recipients)):
        for who in wanted.get(name, ()):
            yield name, named(who, parties), [(p.text, p.name, p.country) for p in parties]
    for code in (*wanted.get("countries", ()), *wanted.get("recipient_countries", ())):
        yield "countries", any(p.country == code for p in sides), [p.country for p in sides]
    if "place" in wanted:
        yield "place", any(plain(wanted["place"]) in plain(f"{p.name} {p.text}") for p in event.places), event.places
    if "place_country" in wanted:
        yield "place_country", any(p.country == wanted["place_country"] for p in event.places), event.places
    if "date" in wanted:
        got = event.date
        yield (
            "date",
            bool(got and any(str(got.start).startswith(d) or str(got.end).startswith(d) for d in wanted["date"])),
            got,
        )
    if "money" in wanted:
        yield (
            "money",
            any(m.value == wanted["money"]["value"] and m.currency == wanted["money"]["currency"] for m in event.money),
            event.money,
        )
    if "quantity" in wanted:
        counted = [(q.value, q.unit) for q in event.quantities]
        yield "quantity", (wanted["quantity"]["value"], wanted["quantity"]["unit"]) in counted, counted
    if "subtype" in wanted:
        yield "subtype", event.subtype == wanted["subtype"], event.subtype
    for item in wanted.get("items", ()):
        yield "items", any(plain(item) in plain(got) for got in event.items), event.items
    if "attributed_to" in wanted:
        yield "attributed_to", plain(wanted["attributed_to"]) in plain(event.attributed_to or ""), event.attributed_to


def score(wanted: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> Score:
    """Return the score of events against the wanted ones."""
    result = Score()
    for one in wanted:
        name = one.get("id", one["evidence"][:40])
        event = find(one, events)
        if event is None:
            result.missed.append(name)
            continue
        result.found[name] = event
        for what, right, got in fields(one, event):
            result.right += right
            if not right:
                result.wrong.append(f"{name}: {what}: wanted {one.get(what, one.get('countries'))}, got {got}")
    return result


def asserted(unwanted: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> list[str]:
    """Return the passages that were detected as asserted and must not be."""
    return [
        f"{e.kind} [{e.trigger}] in {one['evidence']!r}"
        for one in unwanted
        for e in events
        if e.modality == "asserted"
        and plain(one["evidence"]) in plain(e.evidence)
        and all(w in plain(one["evidence"]) for w in plain(e.trigger).split(" … "))
    ]
