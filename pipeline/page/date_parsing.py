"""Dates of pages and feeds: a written date or a URL in, the moment out. Pure.

The forms are ISO 8601, mail dates, the many forms that publishing systems write, Unix seconds, and the date in a URL.
dateparser reads the names of months, and of time zones outside North America. The only importer of dateparser.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import re
import warnings
from email.utils import parsedate_to_datetime
from typing import Any, Final

from dateparser import parse as parse_words

_KNOWN_ZONES: Final = frozenset({"UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"})
"""Zone names that mail dates and feedparser read correctly. They silently take all others for UTC."""

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
_URL_DATE = re.compile(
    rf"[/-]((?:19|20)\d{{2}})[/-]?(0[1-9]|1[0-2]|(?<=/)[1-9](?=/)|(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}(?=/))"
    r"(?:[/-]?(0[1-9]|[12]\d|3[01]|(?<=/)[1-9](?=/)))?(?=[/.-]|$|\?)",
    re.IGNORECASE,
)


_EASTERN = re.compile(
    r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일號号]?(?:\s?[(（]?[月火水木金土日]曜?日?[)）])?"
)
"""Chinese, Japanese and Korean days: 2026年11月5日."""

_EASTERN_CLOCK = re.compile(r"\s(\d{1,2})\s?[時时시]\s?(\d{1,2})\s?[分분]")
_SWEDISH = re.compile(r"^(\d{1,2})/(\d{1,2})\s?[-–]\s?(\d{4})\b")
_THAI = re.compile(r"[\u0e00-\u0e7f]")
_BUDDHIST_YEAR = re.compile(r"(?<!\d)2[56]\d\d(?!\d)")
_MIDNIGHT = re.compile(r"\b24:00(?::00)?")
_AT = re.compile(r"(?<=\d)\s*[|·•–—]\s*(?=\d{1,2}[:.h]\d{2})")
"""What stands between a day and a clock: 05/11/2026 | 10:30."""


def plausible(moment: dt.datetime) -> dt.datetime | None:
    """Return the moment, or None for a year that only a broken date can have."""
    return moment if 1990 <= moment.year <= 2100 else None


def parse_iso(value: object) -> dt.datetime | None:
    """A date or time in ISO 8601 in, the moment in UTC out; None for anything else."""
    try:
        moment = dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return plausible(moment)


def _foreign_zone(text: str) -> bool:
    """Whether a date ends in the name of a time zone that mail dates do not know, such as AEST or CET."""
    name = re.search(r"\d\s+([A-Z]{2,5})\s*$", text)
    return name is not None and name.group(1) not in _KNOWN_ZONES | {"AM", "PM"}


def parse_date(text: str, locale: str | None = None, *, now: dt.datetime | None = None) -> dt.datetime | None:
    """A written date and the locale ("fr", "en-GB") it may be in, the moment in UTC out; without a zone it counts as UTC.

    Three numbers are read in the order of the locale. `now` is when the date was fetched: a reading of three numbers that lies
    after it is not taken where there is another, and it decides where the locale does not.
    None where it is not a complete date: a day without a year, or a word like "yesterday".
    """
    text = _AT.sub(" ", _EASTERN.sub(r"\1-\2-\3 ", " ".join(text.split()))).strip()
    text = _SWEDISH.sub(r"\1/\2/\3", text)
    if _THAI.search(text) or (locale or "").startswith("th"):
        text = _BUDDHIST_YEAR.sub(lambda found: str(int(found.group()) - 543), text)
    text = _EASTERN_CLOCK.sub(r" \1:\2", text)
    if not _SHORTEST <= len(text) <= _LONGEST or not re.search(r"\d", text) or "-0001" in text:
        return None  # a system without a date writes 30 Nov -0001
    if (ordered := in_iso_order(text, locale, now)) is not None:
        return parse_date(ordered, now=now)
    if _MIDNIGHT.search(text) and (day := parse_date(_MIDNIGHT.sub("00:00", text), locale, now=now)) is not None:
        return day + dt.timedelta(days=1)
    language = (locale or "").partition("-")[0] or None
    if _FULL_ISO.match(text) and (found := parse_iso(_normal_iso(text))) is not None:
        return found
    text = _SCRIPT_ZONE.sub(r" \1\2\3", text)
    if (zoned := _ZONE_WITHIN.fullmatch(text)) is not None:
        text = f"{zoned['date']} {zoned['clock']} {zoned['zone']}"
    text = re.sub(r"\bIST\b", "+0530", text)  # India, not Israel or Ireland: most dates with IST are Indian
    if _HALF_DAY.search(text):  # mail dates have no AM and PM
        return _with_dateparser(text, language)
    if _MAIL_ZONE.search(text) and not _foreign_zone(text) and (found := _parse_mail_date(text)) is not None:
        return found
    return _with_dateparser(text, language) or _parse_mail_date(text)


_NUMERIC = re.compile(
    r"(\d{1,2}:\d{2}(?::\d{2})?,?\s+)?(?:\w+\.?,?\s+)?"
    r"(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\3\s?(\d{4}|\d{2})(?![\d./-])(.*)",
    re.DOTALL,
)

_MONTH_FIRST: Final = frozenset(
    ("US", "USA", "PR", "PRI", "GU", "GUM", "VI", "VIR", "AS", "ASM", "MP", "MNP", "UM", "UMI", "PH", "PHL", "PA", "PAN",
     "FM", "FSM", "MH", "MHL", "PW", "PLW")
)  # fmt: skip
"""Countries that write the month before the day, after the Unicode locale data: the United States and some others."""

_EITHER: Final = frozenset(("CA", "CAN"))
"""In Canadian English both orders are in use."""

_IN_ADVANCE: Final = dt.timedelta(hours=14)
"""The day begins so much earlier in Kiribati than in UTC, so a date without a zone may lie so far ahead."""


def is_day_first(locale: str | None) -> bool | None:
    """A locale in, whether it writes the day before the month out; None where that is not known (English of no country)."""
    parts = re.split(r"[-_]", (locale or "").strip())
    language = parts[0].casefold()
    country = next((part.upper() for part in parts[1:] if re.fullmatch(r"[A-Za-z]{2,3}|\d{3}", part)), "")
    if country in _MONTH_FIRST:
        return False
    if language in ("", "en") and (not country or country in _EITHER):
        return None
    return True


def in_iso_order(text: str, locale: str | None, now: dt.datetime | None) -> str | None:
    """A date of three numbers in, the same as year-month-day out; None for any other text."""
    found = _NUMERIC.fullmatch(text)
    if found is None:
        return None
    clock, one, separator, other, written_year, rest = found.groups()
    year = int(written_year) if len(written_year) == 4 else 2000 + int(written_year)
    readings: list[dt.date] = []
    for day, month in ((int(one), int(other)), (int(other), int(one))):
        try:
            readings.append(dt.date(year, month, day))
        except ValueError:
            continue
    if not readings:
        return None
    chosen = _chosen(readings, None if separator != "." else True, is_day_first(locale), now)
    return f"{chosen.isoformat()}{rest}" if clock is None else f"{chosen.isoformat()} {clock.strip(' ,')}{rest}"


def _chosen(readings: list[dt.date], by_form: bool | None, by_locale: bool | None, now: dt.datetime | None) -> dt.date:
    """Choose between the reading with the day first and the one with the month first, where both are dates."""
    if len(readings) == 2 and now is not None:
        readings = [day for day in readings if day <= (now + _IN_ADVANCE).date()] or readings
    if len(readings) == 1:
        return readings[0]
    day_first = by_form if by_form is not None else by_locale
    if day_first is None and now is not None:
        return min(readings, key=lambda day: abs(now.date() - day))
    return readings[0] if day_first else readings[1]


def _normal_iso(text: str) -> str:
    """Return ISO 8601 without a space before the zone, a zone by its name, or more than six digits of a second."""
    text = re.sub(r"\s*(?:UTC|GMT)$", "Z", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d)\s+(?=[+-]\d{2}:?\d{2}$)", "", text)
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _parse_mail_date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return plausible(found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TODAY: Final = 7
YESTERDAY: Final = 8
SHORTEST_NAME: Final = 3
"""Letters of a day's name; shorter ones are words, too. A single sign is the whole name in Chinese and Japanese only."""


@functools.lru_cache(maxsize=256)  # a page may call its language anything
def day_names(language: str) -> dict[str, int]:
    """A language (ISO 639-1) in, what it and English call the days out: 0 for Monday, `TODAY` and `YESTERDAY` for these."""
    found: dict[str, int] = {}
    for code in dict.fromkeys(("en", language)):
        if not re.fullmatch("[a-z]{2,3}", code):
            continue
        try:
            info = importlib.import_module(f"dateparser.data.date_translation_data.{code}").info
        except ImportError:
            continue
        relative = info.get("relative-type", {})
        groups = [
            *(info.get(day, ()) for day in _WEEKDAYS),
            relative.get("0 day ago", ()),
            relative.get("1 day ago", ()),
        ]
        for number, names in enumerate(groups):
            found.update(
                (name.casefold(), number) for name in names if len(name) >= SHORTEST_NAME or not name.isascii()
            )
    return found


def _with_dateparser(text: str, language: str | None) -> dt.datetime | None:
    # two languages only: without them the library tries two hundred, which takes seconds for text that is not a date
    for wanted in dict.fromkeys([language or "en", "en"]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = parse_words(text, languages=[wanted], settings=_SETTINGS)
            if found is not None:
                return plausible(found.astimezone(dt.UTC))
        except Exception:  # noqa: BLE001, S112 - the library raises many types of errors on odd text and unknown languages
            continue
    return None


_EXACT = re.compile(r"\d:\d{2}.*?(?:[+-]\d{2}:?\d{2}|\b(?:Z|UT|UTC|GMT|[A-Z]{1,4}T)\b)")
"""A time of day with a zone after it."""


def parse_declared(
    text: str | None, locale: str | None = None, *, now: dt.datetime | None = None
) -> tuple[dt.datetime, bool] | None:
    """A date that a page declares in, the moment in UTC and whether it is exact out; None for anything else.

    It is exact if it has a time of day with a zone. `locale` and `now` are those of `parse_date`.
    """
    text = (text or "").strip()
    if not 6 <= len(text) <= 60:
        return None
    moment = _parse_loose_iso(text) or parse_unix_seconds(text)
    if moment is None:
        other = parse_date(text, locale, now=now)
        return None if other is None else (other, _EXACT.search(text) is not None)
    exact = moment.tzinfo is not None
    try:
        moment = moment.astimezone(dt.UTC) if exact else moment.replace(tzinfo=dt.UTC)
    except (OverflowError, ValueError):
        return None
    return (moment, exact) if 1990 <= moment.year <= 2100 else None


_LOOSE_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})"
    r"(?:[T ]\s*(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?.{0,12}$",
    re.IGNORECASE,
)


def _parse_loose_iso(text: str) -> dt.datetime | None:
    """A date that begins like ISO 8601 in, the moment out, without a zone where none is written."""
    found = _LOOSE_ISO.match(text)
    if found is None or re.search(r"\d\s*(?!UTC|GMT)[A-Z]{3,5}$", text):  # a zone by its name is for `parse_date`
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    offset: dt.tzinfo | None = None
    if zone:
        digits = re.sub(r"\D", "", zone).ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:]) if digits.strip("0") else 0
        offset = (
            dt.timezone(dt.timedelta(minutes=-minutes if zone.startswith("-") else minutes)) if minutes < 1440 else None
        )
    try:
        return dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=offset
        )
    except ValueError:
        return None


def parse_unix_seconds(text: str) -> dt.datetime | None:
    """Seconds or milliseconds since 1970 in, the moment out; None for any other text."""
    text = text.strip()
    if not re.fullmatch(r"1\d{9}(?:\d{3})?", text):
        return None
    return dt.datetime.fromtimestamp(int(text[:10]), dt.UTC)


def day_in_url(url: str) -> dt.datetime | None:
    """Return the day in a URL, or None where it has no day."""
    found = _URL_DATE.search(url)
    return date_in_url(url) if found is not None and found[3] else None


def date_in_url(url: str) -> dt.datetime | None:
    """Return the day in a URL like /2026/11/24/title, or the last day of the month in one like /2026/11/title."""
    found = _URL_DATE.search(url)
    if found is None:
        return None
    try:
        month = int(found[2]) if found[2].isdigit() else _MONTHS.index(found[2][:3].lower()) + 1
        day = dt.datetime(int(found[1]), month, int(found[3] or 1), tzinfo=dt.UTC)
    except ValueError:
        return None
    if not found[3]:  # only the month: the last day, so that the page does not count as older than it is
        day = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return plausible(day)
