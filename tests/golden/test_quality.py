"""Least values of the quality figures, on samples of the labelled sets in the folder `shared` beside the project.

Each least value is a little below the last measured one (docs/quality.md has the figures of the whole sets), so that a change that
lowers quality fails here. Nothing is trained on these sets, and no threshold is fitted to them: they measure.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings

SETS = Path(__file__).parents[3] / "shared" / "eval"
SCORER = SETS / "score.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCORER.exists(), reason="the labelled sets are not beside this project"),
]

SAMPLED = {"wce_category": 10, "whitehouse": 8}
"""Every so-manyth case of the large sets, and all of sports: of so few false alarms a sample would show nothing."""

FLOORS = {
    "hand_wce": {"f1": 0.70, "precision": 0.59},
    "challenge_wce": {"f1": 0.74, "silent_on_clean": 0.53},
    "plover_gsr": {"root_recall": 0.77, "countries_right": 0.64, "triple": 0.53},
    "whitehouse": {"contact_recall": 0.94, "counterpart_f1": 0.83},
    "wce_category": {"speaks": 0.84},
    "petrarch_unit": {"speaks": 0.83, "silent": 0.72},
}
CEILINGS = {
    "hand_wce": {"leaked_unreal": 0.02},
    "challenge_wce": {"leaked_unreal": 0.12},
    "plover_gsr": {"events_per_sentence": 1.5},
    "whitehouse": {"false_alarms": 0.02},
    "wce_category": {"quiet_any": 0.135, "sports_alarms_per_1000": 7},
}


@pytest.fixture(scope="module")
def scorer():
    spec = importlib.util.spec_from_file_location("shared_score", SCORER)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


def rows_of(name):
    rows = [json.loads(line) for line in (SETS / name / "dev.jsonl").read_text("utf-8").splitlines()]
    every = SAMPLED.get(name, 1)
    return [row for number, row in enumerate(rows) if number % every == 0 or row.get("category") == "Sports"]


@pytest.fixture(scope="module")
def found(scorer, models):
    """Return the events of a set by id; each set is read once."""
    kept = {}

    def read(name):
        if name not in kept:
            lines = [
                json.dumps({"id": r["id"], "text": r["text"], "published": r.get("date") and scorer.iso(r["date"])})
                for r in rows_of(name)
            ]
            kept[name] = {one["id"]: one["events"] for one in map(json.loads, detect_jsonl(lines, models))}
        return kept[name]

    return read


@pytest.mark.parametrize("name", FLOORS)
def test_no_figure_falls_below_its_floor(name, scorer, found):
    figures = scorer.SETS[name](rows_of(name), found(name))
    low = {key: figures[key] for key, floor in FLOORS[name].items() if figures[key] < floor}
    high = {key: figures[key] for key, ceiling in CEILINGS.get(name, {}).items() if figures[key] > ceiling}
    assert not low, f"below their floor: {low}"
    assert not high, f"above their ceiling: {high}"


def test_the_confidence_of_events_is_how_often_they_are_right(scorer, found):
    """More of the surest events are right than of the others, and about as many as their confidence says."""
    sure, doubtful = [], []
    for name in ("hand_wce", "challenge_wce"):
        for row in rows_of(name):
            labels = {x for key in ("labels", "optional", "negated", "hypothetical") for x in row.get(key) or ()}
            for event in found(name)[row["id"]]:
                right = any(scorer.KINDS[x](event) for x in labels if x in scorer.KINDS)
                (sure if event["confidence"] >= 0.8 else doubtful).append((event["confidence"], right))
    assert len(sure) > 60, "the surest are not a few"
    assert sum(right for _, right in sure) / len(sure) >= 0.72
    assert sum(right for _, right in sure) / len(sure) > sum(right for _, right in doubtful) / len(doubtful)
