"""The WebSub protocol of a subscriber: the requests to a hub, the hub's verification, and the signature of a push. Pure.

Callback addresses and signing keys are derived from one secret, the feed and its topic, so they are the same after a restart
and in another collector. A push that is not signed with the feed's own key is dropped.
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

from pipeline.collect.entry import join_url

RENEW_SHARE: Final = 0.8
"""Share of the lease after which it is renewed."""

RETRY_AFTER: Final = dt.timedelta(minutes=30)
"""The wait after a hub did not answer, or did not verify the subscription."""

DENIED: Final = dt.timedelta(days=1)
"""The wait after a hub refused; also how long a hub that missed an entry counts as unreliable."""

SHORTEST_LEASE: Final = dt.timedelta(minutes=5)
LONGEST_LEASE: Final = dt.timedelta(days=30)
DEFAULT_LEASE: Final = dt.timedelta(days=1)

SECRET_CHARACTERS: Final = 16
"""The least length of the secret: a shorter one can be found by trying."""

_METHODS: Final = ("sha1", "sha256", "sha384", "sha512")
"""The methods of the standard. Old hubs still sign with sha1, which is safe enough in an HMAC."""


@dataclass(slots=True)
class Subscription:
    """A feed's subscription at a hub. `until` is the end of the lease, set once the hub has verified it."""

    feed_id: str
    hub: str
    topic: str
    due_at: dt.datetime
    until: dt.datetime | None = None
    problem: str = ""
    missed_at: dt.datetime | None = None

    def active(self, now: dt.datetime) -> bool:
        """Whether pushes can be relied on: the lease is verified and not over, and the hub has missed no entry for a day."""
        reliable = self.missed_at is None or now - self.missed_at > DENIED
        return self.until is not None and now < self.until and reliable


def callback_token(secret: str, feed_id: str) -> str:
    """Return the part of the callback URL that stands for a feed and cannot be guessed."""
    return _keyed(secret, "callback", feed_id)[:40]


def signing_key(secret: str, feed_id: str, topic: str) -> str:
    """Return the key that a feed's hub signs its pushes with."""
    return _keyed(secret, "key", feed_id, topic)


def _keyed(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def request_form(
    mode: Literal["subscribe", "unsubscribe"], *, topic: str, callback: str, secret: str, lease_seconds: int
) -> dict[str, str]:
    """What to ask of a hub in, the form to post to it out."""
    form = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    return form | {"hub.lease_seconds": str(lease_seconds), "hub.secret": secret} if mode == "subscribe" else form


def verify(
    query: Mapping[str, str], wanted: Subscription | None, now: dt.datetime
) -> tuple[Literal["yes", "no", "denied"], dt.datetime | None]:
    """A hub's verification request and the subscription that was asked for in, the answer and the end of the lease out."""
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    if mode == "denied" and wanted is not None and topic in ("", wanted.topic):
        return "denied", None
    if mode == "unsubscribe":
        # yes only if it is no longer wanted: otherwise anybody could end a subscription
        return ("no" if wanted is not None and wanted.topic == topic else "yes"), None
    if mode != "subscribe" or wanted is None or topic != wanted.topic or not query.get("hub.challenge"):
        return "no", None
    written = query.get("hub.lease_seconds", "")
    lease = dt.timedelta(seconds=int(written)) if written.isdigit() and len(written) < 10 else DEFAULT_LEASE
    return "yes", now + min(max(lease, SHORTEST_LEASE), LONGEST_LEASE)


def renewal_at(now: dt.datetime, until: dt.datetime) -> dt.datetime:
    """Return when to renew a lease that ends at `until`."""
    return now + (until - now) * RENEW_SHARE


def is_signed(body: bytes, header: str, key: str) -> bool:
    """A pushed body and its X-Hub-Signature header in, whether it is signed with this key out."""
    method, _, given = header.strip().partition("=")
    if method.lower() not in _METHODS or not given.isascii():
        return False
    right = hmac.new(key.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(right, given.strip().lower())


_LINK = re.compile(r"<\s*([^<>]{1,2000}?)\s*>([^<]{0,500})")


def hub_and_topic(links: str, base: str) -> tuple[str, str]:
    """Link headers and the URL of their answer in, the hub and the topic that they name out, or empty strings."""
    found = {"hub": "", "self": ""}
    for target, parameters in _LINK.findall(links):
        relations = re.search(r";\s*rel\s*=\s*\"?([^\";,]+)", parameters, re.IGNORECASE)
        for name in relations.group(1).lower().split() if relations else ():
            if name in found and not found[name]:
                found[name] = join_url(base, target)
    return found["hub"], found["self"]


def options_problem(callback_url: str, secret: str) -> str:
    """The options of WebSub in, what is wrong with them out; an empty string where they are right or WebSub is off."""
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
    """Whether the hub and the topic that a feed names are complete http or https URLs."""
    try:
        return all(urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname for url in (hub, topic))
    except ValueError:
        return False
