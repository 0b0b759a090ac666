"""What detection puts out on the labelled documents that nothing was trained on: `python -m train.reader.evaluate`.

Documents of a part (test by default) go through `dateline detect --jsonl`, or any command with the same lines (`--detect`), so
that two versions can be compared. An event that is put out is *right* if a sentence of its evidence or mentions tells one of
its type; it is *doubled* if each happening that it may be is told by an event before it. *Sides* are right if a word of every
labelled side is among the event's; a labelled event without a side asks for none.

With `--second` the whole articles and releases that a second labeller has read are measured, and that labeller beside them, by
the same rules and against the same first labels: how right a careful reader is by this measure.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipeline.detect.duals import is_dual
from train.reader import data

Event = dict[str, Any]
FACT = {"asserted": "fact", "historical": "fact"}
"""Told as a fact, new or old; a history told as asserted is counted apart."""


def run(command: str, docs: Sequence[data.Doc]) -> dict[str, list[Event]]:
    """Documents through a command, the events of each by its id."""
    lines = "".join(
        json.dumps(
            {
                "id": d.id,
                "title": d.title,
                "text": d.text,
                "published": f"{d.published}T12:00:00Z" if d.published else None,
            }
        )
        + "\n"
        for d in docs
    )
    done = subprocess.run(shlex.split(command), input=lines.encode(), stdout=subprocess.PIPE, check=True)  # noqa: S603 - ours
    return {one["id"]: one["events"] for one in map(json.loads, done.stdout.splitlines())}


SMALL = frozenset(("the", "a", "of", "s", "and", "in", "his", "her"))
OFFICES = frozenset(("president", "minister", "government"))
"""Words that tell parties apart only where they stand alone: `the government`."""


def words(texts: Iterable[str], without: frozenset[str] = SMALL | OFFICES) -> set[str]:
    """The words of names, without the small ones."""
    return {w for text in texts for w in "".join(c if c.isalnum() else " " for c in text.casefold()).split()} - without


def names_one(span: str, party_words: set[str]) -> bool:
    """Whether all words of the parties hold one that tells a labelled span apart, or its office if it has no other."""
    return bool((words([span]) or words([span], SMALL)) & party_words)


class Tally:
    """Counts over documents of one genre."""

    def __init__(self) -> None:
        self.n: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = defaultdict(Counter)
        self.said: list[tuple[float, bool]] = []

    def add(self, doc: data.Doc, events: Sequence[Event], split: data.Splitter) -> None:
        """One document with what was put out for it."""
        n = self.n
        sentences = split(doc.text)
        n["documents"] += 1
        n["events"] += len(events)
        groups = {}
        for number, label in enumerate(doc.labels):
            groups[number] = groups.get(label.same_as, number) if label.same_as is not None else number
        happenings: dict[int, list[data.Label]] = defaultdict(list)
        for number, group in groups.items():
            happenings[group].append(doc.labels[number])
        places: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, label in enumerate(doc.labels):
            at = -1 if label.section == "title" else sentence_of(sentences, label.trigger[0])
            places[at, label.type].append(groups[number])
        found: set[int] = set()
        right_here = 0
        for event in events:
            kind_type = data.TYPES.index(event["event_type"])
            may = []
            for where in (event, *event.get("mentions", ())):
                at = -1 if where.get("section") == "title" else sentence_of(sentences, where["start"])
                may += places.get((at, kind_type), [])
            self.said.append((event.get("confidence", 0.5), bool(may)))
            if not may:
                n["false"] += 1
                self.kinds[event["kind"]]["false"] += 1
                continue
            new = [g for g in may if g not in found]
            if not new:
                n["doubled"] += 1
                continue
            group = best(new, happenings, event)
            found.update([group])
            right_here += 1
            self._right(event, happenings[group], doc)
        for group, told in happenings.items():
            main = any(label.main for label in told)
            n["happenings"] += 1
            n["found"] += group in found
            n["main"] += main
            n["main found"] += main and group in found
            if told[0].kind is not None:
                self.kinds[data.KIND_NAMES[told[0].kind]]["found" if group in found else "missed"] += 1
        if doc.loud is False and not doc.labels:
            n["quiet"] += 1
            n["quiet events"] += len(events)
            n["quiet with event"] += bool(events)

    def _right(self, event: Event, told: Sequence[data.Label], doc: data.Doc) -> None:
        n = self.n
        n["right"] += 1
        modalities = {data.MODALITIES[label.modality] for label in told}
        real = event["modality"] in modalities
        n["modality"] += real
        n["fact"] += FACT.get(event["modality"], event["modality"]) in {FACT.get(m, m) for m in modalities}
        kind = any(label.kind is not None and data.KIND_NAMES[label.kind] == event["kind"] for label in told)
        n["kind"] += kind
        sides = all(
            self._side(event, told, doc, ours, theirs)
            for ours, theirs in (("actors", "recipients"), ("recipients", "actors"))
        )
        n["sides"] += sides
        dates = [doc_text(doc, label, span) for label in told for span in label.roles.get("date", [])]
        date = event.get("date")
        dated = bool(date) == bool(dates) and (not date or bool(words([date["text"]]) & words(dates)))
        n["dated"] += bool(dates)
        n["date"] += dated and bool(dates)
        n["all"] += real and kind and sides and dated

    def _side(self, event: Event, told: Sequence[data.Label], doc: data.Doc, role: str, other: str) -> bool:
        """Whether the event has every side of a role that some telling has; none where no telling has one."""
        joint = event["event_type"] in ("CONSULT", "AGREE")
        parties = [*event[role], *(event[other] if joint else ())]
        got = words((text for p in parties for text in (p["text"], p.get("name") or "")), SMALL)
        each = [[doc_text(doc, label, span) for span in label.roles.get(role, [])] for label in told]
        if not any(each):
            return not event[role] or joint
        return any(spans and all(names_one(span, got) or stands_for(span) for span in spans) for spans in each)

    def page(self, title: str) -> str:
        """The figures."""
        n, put = self.n, max(self.n["events"], 1)
        right = max(n["right"], 1)
        sure = [ok for said, ok in self.said if said >= 0.9]
        p, r = n["right"] / put, n["found"] / max(n["happenings"], 1)
        main_found, dated = n["main found"] / max(n["main"], 1), n["date"] / max(n["dated"], 1)
        rows = [
            f"{title}: {n['documents']} documents, {n['happenings']} happenings, {n['events']} events put out",
            f"  right type {p:.3f}  false {n['false'] / put:.3f}  doubled {n['doubled'] / put:.3f}  found {r:.3f}"
            f"  F1 {2 * p * r / max(p + r, 1e-9):.3f}  main found {main_found:.3f}",
            f"  of the right ones: kind {n['kind'] / right:.3f}  modality {n['modality'] / right:.3f}"
            f"  fact or not {n['fact'] / right:.3f}  both sides {n['sides'] / right:.3f}"
            f"  date {dated:.3f} of {n['dated']}  every field {n['all'] / right:.3f}",
        ]
        if quiet := n["quiet"]:
            each, some = n["quiet events"] / quiet, n["quiet with event"] / quiet
            rows.append(f"  {quiet} quiet documents: {each:.3f} events a document, {some:.3f} with one")
        if sure:
            rows.append(f"  said .9 or more: {len(sure)}, right {sum(sure) / len(sure):.3f}")
        return "\n".join(rows)


PRONOUNS = {"he", "she", "it", "they", "we", "i", "his", "her", "their", "him", "them", "who"}


def stands_for(span: str) -> bool:
    """Whether a labelled span stands for names that stand elsewhere: `he`, `the two leaders`."""
    return span.casefold() in PRONOUNS or is_dual(span)


def best(groups: Sequence[int], happenings: dict[int, list[data.Label]], event: Event) -> int:
    """Of several happenings of one type in the sentence the one whose trigger is nearest to the event's."""
    at = event["start"] + event["evidence"].find(event["trigger"])
    return min(groups, key=lambda group: min(abs(label.trigger[0] - at) for label in happenings[group]))


def sentence_of(sentences: Sequence[tuple[int, int]], at: int) -> int:
    """The number of the sentence at a character."""
    return next((number for number, (a, b) in enumerate(sentences) if a <= at < b), -2)


def doc_text(doc: data.Doc, label: data.Label, span: tuple[int, int]) -> str:
    """The words of a span."""
    return (doc.title if label.section == "title" else doc.text)[slice(*span)]


def beside_the_second(docs: Sequence[data.Doc], second: Iterable[data.Doc], detect: str) -> None:
    """Print the figures of the documents that were labelled twice: of what is put out, and of the second labeller."""
    again = {doc.id: doc for doc in second}
    docs, split = [doc for doc in docs if doc.id in again], data.Splitter()
    got = run(detect, docs)
    for source in ("news", "releases"):
        ours, theirs, either = Tally(), Tally(), Tally()
        for doc in docs:
            if doc.source == source:
                ours.add(doc, got[doc.id], split)
                theirs.add(doc, told_by(again[doc.id]), split)
                either.add(with_both(doc, again[doc.id]), got[doc.id], split)
        print(ours.page(source))
        print(f"  none by either labeller: {either.n['false'] / max(either.n['events'], 1):.3f}")
        print(theirs.page(f"{source}, the second labeller"))


def with_both(first: data.Doc, second: data.Doc) -> data.Doc:
    """A document with the labels of both of its labellers."""
    more = [
        replace(label, same_as=None if label.same_as is None else label.same_as + len(first.labels))
        for label in second.labels
    ]
    return replace(first, labels=[*first.labels, *more])


def told_by(doc: data.Doc) -> list[Event]:
    """What a labeller says of a document as events: each happening once, by its first telling, the others as mentions."""
    told: dict[int, Event] = {}
    each: list[Event] = []
    for number, label in enumerate(doc.labels):
        of = number if label.same_as is None or label.same_as not in told else label.same_as
        here = {"section": label.section, "start": label.trigger[0], "text": doc_text(doc, label, label.trigger)}
        parties = {
            role: [{"text": doc_text(doc, label, span), "name": ""} for span in label.roles.get(role, [])]
            for role in data.WRITTEN_ROLES
        }
        dates = [{"text": doc_text(doc, label, span)} for span in label.roles.get("date", [])]
        if of != number:
            first = told[of]
            first["mentions"].append(here)
            first["date"] = first["date"] or next(iter(dates), None)
            for role, found in parties.items():
                first[role] = first[role] or found
            told[number] = first
            continue
        told[number] = {
            **here, **parties, "evidence": here["text"], "trigger": here["text"], "event_type": data.TYPES[label.type],
            "kind": data.KIND_NAMES[label.kind or 0], "modality": data.MODALITIES[label.modality],
            "date": next(iter(dates), None), "confidence": 1.0, "mentions": [],
        }  # fmt: skip
        each.append(told[number])
    return each


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detect", default=f"{sys.executable} -m pipeline.detect")
    parser.add_argument("--part", default="test", choices=("test", "dev", "train"))
    parser.add_argument("--natural", action="store_true", help="without the documents that were picked as hard ones")
    parser.add_argument("--kinds", action="store_true", help="precision and recall of each kind")
    parser.add_argument(
        "--second", action="store_true", help="whole articles that two have labelled, with the second labeller"
    )
    options = parser.parse_args()
    texts = data.corpus()
    hard = data.hard() if options.natural else set()
    docs = [d for d in data.first(texts) if data.part(d.id) == options.part and d.id not in hard]
    if options.second:
        beside_the_second(docs, data.second(texts), options.detect)
        return
    got, split = run(options.detect, docs), data.Splitter()
    everything = Tally()
    for source in data.REAL:
        tally = Tally()
        for doc in docs:
            if doc.source == source:
                tally.add(doc, got[doc.id], split)
                everything.add(doc, got[doc.id], split)
        print(tally.page(source))
    print(everything.page("all"))
    for low in (0.5, 0.6, 0.7, 0.8, 0.9):
        inside = [ok for said, ok in everything.said if low <= said < low + 0.1 or (low == 0.9 and said >= 0.9)]
        print(f"  said {low}: {len(inside)}, right {sum(inside) / max(len(inside), 1):.3f}")
    if options.kinds:
        for kind, c in sorted(everything.kinds.items()):
            print(f"  {kind:18} labelled {c['found'] + c['missed']:4} found {c['found']:4} false {c['false']:4}")


if __name__ == "__main__":
    main()
