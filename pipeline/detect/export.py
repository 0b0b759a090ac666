"""The type as other codings would write it, modality taken in: PLOVER's root and CAMEO's two-digit root."""

from __future__ import annotations

from typing import Final

from pipeline.records import EventType, Export, Modality

LATER: Final = frozenset(("CONSULT", "AID", "COOPERATE", "SUPPORT", "CONCEDE", "RETREAT"))
"""Cooperative types that PLOVER codes AGREE while they are promised or planned."""

CAMEO: Final[dict[str, str]] = {
    "AGREE": "03", "CONSULT": "04", "SUPPORT": "05", "COOPERATE": "06", "AID": "07", "CONCEDE": "08", "RETREAT": "08",
    "REQUEST": "10", "ACCUSE": "11", "REJECT": "12", "THREATEN": "13", "PROTEST": "14", "MOBILIZE": "15", "SANCTION": "16",
    "COERCE": "17", "ASSAULT": "19",
}  # fmt: skip


def export(
    event_type: EventType, modality: Modality, *, cameo: str = "", override: str | None = None, commitment: bool = False
) -> Export:
    """Our type and modality in, how PLOVER and CAMEO code it out. `override` is what the rule says of an asserted one."""
    plover: str = event_type
    if modality == "denied" and event_type in LATER | {"AGREE"}:
        plover = "REJECT"
    elif event_type in LATER and (modality == "planned" or commitment):
        plover = "AGREE"
    elif modality == "planned" and event_type in ("ASSAULT", "SANCTION", "COERCE"):
        plover = "THREATEN"
    elif override and modality in ("asserted", "historical"):
        plover = override
    code = cameo if plover == event_type and cameo else CAMEO[plover]
    return Export(plover=plover, cameo=code)
