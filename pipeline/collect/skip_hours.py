"""skipHours and skipDays, the times at which a feed asks not to be polled. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SKIP = re.compile(rb"<skip(Hours|Days)\s*>(.{0,2000}?)</skip\1\s*>", re.IGNORECASE | re.DOTALL)


def read_skips(body: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A feed's bytes in, the hours (0-23, UTC) and weekdays (0 is Monday) at which not to poll it out."""
    hours: set[int] = set()
    days: set[int] = set()
    for kind, inner in _SKIP.findall(body):
        if kind.lower() == b"hours":
            hours |= {int(hour) % 24 for hour in re.findall(rb"<hour>\s*(\d{1,2})\s*<", inner, re.IGNORECASE)}
        else:
            names = re.findall(rb"<day>\s*([a-zA-Z]+)\s*<", inner, re.IGNORECASE)
            days |= {DAYS.index(day) for name in names if (day := name.decode().lower()) in DAYS}
    return tuple(sorted(hours)), tuple(sorted(days))


def allowed_at(due_at: dt.datetime, hours: tuple[int, ...], days: tuple[int, ...], spread: float) -> dt.datetime:
    """When a feed is due (UTC) and what it skips in, the first moment from then on that it allows out.

    `spread` (0 to 1) chooses a moment in the first ten minutes of an allowed hour, so that feeds that waited are not all
    polled at once. A feed that skips every hour or every day is polled all the same.
    """
    if len(hours) >= 24 or len(days) >= 7 or not _skipped(due_at, hours, days):
        return due_at
    at = due_at.replace(minute=0, second=0, microsecond=0)
    while _skipped(at, hours, days):
        at += dt.timedelta(hours=1)
    return at + dt.timedelta(minutes=10 * spread)


def _skipped(at: dt.datetime, hours: tuple[int, ...], days: tuple[int, ...]) -> bool:
    return at.hour in hours or at.weekday() in days
