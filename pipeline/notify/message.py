"""An alert and a channel in, the text that a person reads out."""

from __future__ import annotations

from pipeline.alert.rules import Channel
from pipeline.records import Alert


def message_text(alert: Alert, channel: Channel) -> str:
    """Return the channel's own template with the parts of the alert, the whole message, or one line and the link."""
    if channel.template and not alert.gathers and alert.parts:
        return channel.template.format_map(_Parts(alert.parts))
    return alert.message if channel.text == "full" else f"{alert.headline}\n{alert.url}"


class _Parts(dict[str, str]):
    """The parts of an alert. A part that an older worker did not write yet is an empty string."""

    def __missing__(self, key: str) -> str:
        return ""
