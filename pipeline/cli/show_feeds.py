"""The result of a feed check or a feed search in, a table for the terminal out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from pipeline.cli import show
from pipeline.collect.trial import FeedReport


def checked(tried: Sequence[FeedReport]) -> RenderableType:
    """Return a table of the configured feeds and their state."""
    made = show.table("feed", "status", "kind", "entries", "newest", "full text", "what is wrong", right=("entries",))
    for one in tried:
        made.add_row(one.id, _status(one), one.kind, _count(one), _newest(one), one.full_text, _words(one))
    bad = sum(1 for one in tried if not one.ok)
    return Group(show.heading(f"{len(tried)} feeds", f"{bad} cannot be read" if bad else "all can be read"), made)


def found(tried: Sequence[FeedReport]) -> RenderableType:
    """Return a table of the feeds of a site, the most likely first."""
    if not tried:
        return show.heading("No feed found")
    made = show.table("address", "kind", "title", "entries", "newest", "full text", "", right=("entries",))
    for one in tried:
        made.add_row(one.url, one.kind, one.title, _count(one), _newest(one), one.full_text, _words(one))
    return Group(show.heading(f"{len(tried)} feed{'s' if len(tried) != 1 else ''}"), made)


def _status(one: FeedReport) -> Text:
    return Text("ok", style="green") if one.ok else Text("broken", style="red")


def _count(one: FeedReport) -> str:
    return f"{one.entries:,}" if one.ok else ""


def _newest(one: FeedReport) -> str:
    return f"{one.newest_at:%Y-%m-%d %H:%M}" if one.newest_at else ""


def _words(one: FeedReport) -> str:
    return one.problem or "; ".join(one.notes)
