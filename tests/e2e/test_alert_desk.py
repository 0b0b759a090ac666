"""Rules changed, muted and judged while everything runs, and the same history rehearsed: on the real stack, by the real command."""

import json
import subprocess
import sys

import pytest

from pipeline import bus
from pipeline.records import Alert, decode
from tests.e2e.expulsions import expulsions
from tests.e2e.house import REPOSITORY, House, Receiver, Site

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def house(tmp_path, fresh_stack):
    """Worker, indexer and notifier; articles come straight to their topic."""
    receiver = Receiver()
    house = House(fresh_stack, tmp_path / "house", Site(()), receiver)
    house.receiver = receiver
    house.articles = expulsions(10)
    bus.create_topics(house.settings)
    house.start("worker", "indexer", "notifier")
    house.wait_ready()
    yield house
    house.stop()


def publish(house):
    """The next article; its address out."""
    url, key, raw = next(house.articles)
    publisher = bus.Publisher(house.settings)
    publisher.send(bus.ARTICLES, key, raw)
    publisher.flush()
    publisher.close()
    return url


def alerts(house, url):
    """What the worker wrote down for an article."""
    found = [decode(m.value, Alert) for m in house.topic(bus.ALERTS)]
    return [(a.rule, a.held) for a in found if a.url == url]


def told(house, url):
    """Wait for the alert of an article; it out."""
    house.wait(f"{url} rings", lambda: url in {alert["url"] for _, alert, *_ in house.receiver.received}, 300)
    return next(alert for _, alert, *_ in house.receiver.received if alert["url"] == url)


def dateline(house, *arguments, status=0):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        capture_output=True, env={**house.environ, "COLUMNS": "160"}, cwd=REPOSITORY, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout


def change(house, text):
    """Put a new alerts.toml in the place of the old one."""
    new = house.directory / "alerts.new"
    new.write_text(text, "utf-8")
    new.replace(house.directory / "alerts.toml")


def problems(house):
    return {name: json.loads(house.get(name, "/readyz")[1]).get("rules_problem", "") for name in ("worker", "notifier")}


def test_rules_are_changed_muted_judged_and_rehearsed_while_everything_runs(house):
    rules = (house.directory / "alerts.toml").read_text("utf-8")
    first = told(house, publish(house))
    assert first["rule"] == "diplomats-expelled"

    change(house, rules.replace('"diplomats-expelled"', '"desk-expulsions"').replace('"expulsion"', '"expulson"'))
    house.wait(
        "the wrong file is told", lambda: all("did you mean 'expulsion'" in p for p in problems(house).values()), 120
    )
    status = json.loads(dateline(house, "status", "--json", status=1))  # nobody has started the page
    assert [p for p in status["problems"] if p.startswith("worker: the old rules go on: ")]
    assert house.metric("worker", "dateline_rules_last_reload_successful") == 0
    second = told(house, publish(house))
    assert second["rule"] == "diplomats-expelled", "the old rules go on"

    change(house, rules.replace('"diplomats-expelled"', '"desk-expulsions"'))
    house.wait("the right file is taken", lambda: not any(problems(house).values()), 120)
    third = told(house, publish(house))
    assert third["rule"] == "desk-expulsions"

    assert "is muted" in dateline(house, "alerts", "mute", "desk-expulsions", "--for", "2h")
    silent = publish(house)
    house.wait("a muted alert is written down", lambda: alerts(house, silent) == [("desk-expulsions", "muted")], 300)
    house.kill("worker")
    house.start("worker")
    again = publish(house)
    house.wait("another worker knows the mute", lambda: alerts(house, again) == [("desk-expulsions", "muted")], 300)
    assert not {silent, again} & {alert["url"] for _, alert, *_ in house.receiver.received}

    house.wait("all is indexed", lambda: not any(lag.records for lag in bus.lags(house.settings)), 300)
    dateline(house, "alerts", "false", first["id"], "--note", "a test")
    dateline(house, "alerts", "ack", second["id"], third["id"][:8])
    rows = {row["rule"]: row for row in json.loads(dateline(house, "alerts", "stats", "--json"))["rules"]}
    assert rows["diplomats-expelled"]["precision"] == 0.5
    assert (rows["desk-expulsions"]["held"], rows["desk-expulsions"]["precision"]) == (2, 1.0)
    examples = {line["id"]: line for line in map(json.loads, dateline(house, "alerts", "export").splitlines())}
    assert examples[first["id"]]["right"] is False
    assert examples[first["id"]]["event"]["kind"] == "expulsion"
    assert examples[first["id"]]["text"] == first["evidence"]

    rehearsed = json.loads(dateline(house, "alerts", "test", "--since", "1d", "--json"))
    rang = {alert["url"]: alert["rule"] for alert in rehearsed["alerts"]}
    assert rang == dict.fromkeys((first["url"], second["url"], third["url"]), "desk-expulsions")
    assert {(alert["url"], alert["held"]) for alert in rehearsed["held"]} == {(silent, "muted"), (again, "muted")}
    assert third["id"] in {alert["id"] for alert in rehearsed["alerts"]}, "the same ids as that day"
    page = dateline(house, "alerts", "test", "--since", "1d", "--explain", third["story_id"][:10])
    assert "rang" in page
    assert "leaders_at_least" in page
