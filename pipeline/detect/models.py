"""What a process needs to read articles, loaded once: spaCy for names, the trained reader, the resolver, the kinds."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline import annotate
from pipeline.annotate.resolve import Resolver
from pipeline.detect import own_kinds
from pipeline.detect.encoder import BUILT_IN, Encoder
from pipeline.detect.kinds import Kind, built_in
from pipeline.detect.own_kinds import Learnt
from pipeline.settings import Settings

YOUNG_OBJECTS: Final = 20_000
"""The garbage collector looks for circles after this many new objects; some five megabytes."""


@dataclass(slots=True)
class Models:
    """The models and the resolver of one process. Not for pickling: each process loads its own."""

    nlp: Any
    encoder: Encoder
    names: Resolver
    kinds: dict[str, Kind] = field(default_factory=lambda: dict(built_in()))
    own: tuple[Learnt, ...] = ()
    text_characters: int = 100_000
    min_confidence: float = 0.0


def load_models(settings: Settings) -> Models:
    """Settings in, the models ready to read with out. Takes a second or two.

    Raises:
        ModelError: no spaCy model is installed.
        ReaderError: the reader's files cannot be used.
        KindError: a file of kinds cannot be used.
    """
    options = settings.detect
    specs = own_kinds.read([settings.path(name) for name in options.kinds])
    models = Models(
        nlp=annotate.load(options.models),
        encoder=Encoder(settings.path(options.reader) if options.reader else BUILT_IN),
        names=Resolver(),
        text_characters=options.text_characters,
        min_confidence=options.min_confidence,
    )
    told = (*own_kinds.read([own_kinds.FORMULAS]), *specs)
    models.own = tuple(own_kinds.learn(spec, models.encoder, models.nlp) for spec in told)
    models.kinds.update((spec.kind, own_kinds.as_kind(spec)) for spec in specs)
    _freeze()
    return models


def _freeze() -> None:
    """Keep the garbage collector from walking through what is there for good, and from looking at every 700 new objects."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
