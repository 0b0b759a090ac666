"""What the reader tells of one trigger."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.detect.encoder import Floats
from pipeline.records import EventType, Modality, Section

Span = tuple[int, int]


@dataclass(slots=True)
class Telling:
    """One trigger where it stands. `shares` are probabilities; `spans` of each role are characters of the section.

    `event` is the share of all kinds together, `vector` what tells whether two triggers mean one happening, `state` the
    encoder's last layer at the trigger, `own` the share of a kind of the user's own.
    """

    section: Section
    sentence: int
    start: int
    end: int
    kind: str
    type: EventType
    event: float
    type_share: float
    kind_share: float
    modality: Modality
    modality_share: float
    main: float
    spans: dict[str, list[Span]]
    role_shares: dict[str, float]
    vector: Floats
    state: Floats
    own: float | None = None
    confidence: float = 0.0
