"""Short articles with a reader's annotation: every event is found with right fields, and nothing unreal is asserted."""

import json
from pathlib import Path

import pytest

from pipeline import annotate
from pipeline.detect import detect, load_models
from pipeline.detect.jsonl import _read
from pipeline.settings import Settings
from tests.golden.score import plain, score

CASES = sorted((Path(__file__).parent / "cases").iterdir())


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_the_events_of_its_annotation(models, case):
    title, text = (case / "article.txt").read_text("utf-8").split("\n\n", 1)
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    document = _read(json.dumps({"id": case.name, "title": title, "text": text, "published": expected["published"]}))
    (parsed,) = annotate.parse_many([document], models)
    events = detect(parsed, models)
    result = score(expected["must"], events)
    assert not result.missed
    assert not result.wrong
    unreal = [
        (e.kind, e.trigger, one["evidence"])
        for one in expected["not_events"]
        for e in events
        if e.modality in ("asserted", "historical") and plain(one["evidence"]) in plain(e.evidence)
    ]
    assert not unreal
