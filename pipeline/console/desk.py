"""What the endpoints share: the settings, the connection to Elasticsearch, and the clock."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

from pipeline.index import client, items
from pipeline.index.filters import INDEX, Resource
from pipeline.settings import Settings


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Desk:
    """Holds the connection to Elasticsearch; `close` ends it. May be used from several threads."""

    def __init__(self, settings: Settings, *, now: Callable[[], dt.datetime] = _now) -> None:
        self.settings = settings
        self.now = now
        self.searcher = client.Searcher(settings)
        self.changing = threading.Lock()
        """Held while a file of the configuration is changed, so that two changes do not overwrite each other."""

    def close(self) -> None:
        """End the connection."""
        self.searcher.close()

    def hit(
        self, resource: Resource, identifier: str, *, hidden: tuple[str, ...] = items.HIDDEN
    ) -> dict[str, Any] | None:
        """Return the document with this id as Elasticsearch has it, or None."""
        found = self.searcher.search(
            INDEX[resource], query={"term": {"event.id": identifier}}, size=1, source_excludes=list(hidden)
        )["hits"]["hits"]
        return found[0] if found else None
