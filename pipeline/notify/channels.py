"""A channel of alerts.toml in, the function that sends through it out. The only importer of apprise.

Secrets (addresses and keys) are read here, at the start and when the configuration changes. No error and no log line contains
them.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
from pathlib import Path

import structlog

from pipeline import bus
from pipeline.alert.rules import Channel
from pipeline.notify import RetryError, Send, alertmanager, webhook
from pipeline.notify.http_post import Post, call, check, http_post
from pipeline.notify.message import message_text
from pipeline.records import Alert, encode
from pipeline.settings import Settings, SettingsError


def sender(channel: Channel, settings: Settings, post: Post = http_post) -> Send:
    """Return the function that sends through a channel.

    Raises:
        SettingsError: the file or variable of a secret does not exist, or an address or secret has a wrong form.
    """
    if channel.type == "terminal":
        return lambda alert, _now: log_alert(alert, channel)
    if channel.type == "kafka":
        return KafkaChannel(channel, settings).send
    if channel.type == "apprise":
        return _apprise_sender(channel, settings)
    address = read_secret(channel, settings, "url")
    if not re.match(r"https?://[^/\s]+", address):
        raise SettingsError(f"channel {channel.name}: url is not an http or https address")
    if channel.type == "alertmanager":
        url = address.rstrip("/") + alertmanager.PATH
        return lambda alert, now: check(call(post, channel, url, *alertmanager.request(alert, channel, now)), now)
    secret = read_secret(channel, settings, "secret")
    try:
        for one in webhook.lines(secret):
            webhook.key(one)
    except webhook.SecretError as error:
        raise SettingsError(f"channel {channel.name}: {error}") from error
    return lambda alert, now: webhook.send(alert, channel, address, secret, post=post, now=now)


def read_secret(channel: Channel, settings: Settings, key: str) -> str:
    """Return the value of `url` or `secret` from its file or variable; empty if the channel names neither.

    Raises:
        SettingsError: the file or variable does not exist or is empty.
    """
    file, variable = getattr(channel, f"{key}_file"), getattr(channel, f"{key}_env")
    where = f"channel {channel.name}: {key}_{'file' if file else 'env'}"
    if file:
        try:
            value = settings.path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{where}: {Path(file)} cannot be read: {error}") from error
    elif variable:
        value = os.environ.get(variable, "").strip()
    else:
        return str(getattr(channel, key, ""))
    if not value:
        raise SettingsError(f"{where}: {file or variable} is empty or not there")
    return value


def log_alert(alert: Alert, channel: Channel) -> None:
    """Write the alert as a log line."""
    structlog.get_logger("alert").info(
        alert.headline, rule=alert.rule, occasion=alert.occasion, sure=round(alert.confidence, 2), url=alert.url,
        **({"message": message_text(alert, channel)} if channel.text == "full" or channel.template else {}),
    )  # fmt: skip


class KafkaChannel:
    """A topic as a channel: the alert unchanged, with its id as key. Holds the publisher."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._topic = channel.topic
        self._settings = settings
        self._publisher: bus.Publisher | None = None

    def send(self, alert: Alert, _now: dt.datetime) -> None:
        """Write the alert and wait until Kafka confirms it.

        Raises:
            RetryError: Kafka or the topic is not available.
        """
        try:
            self._publisher = self._publisher or bus.Publisher(self._settings)
            self._publisher.send(self._topic, alert.id.encode(), encode(alert))
            self._publisher.flush()
        except bus.BusError as error:
            self._publisher = None
            raise RetryError(str(error)) from error


def _apprise_sender(channel: Channel, settings: Settings) -> Send:
    import apprise  # noqa: PLC0415 - loads over a hundred services, so only if a channel uses it

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its log lines contain addresses
    service = apprise.Apprise()
    if not service.add(read_secret(channel, settings, "url")):
        raise SettingsError(f"channel {channel.name}: url is none that apprise understands")

    def send(alert: Alert, _now: dt.datetime) -> None:
        full = channel.text == "full" or channel.template
        title, body = alert.headline, message_text(alert, channel) if full else alert.url
        if not service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise RetryError("apprise: the service did not take it")

    return send
