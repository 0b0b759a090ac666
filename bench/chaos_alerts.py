"""Which alerts should have rung: the articles that the worker has read, told again to new stories and rules without a fault."""

from __future__ import annotations

import contextlib

from pipeline import bus
from pipeline.alert import rules
from pipeline.alert.throttle import AlertState
from pipeline.records import Brief, RecordError, decode
from pipeline.settings import Settings
from pipeline.track.stories import PARTITION, Stories


def expected(settings: Settings) -> set[str]:
    """Return the ids of the alerts of all articles, also of those that are held back. The clock's digests are not among them.

    Raises:
        BusError: Kafka cannot be reached.
    """
    stories, alerts, found = Stories(settings.track), AlertState(), rules.load(settings).rules
    ids: set[str] = set()
    for message in bus.read_all(settings, bus.BRIEFS, PARTITION):
        with contextlib.suppress(RecordError):  # planted garbage
            for story in stories.fold(decode(message.value, Brief)):
                ids |= {alert.id for alert in alerts.alerts_for(found, story) if not alert.gathers}
    return ids
