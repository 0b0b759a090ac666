"""Dates of pages and feeds: a written date or an address in, the moment out. Pure.

Read are ISO 8601, mail dates, whatever else editors' systems write, and the day in an address.

The only importer of dateparser outside detection: for names of months, and of time zones beyond those of North America.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from email.utils import parsedate_to_datetime
from typing import Any, Final

from dateparser import parse as parse_words

_KNOWN_ZONES: Final = frozenset({"UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"})
"""Names that mail dates and feedparser read right; others they take for UTC without a word."""

_SETTINGS: Final[dict[str, Any]] = {
    "TIMEZONE": "UTC",
    "RETURN_AS_TIMEZONE_AWARE": True,
    "REQUIRE_PARTS": ["day", "month", "year"],
    "PARSERS": ["absolute-time"],
    "PREFER_LOCALE_DATE_ORDER": True,
    "RELATIVE_BASE": dt.datetime(2000, 1, 1),  # noqa: DTZ001 - nothing relative is read; without it the library asks the clock
}
_LONGEST: Final = 60
_SHORTEST: Final = 6

_FULL_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])|\d{8}T")
_HALF_DAY = re.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)
_SCRIPT_ZONE = re.compile(r"\s(?:GMT|UTC)([+-])(\d{2}):?(\d{2})(?:\s*\([^)]*\))?$")
_ZONE_WITHIN = re.compile(
    r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\s*[apAP]\.?[mM]\.?)?)\s+(?P<zone>[A-Z]{2,5})[,\s]+(?P<date>\D{0,4}[A-Za-z0-9].{5,24})"
)
_MAIL_ZONE = re.compile(r"(?:[+-]\d{4}|\b[A-Z]{1,5})\s*(?:\([^)]*\))?$")
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ADDRESS_DATE = re.compile(
    rf"[/-]((?:19|20)\d{{2}})[/-]?(0[1-9]|1[0-2]|(?<=/)[1-9](?=/)|(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}(?=/))"
    r"(?:[/-]?(0[1-9]|[12]\d|3[01]|(?<=/)[1-9](?=/)))?(?=[/.-]|$|\?)",
    re.IGNORECASE,
)


def believable(moment: dt.datetime) -> dt.datetime | None:
    """A moment in, the same out unless it is the nonsense that broken dates become."""
    return moment if 1990 <= moment.year <= 2100 else None


def iso(value: object) -> dt.datetime | None:
    """A date or time of ISO 8601 in, the moment in UTC out; None for anything else."""
    try:
        moment = dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return believable(moment)


def _foreign_zone(text: str) -> bool:
    """Whether a date ends in the name of a time zone that mail dates do not know: AEST, CET, IST."""
    name = re.search(r"\d\s+([A-Z]{2,5})\s*$", text)
    return name is not None and name.group(1) not in _KNOWN_ZONES | {"AM", "PM"}


def moment(text: str, spoken: str | None = None) -> dt.datetime | None:
    """A written date and the language it may be in, the moment in UTC out; without a zone it counts as UTC.

    None where it is no date: a day without a year, a word like "yesterday", nonsense.
    """
    text = " ".join(text.split())
    if not _SHORTEST <= len(text) <= _LONGEST or not re.search(r"\d", text):
        return None
    if _FULL_ISO.match(text) and (found := iso(_tidy(text))) is not None:
        return found
    text = _SCRIPT_ZONE.sub(r" \1\2\3", text)
    if (zoned := _ZONE_WITHIN.fullmatch(text)) is not None:
        text = f"{zoned['date']} {zoned['clock']} {zoned['zone']}"
    text = re.sub(r"\bIST\b", "+0530", text)  # of those who write it, most are in India
    if _HALF_DAY.search(text):  # mail dates know no afternoon
        return _words(text, spoken)
    if _MAIL_ZONE.search(text) and not _foreign_zone(text) and (found := _mail(text)) is not None:
        return found
    return _words(text, spoken) or _mail(text)


def _tidy(text: str) -> str:
    """ISO as it is written: a space before the zone, a zone by name, more digits of a second than there are."""
    text = re.sub(r"\s*(?:UTC|GMT)$", "Z", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d)\s+(?=[+-]\d{2}:?\d{2}$)", "", text)
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _mail(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return believable(found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _words(text: str, spoken: str | None) -> dt.datetime | None:
    # two languages: without a hint the library tries two hundred, and takes seconds for what is no date
    for wanted in dict.fromkeys([spoken or "en", "en"]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = parse_words(text, languages=[wanted], settings=_SETTINGS)
            if found is not None:
                return believable(found.astimezone(dt.UTC))
        except Exception:  # noqa: BLE001, S112 - the library fails in many ways on odd text, and on a language it lacks
            continue
    return None


def day_in(url: str) -> dt.datetime | None:
    """The day in an address, where it names one."""
    found = _ADDRESS_DATE.search(url)
    return date_in(url) if found is not None and found[3] else None


def date_in(url: str) -> dt.datetime | None:
    """The date in an address like /2026/11/24/title, or /2026/11/title, as the end of that day or month would have it."""
    found = _ADDRESS_DATE.search(url)
    if found is None:
        return None
    try:
        month = int(found[2]) if found[2].isdigit() else _MONTHS.index(found[2][:3].lower()) + 1
        day = dt.datetime(int(found[1]), month, int(found[3] or 1), tzinfo=dt.UTC)
    except ValueError:
        return None
    if not found[3]:  # only the month: its last day, for it cannot be told older than that
        day = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return believable(day)
