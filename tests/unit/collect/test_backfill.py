"""Backfills: every source, no article twice, and a run that goes on where an earlier one was stopped."""

import datetime as dt
import gzip
import json

import pytest
from aiohttp import web

from pipeline.collect import archive, backfill
from pipeline.collect.archive import BackfillError, Item
from pipeline.collect.backfill import Backfill, StoredPages, journal_id, read_on_thread
from pipeline.collect.entry import FeedEntry
from pipeline.collect.fetch import Clock
from pipeline.collect.http_client import HttpClient
from pipeline.page import urls
from pipeline.records import FeedState, SeenEntry
from pipeline.settings import Collector, Settings
from tests.make import NOW

PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "
SETTINGS = Settings(
    collector=Collector(allow_private_addresses=True, per_host_interval_seconds=0, total_timeout_seconds=5)
)


async def no_wait(seconds):
    del seconds


CLOCK = Clock(now=lambda: NOW, sleep=no_wait)


class Topic:
    """The articles that were published, and the states that the next run finds."""

    def __init__(self):
        self.articles, self.states, self.fail_after = [], {}, None

    async def put(self, batch):
        if self.fail_after is not None and len(self.articles) + len(batch.articles) > self.fail_after:
            raise RuntimeError("killed")
        self.articles += batch.articles
        self.states[batch.state.id] = batch.state


async def fill(topic, items, *, fetcher=None, **more):
    run = Backfill(
        settings=SETTINGS,
        web=fetcher or StoredPages(),
        sink=topic,
        states=dict(topic.states),
        clock=CLOCK,
        source="file:///x",
        identity=journal_id("warc", "x"),
        **more,
    )
    return await run.run(items if hasattr(items, "__aiter__") else read_on_thread(items))


def page(number, text=PROSE, head=""):
    return f"<html><head><title>Story number {number}</title>{head}</head><body><article><p>{text} {number}</p></article></body></html>"


def capture(number, url, body, status, kind):
    """One record of a web archive, byte for byte."""
    body = body if isinstance(body, bytes) else body.encode()
    http = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-05-01T10:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def write_warc(path, captures, *, packed=True):
    records = [capture(number, *one) for number, one in enumerate(captures)]
    path.write_bytes(b"".join(gzip.compress(record) if packed else record for record in records))


OK, HTML = "200 OK", "text/html; charset=utf-8"


@pytest.mark.parametrize("packed", [True, False])
async def test_a_web_archive_gives_its_pages_and_nothing_else(tmp_path, packed):
    file = tmp_path / "a.warc.gz"
    captures = [
        ("https://w.example/1", page(1), OK, HTML),
        ("https://w.example/gone", page(2), "404 Not Found", HTML),
        ("https://w.example/pic", b"\x89PNG", OK, "image/png"),
        ("https://w.example/lie", b"%PDF-1.4", OK, HTML),
        ("https://w.example/3?utm_source=x", page(3), OK, HTML),
        ("https://w.example/zürich", page(4).encode("latin-1"), OK, "text/html; charset=iso-8859-1"),
    ]
    write_warc(file, captures, packed=packed)
    topic = Topic()
    progress = await fill(topic, archive.read_warc(file, limit=10**6))
    assert [article.canonical_url for article in topic.articles] == [
        "https://w.example/1",
        "https://w.example/3?utm_source=x",
        "https://w.example/zürich",
    ]
    assert (progress.published, progress.rejected, progress.failed) == (3, 1, 0)
    assert progress.at == progress.total == file.stat().st_size or progress.at <= progress.total
    assert {article.first_seen_at for article in topic.articles} == {NOW}


async def test_a_second_run_publishes_nothing_and_a_grown_file_only_what_is_new(tmp_path):
    file, topic = tmp_path / "a.warc", Topic()
    captures = [(f"https://w.example/{n}", page(n), OK, HTML) for n in range(5)]
    write_warc(file, captures, packed=False)
    await fill(topic, archive.read_warc(file, limit=10**6))
    write_warc(file, [*captures, ("https://w.example/9", page(9), OK, HTML)], packed=False)
    progress = await fill(topic, archive.read_warc(file, limit=10**6))
    assert (progress.known, progress.published) == (5, 1)
    assert len({article.id for article in topic.articles}) == len(topic.articles) == 6


async def test_a_run_that_was_killed_goes_on_and_publishes_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(backfill, "BATCH_ARTICLES", 10)
    file, topic = tmp_path / "a.jsonl", Topic()
    lines = [json.dumps({"id": n, "url": f"https://j.example/{n}", "text": f"{PROSE} {n}"}) for n in range(60)]
    file.write_text("\n".join(lines))
    topic.fail_after = 30
    with pytest.raises(RuntimeError, match="killed"):
        await fill(topic, archive.read_jsonl(file))
    assert 0 < len(topic.articles) <= 30
    topic.fail_after = None
    progress = await fill(topic, archive.read_jsonl(file))
    assert progress.known + progress.published == 60
    assert sorted(a.url for a in topic.articles) == sorted({f"https://j.example/{n}" for n in range(60)})


async def test_told_to_stop_it_publishes_what_is_ready_and_the_next_run_does_the_rest(tmp_path):
    file, topic = tmp_path / "a.jsonl", Topic()
    file.write_text("\n".join(json.dumps({"id": n, "text": f"{PROSE} {n}"}) for n in range(50)))
    looked = iter(range(100))
    progress = await fill(topic, archive.read_jsonl(file), stopping=lambda: next(looked) >= 20)
    assert progress.published == len(topic.articles) == 20
    assert (await fill(topic, archive.read_jsonl(file))).published == 30


async def test_a_later_capture_is_a_new_version_and_the_same_again_is_none(tmp_path):
    file, topic = tmp_path / "a.warc.gz", Topic()
    url = "https://w.example/1"
    write_warc(file, [(url, page(1), OK, HTML), (url, page(1), OK, HTML), (url, page(1, PROSE * 2), OK, HTML)])
    progress = await fill(topic, archive.read_warc(file, limit=10**6))
    first, second = topic.articles
    assert first.id == second.id
    assert first.content_hash != second.content_hash
    assert progress.rejected == 1


async def test_what_a_collector_has_published_is_not_published_again(tmp_path):
    file, topic = tmp_path / "a.jsonl", Topic()
    file.write_text(json.dumps({"url": "https://j.example/1", "text": PROSE}))
    seen = SeenEntry(article_id=urls.article_id("https://j.example/1"), first_seen_at=NOW, content_hash="c")
    topic.states["feed"] = FeedState(id="feed", url="https://j.example/f", seen={"k": seen})
    progress = await fill(topic, archive.read_jsonl(file))
    assert (progress.published, progress.rejected) == (0, 1)


async def test_lines_of_every_kind_are_read_and_bad_ones_are_told(tmp_path):
    file, topic = tmp_path / "a.jsonl", Topic()
    lines = [
        {"id": "a", "text": "Short but whole.", "title": "A title", "published": "2024-03-01", "publisher": "P"},
        {"url": "https://j.example/2", "html": page(2), "authors": ["Ann Lee"], "language": "en", "extra": 1},
        {"record": "article", "id": "x", "url": "https://j.example/3", "html": "Plain.", "content_type": "text/plain",
         "published_at": "2024-03-02T10:00:00+02:00"},
        {"id": "empty"},
        {"id": 5, "text": ["no"]},
    ]  # fmt: skip
    file.write_text("\n\n".join(map(json.dumps, lines)) + "\nnot json\n")
    progress = await fill(topic, archive.read_jsonl(file))
    one, two, three = topic.articles
    assert (one.title, one.publisher, one.html) == ("A title", "P", "Short but whole.")
    assert one.published_at == dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    assert (two.url, two.authors, two.content_type) == ("https://j.example/2", ("Ann Lee",), "text/html")
    assert three.published_at == dt.datetime(2024, 3, 2, 8, tzinfo=dt.UTC)
    assert (progress.published, progress.failed) == (3, 3)


async def test_a_line_without_end_is_left_out_and_the_next_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LINE_BYTES", 500)
    file, topic = tmp_path / "a.jsonl", Topic()
    file.write_text('{"text": "' + "x" * 5000 + '"}\n' + json.dumps({"text": PROSE}) + "\n")
    progress = await fill(topic, archive.read_jsonl(file))
    assert (progress.published, progress.failed) == (1, 1)


@pytest.mark.parametrize(
    "body", [b"no archive at all", b"WARC/1.0\r\nWARC-Type: response\r\nbroken", b"\x1f\x8b\x08broken"]
)
async def test_a_file_that_is_no_archive_gives_nothing_or_is_told(tmp_path, body):
    file, topic = tmp_path / "a.warc", Topic()
    file.write_bytes(body)
    try:
        await fill(topic, archive.read_warc(file, limit=1000))
    except BackfillError as error:
        assert "a.warc" in str(error)  # noqa: PT017 - it may as well be read as an archive without records
    assert topic.articles == []


async def test_an_archive_that_breaks_off_gives_what_stood_before(tmp_path):
    file, topic = tmp_path / "a.warc.gz", Topic()
    write_warc(file, [(f"https://w.example/{n}", page(n, PROSE * 20), OK, HTML) for n in range(4)], packed=False)
    file.write_bytes(file.read_bytes()[:-800])
    progress = await fill(topic, archive.read_warc(file, limit=10**6))
    assert (progress.published, progress.failed, len(topic.articles)) == (3, 1, 3)


async def test_a_bomb_in_an_archive_is_cut(tmp_path):
    file, topic = tmp_path / "a.warc.gz", Topic()
    write_warc(file, [("https://w.example/b", b" " * 5_000_000, OK, HTML), ("https://w.example/1", page(1), OK, HTML)])
    progress = await fill(topic, archive.read_warc(file, limit=100_000))
    assert (progress.published, progress.failed) == (1, 1)


# --- sitemaps, from a real server --------------------------------------------------------------------------------------


class Site:
    """A site on 127.0.0.1 whose pages and sitemaps are a dictionary."""

    def __init__(self):
        self.pages, self.asked, self.url = {}, [], ""

    async def answer(self, request):
        self.asked.append(request.path)
        body = self.pages.get(request.path)
        if body is None:
            return web.Response(status=404)
        return web.Response(body=body if isinstance(body, bytes) else body.encode(), content_type="text/html")

    async def __aenter__(self):
        self.runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.web = HttpClient(SETTINGS.collector, Clock.real())
        return self

    async def __aexit__(self, *_):
        await self.web.close()
        await self.runner.cleanup()

    def sitemap(self, path, *pages, packed=False):
        urls = "".join(
            f"<url><loc>{self.url}{p}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</url>" for p, day in pages
        )
        body = f"<urlset>{urls}</urlset>".encode()
        self.pages[path] = gzip.compress(body) if packed else body

    def index(self, path, *children):
        urls = "".join(
            f"<sitemap><loc>{self.url}{p}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</sitemap>"
            for p, day in children
        )
        self.pages[path] = f"<sitemapindex>{urls}</sitemapindex>"


SINCE = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


async def test_all_sitemaps_since_a_day_give_their_pages_once():
    async with Site() as site:
        site.index(
            "/i.xml", ("/old.xml", "2024-01-01"), ("/new.xml.gz", "2024-05-10"), ("/more.xml", ""), ("/no.xml", "")
        )
        site.sitemap("/old.xml", ("/o1", "2024-01-01"))
        site.sitemap("/new.xml.gz", ("/n1", "2024-05-09"), ("/n0", "2024-04-01"), ("/n2", "2024-05-02"), packed=True)
        site.index("/more.xml", ("/deep.xml", ""), ("/i.xml", ""))
        site.sitemap("/deep.xml", ("/d1", ""), ("/d2", ""), ("/n1", "2024-05-09"), ("/404", "2024-05-09"))
        for path in ("/o1", "/n0", "/n1", "/n2"):
            site.pages[path] = page(path)
        stamp = '<meta property="article:published_time" content="{}T10:00:00Z">'
        site.pages["/d1"] = page(1, head=stamp.format("2024-05-03"))
        site.pages["/d2"] = page(2, head=stamp.format("2023-05-03"))
        topic = Topic()
        items = archive.read_sitemaps(site.web, f"{site.url}/i.xml", since=SINCE, limit=10**6)
        progress = await fill(topic, items, fetcher=site.web, since=SINCE)
        assert [a.url.removeprefix(site.url) for a in topic.articles] == ["/n2", "/n1", "/d1"]
        assert "/old.xml" not in site.asked
        assert "/robots.txt" in site.asked
        before = len(site.asked)
        again = await fill(
            topic,
            archive.read_sitemaps(site.web, f"{site.url}/i.xml", since=SINCE, limit=10**6),
            fetcher=site.web,
            since=SINCE,
        )
        assert (again.published, len(topic.articles)) == (0, 3)
        assert all(path.endswith((".xml", ".gz")) for path in site.asked[before:])
        assert progress.published == 3


async def test_a_page_that_cannot_be_had_now_is_had_by_the_next_run():
    async with Site() as site:
        site.sitemap("/s.xml", ("/a", "2024-05-02"), ("/b", "2024-05-03"))
        site.pages["/a"] = page(1)
        real = site.answer
        tries = []

        async def flaky(request):
            if request.path == "/b" and len(tries) < 1:
                tries.append(1)
                return web.Response(status=500)
            return await real(request)

        site.runner.server.request_handler = flaky
        site.pages["/b"] = page(2)
        topic = Topic()
        source = f"{site.url}/s.xml"
        progress = await fill(topic, archive.read_sitemaps(site.web, source, since=None, limit=10**6), fetcher=site.web)
        assert (progress.published, progress.later) == (1, 1)
        progress = await fill(topic, archive.read_sitemaps(site.web, source, since=None, limit=10**6), fetcher=site.web)
        assert (progress.published, progress.later, progress.known) == (1, 0, 1)


@pytest.mark.parametrize(("body", "words"), [(b"<html></html>", "not a sitemap"), (None, "404")])
async def test_what_is_no_sitemap_is_told(body, words):
    async with Site() as site:
        site.pages["/s.xml"] = body
        with pytest.raises(BackfillError, match=words):
            await fill(
                Topic(), archive.read_sitemaps(site.web, f"{site.url}/s.xml", since=None, limit=10**6), fetcher=site.web
            )


async def test_the_progress_is_told():
    progress = []
    items = [
        Item(key=str(n), entry=FeedEntry(id=str(n), url=f"https://x.example/{n}"), problem="bad", at=n, total=3)
        for n in range(1, 4)
    ]
    await fill(Topic(), items, report=lambda p: progress.append((p.at, p.total, p.failed)))
    assert progress[-1] == (3, 3, 3)
