"""What a process needs to read articles, loaded once: the spaCy model, the lexicon, the second opinion, the resolver."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline import annotate
from pipeline.annotate.resolve import Resolver
from pipeline.detect import lexicon, opinion
from pipeline.detect.lexicon import Lexicon
from pipeline.detect.opinion import Opinion
from pipeline.settings import Settings

YOUNG_OBJECTS: Final = 20_000
"""So many new objects the garbage collector lets come before it looks for circles among them; some five megabytes."""


@dataclass(slots=True)
class Models:
    """The model, the lexicon and the resolver of one process. Not for pickling: each process loads its own."""

    nlp: Any
    lexicon: Lexicon
    names: Resolver
    text_characters: int = 100_000
    min_confidence: float = 0.0
    opinion: Opinion | None = None
    present_forms: frozenset[str] = frozenset()
    past_forms: frozenset[str] = frozenset()
    hyphened: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.present_forms = self.lexicon.present_forms
        self.past_forms = self.lexicon.past_forms
        self.hyphened = self.lexicon.forms

    @property
    def vocabulary(self) -> Mapping[str, frozenset[str]]:
        """The words that change modality."""
        return self.lexicon.modality


def load_models(settings: Settings) -> Models:
    """Settings in, the models ready to read with out. Takes a second or two.

    Raises:
        ModelError: no spaCy model is installed.
        LexiconError: a lexicon file cannot be used.
        OpinionError: the model's file cannot be used.
    """
    options = settings.detect
    models = Models(
        nlp=annotate.load(options.models),
        lexicon=lexicon.load([settings.path(name) for name in options.lexicons]),
        names=Resolver(),
        text_characters=options.text_characters,
        min_confidence=options.min_confidence,
        opinion=_opinion(settings),
    )
    _leave_alone()
    return models


def _leave_alone() -> None:
    """Keep the garbage collector from what is there for good: it would walk through all of it again and again.

    What is read makes many objects that soon go by themselves, so it need not look at each seven hundred either.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _opinion(settings: Settings) -> Opinion | None:
    """The configured model: a file of the user's own, the one that ships, or none."""
    named = settings.detect.opinion
    if named == "none":
        return None
    return opinion.load() if named == "built-in" else opinion.load(settings.path(named))
