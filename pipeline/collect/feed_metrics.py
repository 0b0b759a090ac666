"""What an operator sees of each feed: its series on /metrics, there while the feed is this collector's."""

from __future__ import annotations

import contextlib

from pipeline import metrics
from pipeline.records import FeedState


def show(state: FeedState) -> None:
    """A feed's state in, on its series: when it was last read (0 where it never could be), and whether it fell silent."""
    if state.succeeded_at is not None:
        seconds = state.succeeded_at.timestamp()
        metrics.feed_last_success_timestamp_seconds.labels(feed=state.id).set(seconds)
    elif state.failures:
        metrics.feed_last_success_timestamp_seconds.labels(feed=state.id).set(0)
    if state.checked_at is not None:
        metrics.feed_silent.labels(feed=state.id).set(state.silence is not None)


def hide(feed_id: str) -> None:
    """A feed that is another collector's now: its series belong to that one."""
    for series in (metrics.feed_last_success_timestamp_seconds, metrics.feed_silent):
        with contextlib.suppress(KeyError):
            series.remove(feed_id)
