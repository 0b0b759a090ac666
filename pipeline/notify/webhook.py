"""An alert in, a signed HTTP POST out, as Standard Webhooks describes it (https://www.standardwebhooks.com).

The receiver checks `webhook-signature` with any library of that standard. The older headers `Dateline-Timestamp` and
`Dateline-Signature` are deprecated. They are sent too, until the next release, so that present receivers keep working.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from typing import Final

from pipeline.alert.rules import Channel
from pipeline.notify.http_post import Post, call, check
from pipeline.process import VERSION
from pipeline.records import Alert, encode

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the beginning of every such secret
"""What follows it is the key in base64. A secret without it is the key itself, as bytes."""


class SecretError(ValueError):
    """A secret begins with `whsec_`, and what follows is not base64."""


def send(alert: Alert, channel: Channel, url: str, secret: str, *, post: Post, now: dt.datetime) -> None:
    """Send an alert and return when the receiver has accepted it.

    Raises:
        RetryError: the receiver cannot accept it now, or does not answer.
        DeliveryError: the receiver refuses it for good.
    """
    check(call(post, channel, url, *request(alert, channel, secret, now)), now)


def request(alert: Alert, channel: Channel, secret: str, now: dt.datetime) -> tuple[bytes, dict[str, str]]:
    """Return body and headers: the alert as JSON, its id as the key of idempotency, signed with each line of `secret`.

    Raises:
        SecretError: see there.
    """
    body = encode(alert)
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Dateline/{VERSION}",
        "Idempotency-Key": alert.id,
        "Dateline-Timestamp": timestamp,  # deprecated
        **channel.headers,
        "webhook-id": alert.id,
        "webhook-timestamp": timestamp,
    }
    if secrets := lines(secret):
        signatures = (signature(key(one), alert.id, timestamp, body) for one in secrets)
        headers["webhook-signature"] = " ".join(signatures)
        # deprecated; it holds one signature, and who still reads it may have the old secret only
        headers["Dateline-Signature"] = f"sha256={_old_signature(secrets[-1], timestamp, body)}"
    return body, headers


def lines(secret: str) -> list[str]:
    """Return the secrets of a channel, one a line. While a secret is replaced there are two: the new one and the old one.

    A receiver accepts a webhook if one of its signatures is right, so it may change its secret at any time in between.
    """
    return [line.strip() for line in secret.splitlines() if line.strip()]


def key(secret: str) -> bytes:
    """Return the key of a secret: the decoded base64 after `whsec_`, or the secret's own bytes.

    Raises:
        SecretError: what follows `whsec_` is not base64, or is empty.
    """
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise SecretError(f"the secret begins with {SECRET_PREFIX}, and what follows is not base64")
    return decoded


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256 of "id.timestamp.body" in base64."""
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _old_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of "timestamp.body" in hex. Its key is always the secret's own bytes."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
