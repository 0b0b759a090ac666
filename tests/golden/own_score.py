"""Compare detected events with the project's own labelled set in `own/`.

A row is a sentence or an article with its labelled `events` (see own/README.md). What was detected is a mapping from the row's id to
events as `dateline detect --jsonl` writes them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent / "own"
BOOK = Path(__file__).parents[2] / "docs" / "events.md"

Label = Mapping[str, Any]
Found = Mapping[str, Any]

SMALL = frozenset(
    ["a", "an", "and", "for", "from", "his", "her", "in", "its", "of", "on", "s", "the", "their", "to", "with"]
)
"""Words that two names may share without meaning the same side. The `s` is what is left of a genitive."""


@cache
def kinds() -> dict[str, str]:
    """The PLOVER type of each kind, from the table in docs/events.md."""
    return dict(re.findall(r"^\| `(\w+)` \| ([A-Z]+) \|", BOOK.read_text("utf-8"), re.MULTILINE))


def sentences() -> list[dict[str, Any]]:
    """The labelled sentences."""
    return [json.loads(line) for line in (OWN / "sentences.jsonl").read_text("utf-8").splitlines()]


def articles() -> list[dict[str, Any]]:
    """The labelled articles."""
    return [json.loads(file.read_text("utf-8")) for file in sorted((OWN / "articles").glob("*.json"))]


def words(text: str) -> set[str]:
    """The words that tell a side or a trigger apart, in lower case."""
    return set(re.findall(r"\w+", text.casefold())) - SMALL


def side_words(party: Found) -> set[str]:
    """The words of a detected side: as written, and as resolved."""
    return words(f"{party.get('text') or ''} {party.get('name') or ''}")


@dataclass
class Tally:
    """Counts of one run. A minor label counts neither as found nor as missed, and takes its event out of the false ones."""

    wanted: int = 0
    right: int = 0
    false: int = 0
    parts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def count(self, name: str, hits: Iterable[bool]) -> None:
        """Add right ones and all ones to the share `name`."""
        for hit in hits:
            self.parts[name][0] += hit
            self.parts[name][1] += 1

    def share(self, name: str) -> float:
        """The share `name`; 0 if nothing was counted."""
        return share(*self.parts[name])


def share(part: int, whole: int) -> float:
    """`part` of `whole`; 0 if there is no whole."""
    return part / whole if whole else 0.0


def score(rows: Sequence[Label], detected: Mapping[str, Sequence[Found]]) -> dict[str, Any]:
    """Labelled rows and the events detected in them in, the figures out; each is a share between 0 and 1.

    - `precision`, `recall`, `f1`: events of the right type, one to one within a row; `types`: the F1 of each type.
    - `kind`, `modality`: the share of right events that also have the right kind, the right modality.
    - `actors`, `recipients`: the share of the labelled sides of right events that were found; `actors_precision` and
      `recipients_precision`: the share of the detected sides that are right, where any is labelled.
    - `quiet_sentences`, `quiet_articles`: the share of quiet rows in which an event was detected.
    """
    every = Tally()
    by_type: dict[str, Tally] = defaultdict(Tally)
    for row in rows:
        found = detected.get(row["id"], ())
        if not row["events"]:
            every.count("quiet_articles" if "title" in row else "quiet_sentences", [bool(found)])
        _count(row, found, every, by_type)
    return {
        "precision": share(every.right, every.right + every.false),
        "recall": share(every.right, every.wanted),
        "f1": _f1(every),
        "types": {name: _f1(tally) for name, tally in sorted(by_type.items())},
        **{
            name: every.share(name)
            for name in (
                *("kind", "modality", "actors", "actors_precision", "recipients", "recipients_precision"),
                *("quiet_sentences", "quiet_articles"),
            )
        },
    }


def _f1(tally: Tally) -> float:
    return share(2 * tally.right, tally.right + tally.false + tally.wanted)


def _count(row: Label, found: Sequence[Found], every: Tally, by_type: dict[str, Tally]) -> None:
    pairs = dict(match(row, found))
    matched = {taken: row["events"][number] for number, taken in pairs.items()}
    for label in row["events"]:
        if not label.get("minor"):
            every.wanted += 1
            by_type[label["type"]].wanted += 1
    for number, event in enumerate(found):
        wanted = matched.get(number)
        if wanted is None:
            every.false += 1
            by_type[event["event_type"]].false += 1
        elif not wanted.get("minor"):
            every.right += 1
            by_type[wanted["type"]].right += 1
            _compare(wanted, event, every)


def _compare(wanted: Label, event: Found, tally: Tally) -> None:
    tally.count("kind", [event["kind"] in {wanted["kind"], *wanted.get("or", ())}])
    tally.count("modality", [event["modality"] == wanted["modality"]])
    for role in ("actors", "recipients"):
        labelled = [words(side) for side in wanted[role]]
        got = [side_words(side) for side in event.get(role) or ()]
        tally.count(role, [any(side & one for one in got) for side in labelled])
        if labelled:
            tally.count(f"{role}_precision", [any(side & one for side in labelled) for one in got])


def match(row: Label, found: Sequence[Found]) -> Iterator[tuple[int, int]]:
    """Pair labels and detected events of the same type, the most alike first: the number of the label, of the event.

    In a sentence the type is enough. An article tells many things of one type, so there a pair must share a word of the trigger or
    of a side, or the detected evidence must hold the labelled trigger.
    """
    types = kinds()
    whole = "title" in row
    pairs = []
    for number, wanted in enumerate(row["events"]):
        allowed = {wanted["type"], *(types[kind] for kind in wanted.get("or", ()))}
        for place, event in enumerate(found):
            if event["event_type"] not in allowed:
                continue
            told, sides = _same_words(wanted, event), _same_sides(wanted, event)
            if whole and not (told or sides or _holds_trigger(event, wanted)):
                continue
            alike = 4 * told + 2 * (event["modality"] == wanted["modality"]) + 2 * sides
            alike += event["kind"] == wanted["kind"]
            pairs.append((-alike, bool(wanted.get("minor")), number, place))
    taken_labels: set[int] = set()
    taken_events: set[int] = set()
    for *_, number, place in sorted(pairs):
        if number not in taken_labels and place not in taken_events:
            taken_labels.add(number)
            taken_events.add(place)
            yield number, place


def _same_words(wanted: Label, event: Found) -> bool:
    """Whether the labelled trigger shares a word with the detected one."""
    return bool(words(wanted["trigger"]) & words(event.get("trigger") or ""))


def _same_sides(wanted: Label, event: Found) -> bool:
    """Whether a labelled side shares a word with a detected one."""
    labelled = set().union(*(words(side) for role in ("actors", "recipients") for side in wanted[role]))
    return any(labelled & side_words(side) for role in ("actors", "recipients") for side in event.get(role) or ())


def _holds_trigger(event: Found, wanted: Label) -> bool:
    """Whether the labelled trigger stands in one of the places where the detected event is told."""
    told = [event.get("evidence") or "", *(mention["text"] for mention in event.get("mentions") or ())]
    return any(wanted["trigger"] in text for text in told)
