"""A search in, all of its items as a file out, in pieces: memory does not grow with the number. The only importer of arro3."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain, islice, pairwise
from typing import Any, Final, Literal, TypedDict, get_args

import arro3.core
import arro3.io
import msgspec

from pipeline.index import items, tables
from pipeline.index.client import Searcher
from pipeline.index.filters import INDEX, Resource, SearchError
from pipeline.index.tables import Hit, Kind, TableForm

Format = Literal["csv", "jsonl", "geojson", "parquet", "plover", "cameo", "acled"]
FORMATS: Final = get_args(Format)
MEDIA: Final[Mapping[Format, str]] = {
    "csv": "text/csv; charset=utf-8", "plover": "text/csv; charset=utf-8", "cameo": "text/csv; charset=utf-8",
    "acled": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
ENDINGS: Final[Mapping[Format, str]] = {
    "csv": "csv", "jsonl": "jsonl", "geojson": "geojson", "parquet": "parquet", "plover": "plover.csv", "cameo": "cameo.csv",
    "acled": "acled.csv",
}  # fmt: skip

PAGE: Final[Mapping[Resource, int]] = {"events": 2000, "stories": 500, "articles": 500, "alerts": 2000}
"""How many items one request asks for: a few megabytes. An event has one to three kilobytes, an article's text five."""

SPAN_ITEMS: Final = 20_000
"""One request looks at the months of about so many items: over all months, each month's index would collect a whole page."""

KEEP_SECONDS: Final = 300
"""How long a slow reader may take for one page."""

ROW_GROUP: Final = 20_000
ROWS: Final = 200
"""How many rows of CSV are written at once."""

CHUNK_BYTES: Final = 1_000_000

Progress = Callable[[int, int], object]
_encode: Final = msgspec.json.Encoder().encode


def require(resource: Resource, form: Format) -> None:
    """Check that a resource can be written in a format.

    Raises:
        SearchError: it cannot.
    """
    if form in tables.OTHERS and resource != "events":
        raise SearchError(f"format: {form} is a table of events; {resource} have no such form")
    if form == "geojson" and resource not in ("events", "stories"):
        raise SearchError(f"format: {resource} have no places")


class _Sorted(msgspec.Struct):
    sort: list[Any]


class _SortedHits(msgspec.Struct):
    hits: list[_Sorted]


class _Ends(msgspec.Struct):
    """The part of a page that the next request needs; decoding it takes a tenth of the time that all of it takes."""

    hits: _SortedHits
    pit_id: str


_ends: Final = msgspec.json.Decoder(_Ends).decode
Span = tuple[int | None, int | None]
"""From when until before when, in milliseconds since 1970; None is without a limit."""


@cache
def _decoder(form: TableForm | None) -> Callable[[bytes], Any]:
    """Return what decodes the hits of a page: with `form` only what its rows read, which takes half the time."""
    hit: Any = dict[str, Any]
    if form is not None:
        typed: Any = TypedDict  # its parts are known only here, which mypy does not take
        news = typed("news", dict.fromkeys(form.fields, Any), total=False)
        source = {"@timestamp": Any, "url": Any, "rule": Any, "news": news}
        hit = typed("hit", {"_id": str, "_source": typed("source", source, total=False)}, total=False)
    found = msgspec.defstruct("PageHits", [("hits", list[hit])])
    return msgspec.json.Decoder(msgspec.defstruct("Page", [("hits", found)])).decode


def hits(
    searcher: Searcher,
    resource: Resource,
    query: Mapping[str, Any],
    *,
    form: Format = "jsonl",
    progress: Progress | None = None,
) -> Iterator[Hit]:
    """Yield every hit of a query as it was at the first request, the earliest first; `progress` gets the count and the total.

    A hit has what `write` needs for `form`. While the hits of one page are used, the next page is fetched. Elasticsearch sends
    whole documents, because leaving parts of them out takes it as long again.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    size, done = PAGE[resource], 0
    decode = _decoder(_table(resource, form))
    pit = searcher.open_pit(INDEX[resource], keep_seconds=KEEP_SECONDS)

    def ask(span: Span, after: list[Any] | None) -> bytes:
        return searcher.page(pit=_kept(pit), **_request(query, size, span, after))

    try:
        total, spans = _spans(searcher, resource, query, pit)
        with ThreadPoolExecutor(1, "export") as ahead:
            span = spans.pop(0)
            waiting = ahead.submit(ask, span, None)
            while True:
                page = waiting.result()
                ends = _ends(page)
                found, pit = ends.hits.hits, ends.pit_id
                full = len(found) == size
                more = full or bool(spans)
                if more:
                    span = span if full else spans.pop(0)
                    waiting = ahead.submit(ask, span, found[-1].sort if full else None)
                yield from decode(page).hits.hits
                done += len(found)
                if progress is not None:
                    progress(done, total)
                if not more:
                    return
    finally:
        searcher.close_pit(pit)


def _kept(pit: str) -> dict[str, str]:
    return {"id": pit, "keep_alive": f"{KEEP_SECONDS}s"}


def _request(query: Mapping[str, Any], size: int, span: Span, after: list[Any] | None) -> dict[str, Any]:
    inside = {name: at for name, at in zip(("gte", "lt"), span, strict=True) if at is not None}
    within = [{"range": {"@timestamp": inside}}] if inside else []
    return {
        "query": {"bool": {"filter": [query, *within]}}, "size": size, "track_total_hits": False,
        "sort": [{"@timestamp": {"order": "asc", "unmapped_type": "date"}}],
        **({} if after is None else {"search_after": after}),
    }  # fmt: skip


def _spans(searcher: Searcher, resource: Resource, query: Mapping[str, Any], pit: str) -> tuple[int, list[Span]]:
    """Return how many hits there are, and the spans of time of about `SPAN_ITEMS` of them each, at least one."""
    months = {"date_histogram": {"field": "@timestamp", "calendar_interval": "month", "min_doc_count": 1}}
    answer = searcher.search(
        INDEX[resource], pit=_kept(pit), query=query, size=0, aggs={"months": months}, track_total_hits=True
    )
    begins: list[int | None] = [None]
    items_in_span = 0
    for bucket in answer.get("aggregations", {}).get("months", {}).get("buckets", ()):
        if items_in_span >= SPAN_ITEMS:
            begins.append(int(bucket["key"]))
            items_in_span = 0
        items_in_span += int(bucket["doc_count"])
    return int(answer["hits"]["total"]["value"]), list(pairwise([*begins, None]))


def write(resource: Resource, form: Format, found: Iterable[Hit]) -> Iterator[bytes]:
    """Yield the file of these hits in pieces of about a megabyte."""
    table = _table(resource, form)
    if table is None:
        pieces = _jsonl(resource, found) if form == "jsonl" else _geojson(resource, found)
    elif form == "parquet":
        yield from _parquet(table, found)
        return
    else:
        pieces = _marked(csv_lines(table, found))
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def _table(resource: Resource, form: Format) -> TableForm | None:
    """Return the table that a format is written as, or None for one that has whole items."""
    return None if form in ("jsonl", "geojson") else tables.OTHERS.get(form, tables.OWN[resource])


def csv_lines(form: TableForm, found: Iterable[Hit]) -> Iterator[bytes]:
    """Yield the lines of a table as CSV, its head first, in pieces of many lines."""
    head = [name for name, _ in form.columns]
    rows: Iterator[list[Any]] = chain((head,), (tables.safe(row) for hit in found for row in form.rows(hit)))
    while some := list(islice(rows, ROWS)):
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\r\n").writerows(some)
        yield lines.getvalue().encode("utf-8", "replace")


def _marked(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the mark by which spreadsheets know UTF-8, then the lines."""
    yield b"\xef\xbb\xbf"
    yield from lines


def _jsonl(resource: Resource, found: Iterable[Hit]) -> Iterator[bytes]:
    for hit in found:
        yield _encode(items.item(resource, hit)) + b"\n"


def _geojson(resource: Resource, found: Iterable[Hit]) -> Iterator[bytes]:
    yield b'{"type":"FeatureCollection","features":['
    between = b"\n"
    for hit in found:
        points = [[point["lon"], point["lat"]] for point in hit["_source"]["news"].get("location") or ()]
        geometry: dict[str, Any] | None = None
        if points:
            many = len(points) > 1
            geometry = {"type": "MultiPoint" if many else "Point", "coordinates": points if many else points[0]}
        feature = {"type": "Feature", "id": hit["_id"], "geometry": geometry, "properties": items.item(resource, hit)}
        yield between + _encode(feature)
        between = b",\n"
    yield b"\n]}\n"


def _parquet(form: TableForm, found: Iterable[Hit]) -> Iterator[bytes]:
    """Yield a Parquet file; it is written to the disk first, because its index is at its end."""
    schema = arro3.core.Schema([arro3.core.Field(name, _ARROW[kind], nullable=True) for name, kind in form.columns])

    def batches() -> Iterator[arro3.core.RecordBatch]:
        rows = (row for hit in found for row in form.rows(hit))
        while some := list(islice(rows, ROW_GROUP)):
            columns = zip(*some, strict=True)
            arrays = [_array(kind, values) for (_, kind), values in zip(form.columns, columns, strict=True)]
            yield arro3.core.RecordBatch.from_arrays(arrays, schema=schema)

    with tempfile.TemporaryFile() as file:
        arro3.io.write_parquet(
            arro3.core.RecordBatchReader.from_batches(schema, batches()), file, compression="zstd(3)"
        )
        file.seek(0)
        while piece := file.read(CHUNK_BYTES):
            yield piece


_ARROW: Final[Mapping[Kind, Any]] = {
    "text": arro3.core.DataType.string(),
    "number": arro3.core.DataType.float64(),
    "count": arro3.core.DataType.int64(),
    "time": arro3.core.DataType.timestamp("ms", tz="UTC"),
}


def _array(kind: Kind, values: Iterable[Any]) -> arro3.core.Array:
    if kind == "time":
        milliseconds = [None if value is None else _milliseconds(value) for value in values]
        return arro3.core.Array(milliseconds, arro3.core.DataType.int64()).cast(_ARROW["time"])
    convert = {"text": str, "number": float, "count": int}[kind]
    return arro3.core.Array([None if value is None else convert(value) for value in values], _ARROW[kind])


def _milliseconds(text: str) -> int:
    at = dt.datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp() * 1000)
