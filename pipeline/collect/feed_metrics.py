"""The series of each feed on /metrics. They exist as long as this collector polls the feed."""

from __future__ import annotations

import contextlib

from pipeline import metrics
from pipeline.records import FeedState


def show(state: FeedState) -> None:
    """Set a feed's series from its state: when it was last read (0 if it never was), and whether it has fallen silent."""
    if state.succeeded_at is not None:
        seconds = state.succeeded_at.timestamp()
        metrics.feed_last_success_timestamp_seconds.labels(feed=state.id).set(seconds)
    elif state.failures:
        metrics.feed_last_success_timestamp_seconds.labels(feed=state.id).set(0)
    if state.checked_at is not None:
        metrics.feed_silent.labels(feed=state.id).set(state.silence is not None)


def hide(feed_id: str) -> None:
    """Remove the series of a feed that another collector polls now."""
    for series in (metrics.feed_last_success_timestamp_seconds, metrics.feed_silent):
        with contextlib.suppress(KeyError):
            series.remove(feed_id)
