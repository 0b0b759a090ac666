"""New records on Kafka in, server-sent events to everybody who listens out."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
import structlog
from msgspec import Meta

from pipeline import bus
from pipeline.index import actions, items
from pipeline.index.filters import Resource
from pipeline.records import Alert, Document, Event, Record, RecordError, Story, decode
from pipeline.settings import Settings

log = structlog.get_logger("console")

TOPICS: Final[dict[str, tuple[type[Record], Resource, str]]] = {
    bus.DOCUMENTS: (Document, "articles", "article"),
    bus.EVENTS: (Event, "events", "event"),
    bus.STORIES: (Story, "stories", "story"),
    bus.ALERTS: (Alert, "alerts", "alert"),
}
"""The topics that are followed: the type of their records, their resource, and the name of the server-sent event."""

BEAT_SECONDS: Final = 15.0
WAITING: Final = 1000
"""How many events wait for a slow listener; then the oldest are dropped, and the page asks for the list again."""

RETRY_SECONDS: Final = 2.0
LISTENERS: Final = 200
"""The most listeners at once."""


class LiveQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to listen to."""

    resource: Annotated[tuple[Resource, ...], Meta(max_length=4)] = ("stories", "alerts")


class Live:
    """Follows the topics on a thread from `start` until `stop`, and hands each record to the listeners of its resource."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: dict[asyncio.Queue[bytes], frozenset[Resource]] = {}

    @property
    def full(self) -> bool:
        """Whether there are as many listeners as are allowed."""
        return len(self._listeners) >= LISTENERS

    def start(self) -> None:
        """Begin to follow; call it on the event loop of the listeners."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._follow, name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and all listeners."""
        self._stop.set()
        for queue in self._listeners:
            _put(queue, b"")

    async def listen(self, wanted: frozenset[Resource], *, beat_seconds: float = BEAT_SECONDS) -> AsyncIterator[bytes]:
        """Yield server-sent events of these resources, and a comment every `beat_seconds`, until `stop`."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._listeners[queue] = wanted
        try:
            yield b"retry: 2000\n: listening\n\n"
            while not self._stop.is_set():
                try:
                    event = await asyncio.wait_for(queue.get(), beat_seconds)
                except TimeoutError:
                    event = b": beat\n\n"
                if event:
                    yield event
        finally:
            self._listeners.pop(queue, None)

    def publish(self, resource: Resource, event: bytes) -> None:
        """Hand an event to the listeners of a resource; call it on their event loop."""
        for queue, wanted in self._listeners.items():
            if resource in wanted:
                _put(queue, event)

    def _follow(self) -> None:
        """Follow the topics until `stop`. An outage is logged once, not at each attempt."""
        problem = ""
        while not self._stop.is_set():
            try:
                for message in bus.tail(self._settings, TOPICS, self._stop):
                    problem = ""
                    self._take(message)
            except Exception as error:  # noqa: BLE001 - Kafka's client has many errors, and each means: try again
                if str(error) != problem:
                    problem = str(error)
                    log.warning("topics_unread", error=problem)
                self._stop.wait(RETRY_SECONDS)

    def _take(self, message: bus.Message) -> None:
        kind, resource, name = TOPICS[message.topic]
        if not any(resource in wanted for wanted in tuple(self._listeners.values())) or self._loop is None:
            return
        try:
            event = sse(name, shown(resource, decode(message.value, kind)))
        except (RecordError, msgspec.ValidationError) as error:
            log.debug("not_shown", topic=message.topic, error=str(error))
            return
        self._loop.call_soon_threadsafe(self.publish, resource, event)


def shown(resource: Resource, record: Record) -> items.Item:
    """Return the item of a record, as a search would return it once it is indexed.

    Raises:
        RecordError: the record has no time that chooses its index.
    """
    action = actions.action(record, prefix="", now=dt.datetime.now(dt.UTC))
    return items.item(resource, {"_id": action.id, "_source": action.source})


def sse(name: str, data: Any) -> bytes:
    """Return a server-sent event. JSON of msgspec has no line breaks."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _put(queue: asyncio.Queue[bytes], event: bytes) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)
