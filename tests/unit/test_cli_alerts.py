"""`dateline alerts`: look at what rang, and say what was wrong about it."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import bus, cli
from pipeline.alert import feedback
from pipeline.index import history
from pipeline.index.errors import UnavailableError
from pipeline.records import decode, encode
from tests.make import NOW, make_alert, make_meeting, make_story

ROOT = Path(__file__).parents[2]


class Topics:
    """Kafka's topics of alerts and feedback, in memory."""

    def __init__(self):
        self.records = {bus.ALERTS: [], bus.FEEDBACK: []}

    def read_all(self, _settings, topic, _partition=None):
        return iter([bus.Message(topic, 0, n, b"", raw, 0) for n, raw in enumerate(self.records[topic])])

    def publisher(self, _settings):
        return self

    def send(self, topic, key, value):
        self.records[topic].append(value)

    def flush(self):
        pass

    def close(self):
        pass


@pytest.fixture
def topics(monkeypatch, tmp_path):
    """Three alerts that rang today, and one that was held back."""
    topics = Topics()
    monkeypatch.setattr(bus, "read_all", topics.read_all)
    monkeypatch.setattr(bus, "Publisher", topics.publisher)
    monkeypatch.setattr(history, "find", lambda _settings, event_id: make_meeting(id=event_id))
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copy(ROOT / "configs/alerts.toml", tmp_path / "alerts.toml")
    monkeypatch.setenv("DATELINE_CONFIG", str(tmp_path))
    now = dt.datetime.now(dt.UTC)
    for n in range(4):
        story = make_story(id=f"{n}57", headline=f"Story {n}")
        held = {"held": "throttled", "channels": ()} if n == 3 else {}
        alert = make_alert(id=f"{n}a1e27", story=story, raised_at=now - dt.timedelta(hours=n), event_id=f"e{n}", **held)
        topics.records[bus.ALERTS].append(encode(alert))
    topics.records[bus.ALERTS].append(b"garbage")
    return topics


def run(*arguments, status=0):
    result = CliRunner().invoke(cli.app, ["alerts", *arguments])
    assert result.exit_code == status, result.output
    return result.stdout


def test_the_list_shows_what_rang_and_what_was_said_of_it(topics):
    run("false", "1a", "--note", "a football match")
    run("ack", "0a", "2a")
    table = json.loads(run("list", "--json"))
    assert [a["id"] for a in table["alerts"]] == ["2a1e27", "1a1e27", "0a1e27"]
    assert table["said"] == {"2a1e27": "ack", "1a1e27": "false", "0a1e27": "ack"}
    page = run("list", "--all")
    assert "throttled" in page
    assert "false" in page
    assert json.loads(run("list", "--json", "--rule", "another"))["total"] == 0
    assert json.loads(run("list", "--json", "--since", "90m"))["total"] == 2


def test_stats_show_the_precision_of_each_rule_that_there_is(topics):
    run("false", "1a")
    run("ack", "0a", "2a")
    rows = {row["rule"]: row for row in json.loads(run("stats", "--json"))["rules"]}
    assert rows["leaders-meet"] == {
        "rule": "leaders-meet", "rang": 3, "held": 1, "right": 2, "false": 1, "precision": pytest.approx(2 / 3),
    }  # fmt: skip
    assert rows["new-sanctions"]["precision"] is None
    assert "67%" in run("stats")


def test_a_rule_is_muted_for_a_while_and_rings_again_when_it_is_taken_back(topics):
    assert "rule leaders-meet is muted until" in run(
        "mute", "leaders-meet", "--for", "2h", "--note", "the summit is on"
    )
    marks = feedback.read(None)
    [mute] = marks.mutes(dt.datetime.now(dt.UTC))
    assert mute.until - mute.at == dt.timedelta(hours=2)
    assert "the summit is on" in run("list")
    assert "rings again" in run("mute", "leaders-meet", "--off")
    assert feedback.read(None).mutes(dt.datetime.now(dt.UTC)) == ()


def test_a_story_is_muted_by_the_beginning_of_its_id(topics):
    assert "story 257 is muted\n" in run("mute", "25")
    assert feedback.read(None).silences("any-rule", "257", dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mute", "nothing"), "no rule is called so"),
        (("mute", "leaders-meet", "--off"), "is not muted"),
        (("ack", "zz"), "no such alert"),
    ],
)
def test_what_there_is_not_is_told(topics, arguments, message):
    result = CliRunner().invoke(cli.app, ["alerts", *arguments])
    assert message in str(result.exception)
    assert topics.records[bus.FEEDBACK] == []


@pytest.mark.parametrize("time", ["soon", "-2h", "0h", "9999999w"])
def test_a_time_that_is_none_is_told(topics, time):
    run("mute", "leaders-meet", f"--for={time}", status=2)


def test_a_false_alarm_keeps_its_event_and_is_an_example_for_training(topics):
    run("false", "1a", "--note", "sport")
    run("ack", "0a")
    [wrong, right] = [json.loads(line) for line in run("export").splitlines()]
    assert (wrong["id"], wrong["right"], wrong["note"], wrong["event"]["id"]) == ("1a1e27", False, "sport", "e1")
    assert wrong["text"] == wrong["evidence"] == make_meeting().evidence
    assert right["right"] is True


def test_without_elasticsearch_the_sentence_alone_is_kept(topics, monkeypatch):
    def away(_settings, _event_id):
        raise UnavailableError("Elasticsearch does not answer")

    monkeypatch.setattr(history, "find", away)
    run("false", "1a")
    [raw] = topics.records[bus.FEEDBACK]
    mark = decode(raw, feedback.Feedback)
    assert (mark.event, mark.evidence) == (None, make_alert().evidence)
    assert mark.at > NOW
