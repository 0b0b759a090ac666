"""Exports: every hit once and in order, over pages and months; a table's rows do not miss what is not decoded for them."""

import csv
import datetime as dt
import io
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import csv_text, export, pages, wire
from pipeline.index.errors import UnavailableError
from tests.make import NOW

DAY_MS = 86_400_000


class Server:
    """Elasticsearch as an export sees it: hits at some times, in pages; it fails at the page `fails_at`."""

    def __init__(self, times, fails_at=None):
        self.hits = [
            {"_id": f"e{n}", "_source": {"@timestamp": str(at), "news": {}}, "sort": [at, n]}
            for n, at in enumerate(times)
        ]
        self.fails_at = fails_at
        self.asked = itertools.count(1)
        self.sent = 0
        self.open = 0

    def open_pit(self, name, *, keep_seconds):
        self.open += 1
        return "pit-0"

    def close_pit(self, identifier):
        self.open -= 1

    def search(self, name, *, aggs, query, **body):
        assert body["size"] == 0
        hits, by = self.inside(query), aggs["by"]["date_histogram"]
        buckets = {}
        for hit in hits:
            at = dt.datetime.fromtimestamp(hit["sort"][0] / 1000, dt.UTC)
            begin = at.replace(minute=0, second=0, microsecond=0)
            if by.get("calendar_interval") == "month":
                begin = begin.replace(day=1, hour=0)
            else:
                assert by["fixed_interval"] == "1h"
            key = int(begin.timestamp() * 1000)
            buckets[key] = buckets.get(key, 0) + 1
        counted = [{"key": key, "doc_count": count} for key, count in sorted(buckets.items())]
        found = {"aggregations": {"by": {"buckets": counted}}} if counted else {}
        return {"hits": {"total": {"value": len(hits)}}, **found}

    def inside(self, query):
        ranges = [part["range"]["@timestamp"] for part in query["bool"]["filter"] if "range" in part]
        least, most = (ranges[0].get("gte", -1e18), ranges[0].get("lt", 1e18)) if ranges else (-1e18, 1e18)
        return [hit for hit in sorted(self.hits, key=lambda hit: hit["sort"]) if least <= hit["sort"][0] < most]

    def page(self, *, pit, query, size, sort, track_total_hits, search_after=None):
        number = next(self.asked)
        assert number <= pages.AHEAD or pit["id"] != "pit-0", "each answer may have a new id"
        if number == self.fails_at:
            raise UnavailableError("gone")
        found = [hit for hit in self.inside(query) if search_after is None or hit["sort"] > list(search_after)][:size]
        self.sent += len(found)
        return msgspec.json.encode({"pit_id": f"pit-{number}", "took": 1, "hits": {"hits": found}})


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(pages, "PAGE", dict.fromkeys(pages.PAGE, 3))


def asked(server, **options):
    return pages.pages(server, "events", {"match_all": {}}, export.decoder("events", "csv"), **options)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 50])
@pytest.mark.parametrize("step_days", [0, 1, 1 / 24, 0.01, 40, -1])
def test_every_hit_comes_once_and_the_earliest_first(count, step_days):
    start = int(NOW.timestamp() * 1000)
    server = Server([start + int(n * step_days * DAY_MS) for n in range(count)])
    told = []
    found = [hit.id for page in asked(server, progress=lambda *given: told.append(given)) for hit in page]
    assert found == [hit["_id"] for hit in sorted(server.hits, key=lambda hit: hit["sort"])]
    assert told[-1] == (count, count)
    assert server.open == 0


def test_a_reader_that_stops_early_leaves_nothing_open():
    server = Server([int(NOW.timestamp() * 1000)] * 50)
    found = asked(server)
    assert next(found)[0].id == "e0"
    found.close()
    assert server.open == 0


@pytest.mark.parametrize("step_days", [0, 1])
def test_an_error_of_a_later_page_reaches_the_reader(step_days):
    start = int(NOW.timestamp() * 1000)
    server = Server([start + n * step_days * DAY_MS for n in range(50)], fails_at=3)
    with pytest.raises(UnavailableError):
        list(asked(server))
    assert server.open == 0


def test_no_more_than_a_few_pages_are_fetched_ahead_of_a_slow_reader():
    start = int(NOW.timestamp() * 1000)
    server = Server([start + n * DAY_MS // 24 for n in range(100)])
    found = asked(server)
    next(found)
    found.close()  # waits for what was asked for
    assert server.sent <= 3 * (1 + pages.AHEAD)


def test_csv_is_written_for_spreadsheets():
    hits = [
        {
            "_id": "e",
            "_source": {"@timestamp": "2026-11-01", "news": {"evidence": '=1+1, "so"\nhe said', "title": "Café – ü"}},
        }
    ]
    page = msgspec.json.encode({"pit_id": "", "hits": {"hits": hits}})
    body = b"".join(export.write("events", "csv", [export.decoder("events", "csv")(page).hits.hits]))
    assert body.startswith(b"\xef\xbb\xbf"), "the mark by which Excel and LibreOffice know UTF-8"
    assert body.count(b"\r\n") == 2
    [row] = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), dialect="excel")
    assert (row["evidence"], row["title"]) == ('\'=1+1, "so"\nhe said', "Café – ü")


CELLS = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.text(alphabet="ab,\"\r\n'é =+-@\t0", max_size=6), st.text()
)  # fmt: skip


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=4))
def test_csv_is_as_the_standard_library_writes_it(rows):
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([[protected(cell) for cell in row] for row in rows])
    assert csv_text.lines(rows) == written.getvalue().encode("utf-8", "replace")


def protected(cell):
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("x","y")'])
def test_no_cell_is_run_by_a_spreadsheet(text):
    [[first, number]] = csv.reader(io.StringIO(csv_text.lines([(text, -1.5)]).decode(), newline=""))
    assert (first, number) == (f"'{text}", "-1.5"), "a negative number is no formula"


def test_a_page_is_left_undecoded_but_an_error_is_not():
    assert wire.Undecoded().loads(b'{"took":1}') == b'{"took":1}'
    assert wire.Undecoded().loads(b'{"error":{"type":"t"},"status":404}') == {"error": {"type": "t"}, "status": 404}
    with pytest.raises(UnavailableError, match="no JSON"):
        wire.Json().loads(b"<html>a proxy</html>")
