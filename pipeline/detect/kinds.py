"""The kinds of events and the PLOVER type of each: the table of docs/events.md, which a test compares with this one."""

from __future__ import annotations

from typing import Final, get_args

from pipeline.records import EventType

TYPES: Final[tuple[EventType, ...]] = get_args(EventType)

KINDS: Final[dict[str, EventType]] = {
    "meeting": "CONSULT", "summit": "CONSULT", "visit": "CONSULT", "call": "CONSULT", "mediation": "CONSULT",
    "agreement": "AGREE", "pledge": "AGREE", "election": "AGREE",
    "support": "SUPPORT", "diplomatic_ties": "SUPPORT", "appointment": "SUPPORT",
    "cooperation": "COOPERATE",
    "aid_package": "AID", "arms_deal": "AID", "arms_procurement": "AID",
    "concession": "CONCEDE", "resignation": "CONCEDE", "charges_dropped": "CONCEDE",
    "ceasefire": "RETREAT", "withdrawal": "RETREAT", "release": "RETREAT", "sanctions_relief": "RETREAT",
    "appeal": "REQUEST", "proposal": "REQUEST",
    "accusation": "ACCUSE", "legal_action": "ACCUSE",
    "rejection": "REJECT", "threat": "THREATEN", "protest": "PROTEST",
    "sanctions": "SANCTION", "expulsion": "SANCTION", "rupture": "SANCTION",
    "mobilization": "MOBILIZE",
    "arrest": "COERCE", "deportation": "COERCE", "restriction": "COERCE", "blockade": "COERCE", "cyber_attack": "COERCE",
    "strike": "ASSAULT", "attack": "ASSAULT", "assassination": "ASSAULT", "abduction": "ASSAULT", "clash": "ASSAULT",
    "offensive": "ASSAULT", "invasion": "ASSAULT", "coup": "ASSAULT",
}  # fmt: skip
"""In the order in which the model's heads count them: a new kind goes to the end, and the model is trained anew."""
