"""Alerts on meetings of leaders and on sanctions that a reader judged, raised again by the present rules."""

import json
from functools import cache
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.alert.evaluate import evaluate
from pipeline.operate import offline
from pipeline.records import Alert

# ruff: noqa: T201 - the figures are what one runs this for: pytest -rP shows them

HERE = Path(__file__).parent
STREAM = HERE.parents[2] / "shared" / "eval" / "wce_stream" / "dev.jsonl"
RULES = ("leaders-meet", "leaders-call", "new-sanctions")

pytestmark = pytest.mark.skipif(not STREAM.is_file(), reason="the stream of bullets is not beside this checkout")


@cache
def judged():
    """Return the verdict for each (bullet, rule)."""
    rows = [
        line.split("\t")
        for line in (HERE / "alert_judgements.tsv").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    return {(row[0], row[1]): row[2] for row in rows}


@cache
def raised():
    """Process the judged bullets in date order; return the rules that raised alerts at each, and all alerts."""
    found = settings.load(HERE.parents[1] / "configs")
    rules = [rule for rule in offline.rules(found) if rule.name in RULES]
    alerts: dict[str, Alert] = {}

    by_bullet = {}

    def ring(story):
        told = by_bullet.setdefault(story.article_ids[-1], set())  # the bullet that changed the story
        for raised in evaluate(rules, story):
            if raised.id not in alerts:
                told.add(raised.rule)
            alerts.setdefault(raised.id, raised)

    wanted = {bullet for bullet, _ in judged()}
    bullets = [json.loads(line) for line in STREAM.read_text("utf-8").splitlines()]
    lines = [
        json.dumps({"id": b["id"], "text": b["text"], "published": b["date"]}).encode()
        for b in bullets
        if b["id"] in wanted
    ]
    for _ in offline.StoryRun(found, changed=ring).lines(lines):
        pass
    return by_bullet, list(alerts.values())


def test_nineteen_of_twenty_alerts_are_right_and_right_ones_are_still_raised():
    by_bullet, _ = raised()
    verdicts = [(verdict, rule in by_bullet.get(bullet, ())) for (bullet, rule), verdict in judged().items()]
    right = sum(rings for verdict, rings in verdicts if verdict == "right")
    wrong = sum(rings for verdict, rings in verdicts if verdict == "wrong")
    kept = right / sum(verdict == "right" for verdict, _ in verdicts)
    print(f"right {right} wrong {wrong} precision {right / (right + wrong):.3f} kept {kept:.3f}")
    assert right / (right + wrong) >= 0.95
    assert kept >= 0.87


def test_no_rule_raises_two_alerts_for_a_story_and_occasion():
    _, alerts = raised()
    rings = [(a.rule, a.happening_id, a.occasion) for a in alerts]
    assert len(rings) == len(set(rings))
    assert len({(a.rule, a.story_id) for a in alerts}) >= 0.97 * len(rings)
