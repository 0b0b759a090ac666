"""Least figures of the whole of detection on the project's own labelled set, which nothing was trained on and no threshold fitted to.

The set lies in this directory, so these floors hold in every clone. Each is a little below the last measured figure.
"""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings
from tests.golden.own_score import articles, score, sentences

SENTENCES, ARTICLES = sentences(), articles()
FLOORS = {
    "sentences": {
        "precision": 0.87, "recall": 0.83, "f1": 0.85, "kind": 0.96, "modality": 0.95, "actors": 0.97, "recipients": 0.9,
    },
    "articles": {"precision": 0.82, "recall": 0.82, "f1": 0.83},
}  # fmt: skip
CEILINGS = {"sentences": {"quiet_sentences": 0.12}, "articles": {"quiet_articles": 0.1}}
ROWS = {"sentences": SENTENCES, "articles": ARTICLES}


@pytest.fixture(scope="module")
def figures():
    """The figures of both sets; each is read once."""
    models = load_models(Settings())
    made = {}
    for name, rows in ROWS.items():
        lines = [
            json.dumps(
                {
                    "id": r["id"],
                    "title": r.get("title", ""),
                    "text": r["text"],
                    "published": f"{r['published']}T12:00:00Z",
                }
            )
            for r in rows
        ]
        detected = {one["id"]: one["events"] for one in map(json.loads, detect_jsonl(lines, models))}
        made[name] = score(rows, detected)
    return made


@pytest.mark.parametrize("name", FLOORS)
def test_no_figure_falls_below_its_floor(name, figures):
    found = figures[name]
    print(name, {key: round(value, 3) for key, value in found.items() if isinstance(value, float)})  # noqa: T201 - shown by -rP
    low = {key: found[key] for key, floor in FLOORS[name].items() if found[key] < floor}
    high = {key: found[key] for key, ceiling in CEILINGS[name].items() if found[key] > ceiling}
    assert not low, f"below their floor: {low}"
    assert not high, f"above their ceiling: {high}"
