"""A search in, the pages of all its hits out: requests run while a page is used, and memory does not grow with the number.

A page is asked for by its range of time, so that a request need not wait for the one before it. The ranges come from counts by
month, and by hour where a month has more than a page.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from pipeline.index.client import Searcher
from pipeline.index.filters import INDEX, Resource
from pipeline.index.hits import HitPage

PAGE: Final[Mapping[Resource, int]] = {"events": 2000, "stories": 500, "articles": 500, "alerts": 2000}
"""How many items one request asks for: a few megabytes. An event has one to three kilobytes, an article's text five."""

AHEAD: Final = 3
"""How many requests run while a page is used: with one or two Elasticsearch would be idle while a page is decoded."""

KEEP_SECONDS: Final = 300
"""How long a slow reader may take for one page."""

Progress = Callable[[int, int], object]
Range = tuple[int | None, int | None]
"""From when until before when, in milliseconds since 1970; None is without a limit."""


@dataclass(slots=True)
class _View:
    """What a search has found at one point in time."""

    searcher: Searcher
    resource: Resource
    query: Mapping[str, Any]
    decode: Callable[[bytes], HitPage[Any]]
    pit: str

    def page(self, within: Range, after: Any = None) -> HitPage[Any]:
        """Return the hits of a range, after those that end with the sort value `after`."""
        found = self.decode(
            self.searcher.page(
                pit=self._kept, size=PAGE[self.resource], track_total_hits=False, query=self._inside(within),
                sort=[{"@timestamp": {"order": "asc", "unmapped_type": "date"}}],
                **({} if after is None else {"search_after": after}),
            )
        )  # fmt: skip
        self.pit = found.pit_id
        return found

    def counted(self, interval: Mapping[str, str], within: Range) -> tuple[int, list[tuple[int, int]]]:
        """Return how many hits a range has, and (beginning, number) of each interval that has some."""
        by = {"date_histogram": {"field": "@timestamp", "min_doc_count": 1, **interval}}
        answer = self.searcher.search(
            INDEX[self.resource], pit=self._kept, query=self._inside(within), size=0, aggs={"by": by},
            track_total_hits=True,
        )  # fmt: skip
        buckets = answer.get("aggregations", {}).get("by", {}).get("buckets", ())
        return int(answer["hits"]["total"]["value"]), [(int(one["key"]), int(one["doc_count"])) for one in buckets]

    @property
    def _kept(self) -> dict[str, str]:
        return {"id": self.pit, "keep_alive": f"{KEEP_SECONDS}s"}

    def _inside(self, within: Range) -> dict[str, Any]:
        ends = {name: at for name, at in zip(("gte", "lt"), within, strict=True) if at is not None}
        return {"bool": {"filter": [self.query, *([{"range": {"@timestamp": ends}}] if ends else ())]}}


def pages(
    searcher: Searcher,
    resource: Resource,
    query: Mapping[str, Any],
    decode: Callable[[bytes], HitPage[Any]],
    progress: Progress | None = None,
) -> Iterator[list[Any]]:
    """Yield all hits of a query as it was at the first request, the earliest first; `progress` gets the count and the total.

    Elasticsearch sends whole documents, because leaving parts of them out takes it as long again.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    view = _View(searcher, resource, query, decode, searcher.open_pit(INDEX[resource], keep_seconds=KEEP_SECONDS))
    try:
        total, months = view.counted({"calendar_interval": "month"}, (None, None))
        with ThreadPoolExecutor(AHEAD, "export") as ahead:
            for done, found in _in_order(view, _ranges(view, months), ahead):
                yield found
                if progress is not None:
                    progress(done, total)
    finally:
        searcher.close_pit(view.pit)


def _in_order(view: _View, ranges: Iterator[Range], ahead: ThreadPoolExecutor) -> Iterator[tuple[int, list[Any]]]:
    """Yield the count so far and the hits of each page."""
    done, size = 0, PAGE[view.resource]
    waiting = deque((within, ahead.submit(view.page, within)) for within in itertools.islice(ranges, AHEAD))
    try:
        while waiting:
            within, asked = waiting.popleft()
            found = asked.result().hits.hits
            if len(found) == size:  # an hour with more than a page
                waiting.appendleft((within, ahead.submit(view.page, within, found[-1].sort)))
            elif following := next(ranges, None):
                waiting.append((following, ahead.submit(view.page, following)))
            done += len(found)
            yield done, found
    finally:
        for _, asked in waiting:
            asked.cancel()


def _ranges(view: _View, months: list[tuple[int, int]]) -> Iterator[Range]:
    """Yield ranges that together are all of time, each with less than a page; only an hour is never split."""
    begin: int | None = None
    inside = 0
    for at, number in _counts(view, months):
        if inside and inside + number >= PAGE[view.resource]:
            yield begin, at
            begin, inside = at, 0
        inside += number
    yield begin, None


def _counts(view: _View, months: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield (beginning, number of hits) of months, or of the hours of a month that has a page or more."""
    ends = [begin for begin, _ in months[1:]]
    for (begin, number), end in itertools.zip_longest(months, ends):
        if number < PAGE[view.resource]:
            yield begin, number
        else:
            yield from view.counted({"fixed_interval": "1h"}, (begin, end))[1]
