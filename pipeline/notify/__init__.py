"""Alerts in, messages to people and programs out: terminal, webhook, apprise, Alertmanager, Kafka.

notifier.py       the notifier process: one thread and one consumer group for each channel
delivery.py       one channel: retries, duplicates, quarantine
channels.py       a channel of alerts.toml in, the function that sends through it out; the only importer of apprise
webhook.py        where a webhook is built, signed and sent
alertmanager.py   the same for Alertmanager
message.py        the text that a person reads
http_post.py      an HTTP POST and what its answer means
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from pipeline.records import Alert

Send = Callable[[Alert, dt.datetime], None]
"""Takes an alert and the current time, and returns when the channel has accepted it. Raises RetryError or DeliveryError."""


class DeliveryError(Exception):
    """The channel will not accept this alert, now or later."""


class RetryError(Exception):
    """The channel cannot accept the alert now; `retry_after_seconds` is the wait that it asked for."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
