"""Kinds of the user's own: a file with a kind, its PLOVER type, and example sentences or patterns of words.

A kind with `examples` (some ten, the trigger between asterisks: `Turkey *opened* a grain corridor for Ukraine.`) is told where
a word is as near to the examples in the reader's space as they are to each other. A kind with `patterns` (spaCy's Matcher, over
the words of a text) is told where one matches; its first word is the trigger. The parties, place and date come from the
reader's roles. A kind of the user's wins over a built-in one at the same trigger; of two of the user's, the later in the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from pipeline.annotate.plain import Plain, plain
from pipeline.detect.encoder import BUILT_IN, Encoder, Floats, Scores
from pipeline.detect.kinds import Kind
from pipeline.detect.windows import Window
from pipeline.records import EventType
from pipeline.settings import Detect, Settings

FORMULAS: Final = Path(__file__).parent / "formulas.toml"
"""Patterns of built-in kinds: legal formulas, which no news teaches."""
LEAST_EXAMPLES: Final = 5
LEAST_SURE, MOST_SURE = Detect().min_confidence, 0.95
"""The confidence of words just near enough to the examples and of equal ones."""
PATTERN_SHARE: Final = 0.9
"""How sure a pattern is: whoever wrote it knows its words."""
_TRIGGER: Final = re.compile(r"\*([^*]+)\*")


class KindError(ValueError):
    """A file of kinds cannot be used; the message names the file, the kind and what is wrong."""


class OwnKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind as written; each `yes` sentence has to tell it, no `no` sentence may."""

    kind: str
    type: EventType
    about: str = ""
    joint: bool = False
    examples: tuple[str, ...] = ()
    patterns: tuple[tuple[dict[str, Any], ...], ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kinds: tuple[OwnKind, ...]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A kind ready for use: the mean of its examples' vectors and how near is near enough, or a matcher of words."""

    spec: OwnKind
    centre: Floats | None = None
    least: float = 2.0
    matcher: Any = None


def read(paths: Sequence[Path]) -> tuple[OwnKind, ...]:
    """Files in, their kinds out.

    Raises:
        KindError: a file is absent, no TOML, or a kind lacks what it needs.
    """
    found: dict[str, OwnKind] = {}
    for path in paths:
        try:
            file = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
        except (OSError, ValueError) as error:  # not UTF-8, not TOML, or not of this form
            raise KindError(f"{path}: {error}") from error
        for spec in file.kinds:
            where = f"{path}: kind {spec.kind!r}"
            if not re.fullmatch(r"[a-z][a-z0-9_]*", spec.kind):
                raise KindError(f"{where}: a kind is written in small letters, digits and underscores")
            if bool(spec.examples) == bool(spec.patterns):
                raise KindError(f"{where}: give either examples or patterns")
            if spec.examples and len(spec.examples) < LEAST_EXAMPLES:
                raise KindError(f"{where}: {len(spec.examples)} examples, at least {LEAST_EXAMPLES} are needed")
            for text in spec.examples:
                if len(_TRIGGER.findall(text)) != 1:
                    raise KindError(f"{where}: examples: put the trigger between asterisks, once: {text!r}")
            found[spec.kind] = spec
    return tuple(found.values())


def as_kind(spec: OwnKind) -> Kind:
    """A kind of the user's as the rest of detection knows kinds."""
    return Kind(kind=spec.kind, type=spec.type, about=spec.about or spec.kind, joint=spec.joint)


def learn(spec: OwnKind, encoder: Encoder, nlp: Any) -> Learnt:
    """A kind in, the same ready for use out. Examples take some milliseconds each.

    Raises:
        KindError: a pattern cannot be used, or the examples cannot be told from their own other words.
    """
    if spec.patterns:
        from spacy.matcher import Matcher  # noqa: PLC0415 - only with patterns

        matcher = Matcher(nlp.vocab, validate=True)
        try:
            matcher.add(spec.kind, [list(one) for one in spec.patterns])
            matcher(nlp.make_doc("two words"))  # fails where a pattern asks for lemmas or tags, which no text has here
        except Exception as error:
            raise KindError(f"kind {spec.kind!r}: patterns: {error}") from error
        return Learnt(spec, matcher=matcher)
    right: list[Floats] = []
    wrong: list[Floats] = []
    for text in spec.examples:
        match = _TRIGGER.search(text)
        assert match is not None
        vectors = dict(_vectors(encoder, _TRIGGER.sub(r"\1", text)))
        if match.start() not in vectors or len(vectors) == 1:
            raise KindError(f"kind {spec.kind!r}: examples: the trigger has to be a word of a sentence: {text!r}")
        right.append(vectors.pop(match.start()))
        wrong += vectors.values()
    for text in spec.no:
        wrong += [vector for _, vector in _vectors(encoder, text)]
    mine, others = np.stack(right), np.stack(wrong)
    centre = _unit(mine.mean(0))
    each = [float(_unit(np.delete(mine, n, 0).mean(0)) @ mine[n]) for n in range(len(mine))]
    near, far = sorted(each)[len(each) // 4], float((others @ centre).max())
    if far >= near:
        far = sorted(map(float, others @ centre))[int(0.98 * len(others))]
    if far >= near:
        raise KindError(
            f"kind {spec.kind!r}: examples: their triggers are no more alike than other words; add clearer ones"
        )
    return Learnt(spec, centre=centre, least=(near + far) / 2)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _vectors(encoder: Encoder, text: str) -> Iterator[tuple[int, Floats]]:
    for window in encoder.windows.cut("", text, [(0, len(text))]):
        hidden = encoder.scores(window).hidden
        for index in range(len(window)):
            if window.section[index] and window.begins[index]:
                yield window.starts[index], _unit(hidden[index])


@dataclass(frozen=True, slots=True)
class InArticle:
    """A kind as `reader.read` asks for it: with the places where its patterns begin in one article."""

    learnt: Learnt
    matched: frozenset[tuple[str, int]]

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.learnt.spec.kind

    @property
    def type(self) -> EventType:
        """Its PLOVER type."""
        return self.learnt.spec.type

    def spots(self, window: Window, scores: Scores) -> Iterator[tuple[int, float]]:
        """The pieces at which a window tells the kind, each with its share."""
        learnt = self.learnt
        for index in range(len(window)):
            section = window.section[index]
            if section is None or not window.begins[index]:
                continue
            if learnt.centre is None:
                if (section, window.starts[index]) in self.matched:
                    yield index, PATTERN_SHARE
            elif (near := float(_unit(scores.hidden[index]) @ learnt.centre)) >= learnt.least:
                nearness = min(1.0, (near - learnt.least) / max(1e-6, 1 - learnt.least))
                yield index, LEAST_SURE + (MOST_SURE - LEAST_SURE) * nearness


def in_article(kinds: Sequence[Learnt], nlp: Any, title: Plain, text: Plain) -> list[InArticle]:
    """Kinds and the words of an article in, the same kinds with the characters at which their patterns begin out."""
    matching = any(one.matcher is not None for one in kinds)
    docs = [("title", doc_of(title, nlp)), ("text", doc_of(text, nlp))] if matching else []
    return [
        InArticle(
            one,
            frozenset(
                (section, doc[start].idx)
                for section, doc in docs if one.matcher is not None for _, start, _ in one.matcher(doc)
            ),
        )
        for one in kinds
    ]  # fmt: skip


def doc_of(read: Plain, nlp: Any) -> Any:
    """Words in, the spaCy doc that they are of out. To find the words once more would take several times as long."""
    from spacy.tokens import Doc  # noqa: PLC0415 - only with patterns

    nexts = (*read.offsets, len(read.text))[1:]
    spaces = [at + len(word) < after for word, at, after in zip(read.words, read.offsets, nexts, strict=True)]
    return Doc(nlp.vocab, words=read.words, spaces=spaces)


def try_out(specs: Sequence[OwnKind], settings: Settings) -> None:
    """Check the kinds' own sentences with the models: each `yes` has to tell its kind, and no `no` may.

    Raises:
        KindError: a sentence does otherwise; the message quotes it.
        ReaderError: the reader's files cannot be used.
    """
    from pipeline import annotate  # noqa: PLC0415 - the models take seconds, and only who has kinds of his own needs them
    from pipeline.detect.reader import read as tell  # noqa: PLC0415

    options = settings.detect
    nlp = annotate.load(options.models)
    encoder = Encoder(settings.path(options.reader) if options.reader else BUILT_IN)
    for spec in specs:
        learnt = learn(spec, encoder, nlp)
        for wanted, texts in ((True, spec.yes), (False, spec.no)):
            for text in texts:
                words = [plain(nlp.make_doc(part), part) for part in ("", text)]
                own = in_article([learnt], nlp, *words)
                told = tell(encoder, "", text, [(0, len(text))], own=own)
                if any(one.kind == spec.kind for one in told) != wanted:
                    said = "yes: it is not told in" if wanted else "no: it is told in"
                    raise KindError(f"kind {spec.kind!r}: {said} {text!r}")
