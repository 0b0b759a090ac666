"""Sitemaps: the pages that they list, those that are news, and what a hostile sitemap cannot do."""

import datetime as dt
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect import safe_xml, sitemap, sitemap_index
from pipeline.collect.entry import ChildSitemap, FeedError
from pipeline.collect.feed import parse_feed
from pipeline.collect.fetch import FetchError, FetchResult
from pipeline.page import date_parsing

NEWS = b"""<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:n="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://s.example/2026/old </loc><lastmod>2026-11-01</lastmod></url>
<url><loc>https://s.example/a?x=1&amp;y=2</loc><lastmod>2026-11-24T10:00:00+02:00</lastmod>
<n:news><n:publication><n:name>The Paper</n:name><n:language>en</n:language></n:publication>
<n:publication_date>2026-11-24T07:30:00Z</n:publication_date><n:title>Talks &amp;amp; more</n:title></n:news>
<image:image><image:loc>https://s.example/pic.jpg</image:loc><image:title>A picture</image:title></image:image></url>
<url><loc>https://s.example/about</loc></url>
<url><loc>https://s.example/2026/11/23/dated</loc></url><url></url></urlset>"""

INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://s.example/1.xml</loc><lastmod>2026-11-20</lastmod></sitemap>
<sitemap><loc>https://s.example/2.xml</loc><lastmod>2026-11-24T09:00:00Z</lastmod></sitemap>
<sitemap><loc>https://s.example/3.xml</loc></sitemap></sitemapindex>"""

UTC = dt.UTC


def test_a_news_sitemap_is_a_feed_of_its_dated_pages_the_newest_first():
    feed = parse_feed(NEWS, url="https://s.example/sitemap.xml")
    assert (feed.kind, feed.undated) == ("sitemap", 1)
    first, second, third = feed.entries
    assert (first.url, first.title, first.publisher, first.language) == (
        "https://s.example/a?x=1&y=2", "Talks & more", "The Paper", "en",
    )  # fmt: skip
    assert first.published_at == dt.datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert first.updated_at == dt.datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert (second.url, second.published_at) == ("https://s.example/2026/11/23/dated", None)
    assert second.updated_at == dt.datetime(2026, 11, 23, tzinfo=UTC), "otherwise an old page would count as new"
    assert (third.url, third.updated_at) == ("https://s.example/2026/old", dt.datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "change", [bytes, gzip.compress, lambda b: b.decode().replace("UTF-8", "utf-16").encode("utf-16")]
)
def test_a_sitemap_is_read_plain_packed_and_in_utf_16(change):
    assert len(parse_feed(change(NEWS)).entries) == 3


def test_an_index_names_its_sitemaps():
    feed = parse_feed(INDEX)
    assert feed.kind == "sitemap index"
    assert [child.url[-5:] for child in feed.children] == ["1.xml", "2.xml", "3.xml"]


def test_a_broken_sitemap_gives_the_pages_before_the_break_and_none_is_told():
    assert len(parse_feed(NEWS[: NEWS.index(b"https://s.example/about")]).entries) == 2
    with pytest.raises(FeedError, match="broken sitemap"):
        parse_feed(b"<urlset><url><loc>https://s.exa")
    assert parse_feed(b"<urlset></urlset>").entries == ()


def test_a_bomb_in_gzip_is_refused_before_it_has_unfolded():
    bomb = gzip.compress(b"<urlset>" + b" " * (safe_xml.UNPACKED_BYTES + 10))
    assert len(bomb) < 100_000
    with pytest.raises(FeedError, match="unpacks to more than"):
        parse_feed(bomb)


@pytest.mark.parametrize("body", [gzip.compress(NEWS, mtime=0)[:-20], b"\x1f\x8bnonsense", b"\x1f\x8b"])
def test_a_broken_gz_is_told(body):
    with pytest.raises(FeedError, match="broken .gz"):
        parse_feed(body)


@pytest.mark.parametrize("entity", [b'<!ENTITY a "x"><!ENTITY b "&a;&a;">', b'<!ENTITY b SYSTEM "file:///etc/passwd">'])
def test_entities_are_refused(entity):
    with pytest.raises(FeedError, match="XML bomb"):
        parse_feed(b"<!DOCTYPE u [" + entity + b"]><urlset><url><loc>https://s.example/&b;</loc></url></urlset>")


def test_a_sitemap_is_cut_at_what_the_format_allows(monkeypatch):
    monkeypatch.setattr(sitemap, "PAGES", 10)
    body = b"<urlset>" + b"<url><loc>https://s.example/x</loc></url>" * 50 + b"</urlset>"
    assert len(sitemap.parse(body).entries) == 10


def test_of_an_index_what_changed_since_is_read_the_newest_first_then_what_does_not_say():
    children = (
        ChildSitemap("https://s.example/posts-1.xml"),
        ChildSitemap("https://s.example/2026-09.xml"),
        ChildSitemap("https://s.example/sitemap-2026/09.xml"),
        ChildSitemap("https://s.example/news.xml"),
        *parse_feed(INDEX).children[:2],
    )
    got = sitemap.choose_children(children, since=dt.datetime(2026, 11, 22, tzinfo=UTC), most=3)
    assert [child.url.rpartition("/")[2] for child in got] == ["2.xml", "news.xml", "posts-1.xml"]


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://s.example/2026/11/24/title", (2026, 11, 24)),
        ("https://s.example/news/2026-11-24-title.html", (2026, 11, 24)),
        ("https://s.example/20261124/title", (2026, 11, 24)),
        ("https://s.example/2026/02/title", (2026, 2, 28)),
        ("https://s.example/2026/13/title", None),
        ("https://s.example/2026/02/30/title", None),
        ("https://s.example/article/20261", None),
        ("https://s.example/", None),
    ],
)
def test_a_date_in_an_address_is_read(url, day):
    assert date_parsing.date_in_url(url) == (dt.datetime(*day, tzinfo=UTC) if day else None)


@settings(deadline=None)
@given(st.binary(max_size=300).map(lambda b: b"<urlset>" + b), st.integers(0, len(NEWS)))
def test_any_bytes_give_pages_or_a_feed_error(tail, cut):
    for body in (tail, NEWS[:cut] + tail):
        try:
            entries = parse_feed(body).entries
        except FeedError:
            entries = ()
        assert all(entry.url for entry in entries)


class Canned:
    def __init__(self, pages):
        self.pages, self.asked = pages, []

    async def get(self, url, *, limit, etag=None, last_modified=None, robots=False):
        self.asked.append(url)
        if url not in self.pages:
            raise FetchError("not_found", "answers 404")
        return FetchResult(url=url, status=200, body=self.pages[url])


async def test_an_index_is_followed_and_its_newest_pages_come_together():
    one = b"<urlset><url><loc>https://s.example/p1</loc><lastmod>2026-11-20</lastmod></url></urlset>"
    web = Canned({"https://s.example/1.xml": one, "https://s.example/2.xml": gzip.compress(NEWS)})
    whole = await sitemap_index.read_children(web, parse_feed(INDEX), since=None, limit=10**6)
    assert [entry.url[-5:] for entry in whole.entries] == ["1&y=2", "dated", "le/p1", "6/old"]
    assert whole.undated == 1
    assert web.asked[0] == "https://s.example/2.xml"


async def test_an_index_of_itself_ends():
    index = b"<sitemapindex><sitemap><loc>https://s.example/i.xml</loc></sitemap></sitemapindex>"
    web = Canned({"https://s.example/i.xml": index})
    assert (await sitemap_index.read_children(web, parse_feed(index), since=None, limit=10**6)).entries == ()
    assert len(web.asked) <= sitemap_index.DEPTH


async def test_an_index_of_which_nothing_can_be_had_is_an_error():
    with pytest.raises(FetchError, match="404"):
        await sitemap_index.read_children(Canned({}), parse_feed(INDEX), since=None, limit=10**6)


def test_an_index_that_does_not_say_what_changed_is_asked_without_its_etag():
    answer = FetchResult(url="u", status=200, etag="e", last_modified="l")
    assert sitemap_index.without_validators(answer, parse_feed(INDEX)).etag is None
    dated = parse_feed(
        INDEX.replace(b"<loc>https://s.example/3.xml</loc>", b"<loc>x</loc><lastmod>2026-11-24</lastmod>")
    )
    assert sitemap_index.without_validators(answer, dated) is answer
