"""A reader whose scores are written by hand: what is done with scores is tested without the trained model."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.annotate.parse import Mention, Parsed
from pipeline.annotate.plain import Plain
from pipeline.annotate.resolve import Resolver
from pipeline.detect.encoder import Floats, Scores
from pipeline.detect.kinds import TYPES
from pipeline.detect.reader import MODALITIES, NAMES, ROLES
from pipeline.detect.telling import Span, Telling
from pipeline.detect.windows import Window, Windows
from pipeline.records import EventType, Modality, Section, Sentence
from tests.make import make_document

PIECE = 8
"""Characters: a longer word is cut into pieces of this length."""
YES, NO = 4.0, -9.0
"""Log-odds that leave no doubt."""


@dataclass
class Encoded:
    """What a tokenizer of the `tokenizers` package gives."""

    ids: list[int]
    offsets: list[Span]
    word_ids: list[int]


class Tokenizer:
    """Words of letters and digits, and single signs. A piece's number stands for its letters, so that scores can ask for them."""

    def __init__(self) -> None:
        self.pieces = ["[CLS]", "[SEP]"]

    def token_to_id(self, piece: str) -> int:
        if piece not in self.pieces:
            self.pieces.append(piece)
        return self.pieces.index(piece)

    def encode(self, text: str, *, add_special_tokens: bool) -> Encoded:
        assert not add_special_tokens
        made = Encoded([], [], [])
        for number, word in enumerate(re.finditer(r"\w+|[^\w\s]", text)):
            for start in range(word.start(), word.end(), PIECE):
                end = min(start + PIECE, word.end())
                made.ids.append(self.token_to_id(text[start:end]))
                made.offsets.append((start, end))
                made.word_ids.append(number)
        return made


class StubEncoder:
    """`told` gives a piece's kinds with their log-odds, `roles` a trigger's roles with the pieces that fill them.

    A trigger whose piece is in `same` has a vector of that number; two vectors of one number tell one happening.
    """

    def __init__(
        self,
        told: dict[str, dict[str, float]] | None = None,
        *,
        roles: dict[str, dict[str, str]] | None = None,
        modality: dict[str, Modality] | None = None,
        main: dict[str, float] | None = None,
        same: dict[str, int] | None = None,
        topic: float = 0.0,
    ) -> None:
        self.told, self.filled, self.modality = told or {}, roles or {}, modality or {}
        self.main, self.group, self.topic = main or {}, same or {}, topic
        self.tokenizer = Tokenizer()
        self.windows = Windows(self.tokenizer)
        self.facts: dict[str, Any] = {
            "event_least": 0.3, "role_least": [0.0] * len(ROLES), "calibration": {"type": 1.0}, "calibration_whole": {"type": 1.0},
        }  # fmt: skip
        self.seen: list[Window] = []

    def pieces(self, window: Window) -> list[str]:
        return [self.tokenizer.pieces[number] for number in window.ids]

    def scores(self, window: Window) -> Scores:
        self.seen.append(window)
        size = len(window)
        kind, modality = np.full((size, 1 + len(NAMES)), NO), np.full((size, len(MODALITIES)), NO)
        kind[:, 0] = YES
        main, same = np.zeros(size), np.zeros((size, 64))
        for at, piece in enumerate(self.pieces(window)):
            if piece in self.told:
                kind[at, 0] = 0.0
                for name, score in self.told[piece].items():
                    kind[at, 1 + NAMES.index(name)] = score
            modality[at, MODALITIES.index(self.modality.get(piece, "asserted"))] = YES
            main[at] = self.main.get(piece, 0.0)
            same[at, self.group.get(piece, 0)] = 1.0
        empty = np.zeros((size, len(ROLES), 1), dtype=np.float32)
        return Scores(
            kind=kind.astype(np.float32), modality=modality.astype(np.float32), main=main.astype(np.float32), query=empty,
            key=empty, bias=empty[..., 0], same=same.astype(np.float32), hidden=same.astype(np.float32), loud=self.topic,
        )  # fmt: skip

    def roles(self, scores: Scores, at: int) -> Floats:
        """As the pieces of the window that was scored last say."""
        pieces = self.pieces(self.seen[-1])
        wanted = self.filled.get(pieces[at], {})
        found = np.full((len(ROLES), len(pieces)), NO, dtype=np.float32)
        for number, role in enumerate(ROLES):
            for index, piece in enumerate(pieces):
                if piece in wanted.get(role, "").split():
                    found[number, index] = YES
        return found

    def same(self, one: Floats, other: Floats) -> float:
        return float(one @ other)


def sentences(text: str) -> list[Span]:
    """A text whose sentences end in a full stop, in; their (start, end) out, as spaCy's sentencizer gives them."""
    return [match.span() for match in re.finditer(r"\S[^.]*\.?", text)]


def telling(
    text: str,
    trigger: str,
    kind: str,
    type_: EventType,
    *,
    section: Section = "text",
    sentence: int = 0,
    modality: Modality = "asserted",
    group: int = 0,
    confidence: float = 0.9,
    **spans: str | tuple[str, ...],
) -> Telling:
    """A telling of a text by its words: each role's spans are given as the words where they first stand."""
    assert type_ in TYPES
    start = text.index(trigger)
    vector = np.zeros(64, dtype=np.float32)
    vector[group] = 1.0
    found = {role: [spans[role]] if isinstance(spans.get(role), str) else spans.get(role, ()) for role in ROLES}
    return Telling(
        section=section, sentence=sentence, start=start, end=start + len(trigger), kind=kind, type=type_, event=0.9,
        type_share=0.9, kind_share=0.9, modality=modality, modality_share=0.9, main=0.5,
        spans={role: [(text.index(words), text.index(words) + len(words)) for words in each] for role, each in found.items()},
        role_shares={}, vector=vector, state=vector, confidence=confidence,
    )  # fmt: skip


def _plain(text: str) -> Plain:
    words = list(re.finditer(r"\w+|[^\w\s]", text))
    return Plain(text, [w[0] for w in words], [w.start() for w in words], [(0, len(words))], [])


def parsed(
    names: Resolver, text: str, *, title: str = "", labels: dict[str, str] | None = None, **changes: Any
) -> Parsed:
    """A text and the labels of its names in, its parse out, as annotation makes it."""
    both = {}
    for section, words in (("title", title), ("text", text)):
        read = _plain(words)
        both[section] = (
            read,
            tuple(
                Mention(start, start + len(name.split()), name, label, names.party(name))
                for name, label in (labels or {}).items()
                for start in range(len(read))
                if read.text[read.offsets[start] :].startswith(name)
            ),
        )
    bounds = [("text", *each) for each in sentences(text)] + ([("title", 0, len(title))] if title else [])
    document = make_document(
        text, title=title, published_at=PUBLISHED, sentences=tuple(Sentence(start=a, end=b, section=s) for s, a, b in bounds),
        **changes,
    )  # fmt: skip
    return Parsed(document, both["title"][0], both["text"][0], both["title"][1], both["text"][1])


PUBLISHED = dt.datetime(2024, 6, 14, 12, tzinfo=dt.UTC)
"""A Friday."""

MODEL = Path(__file__).parents[3] / "pipeline" / "detect" / "model"
"""The trained reader that ships."""
