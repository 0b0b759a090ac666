"""Make a stopped consumer group read its topics again.

Every step can run twice, so a replay only adds what is missing and updates what new code reads differently.
"""

from __future__ import annotations

from typing import Final

from pipeline import bus
from pipeline.settings import Settings

TOPICS: Final[dict[str, tuple[str, ...]]] = {
    bus.WORKER_GROUP: (bus.ARTICLES,),
    bus.INDEXER_GROUP: bus.READS[bus.INDEXER_GROUP],
    bus.BACKFILL_GROUP: (bus.BACKFILL,),
}
"""The topics that each group reads again. The worker writes its events and stories again when it reads the articles. The
notifier is not listed, because an alert is sent only once."""


class ReplayError(ValueError):
    """A group that cannot be replayed; the message names those that can."""


def group_name(name: str) -> str:
    """Return the full name of a group: `dateline-indexer` for `indexer` or `dateline-indexer`.

    Raises:
        ReplayError: the group cannot be replayed.
    """
    full = name if name.startswith(bus.GROUP_PREFIX) else bus.GROUP_PREFIX + name
    if full not in TOPICS:
        can = ", ".join(group.removeprefix(bus.GROUP_PREFIX) for group in TOPICS)
        why = "; alerts are sent once, so the notifier is never replayed" if full.startswith(bus.NOTIFIER_GROUP) else ""
        raise ReplayError(f"--group: {name!r} cannot be replayed, only {can}{why}")
    return full


def replay(settings: Settings, name: str) -> tuple[str, tuple[str, ...], int]:
    """Reset a stopped group to the start of its topics; return its full name, the topics and the number of records.

    Raises:
        ReplayError: the group cannot be replayed.
        BusError: the group still runs, or Kafka is not available.
    """
    group = group_name(name)
    bus.reset(settings, group, TOPICS[group])
    waiting = sum(lag.records for lag in bus.lags(settings) if lag.group == group and lag.topic in TOPICS[group])
    return group, TOPICS[group], waiting
