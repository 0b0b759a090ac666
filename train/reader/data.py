"""Labels -> examples: windows of labelled documents with the targets of every head.

Sources: whole documents and sentences labelled by docs/events.md (train/labels, offsets into texts of ../shared/corpus),
written articles with every label (train/articles), the written sentences (train/sentences; kinds, modality and parties, no
places, dates or sums), readings of one-sentence news (train/readings/wce_stream.jsonl; types and modality only). What a
source does not label is masked.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spacy

from pipeline.annotate.parse import paragraphs
from pipeline.detect.kinds import KINDS, TYPES
from pipeline.detect.windows import Window, Windows

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
MODALITIES = ("asserted", "planned", "hypothetical", "denied", "historical")
ROLES = ("actors", "recipients", "places", "date", "money", "said_by")
WRITTEN_ROLES = ("actors", "recipients")
REAL = ("news", "current_events", "voa_sentences", "releases", "protest_sentences")
"""The sources that are real text, labelled with every field."""
TYPE_OF = {kind: TYPES.index(spec) for kind, spec in KINDS.items()}
KIND_NAMES = list(KINDS)


@dataclass
class Label:
    """One labelled telling. `kind` is an index or None where only the type is known; spans are (start, end) of the section."""

    type: int
    kind: int | None
    modality: int
    main: int | None
    section: str
    trigger: tuple[int, int]
    roles: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    known_roles: tuple[str, ...] = ROLES
    same_as: int | None = None


@dataclass
class Doc:
    """A labelled document; `open` are triggers that are neither right nor wrong, `loud` None where nobody said.

    Where `only` is given, nothing is scored but that span.
    """

    id: str
    source: str
    title: str
    text: str
    published: str
    loud: bool | None
    labels: list[Label]
    open: list[tuple[int, int]] = field(default_factory=list)
    only: tuple[int, int] | None = None


def part(identifier: str) -> str:
    """`test` for one document in ten, `dev` for another, `train` for the rest: by a hash of the id, for ever."""
    number = int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % 20
    return "test" if number < 2 else "dev" if number == 2 else "train"


def corpus() -> dict[str, dict[str, Any]]:
    """Every text of ../shared/corpus by its id."""
    found = {}
    for path in sorted((SHARED / "corpus").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                found[one["id"]] = one
    return found


def labelled(texts: dict[str, dict[str, Any]], files: Iterable[Path]) -> Iterator[Doc]:
    """Files of labels by id and offset -> documents."""
    for path in files:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                yield _document(path.stem, texts[one["id"]], one)


def first(texts: dict[str, dict[str, Any]]) -> Iterator[Doc]:
    """The labels of real news -> documents, each once."""
    return labelled(texts, sorted((ROOT / "train/labels").glob("*.jsonl")))


def second(texts: dict[str, dict[str, Any]]) -> Iterator[Doc]:
    """The labels of a second labeller of whole articles and releases -> documents, with the same ids as the first ones."""
    return labelled(texts, sorted((ROOT / "train/labels/second").glob("*.jsonl")))


def hard() -> set[str]:
    """The ids of documents that were picked for labelling because a reader was unsure of them."""
    return set((ROOT / "train/labels/hard.txt").read_text("utf-8").split())


def articles() -> Iterator[Doc]:
    """The project's own articles, each a line with its text and its labels -> documents. All are for training."""
    return _written_articles("train/articles")


def held() -> Iterator[Doc]:
    """More articles of the project's own, which no reader learns: what is fitted to its output is fitted on these."""
    return _written_articles("train/articles/held")


def _written_articles(folder: str) -> Iterator[Doc]:
    for path in sorted((ROOT / folder).glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            one = json.loads(line)
            yield _document("articles", one, one)


def _document(source: str, text: dict[str, Any], labels: dict[str, Any]) -> Doc:
    return Doc(
        id=labels["id"], source=source, title=text.get("title") or "", text=text["text"],
        published=(text.get("published") or "")[:10], loud=labels["loud"],
        labels=[
            Label(
                type=TYPE_OF[e["kind"]], kind=KIND_NAMES.index(e["kind"]), modality=MODALITIES.index(e["modality"]),
                main=int(e["weight"] == "main"), section=e["section"], trigger=tuple(e["trigger"]),
                roles={role: _spans(e[role]) for role in ROLES}, same_as=e["same_as"],
            )
            for e in labels["events"]
        ],
    )  # fmt: skip


def _spans(value: Any) -> list[tuple[int, int]]:
    """None, one span or several in, a list of spans out."""
    if not value:
        return []
    return [tuple(one) for one in value] if isinstance(value[0], list) else [tuple(value)]


def written() -> Iterator[Doc]:
    """The project's own sentences -> documents."""
    for path in sorted((ROOT / "train/sentences").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            one = json.loads(line)
            text, labels, taken = one["text"], [], set()
            for e in one["events"]:
                at = text.find(e["trigger"])
                while at in taken:
                    at = text.find(e["trigger"], at + 1)
                if at < 0 or e["kind"] not in KINDS:
                    continue
                taken.add(at)
                spans = {}
                for role, key in (("actors", "source"), ("recipients", "target")):
                    where = text.find(e[key]) if e[key] else -1
                    spans[role] = [(where, where + len(e[key]))] if where >= 0 else []
                labels.append(
                    Label(
                        type=TYPE_OF[e["kind"]], kind=KIND_NAMES.index(e["kind"]), modality=MODALITIES.index(e["modality"]),
                        main=None, section="text", trigger=(at, at + len(e["trigger"])), roles=spans, known_roles=WRITTEN_ROLES,
                    )
                )  # fmt: skip
            yield Doc(one["id"], "written", "", text, "", None, labels)


def readings() -> Iterator[Doc]:
    """One-sentence news that was read for types and triggers -> documents."""
    texts = {}
    for line in (SHARED / "eval/wce_stream/dev.jsonl").read_text("utf-8").splitlines():
        one = json.loads(line)
        texts[one["id"]] = one
    for line in (ROOT / "train/readings/wce_stream.jsonl").read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["id"] not in texts:
            continue
        labels = [
            Label(
                type=TYPES.index(e["root"]), kind=None, modality=MODALITIES.index(e["modality"]), main=None, section="text",
                trigger=(e["at"], e["at"] + len(e["trigger"])), known_roles=(),
            )
            for e in one["events"]
        ]  # fmt: skip
        opened = [(o["at"], o["at"] + len(o["trigger"])) for o in one.get("open", [])]
        source = texts[one["id"]]
        yield Doc(one["id"], "readings", "", source["text"], source["date"], None, labels, opened)


def marked(paths: Iterable[Path]) -> Iterator[Doc]:
    """Events that a user marked, `{"text", "event", "right"}` a line -> documents: the sentence with the event, or with none.

    Of a wrong event nothing else is known, so only its trigger is scored, as telling nothing.
    """
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            one = json.loads(line)
            text, event = one["text"], one["event"]
            at = text.find(event["trigger"])
            if at < 0 or event["kind"] not in KINDS:
                raise ValueError(
                    f"{path}: line {number + 1}: the trigger {event['trigger']!r} or kind {event['kind']!r} is not there"
                )
            spans = {
                role: [(s, s + len(p["text"])) for p in event.get(role, ()) if (s := text.find(p["text"])) >= 0]
                for role in WRITTEN_ROLES
            }
            label = Label(
                type=TYPE_OF[event["kind"]], kind=KIND_NAMES.index(event["kind"]),
                modality=MODALITIES.index(event["modality"]), main=None, section="text",
                trigger=(at, at + len(event["trigger"])), roles=spans, known_roles=WRITTEN_ROLES,
            )  # fmt: skip
            name = f"{path.name}-{number}"
            if one["right"]:
                yield Doc(name, "marks", "", text, "", None, [label])
            else:
                yield Doc(name, "marks", "", text, "", None, [], only=label.trigger)


def everything() -> list[Doc]:
    """All labelled documents there are; one that two labellers have read is there twice, for training."""
    texts = corpus()
    return [*first(texts), *second(texts), *articles(), *written(), *readings()]


class Splitter:
    """Text -> sentences, as the service splits it: spaCy's tokenizer and rule-based sentencizer, no model."""

    def __init__(self) -> None:
        spacy.Language.component("paragraphs", func=paragraphs)
        self.nlp = spacy.blank("en")
        self.nlp.add_pipe("sentencizer")
        self.nlp.add_pipe("paragraphs")
        self.nlp.max_length = 2_000_000

    def __call__(self, text: str) -> list[tuple[int, int]]:
        return [(s.start_char, s.end_char) for s in self.nlp(text).sents if s.text.strip()]


@dataclass
class Example:
    """A window and what each head should say of it. Triggers are indices of pieces; `same` pairs of triggers."""

    window: Window
    doc: str
    source: str
    loud: int  # -1 unknown
    kind: list[
        int
    ]  # of each piece: -100 not scored, 0 nothing, 1.. kind + 1, or -1 - type where only the type is known
    triggers: list[int]
    modality: list[int]
    main: list[int]
    roles: list[dict[str, list[int]]]  # of each trigger: role -> pieces
    known: list[tuple[str, ...]]
    same: list[tuple[int, int, int]]
    labels: list[Label]


def _trigger(window: Window, label: Label) -> int | None:
    """The first piece of the label's trigger that begins a word, where the window has it."""
    start, end = label.trigger
    for index in range(len(window)):
        inside = start <= window.starts[index] < end and (window.ends[index] <= end or window.starts[index] == start)
        if inside and window.section[index] == label.section and window.begins[index]:
            return index
    return None


def _scored(doc: Doc, window: Window) -> list[int]:
    """0 for pieces that are scored as telling nothing (labels are put over them), -100 for those that are not scored."""
    kind = []
    for index in range(len(window)):
        start, end = window.starts[index], window.ends[index]
        scored = window.begins[index] and window.section[index] is not None
        if any(window.section[index] == "text" and start >= a and end <= b for a, b in doc.open):
            scored = False
        if doc.only is not None and not doc.only[0] <= start < doc.only[1]:
            scored = False
        kind.append(0 if scored else -100)
    return kind


def examples(doc: Doc, windows: Windows, split: Splitter) -> Iterator[Example]:
    """A document's windows with their targets."""
    for window in windows.cut(doc.title, doc.text, split(doc.text)):
        size = len(window)
        kind = _scored(doc, window)
        made = Example(
            window, doc.id, doc.source, -1 if doc.loud is None else int(doc.loud), kind, [], [], [], [], [], [], []
        )
        of_label: dict[int, int] = {}
        for number, label in enumerate(doc.labels):
            at = _trigger(window, label)
            if at is None or kind[at] not in (0, -100):
                if at is not None and at in made.triggers:
                    of_label[number] = made.triggers.index(at)
                continue
            kind[at] = label.kind + 1 if label.kind is not None else -1 - label.type
            of_label[number] = len(made.triggers)
            made.triggers.append(at)
            made.modality.append(label.modality)
            made.main.append(-1 if label.main is None else label.main)
            made.labels.append(label)
            made.known.append(label.known_roles)
            roles = {}
            for role in label.known_roles:
                pieces = []
                for start, end in label.roles.get(role, []):
                    pieces += [
                        i for i in range(size)
                        if window.section[i] == label.section and window.starts[i] >= start and window.ends[i] <= end
                    ]  # fmt: skip
                roles[role] = sorted(set(pieces))
            made.roles.append(roles)
        groups: dict[int, int] = {}
        for number, label in enumerate(doc.labels):
            groups[number] = groups[label.same_as] if label.same_as is not None and label.same_as in groups else number
        if doc.source not in ("written", "readings"):
            inside = sorted(of_label)
            made.same = [
                (of_label[a], of_label[b], int(groups[a] == groups[b]))
                for x, a in enumerate(inside) for b in inside[x + 1 :] if of_label[a] != of_label[b]
            ]  # fmt: skip
        yield made
