"""Feeds: their health and rhythm; added, removed, imported and exported while the service runs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from pipeline import bus
from pipeline.collect import feeds, opml
from pipeline.collect.entry import FeedError
from pipeline.collect.opml import ListedFeed
from pipeline.console.api import ApiError, Call, Endpoint
from pipeline.console.desk import Desk
from pipeline.operate import status
from pipeline.operate.status import FeedHealth
from pipeline.records import Feed
from pipeline.settings import SettingsError

FeedText = Annotated[str, Meta(max_length=200)]


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as configured, and what the collector knows of it. `gap_seconds` is how often it publishes."""

    id: str
    url: str
    title: str = ""
    publisher: str = ""
    group: str = ""
    language: str | None = None
    enabled: bool = True
    status: Literal["ok", "failing", "silent", "waiting", "retired", "disabled"] = "waiting"
    error: str | None = None
    failures: int = 0
    checked_at: dt.datetime | None = None
    succeeded_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    newest_at: dt.datetime | None = None
    entries: int = 0
    gap_seconds: float | None = None
    silence: str | None = None


class FeedsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All feeds; `problem` says why their health is not known."""

    feeds: list[FeedItem]
    problem: str = ""


class FeedBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed to add."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    title: FeedText = ""
    publisher: FeedText = ""
    group: FeedText = ""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}$")] | None = None
    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")] | None = None


class FeedId(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a feed."""

    id: str


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A feed that was not imported, and why."""

    url: str
    reason: str


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of the feeds that were added, and those that were not."""

    added: list[str]
    left_out: list[LeftOut]


def listed(desk: Desk, _call: Call) -> FeedsAnswer:
    """Return all feeds with their health."""
    known = feeds.load(desk.settings, disabled=True)
    enabled = {feed.id for feed in feeds.load(desk.settings)}
    states: dict[str, FeedHealth] = {}
    problem = ""
    try:
        states = {one.id: one for one in status.feed_states(bus.read_all(desk.settings, bus.FEEDS))}
    except bus.BusError as error:
        problem = str(error)
    return FeedsAnswer(feeds=[_item(feed, states.get(feed.id), feed.id in enabled) for feed in known], problem=problem)


def _item(feed: Feed, state: FeedHealth | None, enabled: bool) -> FeedItem:
    found = FeedItem(
        id=feed.id, url=feed.url, title=feed.title, publisher=feed.publisher, group=feed.group, language=feed.language,
        enabled=enabled, status="waiting" if enabled else "disabled",
    )  # fmt: skip
    if state is None or state.url != feed.url:
        return found
    said: Literal["ok", "failing", "silent", "waiting", "retired", "disabled"] = (
        "disabled" if not enabled
        else "retired" if state.retired
        else "failing" if state.failures
        else "silent" if state.silence
        else "ok" if state.succeeded_at
        else "waiting"
    )  # fmt: skip
    return msgspec.structs.replace(
        found, status=said, title=feed.title or state.title, error=state.error, failures=state.failures,
        checked_at=state.checked_at, succeeded_at=state.succeeded_at, due_at=state.due_at, newest_at=state.newest_at,
        entries=state.entries, gap_seconds=state.gap_seconds, silence=state.silence,
    )  # fmt: skip


def added(desk: Desk, call: Call) -> FeedId:
    """Add a feed; the collector polls it within seconds."""
    body: FeedBody = call.body
    with desk.changing:
        wanted = ListedFeed(body.url, body.title, body.group, body.language)
        found = opml.new_feeds([wanted], feeds.load(desk.settings, disabled=True))
        if found.left_out:
            reason = found.left_out[0][1]
            raise ApiError(409 if reason.endswith("already") else 400, f"url: {body.url} {reason}", "url")
        [feed] = found.feeds
        feed = msgspec.structs.replace(feed, id=body.id or feed.id, publisher=body.publisher)
        feeds.add(desk.settings, [feed])
    return FeedId(id=feed.id)


def removed(desk: Desk, call: Call) -> None:
    """Remove a feed; what it has published stays."""
    with desk.changing:
        try:
            feeds.remove(desk.settings, call.path["id"])
        except SettingsError as error:
            raise ApiError(404, str(error), "id") from None


def imported(desk: Desk, call: Call) -> ImportAnswer:
    """Add the feeds of an OPML file."""
    with desk.changing:
        try:
            listed_feeds = opml.read(call.body)
        except FeedError as error:
            raise ApiError(400, f"the body: {error}") from None
        found = opml.new_feeds(listed_feeds, feeds.load(desk.settings, disabled=True))
        if found.feeds:
            feeds.add(desk.settings, found.feeds)
    left_out = [LeftOut(url=one.url, reason=reason) for one, reason in found.left_out]
    return ImportAnswer(added=[feed.id for feed in found.feeds], left_out=left_out)


def exported(desk: Desk, _call: Call) -> Response:
    """Return the feeds as OPML."""
    body = opml.write(feeds.load(desk.settings), now=desk.now())
    return Response(
        body, media_type="text/x-opml", headers={"Content-Disposition": 'attachment; filename="feeds.opml"'}
    )


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/feeds", about="All feeds with their health.", call=listed, answer=FeedsAnswer),
    Endpoint(method="POST", path="/feeds", about="Add a feed.", call=added, body=FeedBody, answer=FeedId, status=201,
             role="operate"),
    Endpoint(method="DELETE", path="/feeds/{id}", about="Remove a feed.", call=removed, status=204, role="operate"),
    Endpoint(method="POST", path="/feeds/import", about="Add the feeds of an OPML file.", call=imported, body=bytes,
             answer=ImportAnswer, role="operate"),
    Endpoint(method="GET", path="/feeds/opml", about="The feeds as OPML.", call=exported, media=("text/x-opml",)),
)  # fmt: skip
