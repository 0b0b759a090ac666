"""Exports: every hit once and in order, over pages and months; a table's rows do not miss what is not decoded for them."""

import csv
import datetime as dt
import io
import json

import msgspec
import pytest

from pipeline.index import actions, export, tables, wire
from pipeline.index.errors import UnavailableError
from tests.make import (
    KYIV,
    NOW,
    UKRAINE,
    USA,
    make_aid,
    make_alert,
    make_document,
    make_event,
    make_quantity,
    make_story,
)  # fmt: skip

DAY_MS = 86_400_000


class Server:
    """Elasticsearch as an export sees it: hits at some times, in pages; it fails at the page `fails_at`."""

    def __init__(self, times, fails_at=None):
        self.hits = [
            {"_id": f"e{n}", "_source": {"@timestamp": at, "news": {}}, "sort": [at, n]} for n, at in enumerate(times)
        ]
        self.fails_at = fails_at
        self.asked = []
        self.open = 0

    def open_pit(self, name, *, keep_seconds):
        self.open += 1
        return "pit-0"

    def close_pit(self, identifier):
        self.open -= 1

    def search(self, name, *, aggs, **body):
        assert body["size"] == 0
        months = {}
        for hit in self.hits:
            at = dt.datetime.fromtimestamp(hit["sort"][0] / 1000, dt.UTC)
            key = int(dt.datetime(at.year, at.month, 1, tzinfo=dt.UTC).timestamp() * 1000)
            months[key] = months.get(key, 0) + 1
        buckets = [{"key": key, "doc_count": count} for key, count in sorted(months.items())]
        found = {"aggregations": {"months": {"buckets": buckets}}} if buckets else {}
        return {"hits": {"total": {"value": len(self.hits)}}, **found}

    def page(self, *, pit, query, size, sort, track_total_hits, search_after=None):
        assert pit["id"] == f"pit-{len(self.asked)}", "each answer may have a new id"
        self.asked.append(query)
        if len(self.asked) == self.fails_at:
            raise UnavailableError("gone")
        inside = [part["range"]["@timestamp"] for part in query["bool"]["filter"] if "range" in part]
        least, most = (inside[0].get("gte", -1e18), inside[0].get("lt", 1e18)) if inside else (-1e18, 1e18)
        found = [
            hit
            for hit in sorted(self.hits, key=lambda hit: hit["sort"])
            if least <= hit["sort"][0] < most and (search_after is None or hit["sort"] > search_after)
        ][:size]
        return msgspec.json.encode({"pit_id": f"pit-{len(self.asked)}", "took": 1, "hits": {"hits": found}})


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(export, "PAGE", dict.fromkeys(export.PAGE, 3))
    monkeypatch.setattr(export, "SPAN_ITEMS", 5)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 50])
@pytest.mark.parametrize("step_days", [0, 1, 40, -1])
def test_every_hit_comes_once_and_the_earliest_first(count, step_days):
    start = int(NOW.timestamp() * 1000)
    server = Server([start + n * step_days * DAY_MS for n in range(count)])
    told = []
    found = list(export.hits(server, "events", {"match_all": {}}, progress=lambda *given: told.append(given)))
    assert [hit["_id"] for hit in found] == [hit["_id"] for hit in sorted(server.hits, key=lambda hit: hit["sort"])]
    assert told[-1] == (count, count)
    assert server.open == 0


def test_a_reader_that_stops_early_leaves_nothing_open():
    server = Server([int(NOW.timestamp() * 1000)] * 50)
    found = export.hits(server, "events", {"match_all": {}})
    assert next(found)["_id"] == "e0"
    found.close()
    assert server.open == 0


def test_an_error_of_a_later_page_reaches_the_reader():
    server = Server([int(NOW.timestamp() * 1000)] * 50, fails_at=3)
    found = export.hits(server, "events", {"match_all": {}})
    with pytest.raises(UnavailableError):
        list(found)
    assert server.open == 0


EVENT = make_event(
    actors=(USA,), recipients=(UKRAINE,), places=(KYIV,), kind="strike", event_type="ASSAULT", language="en",
    quantities=(make_quantity(3, "dead"), make_quantity(4, "injured")), attributed_to="Pentagon", items=("drones",),
    subtype="military", event_mode="airstrike", contexts=("military",),
)  # fmt: skip
RECORDS = {
    "events": [EVENT, make_aid()],
    "stories": [make_story(actors=(USA,), recipients=(UKRAINE,), line="A line", publishers=("Wire", "Paper"))],
    "articles": [make_document("A text.", title="A title", publisher="Wire")],
    "alerts": [make_alert()],
}


@pytest.mark.parametrize(
    ("resource", "form"),
    [(name, form) for name in RECORDS for form in ("csv", "parquet")] + [("events", form) for form in tables.OTHERS],
)
def test_rows_are_the_same_whether_all_of_a_document_is_decoded_or_what_they_read(resource, form):
    table = export._table(resource, form)
    made = [actions.action(record, prefix="", now=NOW + dt.timedelta(days=1)) for record in RECORDS[resource]]
    hits = [{"_id": one.id, "_source": one.source, "sort": [1]} for one in made]
    page = msgspec.json.encode({"hits": {"hits": hits}})
    whole = [list(table.rows(hit)) for hit in json.loads(page)["hits"]["hits"]]
    assert whole == [list(table.rows(hit)) for hit in export._decoder(table)(page).hits.hits]
    assert any(whole)


def test_csv_is_written_for_spreadsheets():
    hits = [
        {
            "_id": "e",
            "_source": {"@timestamp": "2026-11-01", "news": {"evidence": '=1+1, "so"\nhe said', "title": "Café – ü"}},
        }
    ]
    body = b"".join(export.write("events", "csv", hits))
    assert body.startswith(b"\xef\xbb\xbf"), "the mark by which Excel and LibreOffice know UTF-8"
    assert body.count(b"\r\n") == 2
    [row] = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), dialect="excel")
    assert (row["evidence"], row["title"]) == ('\'=1+1, "so"\nhe said', "Café – ü")


def test_a_page_is_left_undecoded_but_an_error_is_not():
    assert wire.Undecoded().loads(b'{"took":1}') == b'{"took":1}'
    assert wire.Undecoded().loads(b'{"error":{"type":"t"},"status":404}') == {"error": {"type": "t"}, "status": 404}
    with pytest.raises(UnavailableError, match="no JSON"):
        wire.Json().loads(b"<html>a proxy</html>")
