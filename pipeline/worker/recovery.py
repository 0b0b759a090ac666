"""A partition in, the state of its stories or alerts out, read from Kafka when a worker is assigned the partition."""

from __future__ import annotations

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
    latest: dict[str, Story] = {}
    for message in bus.read_all(settings, bus.STORIES, partition):
        source = Source(message.topic, message.partition, message.offset, message.key, message.value or b"")
        with stage.recorded("recover", source):
            story = decode(source.raw, Story)
            if story.id not in latest or latest[story.id].revision <= story.revision:
                latest[story.id] = story
    log.info("stories_recovered", partition=partition, stories=len(latest))
    return Stories(settings.track, latest.values())


def load_alert_state(settings: Settings, partition: int) -> AlertState:
    """Return the state of a partition of `news.alerts`: which alerts rang and which wait for their digest."""
    alert_state = AlertState()
    for message in bus.read_all(settings, bus.ALERTS, partition):
        try:
            alert_state.remember(decode(message.value, Alert))
        except RecordError:
            continue  # the notifier reports records that are no alerts
    return alert_state
