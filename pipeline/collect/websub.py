"""WebSub as a subscriber speaks it: what to send to a hub, what its questions and pushes are worth. Pure.

Addresses and secrets are derived from one secret, the feed and its topic, so a restart or another collector knows them without
a word. A hub signs what it pushes; what is not signed with the feed's own secret is dropped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from pipeline.collect.entry import joined

RENEW_SHARE: Final = 0.8
"""Share of the lease after which it is renewed."""

AGAIN: Final = dt.timedelta(minutes=30)
"""After a hub that did not answer, or did not ask back."""

DENIED: Final = dt.timedelta(days=1)
"""After a hub that said no."""

SHORTEST: Final = dt.timedelta(minutes=5)
LONGEST: Final = dt.timedelta(days=30)

SECRET_CHARACTERS: Final = 16
"""A shorter secret can be tried out."""

_METHODS: Final = ("sha1", "sha256", "sha384", "sha512")
"""Those of the standard. Old hubs still sign with sha1: as a keyed hash it holds."""


@dataclass(slots=True)
class Subscription:
    """What a feed's hub was asked for and what it said. `until` is set once it is verified."""

    feed_id: str
    hub: str
    topic: str
    due_at: dt.datetime
    until: dt.datetime | None = None
    problem: str = ""
    missed_at: dt.datetime | None = None

    def active(self, now: dt.datetime) -> bool:
        """Whether pushes can be relied on: verified, not over, and nothing was found that it should have pushed."""
        reliable = self.missed_at is None or now - self.missed_at > DENIED
        return self.until is not None and now < self.until and reliable


def token(secret: str, feed_id: str) -> str:
    """The part of the callback's address that stands for a feed, and that nobody can guess."""
    return _keyed(secret, "callback", feed_id)[:40]


def key(secret: str, feed_id: str, topic: str) -> str:
    """What a feed's hub signs with."""
    return _keyed(secret, "key", feed_id, topic)


def _keyed(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def request(
    mode: Literal["subscribe", "unsubscribe"], *, topic: str, callback: str, secret: str, lease_seconds: int
) -> dict[str, str]:
    """What is wanted of a hub in, the form to post to it out."""
    form = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    return form | {"hub.lease_seconds": str(lease_seconds), "hub.secret": secret} if mode == "subscribe" else form


def verified(
    query: Mapping[str, str], wanted: Subscription | None, now: dt.datetime
) -> tuple[Literal["yes", "no", "denied"], dt.datetime | None]:
    """A hub's question whether we meant it, and what we asked for, in; the answer, and until when the lease lasts, out."""
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    if mode == "denied" and wanted is not None and topic in ("", wanted.topic):
        return "denied", None
    if mode == "unsubscribe":
        # yes only to what is wanted no more: else anybody could end a subscription
        return ("no" if wanted is not None and wanted.topic == topic else "yes"), None
    if mode != "subscribe" or wanted is None or topic != wanted.topic or not query.get("hub.challenge"):
        return "no", None
    written = query.get("hub.lease_seconds", "")
    lease = dt.timedelta(seconds=int(written)) if written.isdigit() and len(written) < 10 else dt.timedelta(days=1)
    return "yes", now + min(max(lease, SHORTEST), LONGEST)


def renewal(now: dt.datetime, until: dt.datetime) -> dt.datetime:
    """When a lease is to be renewed."""
    return now + (until - now) * RENEW_SHARE


def signed(body: bytes, header: str, secret: str) -> bool:
    """A pushed body and its X-Hub-Signature in, whether it is signed with this secret out."""
    method, _, given = header.strip().partition("=")
    if method.lower() not in _METHODS or not given.isascii():
        return False
    right = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(right, given.strip().lower())


_LINK = re.compile(r"<\s*([^<>]{1,2000}?)\s*>([^<]{0,500})")


def offered(links: str, base: str) -> tuple[str, str]:
    """Link headers and the address they came from in, the hub and the topic that they name out; empty where they do not."""
    found = {"hub": "", "self": ""}
    for target, parameters in _LINK.findall(links):
        relations = re.search(r";\s*rel\s*=\s*\"?([^\";,]+)", parameters, re.IGNORECASE)
        for name in relations.group(1).lower().split() if relations else ():
            if name in found and not found[name]:
                found[name] = joined(base, target)
    return found["hub"], found["self"]


def problem(callback_url: str, secret: str) -> str:
    """The options of WebSub in, what is wrong with them out; nothing where they are right, or it is off."""
    if not callback_url:
        return ""
    if not callback_url.startswith(("https://", "http://")):
        return "websub.callback_url: has to begin with https:// or http://"
    return (
        ""
        if len(secret) >= SECRET_CHARACTERS
        else f"websub.secret: give a text of {SECRET_CHARACTERS} characters or more"
    )


def acceptable(hub: str, topic: str) -> bool:
    """Whether a feed's words for its hub and its own address can be used."""
    try:
        return all(urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname for url in (hub, topic))
    except ValueError:
        return False
