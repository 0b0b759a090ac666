"""Families of events: which kinds are compared with each other, and by what. Data and look-ups, pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.records import Event, Happening, Story


@dataclass(frozen=True, slots=True)
class Family:
    """How two reports of this family are compared.

    `who`, `where`, `when` and `words` are weights and sum to 1; `need` is the likeness from which two reports are of one story.
    `days` is how many days apart two reports may date one event; `plan_days` is the same for a plan and what came of it.
    In a `directed` family it matters who did it to whom.
    """

    who: float
    where: float
    when: float
    words: float
    need: float
    days: int
    plan_days: int
    directed: bool = True


FAMILIES: Final[dict[str, Family]] = {
    "talks": Family(0.40, 0.15, 0.15, 0.30, need=0.55, days=3, plan_days=14, directed=False),
    "accords": Family(0.35, 0.10, 0.15, 0.40, need=0.55, days=4, plan_days=21, directed=False),
    "supply": Family(0.35, 0.05, 0.20, 0.40, need=0.58, days=5, plan_days=21),
    "sanctions": Family(0.40, 0.05, 0.20, 0.35, need=0.58, days=5, plan_days=14),
    "fighting": Family(0.15, 0.30, 0.15, 0.40, need=0.76, days=1, plan_days=3),
    "force": Family(0.30, 0.20, 0.15, 0.35, need=0.65, days=4, plan_days=14),
    "coercion": Family(0.30, 0.15, 0.15, 0.40, need=0.55, days=3, plan_days=7),
    "protest": Family(0.15, 0.30, 0.15, 0.40, need=0.58, days=1, plan_days=7),
    "statements": Family(0.30, 0.05, 0.15, 0.50, need=0.60, days=2, plan_days=7),
    "politics": Family(0.40, 0.15, 0.15, 0.30, need=0.55, days=4, plan_days=21, directed=False),
    "concessions": Family(0.30, 0.15, 0.15, 0.40, need=0.55, days=4, plan_days=14),
    "cooperation": Family(0.35, 0.15, 0.15, 0.35, need=0.55, days=4, plan_days=21, directed=False),
}

TYPE_FAMILY: Final = {
    "CONSULT": "talks",
    "AGREE": "accords",
    "AID": "supply",
    "SANCTION": "sanctions",
    "ASSAULT": "fighting",
    "MOBILIZE": "force",
    "COERCE": "coercion",
    "PROTEST": "protest",
    "SUPPORT": "statements",
    "REQUEST": "statements",
    "ACCUSE": "statements",
    "REJECT": "statements",
    "THREATEN": "statements",
    "CONCEDE": "concessions",
    "RETREAT": "concessions",
    "COOPERATE": "cooperation",
}

KIND_FAMILY: Final = {
    "ceasefire": "accords",
    "arms_deal": "supply",
    "arms_procurement": "supply",
    "pledge": "supply",
    "expulsion": "sanctions",
    "rupture": "sanctions",
    "coup": "coercion",
    "election": "politics",
    "appointment": "politics",
    "resignation": "politics",
    "legal_action": "coercion",
    "arrest": "coercion",
    "cyber_attack": "coercion",
}
"""Kinds that are reported under more than one event type, or that are easily confused with kinds of another type."""

ALIKE_KINDS: Final = (
    frozenset({"meeting", "summit", "visit", "mediation", "call"}),
    frozenset({"strike", "attack", "assassination"}),
    frozenset({"clash", "offensive", "invasion"}),
    frozenset({"attack", "clash"}),
    frozenset({"arms_deal", "arms_procurement"}),
    frozenset({"aid_package", "pledge"}),
    frozenset({"ceasefire", "agreement"}),
    frozenset({"arrest", "legal_action"}),
    frozenset({"expulsion", "rupture"}),
    frozenset({"accusation", "rejection"}),
    frozenset({"accusation", "threat"}),
    frozenset({"appeal", "proposal"}),
    frozenset({"withdrawal", "concession"}),
)
"""Kinds under which two reporters may report one event."""

NAMED: Final = frozenset({"arrest", "legal_action", "assassination", "appointment", "resignation", "release"})
"""Kinds whose reports are of two events if both name whom it befell, and no word of the names is in both."""

LASTING: Final = frozenset({"clash", "offensive", "invasion", "blockade", "protest"})
"""Kinds that go on for days: the last day of such a story is the day of its latest report."""

LULL_DAYS: Final = 2
"""How many days without a report such a story may have."""


def family(record: Event | Happening | Story) -> str:
    """Return the name of the family of an event, a happening or a story's main happening; empty if the story has none.

    It depends on kind and type alone, because nothing else is in every report of one event: one report names the place,
    the next names only one of the two leaders.
    """
    if record.event_type is None:
        return ""
    return KIND_FAMILY.get(record.kind) or TYPE_FAMILY[record.event_type]


def kinds_alike(ours: str, theirs: str) -> bool:
    """Return whether two reporters may report one event under these two kinds."""
    return ours == theirs or any(ours in kinds and theirs in kinds for kinds in ALIKE_KINDS)
