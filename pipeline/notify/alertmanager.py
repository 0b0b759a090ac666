"""An alert in, the body of a request to Alertmanager's API (version 2) out."""

from __future__ import annotations

import datetime as dt
import json
from typing import Final

from pipeline.alert.rules import Channel
from pipeline.notify.message import message_text
from pipeline.process import VERSION
from pipeline.records import Alert

PATH: Final = "/api/v2/alerts"
FIRING: Final = dt.timedelta(hours=1)
"""How long an alert stays firing. Without it Alertmanager would report it as resolved after its resolve_timeout."""


def request(alert: Alert, channel: Channel, now: dt.datetime) -> tuple[bytes, dict[str, str]]:
    """Return body and headers. The labels identify the alert, the annotations describe it."""
    item = {
        "labels": {
            "alertname": alert.rule,
            "alert_id": alert.id,
            "story_id": alert.story_id,
            "occasion": alert.occasion,
            "kind": alert.kind,
            "event_type": alert.event_type,
            "service": "dateline",
        },
        "annotations": {
            "summary": alert.headline,
            "description": message_text(alert, channel),
            "evidence": alert.evidence,
            "about": alert.about,
        },
        "startsAt": min(alert.raised_at, now).isoformat(),
        "endsAt": (now + FIRING).isoformat(),
        "generatorURL": alert.url,
    }
    headers = {"Content-Type": "application/json", "User-Agent": f"Dateline/{VERSION}", **channel.headers}
    return json.dumps([item]).encode(), headers
