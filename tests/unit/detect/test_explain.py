"""What `dateline explain` tells of an event: its words, its frame, why it has its modality, and the parts of its confidence."""

import io
import json

import pytest
from rich.console import Console

from pipeline import annotate
from pipeline.cli import show_detection
from pipeline.detect import explain, load_models
from pipeline.detect.jsonl import _read
from pipeline.settings import Settings

TEXT = "Belgium expelled two Russian diplomats. Kenya could close its border with Somalia. Rain fell in Oslo."


@pytest.fixture(scope="module")
def read():
    models = load_models(Settings())
    line = {"id": "a", "title": "Norway to visit Kenya", "text": TEXT, "published": "2024-06-14"}
    (parsed,) = annotate.parse_many([_read(json.dumps(line))], models)
    return explain.explain(parsed, models)


def test_every_sentence_is_there_the_title_first(read):
    assert [one.section for one in read] == ["title", "text", "text", "text"]
    assert " ".join(one.text for one in read[1:]) == TEXT


def test_an_event_tells_its_rule_its_frame_and_the_parts_of_its_confidence(read):
    (told,) = read[1].told
    assert (told.kind, told.rule.split("/")[0], told.trigger) == (
        "expulsion",
        "expulsion",
        "expelled two Russian diplomats",
    )
    assert ("actor subj", "Belgium") in told.frame
    assert dict(told.parts)["actor"] == 0.1
    assert "expelled VBD: Belgium nsubj, diplomats dobj" in read[1].arcs
    assert ("Belgium", "GPE", "Belgium [BEL] GOV") in read[1].spans


def test_a_modality_names_the_word_behind_it(read):
    assert {one.cause for one in read[2].told if one.modality == "hypothetical"} == {"because of “could”"}
    assert {one.cause for one in read[1].told} == {"nothing makes it unreal"}


def test_a_sentence_without_events_is_shown_without_reasons(read):
    assert read[3].told == ()
    out = io.StringIO()
    Console(file=out, width=200).print(show_detection.explanation(read))
    shown = out.getvalue()
    assert "Rain fell in Oslo." in shown
    assert "fell VBD" not in shown
    assert "hypothetical: because of “could”" in shown
