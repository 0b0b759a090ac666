"""A search in, all of its items as a file out, in pieces: memory does not grow with the number. The only importer of arro3."""

from __future__ import annotations

import datetime as dt
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, get_args

import arro3.core
import arro3.io
import msgspec

from pipeline.index import csv_text, items, pages, tables
from pipeline.index.client import Searcher
from pipeline.index.filters import Resource, SearchError
from pipeline.index.hits import HitPage
from pipeline.index.tables import Kind, TableForm

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

ROW_GROUP: Final = 50_000
"""How many rows of Parquet are compressed together: they wait in memory, a few tens of megabytes."""

CHUNK_BYTES: Final = 1_000_000

_encoder: Final = msgspec.json.Encoder()
Found = Iterable[list[Any]]
"""Pages of hits, decoded by `decoder`."""


def require(resource: Resource, form: Format) -> None:
    """Check that a resource can be written in a format.

    Raises:
        SearchError: it cannot.
    """
    if form in tables.OTHERS and resource != "events":
        raise SearchError(f"format: {form} is a table of events; {resource} have no such form")
    if form == "geojson" and resource not in ("events", "stories"):
        raise SearchError(f"format: {resource} have no places")


def exported(
    searcher: Searcher,
    resource: Resource,
    query: Mapping[str, Any],
    form: Format,
    progress: pages.Progress | None = None,
) -> Iterator[bytes]:
    """Yield all items of a query as a file, the earliest first, in pieces of a few megabytes at most.

    `progress` gets the number of items so far, and the total.

    Raises:
        RefusedError, UnavailableError, RequestError: Elasticsearch does not answer.
    """
    yield from write(resource, form, pages.pages(searcher, resource, query, decoder(resource, form), progress))


@cache
def decoder(resource: Resource, form: Format) -> Callable[[bytes], HitPage[Any]]:
    """Return what decodes the answers of Elasticsearch for `write`; the parts that a format does not need are skipped."""
    table = _table(resource, form)
    hit: Any = items.HITS[resource] if table is None else table.hit
    return msgspec.json.Decoder(HitPage[hit], strict=table is not None).decode


def write(resource: Resource, form: Format, found: Found) -> Iterator[bytes]:
    """Yield the file of these pages in pieces, the first of them after the first page."""
    table = _table(resource, form)
    if table is not None:
        return _parquet(table, found) if form == "parquet" else _csv(table, found)
    return _jsonl(resource, found) if form == "jsonl" else _geojson(resource, found)


def _table(resource: Resource, form: Format) -> TableForm | None:
    """Return the table that a format is written as, or None for one that has whole items."""
    return None if form in ("jsonl", "geojson") else tables.OTHERS.get(form, tables.OWN[resource])


def _csv(form: TableForm, found: Found) -> Iterator[bytes]:
    """Yield the mark by which spreadsheets know UTF-8, the head of a table, and its rows."""
    head = BOM_UTF8 + csv_text.lines([form.names])
    for hits in found:
        yield head + csv_text.lines(form.rows(hits))
        head = b""
    yield head


def _jsonl(resource: Resource, found: Found) -> Iterator[bytes]:
    for hits in found:
        yield _encoder.encode_lines([items.encodable(resource, hit) for hit in hits])


def _geojson(resource: Resource, found: Found) -> Iterator[bytes]:
    between = b'{"type":"FeatureCollection","features":[\n'
    for hits in found:
        features = [_feature(resource, hit) for hit in hits]
        if features:
            yield between + b",\n".join(features)
            between = b",\n"
    yield (b"" if between == b",\n" else between[:-1]) + b"\n]}\n"


def _feature(resource: Resource, hit: items.ItemHit[Any]) -> bytes:
    points = [[point.lon, point.lat] for point in hit.source.news.location or ()]
    geometry: dict[str, Any] | None = None
    if points:
        many = len(points) > 1
        geometry = {"type": "MultiPoint" if many else "Point", "coordinates": points if many else points[0]}
    properties = items.encodable(resource, hit)
    return _encoder.encode({"type": "Feature", "id": hit.id, "geometry": geometry, "properties": properties})


def _parquet(form: TableForm, found: Found) -> Iterator[bytes]:
    """Yield a Parquet file; it is written to the disk first, because its index is at its end."""
    schema = arro3.core.Schema([arro3.core.Field(name, _ARROW[kind], nullable=True) for name, kind in form.columns])

    def batches() -> Iterator[arro3.core.RecordBatch]:
        for hits in found:
            columns = zip(*form.rows(hits), strict=True)
            arrays = [_array(kind, values) for (_, kind), values in zip(form.columns, columns, strict=False)]
            if arrays:
                yield arro3.core.RecordBatch.from_arrays(arrays, schema=schema)

    with tempfile.TemporaryFile() as file:
        arro3.io.write_parquet(
            arro3.core.RecordBatchReader.from_batches(schema, batches()), file, compression="zstd(3)",
            max_row_group_size=ROW_GROUP,
        )  # fmt: skip
        file.seek(0)
        while piece := file.read(CHUNK_BYTES):
            yield piece


_ARROW: Final[Mapping[Kind, Any]] = {
    "text": arro3.core.DataType.string(),
    "number": arro3.core.DataType.float64(),
    "count": arro3.core.DataType.int64(),
    "time": arro3.core.DataType.timestamp("ms", tz="UTC"),
}


def _array(kind: Kind, values: Sequence[Any]) -> arro3.core.Array:
    if kind == "text":
        return arro3.core.Array(values, _ARROW[kind])
    if kind == "time":
        milliseconds = [None if value is None else _milliseconds(value) for value in values]
        return arro3.core.Array(milliseconds, arro3.core.DataType.int64()).cast(_ARROW["time"])
    convert = {"number": float, "count": int}[kind]
    return arro3.core.Array([None if value is None else convert(value) for value in values], _ARROW[kind])


def _milliseconds(text: str) -> int:
    at = dt.datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp() * 1000)
