"""Bytes to entries: every format of feed, and bytes that are not a feed."""

import datetime as dt
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.collect.discover import discover
from pipeline.collect.entry import FeedError
from pipeline.collect.feed import parse_feed
from pipeline.page.plain import plain_text

RSS2 = b"""<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>
<title>World &amp; more</title><link>https://news.example/</link><language>en-GB</language><ttl>30</ttl>
<item><title>Leaders &lt;b&gt;meet&lt;/b&gt;</title><link>/a?x=1</link><guid isPermaLink="false">tag-1</guid>
<pubDate>Tue, 24 Nov 2026 10:00:00 +0200</pubDate><dc:creator>Ann Lee</dc:creator><source url="https://o.example/">Other</source>
<description>&lt;p&gt;They   met.&lt;/p&gt;</description><content:encoded><![CDATA[<p>They met in <i>Bern</i>.</p>]]></content:encoded></item>
<item><title>No link</title></item><item><link>https://news.example/b</link></item><item></item></channel></rss>"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://r.example/"><title>RDF</title></channel>
<item rdf:about="https://r.example/1"><title>One</title><link>https://r.example/1</link><dc:date>2026-11-24T09:00:00Z</dc:date></item></rdf:RDF>"""

RSS091 = b"""<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Old</title><item><title>Caf&eacute;</title><link>https://o.example/1</link></item></channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title type="html">A &amp;amp; B</title>
<link rel="hub" href="https://hub.example/"/><link rel="self" href="https://a.example/feed"/>
<entry><id>urn:1</id><title>Un</title><link rel="enclosure" href="https://a.example/1.mp3"/><link rel="alternate" href="https://a.example/1"/>
<published>2026-11-24T08:00:00+01:00</published><updated>2026-11-24T09:30:00Z</updated><author><name>Zoe</name></author>
<summary>Court</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long</p></div></content></entry></feed>"""

JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "language": "de",
        "items": [
            {
                "id": 7,
                "url": "/7",
                "title": "Sieben",
                "content_text": "Erster Satz.\nZweiter & letzter.",
                "date_published": "2026-11-24T08:00:00+01:00",
                "date_modified": "2026-11-24T10:00:00Z",
                "authors": [{"name": "Uwe"}, {"url": "x"}],
            },
            {"id": "https://j.example/8", "content_html": "<p>x</p>", "date_published": "never"},
            "no item",
            {},
        ],
    }
).encode()


def test_rss_2_is_read_whole():
    feed = parse_feed(RSS2, url="https://news.example/feeds/rss.xml")
    assert (feed.title, feed.language, feed.ttl_seconds, feed.url) == (
        "World & more",
        "en",
        1800,
        "https://news.example/",
    )
    first, second, third, fourth = feed.entries
    assert (first.id, first.url, first.title) == ("tag-1", "https://news.example/a?x=1", "Leaders meet")
    assert first.published_at == dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
    assert first.updated_at is None
    assert (first.summary, first.content) == ("They met.", "<p>They met in <i>Bern</i>.</p>")
    assert (first.authors, first.publisher, first.language) == (("Ann Lee",), "Other", "en")
    assert (second.id, second.url) == ("No link", "")
    assert (third.id, third.url) == ("https://news.example/b", "https://news.example/b")
    assert (fourth.id != "", fourth.url, fourth.title) == (True, "", "")


def test_rss_1_is_read():
    (entry,) = parse_feed(RDF).entries
    assert (entry.id, entry.url, entry.title) == ("https://r.example/1", "https://r.example/1", "One")
    assert entry.updated_at == dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)


def test_rss_0_91_is_read_with_its_named_letters():
    (entry,) = parse_feed(RSS091).entries
    assert entry.title == "Café"


def test_atom_is_read_with_its_hub_and_the_page_not_the_enclosure():
    feed = parse_feed(ATOM)
    assert (feed.title, feed.hub, feed.language) == ("A & B", "https://hub.example/", "fr")
    (entry,) = feed.entries
    assert (entry.id, entry.url, entry.authors, entry.summary) == ("urn:1", "https://a.example/1", ("Zoe",), "Court")
    assert entry.published_at == dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
    assert entry.updated_at == dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
    assert "<p>Long</p>" in entry.content


def test_json_feed_is_read():
    feed = parse_feed(JSON_FEED, url="https://j.example/feed.json")
    assert (feed.title, feed.language) == ("J", "de")
    first, second, _ = feed.entries
    assert (first.id, first.url, first.title, first.authors) == ("7", "https://j.example/7", "Sieben", ("Uwe",))
    assert first.content == "<p>Erster Satz.</p><p>Zweiter &amp; letzter.</p>"
    assert first.published_at == dt.datetime(2026, 11, 24, 7, tzinfo=dt.UTC)
    assert first.updated_at == dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
    assert (second.url, second.published_at) == ("https://j.example/8", None)


@pytest.mark.parametrize(
    "kind", ["text/html", "text/plain", "application/json", "image/png", "text/xml; charset=us-ascii", ""]
)
def test_the_format_is_found_in_the_content_whatever_the_server_calls_it(kind):
    assert len(parse_feed(RSS2, content_type=kind).entries) == 4
    assert len(parse_feed(JSON_FEED, content_type=kind).entries) == 3


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            "<rss version='2.0'><channel><item><title>Zürich – Ćosić</title></item></channel></rss>".encode(),
            "text/xml; charset=iso-8859-1",
        ),
        (
            "<?xml version='1.0' encoding='windows-1250'?><rss version='2.0'><channel><item><title>Zürich – Ćosić</title></item></channel></rss>".encode(
                "cp1250"
            ),
            "text/xml",
        ),
        (
            "\ufeff<rss version='2.0'><channel><item><title>Zürich – Ćosić</title></item></channel></rss>".encode(
                "utf-16"
            ),
            "text/xml",
        ),
    ],
)
def test_the_encoding_is_found_whatever_the_server_calls_it(body, kind):
    assert parse_feed(body, content_type=kind).entries[0].title == "Zürich – Ćosić"


def test_broken_xml_still_gives_the_entries_that_are_there():
    feed = parse_feed(
        b"<rss version='2.0'><channel><title>T</title><item><title>A & B <b></title><link>https://x.example/1</link></item><item>"
    )
    assert feed.entries[0].url == "https://x.example/1"


def test_an_empty_feed_is_a_feed():
    assert parse_feed(b"<rss version='2.0'><channel><title>T</title></channel></rss>").entries == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"service unavailable", "plain text"),
        (b"<!DOCTYPE html><html><body>hi</body></html>", "an HTML page"),
        (
            b"<html><head><link rel='alternate' type='application/atom+xml' href='/f'></head></html>",
            "did you mean https://s.example/f",
        ),
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>", "sitemap"),
        (b"<opml version='2.0'><body/></opml>", "OPML"),
        (b"{", "broken JSON"),
        (b'{"items": 1}', "JSON of another kind"),
        (b"[1]", "JSON of another kind"),
        (b"\x89PNG\r\n", "picture"),
        (b"<rss version='2.0'><channel><item", "broken"),
        (b"[" * 100_000, "broken JSON"),
    ],
)
def test_what_is_no_feed_is_told_in_plain_words(body, words):
    with pytest.raises(FeedError) as caught:
        parse_feed(body, url="https://s.example/x/")
    assert words in str(caught.value)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">%s]>
<rss version="2.0"><channel><title>&lol2;</title><item><title>x</title></item></channel></rss>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB % b"",
        (BOMB % b"").decode().encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&f;</title></item></channel></rss>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p;]><rss version="2.0"><channel/></rss>',
        b"<!DOCTYPE a [" + b'<!ENTITY x "y">' * 400 + b']><rss version="2.0"><channel/></rss>',
    ],
)
def test_xml_bombs_are_refused(body):
    with pytest.raises(FeedError, match="XML bomb"):
        parse_feed(body)


def test_harmless_named_letters_of_its_own_are_allowed():
    body = b'<!DOCTYPE rss [<!ENTITY euro "&#8364;">]><rss version="2.0"><channel><item><title>5 &euro;</title></item></channel></rss>'
    assert parse_feed(body).entries[0].title == "5 €"


def test_the_w3cs_letters_may_be_referred_to():
    head = b'<!DOCTYPE rdf:RDF [<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "http://www.w3.org/l.ent"> %HTMLlat1;]>'
    assert len(parse_feed(head + RDF).entries) == 1


SEEDS = (RSS2, RDF, RSS091, ATOM, JSON_FEED)


@st.composite
def mutated(draw):
    """A real feed with some of its bytes cut, doubled or changed."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        what = draw(st.sampled_from(["cut", "double", "change", "insert", "end"]))
        length = draw(st.integers(1, 40))
        if what == "cut":
            del body[at : at + length]
        elif what == "double":
            body[at:at] = body[at : at + length]
        elif what == "change" and body:
            body[at] = draw(st.integers(0, 255))
        elif what == "insert":
            body[at:at] = draw(
                st.sampled_from([b"&", b"<", b"]]>", b"\x00", b"<![CDATA[", b"&#x110000;", b"</item>", b"\xff", b'"'])
            )
        else:
            del body[at:]
    return bytes(body)


@settings(max_examples=400, deadline=None)
@given(st.one_of(mutated(), st.binary(max_size=200), st.text(max_size=100).map(lambda t: b"<rss>" + t.encode())))
@example(b"<rss><channel><item><pubDate>Mon, 99 Foo 99999 99:99:99 +9999</pubDate></item></channel></rss>")
@example(b'{"items": [{"id": 1e400, "url": "x"}]}')
def test_any_bytes_give_entries_or_a_feed_error(body):
    try:
        entries = parse_feed(body, url="https://x.example/feed").entries
    except FeedError:
        entries = ()
    assert all(entry.id for entry in entries)


def test_markup_becomes_words():
    assert plain_text("<p>One</p><p>two&nbsp;&lt;3</p><script>alert(1)</script>") == "One two <3"


def test_the_feeds_of_a_page_are_found_in_order():
    page = """<link rel="alternate" type="application/rss+xml" href="/a.xml"><link rel=stylesheet href=x>
    <link rel="alternate nofollow" type="application/atom+xml" href="https://o.example/b"><link rel="alternate" hreflang="de" href="/de">"""
    assert discover(page, "https://s.example/x/") == ("https://s.example/a.xml", "https://o.example/b")
