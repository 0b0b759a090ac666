"""The corpus of labelled sentences: every line can be learnt from, and none is a copy."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.detect.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "train" / "sentences"
FILES = sorted(FOLDER.glob("*.jsonl"))
EVAL = ROOT.parent / "shared" / "eval"
DOMAINS = frozenset(["politics", "war", "law", "economy", "sport", "arts", "science", "weather", "business", "crime"])
MODALITIES = frozenset(["asserted", "planned", "hypothetical", "denied", "historical"])
RUN = 5  # words in a row that two texts share before they are compared
NEAR = 0.5  # the part of such runs from which one text is a near copy of the other


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def everything() -> list[dict[str, Any]]:
    return [line for file in FILES for line in lines(file)]


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def runs(text: str) -> set[tuple[str, ...]]:
    found = tokens(text)
    return {tuple(found[at : at + RUN]) for at in range(max(1, len(found) - RUN + 1))}


def whole_words(part: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None


def near_copies(ours: list[str], others: Iterator[str]) -> list[tuple[str, str]]:
    by_run: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, text in enumerate(ours):
        for run in runs(text):
            by_run[run].add(number)
    sizes = [len(runs(text)) for text in ours]
    found = []
    for other in others:
        shared = Counter(number for run in runs(other) for number in by_run.get(run, ()))
        found += [(ours[number], other) for number, count in shared.items() if count / sizes[number] >= NEAR]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_line_has_the_same_keys_and_known_values(file):
    for line in lines(file):
        assert line.keys() == {"id", "text", "events", "domain"}, line
        assert line["domain"] in DOMAINS, line
        assert line["text"] == line["text"].strip() != "", line
        for event in line["events"]:
            assert event.keys() == {"root", "kind", "source", "target", "trigger", "modality"}, line
            assert KINDS[event["kind"]] == event["root"], line
            assert event["modality"] in MODALITIES, line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_trigger_and_sides_are_words_of_the_text(file):
    for line in lines(file):
        for event in line["events"]:
            assert event["trigger"], line
            for part in ("source", "target", "trigger"):
                assert not event[part] or whole_words(event[part], line["text"]), (part, line)


def test_no_id_and_no_text_comes_twice():
    corpus = everything()
    assert len({line["id"] for line in corpus}) == len(corpus)
    twice = [text for text, count in Counter(" ".join(tokens(line["text"])) for line in corpus).items() if count > 1]
    assert twice == []


def test_every_type_has_enough_sentences_and_many_are_silent():
    corpus = everything()
    counts = Counter(event["root"] for line in corpus for event in line["events"])
    assert counts.keys() == set(KINDS.values())
    assert min(counts.values()) >= 90, counts
    assert sum(not line["events"] for line in corpus) >= len(corpus) / 6


def test_a_near_copy_is_seen():
    ours = ["The two ministers spoke on Monday about the port of Aden and its cranes"]
    assert near_copies(ours, iter(["On Sunday the two ministers spoke on Monday about the port of Aden"]))
    assert not near_copies(ours, iter(["The two ministers met in Aden on Monday to open the port again"]))


def test_no_sentence_is_a_near_copy_of_a_labelled_set_kept_for_measuring():
    if not EVAL.is_dir():
        pytest.skip("the labelled sets are not beside the repository")
    others = (
        json.loads(line)["text"]
        for file in sorted(EVAL.rglob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
        if '"text"' in line
    )
    assert near_copies([line["text"] for line in everything()], others) == []
