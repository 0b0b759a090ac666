"""Channels of alerts.toml and what they send: terminal, Alertmanager, apprise, Kafka; and where their secrets are read."""

import datetime as dt
import json
import sys
import types

import pytest
from structlog.testing import capture_logs

from pipeline import bus
from pipeline.alert.rules import Channel
from pipeline.notify import RetryError
from pipeline.notify.channels import sender
from pipeline.notify.message import message_text
from pipeline.records import Alert, decode
from pipeline.settings import Settings, SettingsError
from tests.make import NOW, make_alert
from tests.unit.wire import Wire, make_channel, send

# --- terminal and Alertmanager ---------------------------------------------------------------------------------------


def test_alertmanager_gets_labels_that_identify_and_annotations_that_tell():
    wire = Wire()
    send(make_channel(type="alertmanager", url="http://am.example/"), wire)
    [(url, body, _, _)] = wire.sent
    assert url == "http://am.example/api/v2/alerts"
    [item] = json.loads(body)
    assert item["labels"]["alertname"] == "leaders-meet"
    assert item["labels"]["alert_id"] == make_alert().id
    assert item["annotations"]["summary"] == "Putin and Xi meet in Moscow"
    assert all(isinstance(v, str) for part in ("labels", "annotations") for v in item[part].values())
    assert dt.datetime.fromisoformat(item["startsAt"]) <= NOW < dt.datetime.fromisoformat(item["endsAt"])
    assert item["generatorURL"] == make_alert().url


def test_the_terminal_shows_the_alert_and_in_short_only_its_line():
    for words, shown in (("full", True), ("short", False)):
        with capture_logs() as lines:
            send(Channel(name="terminal", type="terminal", text=words), Wire())
        [line] = lines
        assert line["event"] == "Putin and Xi meet in Moscow"
        assert (line.get("message") == make_alert().message) is shown


def test_a_channel_may_have_its_own_words():
    alert = make_alert(parts={"headline": "Putin and Xi meet", "sure": "70%", "link": "https://a/"})
    channel = Channel(name="terminal", type="terminal", text="short", template="{headline} [{sure}] {who}{link}")
    assert message_text(alert, channel) == "Putin and Xi meet [70%] https://a/"


def test_a_digest_and_an_alert_of_an_older_worker_keep_the_message_that_they_have():
    channel = Channel(name="terminal", type="terminal", template="{headline}")
    assert message_text(make_alert(), channel) == make_alert().message
    assert message_text(make_alert(gathers=("a", "b"), parts={"headline": "x"}), channel) == make_alert().message


# --- apprise ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def apprise(monkeypatch):
    """A stand-in for the library: its own services, and what they were sent."""
    sent = []

    class Apprise:
        answer = True

        def add(self, url):
            return url.startswith("mailto://")

        def notify(self, **message):
            sent.append(message)
            return Apprise.answer

    module = types.SimpleNamespace(Apprise=Apprise, NotifyFormat=types.SimpleNamespace(TEXT="text"), sent=sent)
    monkeypatch.setitem(sys.modules, "apprise", module)
    return module


def make_desk(**changes):
    return Channel(**{"name": "desk", "type": "apprise", "url": "mailto://a.example"} | changes)


def test_apprise_gets_the_headline_and_the_message(apprise):
    sender(make_desk(), Settings())(make_alert(), NOW)
    assert apprise.sent == [
        {"title": "Putin and Xi meet in Moscow", "body": make_alert().message, "body_format": "text"}
    ]


def test_apprise_gets_just_the_link_in_short(apprise):
    sender(make_desk(text="short"), Settings())(make_alert(), NOW)
    assert apprise.sent[0]["body"] == make_alert().url


def test_a_no_of_apprise_is_tried_again(apprise):
    apprise.Apprise.answer = False
    with pytest.raises(RetryError):
        sender(make_desk(), Settings())(make_alert(), NOW)


def test_an_address_that_apprise_does_not_know_stops_the_start_and_is_not_shown(apprise):
    with pytest.raises(SettingsError) as caught:
        sender(make_desk(url="token-123"), Settings())
    assert str(caught.value) == "channel desk: url is none that apprise understands"


# --- Kafka -----------------------------------------------------------------------------------------------------------


class Publisher:
    def __init__(self, settings, *, fail=False):
        self.sent = []

    def send(self, topic, key, value):
        if topic == "absent":
            raise bus.BusError("absent: unknown topic")
        self.sent.append((topic, key, value))

    def flush(self):
        pass


def test_an_alert_goes_to_another_topic_under_its_id(monkeypatch):
    made = []
    monkeypatch.setattr(bus, "Publisher", lambda settings: made.append(Publisher(settings)) or made[-1])
    send = sender(Channel(name="t", type="kafka", topic="desk.alerts"), Settings())
    send(make_alert(), NOW)
    send(make_alert(id="two"), NOW)
    [publisher] = made
    assert [(topic, key) for topic, key, _ in publisher.sent] == [
        ("desk.alerts", make_alert().id.encode()),
        ("desk.alerts", b"two"),
    ]
    assert decode(publisher.sent[0][2], Alert) == make_alert()


def test_a_topic_that_is_away_is_tried_again(monkeypatch):
    monkeypatch.setattr(bus, "Publisher", Publisher)
    with pytest.raises(RetryError, match="unknown topic"):
        sender(Channel(name="t", type="kafka", topic="absent"), Settings())(make_alert(), NOW)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_an_address_may_stand_in_a_file_or_in_the_environment(tmp_path, monkeypatch):
    (tmp_path / "url").write_text("https://from-file.example/\n", "utf-8")
    monkeypatch.setenv("HOOK_URL", "https://from-env.example/")
    for channel, expected in (
        (make_channel(url="", url_file="url"), "https://from-file.example/"),
        (make_channel(url="", url_env="HOOK_URL"), "https://from-env.example/"),
    ):
        wire = Wire()
        send(channel, wire, settings=Settings(directory=str(tmp_path)))
        assert wire.sent[0][0] == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "", "url_file": "absent"}, "channel hook: url_file: absent cannot be read"),
        ({"url": "", "url_env": "NOT_SET_ANYWHERE"}, "channel hook: url_env: NOT_SET_ANYWHERE is empty or not there"),
        ({"secret_file": "empty"}, "channel hook: secret_file: empty is empty or not there"),
        ({"url": "", "url_file": "bad"}, "channel hook: url is not an http or https address"),
    ],
)
def test_a_secret_that_is_not_there_stops_the_start(tmp_path, changes, message):
    (tmp_path / "empty").write_text("\n", "utf-8")
    (tmp_path / "bad").write_text("token-123", "utf-8")
    with pytest.raises(SettingsError) as caught:
        sender(make_channel(**changes), Settings(directory=str(tmp_path)), Wire())
    assert message in str(caught.value).replace(f"{tmp_path}/", "")
    assert "token-123" not in str(caught.value)
