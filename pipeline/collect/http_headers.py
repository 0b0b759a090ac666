"""HTTP headers that say when to ask again: Retry-After, Cache-Control and Expires. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """A Retry-After header (seconds or a date) in, the seconds from now out; None where it is neither."""
    value = (value or "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max(0.0, (until - now).total_seconds())


def freshness(headers: Mapping[str, str], now: dt.datetime) -> int | None:
    """An answer's headers in, for how many seconds it stays fresh out: by Cache-Control, or else by Expires."""
    control = headers.get("Cache-Control", "")
    if re.search(r"no-(?:cache|store)|max-age", control, re.IGNORECASE):
        return max_age(control)
    seconds = retry_after(headers.get("Expires"), now) if re.search(r"[a-zA-Z]", headers.get("Expires", "")) else None
    return int(seconds) if seconds else None


def max_age(cache_control: str) -> int | None:
    """A Cache-Control header in, for how many seconds the answer stays fresh out; None where it does not say."""
    found = re.search(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", cache_control, re.IGNORECASE)
    if found is None or re.search(r"no-(?:cache|store)", cache_control, re.IGNORECASE):
        return None
    return int(found.group(1))
