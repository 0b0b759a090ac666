"""A URL, a body and headers in, the receiver's answer out, and what the answer means for a delivery.

Addresses and keys are secret, so they are in no error and no log line.
"""

from __future__ import annotations

import datetime as dt
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from pipeline.alert.rules import Channel
from pipeline.notify import DeliveryError, RetryError

TEMPORARY_STATUSES: Final = frozenset({408, 409, 425, 429})
"""The 4xx statuses that may pass: time-out, first delivery still under way, too early, too many requests."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The status of the answer, and its header Retry-After."""

    status: int
    retry_after: str = ""


Post = Callable[[str, bytes, Mapping[str, str], float], HttpAnswer]
"""Takes URL, body, headers and the timeout in seconds; returns the answer."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Does not follow redirects: an alert must not go to an address that is not configured."""

    def redirect_request(self, *_args: object, **_options: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def http_post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> HttpAnswer:
    """Send a POST and return the answer, also for 4xx and 5xx.

    Raises:
        OSError, http.client.HTTPException: there is no answer.
    """
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - http or https, checked
    try:
        with _opener.open(request, timeout=timeout_seconds) as response:
            return HttpAnswer(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, error.headers.get("Retry-After") or "")


def call(post: Post, channel: Channel, url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
    """Return the answer of a channel's receiver.

    Raises:
        RetryError: there is no answer; the message does not contain the address.
    """
    try:
        return post(url, body, headers, channel.timeout_seconds)
    except urllib.error.URLError as error:
        raise RetryError(f"no answer: {_reason(error.reason)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise RetryError(f"no answer: {_reason(error)}") from None


def _reason(error: object) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else type(error).__name__ if isinstance(error, Exception) else "unknown"


def check(answer: HttpAnswer, now: dt.datetime) -> None:
    """Return if the answer is 2xx.

    Raises:
        RetryError: it is 5xx or one of `TEMPORARY_STATUSES`.
        DeliveryError: it is anything else, for example a redirect.
    """
    if 200 <= answer.status < 300:
        return
    if answer.status >= 500 or answer.status in TEMPORARY_STATUSES:
        raise RetryError(f"the receiver answered {answer.status}", retry_after_seconds(answer.retry_after, now))
    raise DeliveryError(f"the receiver answered {answer.status}, which is final")


def retry_after_seconds(value: str, now: dt.datetime) -> float | None:
    """Return the seconds from now that a Retry-After header asks for, or None if it is neither seconds nor a date."""
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
