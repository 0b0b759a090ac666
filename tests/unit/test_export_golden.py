"""Exports of the sample feed and of odd texts are the same bytes as the first writer wrote (tests/golden/exports)."""

import io
from pathlib import Path

import arro3.io
import msgspec
import pytest

from pipeline.index import export, items, tables

GOLDEN = Path(__file__).parents[1] / "golden" / "exports"
"""For each resource an answer of Elasticsearch, and each file that was made of it; of Parquet the table as JSON."""

FILES = sorted(file for file in GOLDEN.iterdir() if not file.name.endswith(".page.json"))


def page(resource):
    return (GOLDEN / f"{resource}.page.json").read_bytes()


def test_every_resource_is_there_in_every_format():
    wanted = {("events", form) for form in export.FORMATS} | {("stories", "geojson")}
    wanted |= {(resource, form) for resource in items.TYPES for form in ("csv", "jsonl", "parquet")}
    assert {tuple(file.name.split(".")) for file in FILES} == wanted


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_export_is_what_it_was(file, pages):
    resource, form = file.name.split(".")
    hits = export.decoder(resource, form)(page(resource)).hits.hits
    cuts = [hits] if pages == 1 else [hits[:1], [], hits[1:]]
    found = b"".join(export.write(resource, form, cuts))
    assert (as_json(found) if form == "parquet" else found) == file.read_bytes()


def as_json(parquet):
    table = arro3.io.read_parquet(io.BytesIO(parquet)).read_all()
    columns = [[str(value) for value in table[field.name].to_pylist()] for field in table.schema]
    return msgspec.json.encode(
        {"schema": [[field.name, str(field.type)] for field in table.schema], "columns": columns}
    )


@pytest.mark.parametrize("resource", items.TYPES)
def test_an_item_of_a_search_is_that_of_an_export(resource):
    found = msgspec.json.decode(page(resource))["hits"]["hits"]
    lines = [msgspec.json.encode(items.item(resource, hit)) for hit in found]
    assert lines == (GOLDEN / f"{resource}.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("form", ["csv", *tables.OTHERS])
def test_every_column_of_a_table_of_events_is_filled_by_some_row(form):
    table = tables.OTHERS.get(form, tables.OWN["events"])
    rows = list(table.of(msgspec.json.decode(page("events"))["hits"]["hits"]))
    empty = [name for name, column in zip(table.names, zip(*rows, strict=True), strict=True) if not any(column)]
    assert not empty
