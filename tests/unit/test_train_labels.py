"""The labels of real news and of written articles: every line is of the form that training reads, its kinds are the code's."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.detect.kinds import KINDS
from pipeline.records import Modality, Section

TRAIN = Path(__file__).resolve().parents[2] / "train"
ARTICLES = sorted((TRAIN / "articles").glob("*.jsonl"))
FIRST = [*sorted((TRAIN / "labels").glob("*.jsonl")), *ARTICLES]
FILES = [*FIRST, *sorted((TRAIN / "labels/second").glob("*.jsonl"))]
ONE, MANY = ("date", "money", "said_by"), ("actors", "recipients", "places")
OF_ARTICLE = {"title", "text", "published", "section"}
KEYS = {"type", "kind", "modality", "weight", "section", "trigger", "same_as", *ONE, *MANY}


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def is_span(value: object) -> bool:
    return isinstance(value, list) and [type(one) for one in value] == [int, int] and 0 <= value[0] < value[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_line_has_the_same_keys_and_known_values(file):
    for line in lines(file):
        assert line.keys() - OF_ARTICLE == {"id", "loud", "events"}, line
        assert line["loud"] in (True, False), line
        for event in line["events"]:
            assert event.keys() == KEYS, line
            assert KINDS[event["kind"]] == event["type"], line
            assert event["modality"] in get_args(Modality), line
            assert event["section"] in get_args(Section), line
            assert event["weight"] in ("main", "minor"), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_span_has_a_start_and_a_later_end(file):
    for line in lines(file):
        for event in line["events"]:
            assert is_span(event["trigger"]), line
            assert all(event[role] is None or is_span(event[role]) for role in ONE), line
            assert all(is_span(span) for role in MANY for span in event[role]), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_told_again_points_to_an_earlier_event(file):
    for line in lines(file):
        for number, event in enumerate(line["events"]):
            assert event["same_as"] is None or 0 <= event["same_as"] < number, line


@pytest.mark.parametrize("file", ARTICLES, ids=lambda file: file.stem)
def test_the_spans_of_a_written_article_are_words_of_it(file):
    for line in lines(file):
        assert line.keys() >= OF_ARTICLE, line
        for event in line["events"]:
            section = line[event["section"]]
            spans = [event["trigger"], *(event[role] for role in ONE if event[role])]
            for start, end in [*spans, *(span for role in MANY for span in event[role])]:
                words = section[start:end]
                assert words == words.strip() != "", (line["id"], event["trigger"], words)


def test_no_document_is_labelled_twice():
    ids = [line["id"] for file in FIRST for line in lines(file)]
    assert len(ids) == len(set(ids)) > 10_000


def test_every_document_that_a_second_labeller_read_has_a_first_reading():
    for file in (TRAIN / "labels/second").glob("*.jsonl"):
        read = [line["id"] for line in lines(file)]
        assert len(read) == len(set(read))
        assert set(read) <= {line["id"] for line in lines(TRAIN / "labels" / file.name)}
