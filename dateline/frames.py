"""Records or items in, a table for pandas out, with the columns of `dateline export`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pipeline.index import actions, tables
from pipeline.records import Alert, Document, Event, Story

Framed = Event | Story | Document | Alert


def rows(records: Iterable[Framed]) -> list[dict[str, Any]]:
    """Return a row for each record, all of one kind: a dict with the columns of `dateline export --format csv`."""
    found: list[dict[str, Any]] = []
    for record in records:
        action = actions.action(record, prefix="", now=dt.datetime.now(dt.UTC) + dt.timedelta(days=36_500))
        resource: Any = "articles" if action.name == "documents" else action.name
        form = tables.OWN[resource]
        rows_ = form.of([{"_id": action.id, "_source": action.source}])
        found += [dict(zip(form.names, row, strict=True)) for row in rows_]
    return found


def frame(records: Iterable[Framed]) -> Any:
    """Return a pandas DataFrame with a row for each record, all of one kind.

    Raises:
        ImportError: pandas is not installed (`pip install pandas`).
    """
    import pandas as pd  # noqa: PLC0415 - only notebooks need it

    return pd.DataFrame(rows(records))
