"""Backtest of the rules over files and over Elasticsearch with the worker's code, and why a rule raised nothing."""

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from pipeline import cli, flow
from pipeline.alert import backtest, feedback
from pipeline.alert.backtest import BacktestError
from pipeline.alert.throttle import AlertState
from pipeline.index import actions, client, history
from pipeline.operate import backtest_run
from pipeline.records import Feedback, encode
from pipeline.settings import Settings
from pipeline.track.brief import briefs_of
from pipeline.track.stories import Stories
from pipeline.track.story import id_of
from tests.make import MOSCOW, NOW, make_aid, make_event, make_meeting, make_money, make_quantity, make_sanctions

ROOT = Path(__file__).parents[2]
DAY = dt.timedelta(days=1)
TOLD = [  # above the floor, so that one source is enough
    make_sanctions(confidence=0.9),
    make_sanctions(confidence=0.9, publisher="B", first_seen_at=NOW + dt.timedelta(hours=1)),
    make_meeting(
        confidence=0.9, first_seen_at=NOW + dt.timedelta(hours=2), evidence="President Putin met President Xi in Moscow"
    ),
    make_event("protest", "PROTEST", first_seen_at=NOW + 20 * DAY, evidence="Thousands marched in Paris"),
]


@pytest.fixture
def shipped(tmp_path):
    """The shipped configuration."""
    shutil.copy(ROOT / "configs/alerts.toml", tmp_path / "alerts.toml")
    return Settings(directory=str(tmp_path))


@pytest.fixture
def file(tmp_path):
    """The events as JSON lines."""
    made = tmp_path / "events.jsonl"
    made.write_bytes(b"\n".join(encode(event) for event in TOLD))
    return made


@pytest.fixture
def elasticsearch(monkeypatch):
    """An index that returns the stored events page by page."""
    stored = [actions.action(event, prefix="news", now=NOW + 30 * DAY) for event in TOLD]
    asked = []

    def query(_settings, name, **body):
        asked.append(body)
        first = body.get("search_after", [0])[0]
        since = body["query"].get("range", {}).get("news.first_seen_at", {}).get("gte", "")
        known = [d for d in stored if d.source["news"]["first_seen_at"] >= since]
        page = list(enumerate(known))[first : first + body["size"]]
        hits = [{"_id": d.id, "_source": d.source, "sort": [n + 1]} for n, d in page]
        return {"hits": {"total": {"value": len(known)}, "hits": hits}}

    monkeypatch.setattr(client, "query", query)
    return asked


def raised_by_a_worker(rules):
    """Return the ids of the alerts that a worker would have written."""
    alert_state = AlertState()
    return [a.id for story in flow.follow(Stories(), briefs_of(TOLD)) for a in alert_state.alerts_for(rules, story)]


def test_a_backtest_over_a_file_of_events_raises_what_a_worker_would_have(shipped, file):
    seen = []
    run = backtest_run.backtest(shipped, file=file, progress=lambda done, total: seen.append((done, total)))
    assert list(run.alerts) == raised_by_a_worker(run.rules)
    assert {a.rule for a in run.since(None)} == {"new-sanctions", "leaders-meet"}
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_backtest_over_elasticsearch_raises_the_same(shipped, elasticsearch, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 2)
    seen = []
    run = backtest_run.backtest(shipped, progress=lambda done, total: seen.append((done, total)))
    assert list(run.alerts) == raised_by_a_worker(run.rules)
    assert seen[-1] == (4, 4)
    assert len(elasticsearch) == 3


def test_earlier_stories_are_tracked_and_raise_nothing(shipped, elasticsearch):
    since = NOW + dt.timedelta(hours=2)
    run = backtest_run.backtest(shipped, since=since)
    assert [a.rule for a in run.since(since)] == ["leaders-meet"]
    assert elasticsearch[0]["query"]["range"]["news.first_seen_at"]["gte"] == (since - 14 * DAY).isoformat()


def test_mutes_count_in_a_backtest_as_they_did_that_day(shipped, file):
    mute = Feedback(id="m", verdict="mute", target="rule", name="new-sanctions", at=NOW - DAY)
    run = backtest_run.backtest(shipped, file=file, marks=feedback.Marks([mute]))
    assert {(a.rule, a.held) for a in run.since(None)} == {("new-sanctions", "muted"), ("leaders-meet", "")}
    [row] = [row for row in backtest.frequencies(run, None) if row.rule == "new-sanctions"]
    assert (row.rang, row.held, row.most_on) == (0, {"muted": 1}, None)


def test_digests_open_at_the_end_are_raised(shipped, file, tmp_path):
    rules = (
        (ROOT / "configs/alerts.toml")
        .read_text("utf-8")
        .replace('kinds = ["sanctions"]', 'kinds = ["sanctions"]\ndigest_minutes = 60')
    )
    (tmp_path / "alerts.toml").write_text(rules, "utf-8")
    run = backtest_run.backtest(shipped, file=file, rule="new-sanctions")
    assert [(a.occasion, a.held) for a in run.since(None)] == [("new", "digest"), ("digest", "")]


def test_frequencies_count_days_and_name_the_busiest(shipped, file):
    rows = {row.rule: row for row in backtest.frequencies(backtest_run.backtest(shipped, file=file), None)}
    assert (rows["leaders-meet"].rang, rows["leaders-meet"].most_on) == (1, NOW.date())
    assert (rows["widely-told"].rang, rows["widely-told"].days) == (0, 0)


def test_what_a_floor_keeps_back_and_what_it_delays_is_shown(shipped, tmp_path):
    sure, unsure = make_meeting(confidence=0.9), make_aid(500e6, confidence=0.65, first_seen_at=NOW + DAY)
    twice = [make_sanctions(confidence=0.6), make_sanctions(confidence=0.6, publisher="B", first_seen_at=NOW + DAY)]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(encode(event) for event in (sure, unsure, *twice)))
    run = backtest_run.backtest(shipped, file=file)
    rows = {row.floor: row for row in backtest.floors(run, None)}
    assert {a.rule for a in run.since(None)} == {"new-sanctions", "leaders-meet"}
    assert [one.rule for one in rows[0.5].kept_back] == []
    assert {one.rule for one in rows[0.8].kept_back} == {"large-aid-package", "new-sanctions"}
    assert rows[0.8].rang + 2 == rows[0.5].rang


def test_why_a_rule_raised_an_alert_or_not_is_explained_condition_by_condition(shipped, file):
    run = backtest_run.backtest(shipped, file=file)
    [story] = [s for s in run.stories.values() if s.kind == "sanctions"]
    told = {one.rule: one for one in backtest.explain(run, story.id[:8])}
    assert told["new-sanctions"].verdict == "new at 2024-05-14 09:00: rang"
    assert told["leaders-meet"].verdict == "silent: kinds, leaders_at_least did not hold"
    assert told["widely-told"].verdict.startswith("silent: the story had none, the rule listens to spike")
    checks = {c["condition"]: c for c in told["leaders-meet"].table()["checks"]}
    assert checks["leaders_at_least"] == {"condition": "leaders_at_least", "wanted": "2", "found": "0", "holds": False}


def test_a_story_is_found_by_the_id_that_one_of_its_articles_would_give_it(shipped, file):
    run = backtest_run.backtest(shipped, file=file)
    [story] = [s for s in run.stories.values() if s.kind == "sanctions"]
    run.stories[story.id] = msgspec.structs.replace(story, article_ids=(*story.article_ids, "another"))
    assert {one.story.id for one in backtest.explain(run, id_of("another")[:10])} == {story.id}


@pytest.mark.parametrize(("story", "message"), [("zzz", "none of the 3 stories is called so"), ("", "none of the 3")])
def test_an_unknown_story_is_an_error(shipped, file, story, message):
    with pytest.raises(BacktestError, match=message):
        backtest.explain(backtest_run.backtest(shipped, file=file), story)


def test_an_unknown_rule_is_an_error_that_names_the_nearest(shipped, file):
    with pytest.raises(BacktestError, match="no rule is called 'new-sanction', did you mean 'new-sanctions'"):
        backtest_run.backtest(shipped, file=file, rule="new-sanction")


def test_a_line_that_is_no_event_is_an_error_with_its_number(shipped, file):
    file.write_bytes(file.read_bytes() + b'\n{"record":"event"}')
    with pytest.raises(BacktestError, match="line 5: event: Object missing required field"):
        backtest_run.backtest(shipped, file=file)


@pytest.mark.parametrize(
    "event",
    [
        *TOLD,
        make_sanctions(
            money=(make_money(2e6),), quantities=(make_quantity(3, "banks"),), items=("oil",), places=(MOSCOW,),
            fingerprint=(1, 2, 3), subject={"oil": 1.5}, fetched_at=NOW, credit="Reuters", subtype="oil", attributed_to="a",
        ),
    ],
)  # fmt: skip
def test_an_event_is_read_from_the_index_unchanged(event):
    action = actions.action(event, prefix="news", now=NOW + 30 * DAY)
    source = json.loads(action.lines()[1])
    assert history.event(action.id, source) == event


def test_an_event_is_found_by_its_id(shipped, elasticsearch):
    assert history.find(shipped, TOLD[0].id) == TOLD[0]


def test_the_command_shows_when_and_how_often_as_a_page_and_as_json(monkeypatch, file):
    monkeypatch.chdir(ROOT)
    page = CliRunner().invoke(cli.app, ["alerts", "test", "--jsonl", str(file)]).stdout
    assert "Alerts (2)" in page
    assert "1 on 2024-05-14" in page
    assert re.search(r"2024-05-14 09:00:00 UTC  story [0-9a-f]{12}\n", page)
    table = json.loads(CliRunner().invoke(cli.app, ["alerts", "test", "--jsonl", str(file), "--json"]).stdout)
    assert table["total"] == len(table["alerts"]) == 2
    assert {row["rule"]: row["rang"] for row in table["rules"]}["leaders-meet"] == 1
    why = CliRunner().invoke(
        cli.app, ["alerts", "test", "--jsonl", str(file), "--explain", table["alerts"][0]["story_id"]]
    )
    assert "leaders_at_least" in why.stdout
