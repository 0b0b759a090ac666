"""Webhooks: what is sent, and that a receiver can verify it with a library of Standard Webhooks."""

import base64
import datetime as dt
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from pipeline.notify import webhook
from pipeline.records import Alert, decode
from pipeline.settings import Settings, SettingsError
from tests.make import NOW, make_alert
from tests.unit.wire import HOOK, Wire, make_channel, send

KEY = bytes(range(32))
WHSEC = f"whsec_{base64.b64encode(KEY).decode()}"


def sent(tmp_path, secret, now):
    """Body and headers of a webhook that is signed with a secret from a file."""
    (tmp_path / "key").write_text(f"{secret}\n", "utf-8")
    wire = Wire()
    send(make_channel(secret_file="key"), wire, settings=Settings(directory=str(tmp_path)), now=now)
    [(_, body, headers, _)] = wire.sent
    return body, headers


def test_a_webhook_gets_the_alert_as_json_with_its_id_as_key():
    wire = Wire()
    send(make_channel(timeout_seconds=3, headers={"Authorization": "Bearer x"}), wire)
    [(url, body, headers, timeout)] = wire.sent
    assert (url, timeout) == (HOOK, 3)
    assert decode(body, Alert) == make_alert()
    assert headers["Idempotency-Key"] == make_alert().id
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer x"
    assert headers["webhook-id"] == make_alert().id
    assert "webhook-signature" not in headers
    assert "Dateline-Signature" not in headers


def test_the_signature_is_that_of_the_example_in_the_standard():
    key = webhook.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("secret", "receivers"), [(WHSEC, WHSEC), (WHSEC, KEY), (WHSEC.rstrip("="), WHSEC), ("s3cret", b"s3cret")]
)
def test_a_receiver_verifies_a_webhook_with_the_library_of_the_standard(tmp_path, secret, receivers):
    body, headers = sent(tmp_path, secret, dt.datetime.now(dt.UTC))
    assert Webhook(receivers).verify(body, headers)["id"] == make_alert().id


def test_while_a_secret_is_replaced_receivers_of_the_old_and_of_the_new_one_verify_the_webhook(tmp_path):
    new = f"whsec_{base64.b64encode(KEY[::-1]).decode()}"
    body, headers = sent(tmp_path, f"{new}\n\n{WHSEC}", dt.datetime.now(dt.UTC))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, WHSEC):
        assert Webhook(secret).verify(body, headers)["id"] == make_alert().id
    with pytest.raises(WebhookVerificationError):
        Webhook(f"whsec_{base64.b64encode(bytes(32)).decode()}").verify(body, headers)
    old = hmac.new(WHSEC.encode(), headers["Dateline-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Dateline-Signature"] == f"sha256={old}", "the deprecated header has room for one, the old one"


def test_a_wrong_second_secret_is_refused_at_the_start(tmp_path):
    with pytest.raises(SettingsError, match=r"^channel hook: the secret begins with whsec_"):
        sent(tmp_path, f"{WHSEC}\nwhsec_%%%", dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("change", ["key", "body", "id", "timestamp", "late", "early", "unsigned"])
def test_a_receiver_refuses_what_is_not_as_it_was_sent(tmp_path, change):
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes={"late": -6, "early": 6}.get(change, 0))
    body, headers = sent(tmp_path, WHSEC, now)
    if change == "id":
        headers["webhook-id"] = "another"
    if change == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 1)
    if change == "unsigned":
        del headers["webhook-signature"]
    receiver = Webhook(bytes(32) if change == "key" else KEY)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(b"{}" if change == "body" else body, headers)


@given(st.binary(min_size=1), st.text(), st.integers(0, 4_000_000_000), st.text())
def test_every_signature_is_that_of_the_library(key, message_id, timestamp, body):
    at = dt.datetime.fromtimestamp(timestamp, dt.UTC)
    own = webhook.signature(key, message_id, str(timestamp), body.encode())
    assert own == Webhook(key).sign(message_id, at, body)


@pytest.mark.parametrize("secret", ["s3cret", WHSEC])
def test_a_receiver_of_the_deprecated_headers_can_still_verify_them(tmp_path, secret):
    body, headers = sent(tmp_path, secret, NOW)
    message = headers["Dateline-Timestamp"].encode() + b"." + body
    assert headers["Dateline-Timestamp"] == str(int(NOW.timestamp()))
    assert headers["Dateline-Signature"] == f"sha256={hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}"


def test_a_configured_header_cannot_break_the_signature(tmp_path):
    (tmp_path / "key").write_text(WHSEC, "utf-8")
    wire = Wire()
    channel = make_channel(secret_file="key", headers={"webhook-id": "x", "webhook-timestamp": "0"})
    send(channel, wire, settings=Settings(directory=str(tmp_path)), now=dt.datetime.now(dt.UTC))
    [(_, body, headers, _)] = wire.sent
    Webhook(WHSEC).verify(body, headers)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_===", "whsec_not base64", "whsec_ä"])
def test_a_secret_that_is_not_base64_stops_the_start_and_is_not_shown(tmp_path, secret):
    with pytest.raises(SettingsError) as caught:
        sent(tmp_path, secret, NOW)
    assert str(caught.value) == "channel hook: the secret begins with whsec_, and what follows is not base64"
