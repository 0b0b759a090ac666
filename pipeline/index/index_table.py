"""The moment when an item was first seen in, the index that holds it out. Pure.

Each month has an index, and a month that grows too large has several, each from a moment on that is in its name:
`news-events-v1-2026.11` begins with November, `news-events-v1-2026.11.17t15` at 15:00 on the 17th. An item is in the one that
had begun when it was first seen, which never changes. So an id is never in two indices, in whatever order items are written,
by however many indexers, and in any replay. What exists is known from the alias; the names of a month may have any beginning.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.settings import Retention

MAPPING_VERSION: Final = 1
"""It is in the name of a new index, and grows where a field gets another type. An index of an earlier version stays in use and
learns new fields only; `dateline replay --stage index` makes it anew, so an earlier document must fit into the new mapping."""

_START: Final = re.compile(r"-v\d+-(\d{4})\.(\d{2})(?:\.(\d{2})t(\d{2}))?$")
AHEAD: Final = dt.timedelta(minutes=10)
"""A new index begins at least so long after it is made: by then every indexer knows it, whatever its clock says."""


def start_of(index: str) -> dt.datetime | None:
    """Return the moment from which on an index holds items; None if its name has none."""
    found = _START.search(index)
    if found is None:
        return None
    year, month, day, hour = (int(part) if part else None for part in found.groups())
    return dt.datetime(year or 1, month or 1, day or 1, hour or 0, tzinfo=dt.UTC)


def month_end(at: dt.datetime) -> dt.datetime:
    """Return the end of the month of a moment."""
    days = calendar.monthrange(at.year, at.month)[1]
    return dt.datetime(at.year, at.month, 1, tzinfo=dt.UTC) + dt.timedelta(days=days)


def next_start(now: dt.datetime) -> dt.datetime:
    """Return the next full hour that is at least `AHEAD` away."""
    at = now + AHEAD
    return at.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)


def month_index(prefix: str, name: str, seen: dt.datetime) -> str:
    """Return the name of the index with which a month begins."""
    return f"{prefix}-{name}-v{MAPPING_VERSION}-{seen:%Y.%m}"


def successor(prefix: str, name: str, start: dt.datetime) -> str:
    """Return the name of an index that takes over in the middle of a month."""
    return f"{prefix}-{name}-v{MAPPING_VERSION}-{start:%Y.%m.%dt%H}"


def days_kept(retention: Retention, name: str) -> int:
    """Return for how many days an index keeps its items, by its name (`events`); 0 is without a limit."""
    days = {
        "documents": retention.documents_days,
        "events": retention.events_days,
        "stories": retention.stories_days,
        "alerts": retention.alerts_days,
        "failures": retention.failures_days,
    }
    return days.get(name, 0)


@dataclass(frozen=True, slots=True)
class IndexTable:
    """The existing indices of each name (`events`), with the moment from which on each holds items."""

    starts: Mapping[str, tuple[tuple[dt.datetime, str], ...]] = field(default_factory=dict)

    def index(self, name: str, seen: dt.datetime) -> str | None:
        """Return the index of an item that was first seen at this moment; None if its month has none yet."""
        found = None
        for start, index in self.starts.get(name, ()):
            if start <= seen and (start.year, start.month) == (seen.year, seen.month):
                found = index
        return found

    def end(self, name: str, start: dt.datetime) -> dt.datetime:
        """Return the moment until which an index holds items: the start of the next one, or the end of its month."""
        later = [at for at, _ in self.starts.get(name, ()) if start < at < month_end(start)]
        return min(later, default=month_end(start))


def known(indices: Mapping[str, Iterable[str]]) -> IndexTable:
    """The indices behind each alias in, their places out. An index whose name has no moment is left out."""
    return IndexTable(
        {
            name: tuple(sorted((start, index) for index in found if (start := start_of(index)) is not None))
            for name, found in indices.items()
        }
    )
