"""Windows of an article in, what it tells out: each trigger with its kind, how real it is, and the spans of its roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, get_args

import numpy as np

from pipeline.detect.confidence import confidence, features
from pipeline.detect.encoder import Encoder, Floats, Scores, probability
from pipeline.detect.kinds import KINDS, TYPES
from pipeline.detect.telling import Span, Telling
from pipeline.detect.windows import Window
from pipeline.records import EventType, Modality, Section

MODALITIES: Final[tuple[Modality, ...]] = get_args(Modality)
PARTIES: Final = ("actors", "recipients")
ROLES: Final = ("actors", "recipients", "places", "date", "money", "said_by")
NAMES: Final = tuple(KINDS)
TYPE_OF: Final = np.asarray([TYPES.index(KINDS[name]) for name in NAMES])
BESIDE: Final = 3
"""Pieces: two triggers of one type this near are one trigger of two words (`air strike`)."""

SLACK: Final = 1.0
"""Log-odds by which the other words of a span may be less sure than its surest."""


class Own(Protocol):
    """A kind of the user's own, as own_kinds.py makes it for one article."""

    @property
    def kind(self) -> str:
        """The kind's name."""
        ...

    @property
    def type(self) -> EventType:
        """Its PLOVER type."""
        ...

    def spots(self, window: Window, scores: Scores) -> Iterator[tuple[int, float]]:
        """The pieces at which a window tells the kind, each with its share."""
        ...


def softmax(scores: Floats) -> Floats:
    """Log-odds in, shares along the last axis out."""
    shifted = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True), dtype=np.float32)


def read(
    encoder: Encoder, title: str, text: str, sentences: Sequence[Span], *, own: Sequence[Own] = ()
) -> list[Telling]:
    """A title, a text and its sentences in, the tellings in reading order out."""
    windows: list[list[Telling]] = []
    topics = []
    for window in encoder.windows.cut(title, text, sentences):
        scores = encoder.scores(window)
        topics.append(scores.loud)
        windows.append(list(tellings(encoder, window, scores, least=encoder.facts["event_least"], own=own)))
    topic = float(np.mean(topics)) if topics else 0.0
    for told in windows:
        for one in told:
            values = features(encoder, one, told, topic)
            one.confidence = confidence(encoder, values, whole=bool(title)) if one.own is None else one.own
    return [one for told in windows for one in told]


def tellings(
    encoder: Encoder, window: Window, scores: Scores, *, least: float, own: Sequence[Own] = ()
) -> Iterator[Telling]:
    """The triggers of a window with an event share of `least` or more, each once, in reading order."""
    shares = softmax(scores.kind)
    event = 1.0 - shares[:, 0]
    types = np.zeros((len(window), len(TYPES)), dtype=np.float32)
    np.add.at(types.T, TYPE_OF, shares[:, 1:].T)
    mine: dict[int, tuple[Own, float]] = {}
    for one in own:
        mine |= {at: (one, share) for at, share in one.spots(window, scores)}
    open_ = [i for i in range(len(window)) if window.section[i] and window.begins[i] and event[i] >= least]
    kept: dict[int, EventType] = {}
    for at in (*mine, *sorted(open_, key=lambda i: -float(event[i]))):
        told = mine[at][0].type if at in mine else TYPES[int(types[at].argmax())]
        near = [other for other in kept if abs(at - other) <= BESIDE and window.sentence[at] == window.sentence[other]]
        if at not in kept and not any(kept[other] == told or other in mine for other in near):
            kept[at] = told
    for at in sorted(kept):
        made = _telling(encoder, window, scores, at, shares=shares[at], types=types[at], own=mine.get(at))
        made.type_share = _share_around(window, types[:, TYPES.index(made.type)], at)
        if made.own is None:
            made.kind_share = _share_around(window, shares[:, NAMES.index(made.kind) + 1], at)
        yield made


def _share_around(window: Window, share: Floats, at: int) -> float:
    """The share of a type or kind at a trigger and the words beside it: of `imposes sanctions` either word may tell it."""
    near = [
        i for i in range(max(0, at - BESIDE), min(len(window), at + BESIDE + 1))
        if window.begins[i] and window.section[i] == window.section[at] and window.sentence[i] == window.sentence[at]
    ]  # fmt: skip
    return round(min(1.0, float(share[near].sum())), 3)


def _telling(
    encoder: Encoder,
    window: Window,
    scores: Scores,
    at: int,
    *,
    shares: Floats,
    types: Floats,
    own: tuple[Own, float] | None,
) -> Telling:
    section = window.section[at]
    assert section is not None
    best_type = int(types.argmax())
    kind = int(np.where(best_type == TYPE_OF, shares[1:], -1.0).argmax())
    real = softmax(scores.modality[at])
    all_odds = encoder.roles(scores, at)
    spans, role_shares = {}, {}
    for number, role in enumerate(ROLES):
        spans[role], best = _spans(window, all_odds[number], at, encoder.facts["role_least"][number])
        if not spans[role] and role in PARTIES:  # `He met ... . The talks lasted an hour.`
            spans[role], best = _spans(window, all_odds[number], at, encoder.facts["role_least"][number], back=1)
        if spans[role]:
            role_shares[role] = round(probability(best), 3)
    return Telling(
        section=section,
        sentence=window.sentence[at],
        start=window.starts[at],
        end=_word_end(window, at),
        kind=NAMES[kind] if own is None else own[0].kind,
        type=TYPES[best_type] if own is None else own[0].type,
        event=round(float(1 - shares[0]), 3),
        type_share=round(float(types[best_type]), 3),
        kind_share=round(float(shares[kind + 1]), 3),
        modality=MODALITIES[int(real.argmax())],
        modality_share=round(float(real.max()), 3),
        main=round(probability(scores.main[at]), 3),
        spans=spans,
        role_shares=role_shares,
        vector=scores.same[at].copy(),
        state=scores.hidden[at].copy(),
        own=None if own is None else round(own[1], 3),
    )


def _word_end(window: Window, at: int) -> int:
    last = at
    while last + 1 < len(window) and not window.begins[last + 1] and window.section[last + 1]:
        last += 1
    return window.ends[last]


def _spans(window: Window, odds: Floats, at: int, least: float, back: int = 0) -> tuple[list[Span], float]:
    """Runs of pieces that fill a role, as whole words, and the best log-odds among them.

    A run has a piece whose log-odds reach `least`, and reaches as far as they are above `least` less `SLACK`: the surest word
    of a name carries the others. Only the trigger's own sentence is looked at, or the one `back` sentences before it.
    """
    section, sentence = window.section[at], window.sentence[at] - back
    found: list[Span] = []
    best = -np.inf
    index, end = _sentence(window, at, section, sentence)
    while index < end:
        if odds[index] < least - SLACK:
            index += 1
            continue
        first = index
        while index + 1 < end and (odds[index + 1] >= least - SLACK or _continues(window, index + 1)):
            index += 1
        top = float(odds[first : index + 1].max())
        if top >= least:
            while first > 0 and _continues(window, first):
                first -= 1
            best = max(best, top)
            found.append((window.starts[first], window.ends[index]))
        index += 1
    return found, best


def _sentence(window: Window, at: int, section: Section | None, sentence: int) -> Span:
    """The pieces of a sentence, as (first, one past the last): that of piece `at`, or one before it."""
    first = at
    while first > 0 and window.section[first - 1] == section and window.sentence[first - 1] >= sentence:
        first -= 1
    end = first
    while end < len(window) and window.section[end] == section and window.sentence[end] == sentence:
        end += 1
    return first, end


def _continues(window: Window, index: int) -> bool:
    """Whether a piece goes on with the word before it."""
    return not window.begins[index] and window.section[index] is not None
