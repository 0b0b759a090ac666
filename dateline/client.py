"""A client for the query API of a running Dateline, typed as the API describes itself."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from pipeline.console.item_endpoints import AlertPage, ArticlePage, EventPage, StoryPage
from pipeline.index.export import Format
from pipeline.index.filters import Resource
from pipeline.index.items import TYPES, AlertItem, ArticleItem, EventItem, StoryItem

PIECE_BYTES: Final = 1_000_000
_PAGES: Final = {"events": EventPage, "stories": StoryPage, "articles": ArticlePage, "alerts": AlertPage}


class ClientError(Exception):
    """The API refuses a request or does not answer: `status` (0 without an answer) and the reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Asks the API at `address`, for example http://127.0.0.1:29110, and waits at most `seconds` for each answer.

    `secret` is a user's, where log-in is needed; `ca_file` is a PEM file with the authority of the server's certificate
    (default: those of the system).

    The filters of every method are those of the API: `q`, `kind`, `actor`, `recipient`, `place`, `since`, `money_at_least` ...
    (/api/v1/openapi.json); a list stands for several values of one filter. Every method raises ClientError.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:29110",
        *,
        secret: str = "",
        ca_file: str | None = None,
        seconds: float = 60,
    ) -> None:
        self._address = address.rstrip("/") + "/api/v1"
        self._headers = {"X-Dateline": "1", "Accept": "application/json"}
        if secret:
            self._headers["Authorization"] = f"Bearer {secret}"
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self._seconds = seconds

    def events(self, *, limit: int | None = 100, **filters: Any) -> Iterator[EventItem]:
        """Yield the events of a search, page by page; all of them if `limit` is None."""
        yield from self._listed("events", limit, filters)

    def stories(self, *, limit: int | None = 100, **filters: Any) -> Iterator[StoryItem]:
        """Yield the stories of a search, page by page; all of them if `limit` is None."""
        yield from self._listed("stories", limit, filters)

    def articles(self, *, limit: int | None = 100, **filters: Any) -> Iterator[ArticleItem]:
        """Yield the articles of a search, page by page; all of them if `limit` is None."""
        yield from self._listed("articles", limit, filters)

    def alerts(self, *, limit: int | None = 100, **filters: Any) -> Iterator[AlertItem]:
        """Yield the alerts of a search, page by page; all of them if `limit` is None."""
        yield from self._listed("alerts", limit, filters)

    def event(self, identifier: str) -> EventPage:
        """Return an event with its article and the parts of the text that it was read from."""
        return self._item("events", identifier)  # type: ignore[no-any-return]

    def story(self, identifier: str) -> StoryPage:
        """Return a story with its timeline, reports, events and alerts."""
        return self._item("stories", identifier)  # type: ignore[no-any-return]

    def article(self, identifier: str) -> ArticlePage:
        """Return an article with its text and events."""
        return self._item("articles", identifier)  # type: ignore[no-any-return]

    def count(self, resource: Resource = "events", **filters: Any) -> int:
        """Return how many items a search finds."""
        return int(self.ask(f"/{resource}", limit=1, **filters)["total"])

    def facets(self, *fields: str, resource: Resource = "events", **filters: Any) -> dict[str, dict[str, int]]:
        """Return field -> value -> count for the most frequent values of each field."""
        found = self.ask(f"/{resource}/facets", field=list(fields), **filters)["facets"]
        return {name: {one["label"]: one["count"] for one in values} for name, values in found.items()}

    def sums(
        self, by: str, *, resource: Literal["events", "stories"] = "events", **filters: Any
    ) -> list[dict[str, Any]]:
        """Return groups with count, money in US dollars, dead and injured; `by` is kind, day, actor, recipient_country ...

        Of events each report counts, of stories (`resource`) each happening once.
        """
        found: list[dict[str, Any]] = self.ask(f"/{resource}/sums", by=by, **filters)["groups"]
        return found

    def export(self, file: str | Path, *, resource: Resource = "events", form: Format = "csv", **filters: Any) -> Path:
        """Write all items of a search to a file, in the format `form`, and return its path. A file that exists is replaced."""
        path = Path(file)
        with self._open(f"/{resource}/export", {"format": form, **filters}) as answer, path.open("wb") as stream:
            while piece := answer.read(PIECE_BYTES):
                stream.write(piece)
        return path

    def ask(self, path: str, **query: Any) -> Any:
        """Return the JSON of any other GET of the API, for example `ask("/status")`."""
        with self._open(path, query) as answer:
            return msgspec.json.decode(answer.read())

    def _listed(self, resource: Resource, limit: int | None, filters: dict[str, Any]) -> Iterator[Any]:
        query = {"limit": min(limit or 200, 200), **filters}
        left = limit
        while True:
            page = self.ask(f"/{resource}", **query)
            for one in page["items"]:
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield msgspec.convert(one, TYPES[resource])
            if not page["next"]:
                return
            query = {"cursor": page["next"]}

    def _item(self, resource: Resource, identifier: str) -> Any:
        return msgspec.convert(self.ask(f"/{resource}/{quote(identifier, safe='')}"), _PAGES[resource])

    def _open(self, path: str, query: dict[str, Any]) -> Any:
        words = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        request = urllib.request.Request(f"{self._address}{path}?{words}", headers=self._headers)  # noqa: S310 - the user's address
        try:
            return urllib.request.urlopen(request, timeout=self._seconds, context=self._tls)  # noqa: S310 - as above
        except urllib.error.HTTPError as error:
            raise ClientError(error.code, _reason(error)) from None
        except OSError as error:
            raise ClientError(0, f"{self._address}: {error}") from error


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"]["message"])
    except (ValueError, KeyError, OSError):
        return f"status {error.code}"
