"""Labelled sentences in, samples for training out: words at which something may be told, and which type it is, if any.

Sources: sentences written for it (train/sentences), the lexicon's own examples, the labelled sets of the neighbour `shared`
where they are there (weights come from them, never their text), and events that a user marked right or wrong.
"""

from __future__ import annotations

import bisect
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline import annotate
from pipeline.annotate.parse import Parsed
from pipeline.detect import jsonl
from pipeline.detect.drafts import Draft, draft
from pipeline.detect.events import reader_of
from pipeline.detect.export import export
from pipeline.detect.models import Models
from pipeline.detect.opinion import sites
from pipeline.detect.opinion.features import Site, site
from pipeline.detect.opinion.model import CLASSES, NONE
from pipeline.detect.persons import known
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import Tree
from pipeline.records import Document

QUIET: Final = {"Sports": 1.0, "Arts and culture": 0.5, "Science and technology": 0.3, "Health and environment": 0.15}
"""Sections of a news digest that tell hardly any event of ours, and how far each is trusted for it."""

LOUD: Final = {"International relations": 0.15, "Armed conflicts and attacks": 0.15}
"""Sections in which the rules are mostly right: what they find there teaches a little of the words around it."""

REST: Final = 0.05
OLD_NAMES: Final = {"DEMAND": "REQUEST", "DISAPPROVE": "ACCUSE", "FIGHT": "ASSAULT", "YIELD": "CONCEDE"}
"""PLOVER's roots as its first version called them."""

DAY: Final = re.compile(r"(19|20)\d{6}")
Test = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the rules say of a sample."""

    type: str
    confidence: float
    unreal: bool
    actor: bool
    recipient: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A word at which something may be told.

    `group` is what must not be split by cross-validation; `drafted` is None where the rules are silent. Samples that are not
    `judged` teach the types, but not how often the rules are right.
    """

    source: str
    group: str
    site: Site
    label: int
    weight: float
    drafted: Drafted | None = None
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence as the rules read it."""

    reader: Reader
    drafts: list[Draft]

    @property
    def tree(self) -> Tree:
        """Its tree."""
        return self.reader.tree

    def at(self, one: Draft) -> int:
        """The word of a draft's trigger."""
        return bisect.bisect_right(self.tree.offsets, one.at) - 1

    def silent(self, taken: Iterable[int]) -> Iterator[int]:
        """Words at which the model would be asked, where the rules say nothing."""
        tree, used = self.tree, frozenset(taken)
        for sentence in tree.sentences:
            yield from sites(self.reader, sentence, used)


def read_all(rows: Sequence[Mapping[str, Any]], models: Models) -> Iterator[tuple[Mapping[str, Any], Read]]:
    """Rows with a text and perhaps a date in, each with what the rules see in it out. The mind's own opinion is not asked."""
    documents = [_document(row) for row in rows]
    with models.nlp.memory_zone():
        for row, parsed in zip(rows, annotate.parse_many(documents, models), strict=True):
            yield row, _read(parsed, models)


def _document(row: Mapping[str, Any]) -> Document:
    day = str(row.get("date") or "").replace("-", "")
    at = dt.datetime.strptime(day, "%Y%m%d").replace(hour=12, tzinfo=dt.UTC) if DAY.fullmatch(day) else None
    return Document(
        id="", url="", feed_id="", title="", text=row["text"], first_seen_at=at or jsonl.EPOCH, fetched_at=at or jsonl.EPOCH,
        content_hash="", published_at=at,
    )  # fmt: skip


def _read(parsed: Parsed, models: Models) -> Read:
    at = parsed.document.published_at
    assert parsed.text is not None, "a text whose language nobody named is read"
    reader = reader_of(parsed.text, parsed.text_mentions, models, {}, at.date() if at else None)
    return Read(reader, draft(reader, models, "text", at))


def drafted(one: Draft) -> Drafted:
    """A draft in, what the second part of the model is told of it out."""
    return Drafted(
        type=one.rule.type,
        confidence=one.rule_confidence,
        unreal=one.modality in ("planned", "hypothetical", "denied"),
        actor=any(known(p) for p in one.actors),
        recipient=any(known(p) for p in one.recipients),
    )


def number(label: str) -> int:
    """A type's name in, its place among the classes out."""
    return CLASSES.index(OLD_NAMES.get(label, label))


# --- sentences written for it ---------------------------------------------------------------------------------------------


def written(rows: Sequence[Mapping[str, Any]], models: Models) -> Iterator[Sample]:
    """Sentences with every event that they tell in: the rules' events are right or wrong, and each missed one is a sample."""
    for row, read in read_all(rows, models):
        group = "w:" + re.sub(r"[a-z]$", "", str(row["id"]))
        yield from _against(read, row, "written", group)


def _against(read: Read, row: Mapping[str, Any], source: str, group: str) -> Iterator[Sample]:
    tree = read.tree
    gold = [(number(e["root"]), _words(tree, row["text"], e)) for e in row["events"]]
    left_open = {index for one in row.get("open", ()) for index in _words(tree, row["text"], one)}
    told: set[int] = set()
    taken: set[int] = set()
    for one in read.drafts:
        index = read.at(one)
        taken |= {index, tree.clause(index)}
        if index in left_open:
            continue
        label = 0
        for n, (root, span) in enumerate(gold):
            if span and (index in span or tree.clause(index) in (*span, tree.clause(_head(tree, span)))):
                label = root
                told.add(n)
        if not label and number(one.rule.type) in [root for root, _ in gold]:
            label = number(one.rule.type)
        yield Sample(source, group, site(read.reader, index), label, 1.0, drafted(one))
    for n, (root, span) in enumerate(gold):
        taken |= set(span)
        if span and n not in told:
            index = _head(tree, span)
            taken.add(tree.clause(index))
            yield Sample(source, group, site(read.reader, index), root, 1.0)
    for index in read.silent(taken):
        yield Sample(source, group, site(read.reader, index), 0, 1.0)


def _words(tree: Tree, text: str, told: Mapping[str, Any]) -> list[int]:
    """The words of a labelled trigger: at the given character, else where its words first stand."""
    trigger = told.get("trigger") or ""
    start = told.get("at", text.find(trigger)) if trigger else -1
    return list(tree.words_between(start, start + len(trigger))) if start >= 0 else []


def _head(tree: Tree, span: Sequence[int]) -> int:
    """The word of a span on which the others hang, a verb rather than a noun."""
    tops = [i for i in span if tree.heads[i] not in span or tree.heads[i] == i]
    return next((i for i in tops if tree.is_verb(i)), tops[0] if tops else span[0])


def examples(models: Models) -> Iterator[Sample]:
    """The lexicon's own sentences: what a kind is, and what it is not. They say nothing of how often the rules are right."""
    told = [{"text": text, "kind": k.kind, "yes": True} for k in models.lexicon.kinds.values() for text in k.yes]
    not_told = [{"text": text, "kind": k.kind, "yes": False} for k in models.lexicon.kinds.values() for text in k.no]
    for row, read in read_all([*told, *not_told], models):
        group = "l:" + hashlib.sha256(row["text"].encode()).hexdigest()[:12]
        taken: set[int] = set()
        for one in read.drafts:
            index = read.at(one)
            taken |= {index, read.tree.clause(index)}
            if (one.rule.kind == row["kind"]) == row["yes"]:
                label = number(one.rule.type)
                yield Sample("lexicon", group, site(read.reader, index), label, 0.5, drafted(one), judged=False)
        if not row["yes"]:
            for index in read.silent(taken):
                yield Sample("lexicon", group, site(read.reader, index), 0, 0.5)


# --- labelled sets of others ----------------------------------------------------------------------------------------------


def typed(rows: Sequence[Mapping[str, Any]], models: Models, tests: Mapping[str, Test]) -> Iterator[Sample]:
    """News with the kinds that it tells in. `tests` say of each label whether an event is one."""
    for row, read in read_all(rows, models):
        group = f"d:{row['date']}"
        labels = [x for key in ("labels", "optional", "negated", "hypothetical") for x in row.get(key) or ()]
        taken: set[int] = set()
        for one in read.drafts:
            index = read.at(one)
            taken |= {index, read.tree.clause(index)}
            event = {"event_type": one.rule.type, "kind": one.rule.kind, "subtype": one.rule.subtype}
            right = any(tests[x](event) for x in labels if x in tests)
            label = number(one.rule.type if right else NONE)
            yield Sample("typed", group, site(read.reader, index), label, 1.0, drafted(one))
        if not labels:
            for index in read.silent(taken):
                yield Sample("typed", group, site(read.reader, index), 0, 1.0)


def readings(
    rows: Sequence[Mapping[str, Any]], texts: Mapping[str, Mapping[str, Any]], models: Models
) -> Iterator[Sample]:
    """What a reader found in items of a set in, with the set's items by their ids; a row whose item is not there is left out.

    A row has the `id`, the `events` (root, trigger and the character where it stands), and perhaps what is left `open`:
    triggers of events that are neither right nor wrong (told twice, or a matter of taste).
    """
    told = [
        {**texts[row["id"]], "events": row["events"], "open": row.get("open", ())} for row in rows if row["id"] in texts
    ]
    for row, read in read_all(told, models):
        yield from _against(read, row, "readings", f"d:{row['date']}")


def rooted(rows: Sequence[Mapping[str, Any]], models: Models) -> Iterator[Sample]:
    """Sentences with the root of one event and its words in; of other events nothing is known."""
    for row, read in read_all([r for r in rows if r["plover_root"] != "INVESTIGATE"], models):
        tree, root = read.tree, OLD_NAMES.get(row["plover_root"], row["plover_root"])
        group, words = f"g:{row['id']}", set((row["event_text"] or "").casefold().split())
        taken: set[int] = set()
        found = False
        for one in read.drafts:
            index = read.at(one)
            taken |= {index, tree.clause(index)}
            coded = export(one.rule.type, one.modality, override=one.rule.export, commitment=one.commitment).plover
            same = ("CONCEDE" if coded == "RETREAT" else coded) == root
            if same or tree.low[index] in words:
                found = True
                label = number(one.rule.type if same else root)
                yield Sample("rooted", group, site(read.reader, index), label, 1.0 if same else 0.5, drafted(one))
        spots = [i for i, low in enumerate(tree.low) if low in words and i not in taken]
        if not found and spots:
            index = min(spots, key=lambda i: (not tree.is_verb(i), i))
            yield Sample("rooted", group, site(read.reader, index), number(root), 0.7)


def sections(rows: Sequence[Mapping[str, Any]], models: Models) -> Iterator[Sample]:
    """News with the section of its digest in: what the rules find in sports is wrong, and mostly right in conflicts."""
    for row, read in read_all(rows, models):
        section, group = row["category"], f"d:{row['date']}"
        quiet = QUIET.get(section)
        taken: set[int] = set()
        for one in read.drafts:
            index = read.at(one)
            taken |= {index, read.tree.clause(index)}
            label = 0 if quiet else number(one.rule.type)
            weight = quiet or LOUD.get(section, REST)
            yield Sample("sections", group, site(read.reader, index), label, weight, drafted(one), judged=bool(quiet))
        if quiet and quiet >= QUIET["Science and technology"]:
            for index in read.silent(taken):
                yield Sample("sections", group, site(read.reader, index), 0, quiet / 2)


# --- what users say -------------------------------------------------------------------------------------------------------


def marked(rows: Sequence[Mapping[str, Any]], models: Models) -> Iterator[Sample]:
    """Events that a user marked in, as samples out.

    A row has `text` or `evidence`, the `event` (its type or the whole record), and whether it is `right`.
    """
    lines = [{**row, "text": row.get("text") or _of_event(row, "evidence")} for row in rows]
    for row, read in read_all([row for row in lines if row["text"]], models):
        wanted, trigger = _of_event(row, "event_type") or row.get("event"), _of_event(row, "trigger").casefold()
        for one in read.drafts:
            if one.rule.type != wanted or (trigger and one.trigger.casefold() != trigger):
                continue
            label = number(one.rule.type if row["right"] else NONE)
            group = "m:" + hashlib.sha256(row["text"].encode()).hexdigest()[:12]
            yield Sample("marked", group, site(read.reader, read.at(one)), label, 1.0, drafted(one))


def _of_event(row: Mapping[str, Any], field: str) -> str:
    event = row.get("event")
    return str(event.get(field) or "") if isinstance(event, Mapping) else str(row.get(field) or "")


def lines(file: Path) -> list[dict[str, Any]]:
    """A file of JSON lines in, its rows out."""
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines() if line.strip()]
