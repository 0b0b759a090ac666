"""Let a stopped group read its topics again: every step can run twice, so only what was missing or has new code changes."""

from __future__ import annotations

from typing import Final

from pipeline import bus
from pipeline.settings import Settings

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    bus.WORKER_GROUP: (bus.ARTICLES,),
    bus.INDEXER_GROUP: bus.READS[bus.INDEXER_GROUP],
}
"""What each group reads again. The worker's events and stories come again by themselves when the articles do. The notifier is
not here on purpose: an alert is sent once."""


class ReplayError(ValueError):
    """A group that cannot be replayed; the message names those that can."""


def group_name(name: str) -> str:
    """`indexer` or `dateline-indexer` in, the group's name out.

    Raises:
        ReplayError: it is not one that can be replayed.
    """
    full = name if name.startswith(bus.GROUP_PREFIX) else bus.GROUP_PREFIX + name
    if full not in TOPICS:
        can = ", ".join(group.removeprefix(bus.GROUP_PREFIX) for group in TOPICS)
        why = "; alerts are sent once, so the notifier is never replayed" if full.startswith(bus.NOTIFIER_GROUP) else ""
        raise ReplayError(f"--group: {name!r} cannot be replayed, only {can}{why}")
    return full


def replay(settings: Settings, name: str) -> tuple[str, tuple[str, ...], int]:
    """A group that is stopped in; its name, the topics that it reads from their start now, and how many records those are out.

    Raises:
        ReplayError: it is no such group.
        BusError: it still runs, or Kafka is not there.
    """
    group = group_name(name)
    bus.reset(settings, group, TOPICS[group])
    waiting = sum(lag.records for lag in bus.lags(settings) if lag.group == group and lag.topic in TOPICS[group])
    return group, TOPICS[group], waiting
