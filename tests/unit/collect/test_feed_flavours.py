"""A feed in every format gives the same two entries, and ten thousand damaged feeds give entries or a clear error."""

import datetime as dt
import json
import os
import random
import time

import pytest

from pipeline.collect.entry import FeedError
from pipeline.collect.feed import parse_feed

UTC = dt.UTC
AT = dt.datetime(2026, 11, 24, 8, 30, tzinfo=UTC)

DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'
CONTENT = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
ITUNES = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
RDF_NS = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'


def rss(version, *, items=None, head="", spaces=""):
    items = items or (
        "<item><title>Talks &amp;amp; more</title><link>https://n.example/1</link><description>First.</description></item>"
        "<item><title>Two</title><link>https://n.example/2</link></item>"
    )
    return f'<?xml version="1.0"?>{head}<rss version="{version}" {spaces}><channel><title>News</title><link>https://n.example/</link>{items}</channel></rss>'


def rdf(namespace):
    return (
        f'<rdf:RDF {RDF_NS} xmlns="{namespace}"><channel><title>News</title></channel>'
        "<item><title>Talks &amp;amp; more</title><link>https://n.example/1</link></item>"
        "<item><title>Two</title><link>https://n.example/2</link></item></rdf:RDF>"
    )


def atom(namespace, *, version="", link="rel='alternate' type='text/html' "):
    return (
        f'<feed xmlns="{namespace}" {version}><title>News</title>'
        f"<entry><id>urn:1</id><title>Talks &amp; more</title><link {link}href='https://n.example/1'/></entry>"
        f"<entry><id>urn:2</id><title type='text'>Two</title><link {link}href='https://n.example/2'/></entry></feed>"
    )


def json_feed(version):
    items = [
        {"id": "1", "url": "https://n.example/1", "title": "Talks & more"},
        {"id": "2", "url": "https://n.example/2", "title": "Two"},
    ]
    return json.dumps({"version": f"https://jsonfeed.org/version/{version}", "title": "News", "items": items})


NETSCAPE = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">'

FLAVOURS = {
    "RSS 0.90": rdf("http://my.netscape.com/rdf/simple/0.9/"),
    "RSS 0.91 Netscape": rss("0.91", head=NETSCAPE),
    "RSS 0.91 Userland": rss("0.91"),
    "RSS 0.92": rss("0.92"),
    "RSS 0.93": rss("0.93"),
    "RSS 0.94": rss("0.94"),
    "RSS 1.0": rdf("http://purl.org/rss/1.0/"),
    "RSS 2.0": rss("2.0"),
    "RSS 2.0 with a namespace": rss("2.0", spaces='xmlns="http://backend.userland.com/rss2"'),
    "RSS without a version": rss("2.0").replace(' version="2.0"', ""),
    "RSS with an attribute nobody knows": rss("3.7"),
    "Atom 0.3": atom("http://purl.org/atom/ns#", version='version="0.3"'),
    "Atom 1.0": atom("http://www.w3.org/2005/Atom"),
    "Atom 1.0 with plain links": atom("http://www.w3.org/2005/Atom", link=""),
    "Atom with a prefix": atom("http://www.w3.org/2005/Atom")
    .replace("xmlns=", "xmlns:a=").replace("</", "</a:").replace("<", "<a:").replace("<a:/a:", "</a:"),
    "JSON Feed 1": json_feed("1"),
    "JSON Feed 1.1": json_feed("1.1"),
    "CDF": '<CHANNEL><TITLE>News</TITLE><ITEM HREF="https://n.example/1"><TITLE>Talks &amp;amp; more</TITLE></ITEM>'
    '<ITEM HREF="https://n.example/2"><TITLE>Two</TITLE></ITEM></CHANNEL>',
}  # fmt: skip


@pytest.mark.parametrize("name", FLAVOURS)
def test_every_flavour_gives_the_same_entries(name):
    feed = parse_feed(FLAVOURS[name].encode())
    assert [(entry.title, entry.url) for entry in feed.entries] == [
        ("Talks & more", "https://n.example/1"),
        ("Two", "https://n.example/2"),
    ]
    assert feed.title == "News"


@pytest.mark.parametrize("name", FLAVOURS)
@pytest.mark.parametrize("dressed", [b"\n\n  %s", b"\xef\xbb\xbf%s", b"%s\n<!-- served in 3 ms -->"])
def test_what_servers_put_around_a_feed_does_no_harm(name, dressed):
    if name.startswith("JSON") and dressed.startswith(b"%s"):
        dressed = b"%s\n \n"
    body = dressed.replace(b"%s", FLAVOURS[name].encode())
    if not dressed.startswith(b"\xef"):
        body = body.replace(b'<?xml version="1.0"?>', b"") if dressed.startswith(b"\n") else body
    assert len(parse_feed(body).entries) == 2


# --- dates ---------------------------------------------------------------------------------------------------------------

DATES = (
    "Tue, 24 Nov 2026 08:30:00 GMT", "Tue, 24 Nov 2026 10:30:00 +0200", "24 Nov 2026 03:30 EST", "Tue, 24 Nov 26 08:30:00 Z",
    "Tue, 24 Nov 2026 18:30:00 AEST", "Tue, 24 Nov 2026 19:30:00 AEDT", "Tue, 24 Nov 2026 09:30:00 CET",
    "Tue, 24 Nov 2026 14:00:00 IST", "Tue, 24 Nov 2026 17:30:00 JST", "Tue, 24 Nov 2026 11:30:00 MSK",
    "Tue Nov 24 08:30:00 2026", "Tuesday, 24-Nov-26 08:30:00 UTC", "Tue, 24 Nov 2026 08:30:00 +00:00", "24 November 2026 08:30",
    "November 24, 2026 8:30 AM", "2026-11-24T08:30:00Z", "2026-11-24T10:30:00+02:00", "2026-11-24T08:30Z",
    "2026-11-24 08:30:00", "2026-11-24T08:30:00.123456789Z", "20261124T083000Z", "2026/11/24 08:30:00",
    "2026-11-24 10:30:00 +0200", "2026-11-24 08:30:00 UTC", "  Tue,  24 Nov 2026\n 08:30:00   GMT ",
)  # fmt: skip


@pytest.mark.parametrize("written", DATES)
def test_a_date_in_any_form_is_the_same_moment(written):
    item = f"<item><title>T</title><link>https://n.example/1</link><pubDate>{written}</pubDate></item>"
    (entry,) = parse_feed(rss("2.0", items=item).encode()).entries
    assert entry.published_at is not None
    assert entry.published_at.replace(microsecond=0) == AT


@pytest.mark.parametrize(
    ("written", "spoken", "day"),
    [("24. November 2026", "de", 24), ("24 novembre 2026", "fr", 24), ("24 ноября 2026", "ru", 24), ("24 de noviembre de 2026", "es", 24)],
)  # fmt: skip
def test_a_month_in_the_feeds_own_language_is_understood(written, spoken, day):
    items = f"<language>{spoken}</language><item><title>T</title><pubDate>{written}</pubDate></item>"
    assert parse_feed(rss("2.0", items=items).encode()).entries[0].published_at == dt.datetime(
        2026, 11, day, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "written", ["yesterday", "soon", "0000-00-00T00:00:00Z", "Mon, 99 Foo 9999", "24 Nov", "1", "x" * 500]
)
def test_what_is_no_date_is_none(written):
    item = f"<item><title>T</title><pubDate>{written}</pubDate></item>"
    (entry,) = parse_feed(rss("2.0", items=item).encode()).entries
    assert entry.published_at is None
    assert entry.updated_at is None


@pytest.mark.parametrize(
    ("tag", "published", "updated"),
    [("pubDate", True, False), ("dc:date", False, True), ("published", True, False), ("updated", False, True), ("issued", True, False)],
)  # fmt: skip
def test_each_date_is_what_it_is_called(tag, published, updated):
    item = f"<item><title>T</title><{tag}>2026-11-24T08:30:00Z</{tag}></item>"
    (entry,) = parse_feed(rss("2.0", items=item, spaces=DC).encode()).entries
    assert (entry.published_at, entry.updated_at) == (AT if published else None, AT if updated else None)


# --- encodings -----------------------------------------------------------------------------------------------------------

GREETINGS = {
    "utf-8": "Zürich – Москва – 北京", "utf-16": "Zürich – Москва – 北京", "utf-16-le": "Zürich – 北京", "utf-16-be": "Zürich – 北京",
    "iso-8859-1": "Zürich déjà", "windows-1252": "Zürich – “déjà”", "windows-1251": "Москва и Київ", "koi8-r": "Москва",
    "gb2312": "北京新闻", "gbk": "北京新聞", "gb18030": "北京新闻", "big5": "台北新聞", "shift_jis": "東京ニュース", "euc-jp": "東京ニュース",
    "euc-kr": "서울 뉴스", "iso-8859-2": "Łódź", "windows-1255": "ירושלים", "windows-1256": "القاهرة", "iso-8859-7": "Αθήνα",
}  # fmt: skip


@pytest.mark.parametrize("encoding", GREETINGS)
@pytest.mark.parametrize("kind", ["application/rss+xml", "text/xml", ""])
def test_the_encoding_that_a_feed_names_is_used(encoding, kind):
    title = GREETINGS[encoding]
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-le").removesuffix("-be")}"?><rss version="2.0"><channel><item><title>{title}</title></item></channel></rss>'
    assert parse_feed(text.encode(encoding), content_type=kind).entries[0].title == title


@pytest.mark.parametrize(
    ("named", "header", "really"),
    [
        ("iso-8859-1", "text/xml; charset=iso-8859-1", "utf-8"),
        ("utf-8", "text/xml; charset=us-ascii", "utf-8"),
        ("", "text/xml; charset=windows-1251", "windows-1251"),
        ("utf-8", "text/xml", "windows-1251"),
        ("utf-8", "text/xml; charset=utf-8", "gb2312"),
        ("utf-16", "text/xml", "utf-8"),
        ("iso-8859-1", "application/rss+xml; charset=windows-1251", "windows-1251"),
        ("no-such-thing", "text/xml", "utf-8"),
    ],
)
def test_an_encoding_that_is_named_wrongly_is_found(named, header, really):
    title = {
        "utf-8": "Zürich – Москва",
        "windows-1251": "Переговоры в Москве продолжаются",
        "gb2312": "北京举行会谈讨论粮食协议",
    }[really]
    declared = f'<?xml version="1.0" encoding="{named}"?>' if named else ""
    items = f"<item><title>{title}</title><description>{title * 6}</description></item>"
    body = f'{declared}<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode(really)
    assert parse_feed(body, content_type=header).entries[0].title == title


# --- what stands in an entry ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "field", "value"),
    [
        ("<title><![CDATA[A <b>bold</b> claim &amp; more]]></title>", "title", "A bold claim & more"),
        ("<title>Caf&eacute; &#8211; na&#239;ve</title>", "title", "Café – naïve"),
        ("<title>AT&T and R&D</title>", "title", "AT&T and R&D"),
        ("<title> two\n  lines </title>", "title", "two lines"),
        ("<title>1 &lt; 2</title>", "title", "1 < 2"),
        ("<link>/rel/1</link>", "url", "https://n.example/rel/1"),
        ("<link>  https://n.example/1  </link>", "url", "https://n.example/1"),
        ("<link>https://n.example/1?a=1&amp;b=2</link>", "url", "https://n.example/1?a=1&b=2"),
        ("<guid>https://n.example/guid</guid>", "url", "https://n.example/guid"),
        ('<guid isPermaLink="false">tag:1</guid><link>https://n.example/1</link>', "id", "tag:1"),
        ('<link>https://n.example/1</link><enclosure url="https://n.example/1.mp3" type="audio/mpeg"/>', "url", "https://n.example/1"),
        ("<dc:creator>Ann Lee</dc:creator>", "authors", ("Ann Lee",)),
        ("<author>ann@n.example (Ann Lee)</author>", "authors", ("Ann Lee",)),
        ("<dc:creator>Ann Lee</dc:creator><dc:creator>Bo Ek</dc:creator>", "authors", ("Ann Lee", "Bo Ek")),
        ("<itunes:author>Ann Lee</itunes:author>", "authors", ("Ann Lee",)),
        ('<source url="https://o.example/">The Agency</source>', "publisher", "The Agency"),
        ("<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>", "summary", "One two"),
        ("<description>s</description><content:encoded><![CDATA[<p>Whole</p>]]></content:encoded>", "content", "<p>Whole</p>"),
        ("<media:description>A picture</media:description><description>Words</description>", "summary", "Words"),
        ("<title>Real</title><media:content url='x'><media:title>A picture</media:title></media:content>", "title", "Real"),
        ("<title>Real</title><image><title>Logo</title></image>", "title", "Real"),
    ],
)  # fmt: skip
def test_what_an_item_says_is_read(item, field, value):
    spaces = f"{DC} {MEDIA} {CONTENT} {ITUNES}"
    feed = parse_feed(
        rss("2.0", items=f"<item>{item}</item>", spaces=spaces).encode(), url="https://n.example/feed.xml"
    )
    assert getattr(feed.entries[0], field) == value


def test_relative_links_of_atom_start_at_the_nearest_base():
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://n.example/a/"><title>t</title>'
        '<entry xml:base="b/"><id>1</id><link href="c"/><content type="html">&lt;a href="d"&gt;x&lt;/a&gt;</content></entry>'
        '<entry><id>2</id><link href="../c"/></entry></feed>'
    )
    one, two = parse_feed(body.encode(), url="https://other.example/").entries
    assert (one.url, two.url) == ("https://n.example/a/b/c", "https://n.example/c")
    assert 'href="https://n.example/a/b/d"' in one.content


def test_xhtml_content_and_an_entrys_own_source_are_read():
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><author><name>Whole</name></author><entry><id>1</id>'
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>title</em></div></title>'
        "<source><title>The Agency</title></source>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One</p></div></content></entry></feed>'
    )
    (entry,) = parse_feed(body.encode()).entries
    assert (entry.title, entry.publisher, "<p>One</p>" in entry.content) == ("A title", "The Agency", True)


def test_of_json_feed_11_the_feeds_authors_and_its_websub_hub_are_read():
    body = {
        "version": "https://jsonfeed.org/version/1.1", "title": "t", "authors": [{"name": "Ann"}], "feed_url": "/f.json",
        "hubs": [{"type": "rssCloud", "url": "https://c.example/"}, {"type": "WebSub", "url": "https://h.example/"}],
        "items": [{"id": "1", "content_text": "x"}, {"id": "2", "content_text": "x", "authors": [{"name": "Bo"}]}],
    }  # fmt: skip
    feed = parse_feed(json.dumps(body).encode(), url="https://n.example/x")
    assert (feed.hub, feed.topic) == ("https://h.example/", "https://n.example/f.json")
    assert [entry.authors for entry in feed.entries] == [("Ann",), ("Bo",)]


# --- damage --------------------------------------------------------------------------------------------------------------

MUTANTS = int(os.environ.get("TEST_MUTANTS", "2000"))
"""10,000 take half a minute: `TEST_MUTANTS=10000 pytest -k damaged`."""

PIECES = (
    b"&", b"<", b">", b"]]>", b"\x00", b"<![CDATA[", b"&#x110000;", b"&#0;", b"</item>", b"<item>", b"\xff\xfe", b'"', b"<!--", b"-->",
    b"<!DOCTYPE x>", b"&nbsp;", b"<?xml version='1.0' encoding='utf-32'?>", b"\x1f\x8b", b"{", b"}", b"\\u0000", b"\xe2\x80", b"<a:b>",
    b" xmlns:x='y'", b"99999999999999999999", b"-", b"\r",
)  # fmt: skip


def damaged(chance):
    name = chance.choice(list(FLAVOURS))
    body = bytearray(FLAVOURS[name].encode(chance.choice(["utf-8", "utf-8", "utf-8", "utf-16"])))
    if chance.random() < 0.3:
        date = f"<item><title>x</title><pubDate>{chance.choice(DATES)}</pubDate></item></channel>"
        body = bytearray(bytes(body).replace(b"</channel>", date.encode(), 1))
    for _ in range(chance.randint(1, 10)):
        at, length = chance.randrange(len(body) + 1), chance.randint(1, 60)
        what = chance.randrange(7)
        if what == 0:
            del body[at : at + length]
        elif what == 1:
            body[at:at] = body[at : at + length]
        elif what == 2 and at < len(body):
            body[at] = chance.randrange(256)
        elif what == 3:
            body[at:at] = chance.choice(PIECES)
        elif what == 4 and chance.random() < 0.3:
            del body[at:]
        elif what == 5:
            other = FLAVOURS[chance.choice(list(FLAVOURS))].encode()
            start = chance.randrange(len(other))
            body[at:at] = other[start : start + length]
        elif at < len(body):
            body[at] ^= 1 << chance.randrange(8)
    return bytes(body)


def test_damaged_feeds_give_entries_or_a_clear_error_and_soon():
    chance = random.Random(20261124)
    read = refused = 0
    slowest = 0.0
    for _ in range(MUTANTS):
        body = damaged(chance)
        kind = chance.choice(["application/rss+xml", "text/html; charset=latin-1", "application/json", ""])
        began = time.process_time()
        try:
            feed = parse_feed(body, content_type=kind, url="https://n.example/feed")
        except FeedError:
            refused += 1
        else:
            assert all(entry.id for entry in feed.entries), body
            read += 1
        slowest = max(slowest, time.process_time() - began)
    assert read > refused > 0
    assert slowest < 5, "one feed held up the others"
