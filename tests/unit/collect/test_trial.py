"""Checking and finding feeds, against a real server on 127.0.0.1."""

import datetime as dt
import json
import sys

import pytest
from aiohttp import web

from pipeline import cli
from pipeline.collect import discover, trial
from pipeline.collect.fetch import Clock, FetchError
from pipeline.records import Feed
from pipeline.settings import Collector, Settings
from tests.make import NOW


async def no_wait(seconds):
    del seconds


CLOCK = Clock(now=lambda: NOW, sleep=no_wait)
OPTIONS = Collector(allow_private_addresses=True, per_host_interval_seconds=0, total_timeout_seconds=5)
WHOLE = "&lt;p&gt;" + "Long words of the whole article here. " * 60 + "&lt;/p&gt;"


def rss(*items, title="The Paper", extra=""):
    return f"<rss version='2.0'><channel><title>{title}</title>{extra}{''.join(items)}</channel></rss>"


def item(number, *, at=NOW, text="Short."):
    return (
        f"<item><title>T{number}</title><link>https://p.example/{number}</link><pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        f"<description>{text}</description></item>"
    )


class Site:
    def __init__(self, pages):
        self.pages, self.asked = pages, []

    async def answer(self, request):
        self.asked.append(request.path)
        body = self.pages.get(request.path)
        if isinstance(body, web.Response):
            return body
        if body is None:
            return web.Response(status=404)
        return web.Response(text=body, content_type="text/html", headers={"ETag": '"1"'})

    async def __aenter__(self):
        self.runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()


async def test_every_feed_is_tried_and_told_in_the_order_of_the_file(tmp_path):
    old = NOW - dt.timedelta(days=90)
    sitemap = "<urlset><url><loc>https://p.example/1</loc><lastmod>2024-05-14</lastmod></url><url><loc>https://p.example/a</loc></url></urlset>"
    pages = {
        "/good": rss(
            item(1),
            item(2, at=NOW - dt.timedelta(days=1)),
            extra="<link rel='hub' xmlns='http://www.w3.org/2005/Atom' href='https://h.example/'/>",
        ),
        "/full": rss(item(1, text=WHOLE)),
        "/old": rss(item(1, at=old)),
        "/empty": rss(),
        "/html": "<!doctype html><html><head><link rel='alternate' type='application/rss+xml' href='/good'></head></html>",
        "/sitemap": sitemap,
        "/busy": web.Response(status=429, headers={"Retry-After": "60"}),
    }
    (tmp_path / "f.xml").write_text(rss(item(1)))
    async with Site(pages) as site:
        feeds = [Feed(id=path.strip("/"), url=site.url + path) for path in [*pages, "/none"]]
        feeds.append(Feed(id="file", url="file:f.xml"))
        settings = Settings(collector=OPTIONS, directory=str(tmp_path))
        counted = []
        reports = await trial.check(
            settings, feeds, clock=CLOCK, progress=lambda done, total: counted.append((done, total))
        )
    by = {one.id: one for one in reports}
    assert [one.id for one in reports] == [feed.id for feed in feeds]
    assert counted[-1] == (9, 9)
    good = by["good"]
    assert (good.ok, good.kind, good.title, good.entries, good.newest_at, good.full_text) == (
        True,
        "RSS",
        "The Paper",
        2,
        NOW,
        "no",
    )
    assert good.notes == ("offers WebSub",)
    assert by["full"].full_text == "yes"
    assert by["old"].notes == ("silent for 90 days",)
    assert by["empty"].notes == ("no entries",)
    assert "did you mean" in by["html"].problem
    assert (by["sitemap"].kind, by["sitemap"].notes) == ("sitemap", ("1 pages without a date are left out",))
    assert not by["busy"].ok
    assert "429" in by["busy"].problem
    assert "404" in by["none"].problem
    assert by["file"].ok
    assert [one.id for one in reports if not one.ok] == ["html", "busy", "none"]


async def test_the_feeds_that_a_page_declares_are_found_and_those_it_does_not_are_looked_for():
    home = """<html><head><base href="/en/"><link rel="alternate" type="application/rss+xml" href="rss.xml">
      <link rel="alternate" type="application/atom+xml" href="/broken"><link rel=alternate hreflang=de href=/de></head>
      <body><a href="/feeds/world.rss">World</a><a href="/feedback">Say</a><a href="javascript:rss()">x</a></body></html>"""
    pages = {
        "/": home,
        "/en/rss.xml": rss(item(1)),
        "/feeds/world.rss": rss(item(2), item(3), title="World"),
        "/feed/": rss(item(1)),
        "/robots.txt": "Sitemap: /x\nsitemap: {url}/news.xml\n",
        "/news.xml": "<urlset><url><loc>https://p.example/2024/05/14/x</loc></url></urlset>",
    }
    async with Site(pages) as site:
        pages["/robots.txt"] = pages["/robots.txt"].replace("{url}", site.url)
        found = await trial.find(Settings(collector=OPTIONS), site.url + "/", clock=CLOCK)
        assert [one.url.removeprefix(site.url) for one in found] == ["/en/rss.xml", "/news.xml", "/feeds/world.rss"]
        assert "/feedback" not in site.asked
        (itself,) = await trial.find(Settings(collector=OPTIONS), site.url + "/feeds/world.rss", clock=CLOCK)
        assert itself.title == "World"
        with pytest.raises(FetchError, match="404"):
            await trial.find(Settings(collector=OPTIONS), site.url + "/nothing", clock=CLOCK)


async def test_a_site_without_feeds_has_none_and_is_not_asked_without_end():
    async with Site({"/": "<html><body>Nothing here.</body></html>"}) as site:
        assert await trial.find(Settings(collector=OPTIONS), site.url + "/", clock=CLOCK) == ()
        assert len(site.asked) <= len(discover.USUAL_PATHS) + 3


def test_broken_markup_offers_no_feeds_and_does_no_harm():
    assert (
        discover.discover(
            "<link rel=alternate type='application/rss+xml' href='http://[x'><![bad", "https://p.example/"
        )
        == ()
    )
    assert discover.candidates("", "https://p.example/a")[0] == "https://p.example/feed/"


# --- the commands ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dateline(monkeypatch, capfdbinary, tmp_path):
    """Call the command with a configuration of its own."""
    monkeypatch.setenv("DATELINE_CONFIG", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dateline", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return ended.value.code or 0, out.decode(), err.decode()

    return call


def test_the_check_prints_a_table_and_json_and_fails_where_a_feed_does(dateline, tmp_path):
    (tmp_path / "a.xml").write_text(rss(item(1)))
    (tmp_path / "b.xml").write_text("no feed")
    (tmp_path / "feeds.toml").write_text(
        '[[feed]]\nid = "a"\nurl = "file:a.xml"\n[[feed]]\nid = "b"\nurl = "file:b.xml"\n[[feed]]\nid = "c"\nurl = "file:c.xml"\nenabled = false\n'
    )
    status, out, _ = dateline("feeds", "check")
    assert status == 1
    assert "1 cannot be read" in out
    assert "plain text" in out
    status, out, _ = dateline("feeds", "check", "a", "--json")
    assert status == 0
    (feed,) = json.loads(out)["feeds"]
    assert (feed["id"], feed["ok"], feed["entries"], feed["full_text"]) == ("a", True, 1, "no")
    status, _, err = dateline("feeds", "check", "nobody")
    assert (status, "no such feed: nobody" in err) == (2, True)


def test_import_adds_and_tells_what_it_leaves_out_and_export_gives_it_back(dateline, tmp_path):
    (tmp_path / "feeds.toml").write_text('# mine\n[[feed]]\nid = "a"\nurl = "https://a.example/f"\nenabled = false\n')
    file = tmp_path / "x.opml"
    file.write_text(
        "<opml><body><outline text='World'><outline text='Beta' xmlUrl='https://b.example/f'/></outline>"
        "<outline text='A' xmlUrl='http://www.a.example/f'/></body></opml>"
    )
    status, out, err = dateline("feeds", "import", file, "--print")
    assert (status, out) == (0, '[[feed]]\nid = "beta"\nurl = "https://b.example/f"\ntitle = "Beta"\ngroup = "World"\n')
    assert "left out: http://www.a.example/f is 'a' in feeds.toml already" in err
    assert "b.example" not in (tmp_path / "feeds.toml").read_text()
    status, out, _ = dateline("feeds", "import", file)
    assert (status, "1 feeds added" in out) == (0, True)
    assert (tmp_path / "feeds.toml").read_text().startswith("# mine\n")
    status, out, _ = dateline("feeds", "import", file)
    assert "0 feeds added" in out
    status, out, _ = dateline("feeds", "export")
    assert "https://b.example/f" in out
    assert "a.example" not in out


def test_collect_wants_one_source(dateline):
    status, _, err = dateline("collect")
    assert (status, "give one of" in err) == (2, True)
