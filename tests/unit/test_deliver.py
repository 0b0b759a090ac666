"""One alert through one channel, once: what is sent, how it is signed, what an answer means."""

import datetime as dt
import json
import urllib.error

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline.alert.rules import Channel
from pipeline.notify.deliver import (
    AgainError,
    DeliveryError,
    DeliveryResult,
    retry_after_seconds,
    sender,
    signature,
    text,
    verify,
)
from pipeline.records import Alert, decode
from pipeline.settings import Settings, SettingsError
from tests.make import NOW, make_alert

HOOK = "https://hooks.example/secret-path-9"


class Wire:
    """Answers as told and keeps what was sent."""

    def __init__(self, *answers):
        self.answers = list(answers) or [DeliveryResult(200)]
        self.sent = []

    def __call__(self, url, body, headers, timeout_seconds):
        self.sent.append((url, body, dict(headers), timeout_seconds))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def make_channel(**changes):
    return Channel(**{"name": "hook", "type": "webhook", "url": HOOK} | changes)


def send(channel, wire, alert=None, settings=None):
    sender(channel, settings or Settings(), wire)(alert or make_alert(), NOW)


# --- webhook ---------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_the_alert_as_json_with_its_id_as_key():
    wire = Wire()
    send(make_channel(timeout_seconds=3, headers={"Authorization": "Bearer x"}), wire)
    [(url, body, headers, timeout)] = wire.sent
    assert (url, timeout) == (HOOK, 3)
    assert decode(body, Alert) == make_alert()
    assert headers["Idempotency-Key"] == make_alert().id
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer x"
    assert "Dateline-Signature" not in headers


def test_a_signed_webhook_can_be_verified_by_its_receiver(tmp_path):
    (tmp_path / "key").write_text("s3cret\n", "utf-8")
    wire = Wire()
    send(make_channel(secret_file="key"), wire, settings=Settings(directory=str(tmp_path)))
    [(_, body, headers, _)] = wire.sent
    assert verify(b"s3cret", headers, body, NOW)
    assert verify(
        b"s3cret", {name.upper(): value for name, value in headers.items()}, body, NOW + dt.timedelta(minutes=4)
    )


@pytest.mark.parametrize("change", ["key", "body", "stamp", "late", "early", "none", "garbage"])
def test_what_is_not_as_it_was_sent_is_not_verified(change):
    stamp, body = str(int(NOW.timestamp())), b'{"a": 1}'
    headers = {"Dateline-Timestamp": stamp, "Dateline-Signature": f"sha256={signature(b'k', stamp, body)}"}
    assert verify(b"k", headers, body, NOW)
    now = NOW + dt.timedelta(minutes={"late": 6, "early": -6}.get(change, 0))
    if change == "stamp":
        headers["Dateline-Timestamp"] = str(int(stamp) + 1)
    if change == "none":
        headers = {}
    if change == "garbage":
        headers = {"Dateline-Timestamp": "٣", "Dateline-Signature": "ü"}
    assert not verify(b"x" if change == "key" else b"k", headers, b"{}" if change == "body" else body, now)


@given(st.binary(min_size=1), st.binary(), st.binary())
def test_a_signature_is_of_one_key_and_one_body(key, body, other):
    stamp = str(int(NOW.timestamp()))
    headers = {"Dateline-Timestamp": stamp, "Dateline-Signature": f"sha256={signature(key, stamp, body)}"}
    assert verify(key, headers, body, NOW)
    assert verify(key, headers, other, NOW) is (body == other)


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_yes(status):
    send(make_channel(), Wire(DeliveryResult(status)))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 599])
def test_some_answers_ask_to_try_again(status):
    with pytest.raises(AgainError, match=str(status)):
        send(make_channel(), Wire(DeliveryResult(status)))


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 413, 422])
def test_other_answers_are_final_redirects_among_them(status):
    with pytest.raises(DeliveryError, match=str(status)):
        send(make_channel(), Wire(DeliveryResult(status)))


def test_retry_after_is_handed_on():
    with pytest.raises(AgainError) as caught:
        send(make_channel(), Wire(DeliveryResult(503, "7")))
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), ("120", 120), (" 5 ", 5), ("", None), ("soon", None), ("-3", None), ("1.5", None), ("٣", None),
        ("Tue, 14 May 2024 09:01:00 GMT", 60), ("Tue, 14 May 2024 08:00:00 GMT", 0), ("Tue, 99 May 2024 08:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks(value):
    assert (retry_after_seconds(value, NOW) or 0) >= 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError("timed out"),
        urllib.error.URLError(OSError(-2, f"Name or service not known: {HOOK}")),
        urllib.error.URLError("unknown url"),
        ConnectionResetError(),
    ],
)
def test_what_the_network_does_is_a_reason_to_try_again(error):
    with pytest.raises(AgainError, match="no answer"):
        send(make_channel(), Wire(error))


# --- the other channels ----------------------------------------------------------------------------------------------


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
    assert text(alert, channel) == "Putin and Xi meet [70%] https://a/"


def test_a_digest_and_an_alert_of_an_older_worker_keep_the_message_that_they_have():
    channel = Channel(name="terminal", type="terminal", template="{headline}")
    assert text(make_alert(), channel) == make_alert().message
    assert text(make_alert(gathers=("a", "b"), parts={"headline": "x"}), channel) == make_alert().message


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


@pytest.mark.parametrize(
    "answer", [DeliveryResult(500), DeliveryResult(404), OSError(5, "I/O error"), urllib.error.URLError("x")]
)
def test_no_error_names_the_address(answer):
    with pytest.raises((AgainError, DeliveryError)) as caught:
        send(make_channel(), Wire(answer))
    assert "secret-path-9" not in str(caught.value)
