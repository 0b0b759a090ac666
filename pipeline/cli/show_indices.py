"""Indices or snapshots in, a table for the terminal out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from pipeline.cli import show
from pipeline.index.lifecycle import IndexInfo
from pipeline.index.snapshots import Snapshot

STATES = {"live": Text(""), "replaced": Text("replaced by a replay", "yellow"), "staged": Text("of a replay", "yellow")}


def indices(found: Sequence[IndexInfo]) -> RenderableType:
    """Return a table of the indices."""
    made = show.table("index", "from", "to", "documents", "size", "", right=("documents", "size"))
    made.columns[0].min_width = max((len(one.index) for one in found), default=0)  # a name that is cut is of no use
    for one in found:
        made.add_row(
            one.index, _moment(one.start), _moment(one.end), f"{one.documents:,}", _size(one.bytes), STATES[one.state]
        )
    return Group(show.heading(f"{len(found)} indices", _size(sum(one.bytes for one in found))), made)


def snapshots(found: Sequence[Snapshot]) -> RenderableType:
    """Return a table of the snapshots."""
    made = show.table("snapshot", "state", "ended", "indices", right=("indices",))
    for one in found:
        style = "green" if one.state == "SUCCESS" else "yellow" if one.ended_at is None else "red"
        made.add_row(one.name, Text(one.state.lower(), style), _moment(one.ended_at), str(len(one.indices)))
    return Group(show.heading(f"{len(found)} snapshots"), made)


def _moment(at: dt.datetime | None) -> str:
    if at is None:
        return ""
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute) == (0, 0) else f"{at:%Y-%m-%dT%H:%M}"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
