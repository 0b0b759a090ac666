"""A partition in, the state of its stories or alerts out, read from Kafka when a worker is assigned the partition."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from pipeline import bus, stage
from pipeline.alert.throttle import AlertState
from pipeline.records import Alert, RecordError, Story, decode
from pipeline.settings import Settings
from pipeline.stage import Source
from pipeline.track.stories import Stories

log = structlog.get_logger("worker")


def load_stories(settings: Settings, partition: int) -> Stories:
    """Return the open stories of a partition of `news.stories`: the latest revision of each."""
    stories = Stories(settings.track, _revisions(settings, partition))
    log.info("stories_recovered", partition=partition, stories=len(stories))
    return stories


def _revisions(settings: Settings, partition: int) -> Iterator[Story]:
    """Yield the revisions of the stories of a partition, one by one: unpacked, all together would take gigabytes."""
    for message in bus.read_all(settings, bus.STORIES, partition):
        source = Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
        found: Story | None = None
        with stage.recorded("recover", source):
            found = decode(source.raw, Story)
        if found is not None:
            yield found


def load_alert_state(settings: Settings, partition: int) -> AlertState:
    """Return the state of a partition of `news.alerts`: which alerts rang and which wait for their digest."""
    alert_state = AlertState()
    for message in bus.read_all(settings, bus.ALERTS, partition):
        try:
            alert_state.remember(decode(message.value, Alert))
        except RecordError:
            continue  # the notifier reports records that are no alerts
    return alert_state
