"""One alert through one channel, once: what is sent, how it is signed, and what an answer means.

A channel either takes the alert (`send` returns), cannot take it now (AgainError) or will never take it (DeliveryError). What
is secret (addresses, keys) is read at the start and is in no error and no log line.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import structlog

from pipeline.alert.rules import Channel
from pipeline.records import Alert, encode
from pipeline.settings import Settings, SettingsError
from pipeline.version import VERSION

Send = Callable[[Alert, dt.datetime], None]
"""An alert and the present in; returns after the channel's yes, raises AgainError or DeliveryError."""

PASSING: Final = frozenset({408, 409, 425, 429})
"""Of the 4xx only these get better by themselves: a time-out, a first delivery still under way, too early, too many."""

FIRING: Final = dt.timedelta(hours=1)
"""How long an alert stays firing at Alertmanager, which would otherwise say it is resolved after its resolve_timeout."""
SIGNATURE_AGE: Final = dt.timedelta(minutes=5)


class DeliveryError(Exception):
    """The channel will not take this alert, now or later."""


class AgainError(Exception):
    """The channel cannot take it now; `retry_after_seconds` is when it asked to be tried again."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came back: the status, and Retry-After as it was written."""

    status: int
    retry_after: str = ""


Post = Callable[[str, bytes, Mapping[str, str], float], DeliveryResult]


def sender(channel: Channel, settings: Settings, post: Post | None = None) -> Send:
    """A channel in, the function that sends through it out.

    Raises:
        SettingsError: its secret's file or variable is not there, or its address is none that is understood.
    """
    post = post or _post
    if channel.type == "terminal":
        return lambda alert, _now: show(alert, channel)
    address = secret(channel, settings, "url")
    if not re.match(r"https?://[^/\s]+", address):
        raise SettingsError(f"channel {channel.name}: url is not an http or https address")
    if channel.type == "alertmanager":
        url = address.rstrip("/") + "/api/v2/alerts"
        return lambda alert, now: _judge(_called(post, channel, url, *alertmanager(alert, channel, now)), now)
    key = secret(channel, settings, "secret").encode()
    return lambda alert, now: _judge(_called(post, channel, address, *webhook(alert, channel, key, now)), now)


def secret(channel: Channel, settings: Settings, key: str) -> str:
    """The value of `url` or `secret`, from the file or variable that holds it; empty where neither is named.

    Raises:
        SettingsError: the file or variable is not there or is empty.
    """
    file, variable = getattr(channel, f"{key}_file"), getattr(channel, f"{key}_env")
    where = f"channel {channel.name}: {key}_{'file' if file else 'env'}"
    if file:
        try:
            value = settings.path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{where}: {Path(file)} cannot be read: {error}") from error
    elif variable:
        value = os.environ.get(variable, "").strip()
    else:
        return str(getattr(channel, key, ""))
    if not value:
        raise SettingsError(f"{where}: {file or variable} is empty or not there")
    return value


# --- terminal --------------------------------------------------------------------------------------------------------


def show(alert: Alert, channel: Channel) -> None:
    """The alert as a log line."""
    structlog.get_logger("alert").info(
        alert.headline, rule=alert.rule, occasion=alert.occasion, sure=round(alert.confidence, 2),
        url=alert.url, **({"message": text(alert, channel)} if channel.text == "full" or channel.template else {}),
    )  # fmt: skip


def text(alert: Alert, channel: Channel) -> str:
    """An alert in, what a person is to read out: the channel's own words, all of it, or one line and the link."""
    if channel.template and not alert.gathers and alert.parts:
        return channel.template.format_map(_Parts(alert.parts))
    return alert.message if channel.text == "full" else f"{alert.headline}\n{alert.url}"


class _Parts(dict[str, str]):
    """What an older worker did not write down yet is left out."""

    def __missing__(self, key: str) -> str:
        return ""


# --- webhook ---------------------------------------------------------------------------------------------------------


def webhook(alert: Alert, channel: Channel, key: bytes, now: dt.datetime) -> tuple[bytes, dict[str, str]]:
    """An alert in, body and headers of its POST out: the record as JSON, its id as the key of idempotency, signed."""
    body = encode(alert)
    stamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Dateline/{VERSION}",
        "Idempotency-Key": alert.id,
        "Dateline-Timestamp": stamp,
        **channel.headers,
    }
    if key:
        headers["Dateline-Signature"] = f"sha256={signature(key, stamp, body)}"
    return body, headers


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """HMAC-SHA256, in hex, over the timestamp, a dot and the body."""
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> bool:
    """What a receiver is to check: the signature fits, and is not older (or newer) than five minutes."""
    lower = {name.lower(): value for name, value in headers.items()}
    stamp, given = lower.get("dateline-timestamp", ""), lower.get("dateline-signature", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now.timestamp() - int(stamp)) > SIGNATURE_AGE.total_seconds():
        return False
    return hmac.compare_digest(given.encode(), f"sha256={signature(key, stamp, body)}".encode())


# --- Alertmanager ----------------------------------------------------------------------------------------------------


def alertmanager(alert: Alert, channel: Channel, now: dt.datetime) -> tuple[bytes, dict[str, str]]:
    """An alert in, body and headers for Alertmanager's API out. The labels identify it, the annotations tell it."""
    item = {
        "labels": {
            "alertname": alert.rule,
            "alert_id": alert.id,
            "story_id": alert.story_id,
            "occasion": alert.occasion,
            "kind": alert.kind,
            "event_type": alert.event_type,
            "service": "dateline",
        },
        "annotations": {
            "summary": alert.headline,
            "description": text(alert, channel),
            "evidence": alert.evidence,
            "about": alert.about,
        },
        "startsAt": min(alert.raised_at, now).isoformat(),
        "endsAt": (now + FIRING).isoformat(),
        "generatorURL": alert.url,
    }
    headers = {"Content-Type": "application/json", "User-Agent": f"Dateline/{VERSION}", **channel.headers}
    return json.dumps([item]).encode(), headers


# --- HTTP ------------------------------------------------------------------------------------------------------------


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: an alert is not sent to where somebody else points."""

    def redirect_request(self, *_args: object, **_options: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> DeliveryResult:
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - http or https, checked
    try:
        with _opener.open(request, timeout=timeout_seconds) as response:
            return DeliveryResult(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return DeliveryResult(error.code, error.headers.get("Retry-After") or "")


def _called(post: Post, channel: Channel, url: str, body: bytes, headers: Mapping[str, str]) -> DeliveryResult:
    """The answer of the receiver; what the network does to us is a reason to try again, told without the address."""
    try:
        return post(url, body, headers, channel.timeout_seconds)
    except urllib.error.URLError as error:
        raise AgainError(f"no answer: {_reason(error.reason)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise AgainError(f"no answer: {_reason(error)}") from None


def _reason(error: object) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else type(error).__name__ if isinstance(error, Exception) else "unknown"


def _judge(answer: DeliveryResult, now: dt.datetime) -> None:
    """An answer in; returns for a yes.

    Raises:
        AgainError: 5xx and those of `PASSING`.
        DeliveryError: every other no, redirects among them.
    """
    if 200 <= answer.status < 300:
        return
    if answer.status >= 500 or answer.status in PASSING:
        raise AgainError(f"the receiver answered {answer.status}", retry_after_seconds(answer.retry_after, now))
    raise DeliveryError(f"the receiver answered {answer.status}, which is final")


def retry_after_seconds(value: str, now: dt.datetime) -> float | None:
    """Retry-After in, seconds from now out; None for what is neither a number of seconds nor a date."""
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
