"""A search in, all of its items as a file out, in pieces: memory does not grow with the number. The only importer of arro3."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Literal, get_args

import arro3.core
import arro3.io
import msgspec

from pipeline.index import items, tables
from pipeline.index.client import Searcher
from pipeline.index.filters import Resource, SearchError
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

PAGE: Final = 2000
"""How many items one request asks for; an event has one to three kilobytes."""

KEEP_SECONDS: Final = 300
"""How long a slow reader may take for one page."""

ROW_GROUP: Final = 20_000
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


def hits(
    searcher: Searcher,
    index: str,
    query: Mapping[str, Any],
    *,
    hidden: Iterable[str] = (),
    progress: Progress | None = None,
) -> Iterator[Hit]:
    """Yield every hit of a query as it was at the first request, the earliest first; `progress` gets the count and the total.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    pit = searcher.open_pit(index, keep_seconds=KEEP_SECONDS)
    done, after = 0, None
    try:
        while True:
            body: dict[str, Any] = {
                "query": query, "size": PAGE, "pit": {"id": pit, "keep_alive": f"{KEEP_SECONDS}s"},
                "sort": [{"@timestamp": {"order": "asc", "unmapped_type": "date"}}],
                "track_total_hits": after is None, "source": {"excludes": list(hidden)},
            }  # fmt: skip
            if after is not None:
                body["search_after"] = after
            answer = searcher.search(index, **body)
            found = answer["hits"]["hits"]
            if after is None:
                total = int(answer["hits"]["total"]["value"])
            yield from found
            done += len(found)
            if progress is not None:
                progress(done, total)
            if len(found) < PAGE:
                return
            pit, after = str(answer.get("pit_id", pit)), found[-1]["sort"]
    finally:
        searcher.close_pit(pit)


def write(resource: Resource, form: Format, found: Iterable[Hit]) -> Iterator[bytes]:
    """Yield the file of these hits in pieces of about a megabyte."""
    if form == "parquet":
        yield from _parquet(tables.OWN[resource], found)
        return
    if form in ("jsonl", "geojson"):
        pieces = _jsonl(resource, found) if form == "jsonl" else _geojson(resource, found)
    else:
        pieces = _marked(csv_lines(tables.OTHERS.get(form) or tables.OWN[resource], found))
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def hidden(resource: Resource, form: Format) -> tuple[str, ...]:
    """Return the parts of documents that a format does not need."""
    unused = ("news.reports", "news.articles", "news.happenings", "news.timeline", "news.mentions")
    kept = {"news.text"} if resource == "articles" else set()
    more = () if form in ("jsonl", "geojson") else unused
    return tuple(name for name in (*items.HIDDEN, *more) if name not in kept)


def csv_lines(form: TableForm, found: Iterable[Hit]) -> Iterator[bytes]:
    """Yield the lines of a table as CSV, its head first."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow([name for name, _ in form.columns])
    yield line.getvalue().encode()
    safe = tables.safe
    for hit in found:
        line.seek(0)
        line.truncate()
        writer.writerows([safe(cell) for cell in row] for row in form.rows(hit))
        yield line.getvalue().encode("utf-8", "replace")


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
