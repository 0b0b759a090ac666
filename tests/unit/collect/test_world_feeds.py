"""Feeds as they are written: encodings, broken XML, formats, links, dates and titles that readers of feeds are told about."""

import datetime as dt
import json
from html import escape

import pytest

from pipeline.collect.feed import parse_feed
from pipeline.records import Feed
from tests.unit.collect.cases import check_stories, collect, collecting
from tests.unit.collect.test_odd_sites import MORE, TEXTS, TITLES, make_feed, stories

PAGES = stories("/s/{n}")
RSS = make_feed("{base}/s/{n}", text=False)["/feed.xml"]["body"]
TITLE, TEXT = TITLES[0], TEXTS[TITLES[0]]


def as_rss(
    items, *, head="<?xml version='1.0' encoding='utf-8'?>", attributes="", channel="<title>Harbour Wire</title>"
):
    return f"{head}<rss version='2.0' {attributes}><channel>{channel}{items}</channel></rss>"


def items(form):
    """An item for each story; `{n}`, `{title}` and `{text}` in it are its own."""
    return "".join(
        form.replace("{n}", str(n)).replace("{title}", title).replace("{text}", TEXTS[title])
        for n, title in enumerate(TITLES)
    )


ITEM = "<item><title>{title}</title><link>{base}/s/{n}</link><guid isPermaLink='false'>e-{n}</guid><pubDate>Fri, 27 Nov 2026 1{n}:00:00 GMT</pubDate></item>"
ATOM = "<entry><title>{title}</title><id>urn:x:{n}</id><updated>2026-11-27T1{n}:00:00Z</updated><link href='{base}/s/{n}'/></entry>"


def as_atom(entries, *, attributes="", head=""):
    return f"<?xml version='1.0'?>{head}<feed xmlns='http://www.w3.org/2005/Atom' {attributes}><title>Harbour Wire</title><id>x</id>{entries}</feed>"


FEEDS = {
    "utf-16 told, utf-8 meant": RSS.replace("<rss", "<?xml version='1.0' encoding='utf-16'?><rss", 1),
    "encoding UTF8": RSS.replace("<rss", "<?xml version='1.0' encoding='UTF8'?><rss", 1),
    "encoding with space": RSS.replace("<rss", "<?xml version='1.0' encoding=' utf-8 '?><rss", 1),
    "encoding unicode": RSS.replace("<rss", "<?xml version='1.0' encoding='unicode'?><rss", 1),
    "encoding unknown": RSS.replace("<rss", "<?xml version='1.0' encoding='x-nobody'?><rss", 1),
    "encoding empty": RSS.replace("<rss", "<?xml version='1.0' encoding=''?><rss", 1),
    "version 1.1": RSS.replace("<rss", "<?xml version='1.1'?><rss", 1),
    "two declarations": RSS.replace("<rss", "<?xml version='1.0'?><?xml version='1.0'?><rss", 1),
    "spaces before the declaration": "\n\n  " + RSS.replace("<rss", "<?xml version='1.0'?><rss", 1),
    "mark twice": "\ufeff\ufeff" + RSS,
    "mark after space": " \ufeff" + RSS,
    "a comment first": "<!-- cached -->" + RSS.replace("<rss", "<?xml version='1.0'?><rss", 1),
    "a warning of PHP first": "<br />\n<b>Warning</b>: session_start() in <b>/var/x.php</b> on line <b>3</b><br />\n" + RSS,
    "a script behind": RSS + "<script>var _hosting=1;</script>",
    "a comment behind": RSS + "\n<!-- page generated in 0.1 s -->",
    "a second document behind": RSS + RSS,
    "no end": RSS.removesuffix("</channel></rss>"),
    "control characters": RSS.replace("</title>", "\x0b\x08</title>").replace("<item>", "<item>\x1f"),
    "a zero byte": RSS.replace("<item>", "<item>\x00"),
    "noncharacters": RSS.replace("</title>", "&#xFFFF;&#x1;</title>"),
    "a bare ampersand": as_rss(items(ITEM.replace("</title>", "</title><category>A & B</category>"))),
    "a bare less": as_rss(items(ITEM.replace("</title>", "</title><category>a < b</category>"))),
    "entities of HTML": as_rss(items(ITEM.replace("</title>", "</title><category>a&nbsp;b&rsquo;</category>"))),
    "a prefix nobody declared": as_rss(items(ITEM.replace("</item>", "<media:thumbnail url='x'/><x:y>1</x:y></item>"))),
    "an attribute twice": as_rss(items(ITEM.replace("<guid", "<enclosure url='a' url='b'/><guid"))),
    "an attribute without quotes": as_rss(items(ITEM.replace("<guid", "<enclosure url=a/><guid"))),
    "tags that cross": as_rss(items(ITEM.replace("</item>", "<description><b><i>x</b></i></description></item>"))),
    "tags in capitals": RSS.replace("<item>", "<ITEM>").replace("</item>", "</ITEM>").replace("<link>", "<LINK>").replace("</link>", "</LINK>"),
    "CDATA twice": as_rss(items(ITEM.replace("{title}", "<![CDATA[<![CDATA[{title}]]]]><![CDATA[>]]>"))),
    "CDATA in every field": as_rss(items(ITEM.replace("{title}", "<![CDATA[ {title} ]]>").replace("{base}/s/{n}", "<![CDATA[\n{base}/s/{n}\n]]>"))),
    "RSS 0.90": "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel><title>H</title></channel>" + items("<item><title>{title}</title><link>{base}/s/{n}</link></item>") + "</rdf:RDF>",
    "RSS 0.91": "<?xml version='1.0'?><!DOCTYPE rss PUBLIC '-//Netscape Communications//DTD RSS 0.91//EN' 'http://my.netscape.com/publish/formats/rss-0.91.dtd'><rss version='0.91'><channel><title>H</title>" + items("<item><title>{title}</title><link>{base}/s/{n}</link></item>") + "</channel></rss>",
    "RSS 1.0": "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel rdf:about='x'><title>H</title></channel>" + items("<item rdf:about='{base}/s/{n}'><title>{title}</title><link>{base}/s/{n}</link><dc:date>2026-11-27T1{n}:00:00+00:00</dc:date></item>") + "</rdf:RDF>",
    "RSS 1.0, the address as about alone": "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel rdf:about='x'><title>H</title></channel>" + items("<item rdf:about='{base}/s/{n}'><title>{title}</title></item>") + "</rdf:RDF>",
    "RSS with a namespace": RSS.replace("<rss", "<rss xmlns='http://backend.userland.com/rss2'"),
    "RSS without version": RSS.replace(" version='2.0'", ""),
    "Atom 0.3": "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>H</title>" + items("<entry><title>{title}</title><id>x{n}</id><issued>2026-11-27T1{n}:00:00Z</issued><link rel='alternate' type='text/html' href='{base}/s/{n}'/></entry>") + "</feed>",
    "Atom with xml:base": as_atom(items(ATOM.replace("{base}/s/{n}", "{n}").replace("<entry>", "<entry xml:base='s/'>")), attributes="xml:base='{base}/'"),
    "Atom with xml:base on the link": as_atom(items(ATOM.replace("<link href='{base}/s/{n}'/>", "<link xml:base='{base}/s/x' href='{n}'/>"))),
    "Atom, links of several kinds": as_atom(items(ATOM.replace("<link ", "<link rel='self' href='{base}/api/{n}'/><link rel='edit' href='{base}/e/{n}'/><link rel='replies' href='{base}/r/{n}'/><link rel='enclosure' href='{base}/i/{n}.jpg'/><link rel='alternate' "))),
    "Atom, alternate as JSON and HTML": as_atom(items(ATOM.replace("<link ", "<link rel='alternate' type='application/json' href='{base}/j/{n}'/><link rel='alternate' type='text/html' "))),
    "Atom, the id as address": as_atom(items(ATOM.replace("<link href='{base}/s/{n}'/>", "").replace("urn:x:{n}", "{base}/s/{n}"))),
    "Atom with a prefix": "<?xml version='1.0'?><a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>H</a:title>" + items("<a:entry><a:title>{title}</a:title><a:id>u:{n}</a:id><a:link href='{base}/s/{n}'/></a:entry>") + "</a:feed>",
    "Atom title in XHTML": as_atom(items(ATOM.replace("<title>{title}</title>", "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{title}</div></title>"))),
    "Atom title in HTML": as_atom(items(ATOM.replace("<title>{title}</title>", "<title type='html'>&lt;b&gt;{title}&lt;/b&gt;</title>"))),
    "Atom with http namespace": as_atom(items(ATOM)).replace("http://www.w3.org/2005/Atom", "https://www.w3.org/2005/Atom"),
    "the link before the link": as_rss(items(ITEM.replace("<link>", "<atom:link rel='self' href='{base}/x'/><link>")), attributes="xmlns:atom='http://www.w3.org/2005/Atom'"),
    "an Atom link alone": as_rss(items(ITEM.replace("<link>{base}/s/{n}</link>", "<atom:link href='{base}/s/{n}'/>")), attributes="xmlns:atom='http://www.w3.org/2005/Atom'"),
    "an empty link and a guid": as_rss(items("<item><title>{title}</title><link/><guid>{base}/s/{n}</guid></item>")),
    "a guid alone": as_rss(items("<item><title>{title}</title><guid isPermaLink='true'>{base}/s/{n}</guid></item>")),
    "a link of the feed first": as_rss(items(ITEM), channel="<title>H</title><link>{base}/</link><image><link>{base}/logo</link></image>"),
    "links below the root": as_rss(items(ITEM.replace("{base}/s", "/s"))),
    "links below the feed": as_rss(items(ITEM.replace("{base}/s", "s"))),
    "links without scheme": as_rss(items(ITEM.replace("{base}/s", "//{host}/s"))),
    "links without colon": as_rss(items(ITEM.replace("{base}/s", "http//{host}/s"))),
    "links with one slash": as_rss(items(ITEM.replace("{base}/s", "http:/{host}/s"))),
    "links in capitals": as_rss(items(ITEM.replace("{base}/s", "HTTP://{host}/s"))),
    "links escaped twice": as_rss(items(ITEM.replace("{base}/s/{n}", "{base}/v?a=1&amp;amp;id={n}"))),
    "links broken over lines": as_rss(items(ITEM.replace("{base}/s/{n}", "\n   {base}/s/\n{n}\n  "))),
    "links with spaces": as_rss(items(ITEM.replace("{base}/s/{n}", "{base}/s p/{n}"))),
    "links with umlauts": as_rss(items(ITEM.replace("{base}/s/{n}", "{base}/ü/{n}"))),
    "links as href": as_rss(items(ITEM.replace("<link>{base}/s/{n}</link>", "<link href='{base}/s/{n}'/>"))),
    "two links, the first empty": as_rss(items(ITEM.replace("<link>", "<link></link><link>"))),
    "origLink of a feed service": as_rss(items(ITEM.replace("<link>{base}", "<feedburner:origLink>{base}/s/{n}</feedburner:origLink><link>{other}/~r")), attributes="xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'"),
    "empty items between": as_rss("<item/><item></item>" + items(ITEM) + "<item><pubDate>Fri, 27 Nov 2026 12:00:00 GMT</pubDate></item><item><title/></item>"),
    "enclosures alone between": as_rss("<item><title>Pod</title><enclosure url='{base}/a.mp3' type='audio/mpeg' length='1'/></item>" + items(ITEM)),
    "titles of media and source": as_rss(items(ITEM.replace("</title>", "</title><media:title>Picture of the day</media:title><source url='x'>Other paper</source><itunes:title>Pod</itunes:title>")), attributes="xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"),
    "items outside the channel": "<rss version='2.0'><channel><title>H</title></channel>" + items(ITEM) + "</rss>",
    "a guid for all": as_rss(items(ITEM.replace("e-{n}", "e"))),
    "no guid": as_rss(items("<item><title>{title}</title><link>{base}/s/{n}</link></item>")),
    "a stylesheet": RSS.replace("<rss", "<?xml version='1.0'?><?xml-stylesheet href='/x.xsl' type='text/xsl'?><rss", 1),
    "a letter declared": RSS.replace("<rss", "<!DOCTYPE rss [<!ENTITY nbsp '&#160;'>]><rss", 1),
    "in a page": "<html><body><pre>" + escape(RSS, quote=False) + "</pre></body></html>",
}  # fmt: skip

MUST_FAIL = {"in a page"}


def served(site, body):
    return site.filled(body, "").replace("{host}", site.addresses["base"].partition("//")[2])


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("kind", ["text/xml", "text/html; charset=iso-8859-1"])
async def test_a_feed_is_read_however_it_is_written(name, kind):
    pages = dict(PAGES)
    for n in range(3):
        pages |= dict.fromkeys((f"/s%20p/{n}", f"/v?a=1&id={n}", f"/%C3%BC/{n}"), PAGES[f"/s/{n}"])
    async with collecting(pages) as (site, setup):
        site.pages["/feed.xml"] = {"type": kind, "body": served(site, FEEDS[name]).encode()}
        for _ in range(3):
            state = await setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml"))
        if name in MUST_FAIL:
            assert state.error
            return
        assert state.error is None
        articles = setup.sink.articles
    assert sorted(article.title for article in articles) == sorted(TITLES)
    assert sorted(article.url.rpartition("/")[2][-1] for article in articles) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "windows-1252",
        "iso-8859-1",
        "windows-1251",
        "koi8-r",
        "gb2312",
        "gbk",
        "big5",
        "shift_jis",
        "euc-jp",
        "iso-2022-jp",
        "euc-kr",
        "windows-1256",
        "iso-8859-15",
    ],
)
@pytest.mark.parametrize("told", ["xml", "header", "both", "wrong header"])
def test_titles_have_their_letters_in_every_encoding(encoding, told):
    title = {"windows-1251": "Президент подписал договор", "koi8-r": "Президент подписал договор", "gb2312": "总统签署协议", "gbk": "总统签署协议後", "big5": "總統簽署協議", "shift_jis": "大統領が条約に署名した", "euc-jp": "大統領が条約に署名した", "iso-2022-jp": "大統領が条約に署名した", "euc-kr": "대통령이 조약에 서명했다", "windows-1256": "الرئيس يوقع المعاهدة"}.get(encoding, "Präsident unterzeichnet für Zürich")  # fmt: skip
    bare = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
    head = f"<?xml version='1.0' encoding='{bare}'?>" if told != "header" else ""
    body = (
        head
        + f"<rss version='2.0'><channel><title>H</title><item><title>{title}</title><link>http://x.example/1</link></item></channel></rss>"
    ).encode(encoding)
    if encoding in ("utf-16-le", "utf-16-be") and told == "header":
        return
    kind = "text/xml" + {
        "xml": "",
        "wrong header": "; charset=iso-8859-1"
        if not encoding.startswith("iso-8859-1") and "1252" not in encoding
        else "",
    }.get(told, f"; charset={bare}")
    assert parse_feed(body, content_type=kind).entries[0].title == title


def test_a_link_without_its_scheme_is_completed():
    body = as_rss("<item><title>A title of news</title><link>www.paper.example/a?b=1</link></item>")
    assert parse_feed(body.encode(), url="http://x.example/f").entries[0].url == "http://www.paper.example/a?b=1"
    for link in ("www.html", "wwwx/a", "a/www.paper.example", "/www.paper.example/a", "http://www.paper.example/a"):
        body = as_rss(f"<item><title>A title of news</title><link>{link}</link></item>")
        assert parse_feed(body.encode(), url="http://x.example/f").entries[0].url == (
            link if link[:4] == "http" else f"http://x.example/{link.lstrip('/')}"
        )


DATES = {
    "Fri, 27 Nov 2026 10:00:00 GMT": "10:00", "Fri, 27 Nov 26 10:00:00 +0000": "10:00", "27 Nov 2026 10:00:00 Z": "10:00", "Fri 27 Nov 2026 10:00:00 GMT": "10:00",
    "Friday, 27 November 2026 11:00:00 +0100": "10:00", "Fri, 27 Nov 2026 05:00:00 EST": "10:00", "Fri, 27 Nov 2026 11:00:00 CET": "10:00", "Fri, 27 Nov 2026 11:00:00 +01:00": "10:00",
    "Fri, 27 Nov 2026 11:00:00 GMT+1": "10:00", "Fri, 27 Nov 2026 11:00:00 UTC+01:00": "10:00", "Fri, 27 Nov 2026 10:00 GMT": "10:00", "Fri, 27 Nov 2026 10:00:00": "10:00", "Thu, 27 Nov 2026 10:00:00 GMT": "10:00",
    "Fri, 27 Nov 2026 10:00:00 AM GMT": "10:00", "Nov 27, 2026 10:00 AM": "10:00", "11/27/2026 10:00:00 AM": "10:00", "27.11.2026 10:00": "10:00", "2026-11-27 10:00:00": "10:00", "2026-11-27T10:00:00": "10:00",
    "2026-11-27T10:00Z": "10:00", "2026-11-27T11:00:00+0100": "10:00", "2026-11-27T10:00:00.000Z": "10:00", "2026-11-27T10:00:00+0000Z": "10:00", "2026-11-27T10:00:00 +00:00": "10:00", "20261127T100000Z": "10:00", "1795773600": "10:00", "1795773600000": "10:00",
    "Fri, 27 Nov 2026 10:00:00 +0000 (UTC)": "10:00", "Fri,27 Nov 2026 10:00:00 GMT": "10:00", "Fri, 27 Nov 2026 10.00.00 GMT": "10:00", "Fri, 27 Nov 2026, 10:00:00 GMT": "10:00", "Fri Nov 27 10:00:00 UTC 2026": "10:00", "Fri Nov 27 2026 11:00:00 GMT+0100 (Central European Standard Time)": "10:00",
    "Fri, 27 Nov 2026 24:00:00 GMT": None, "ven., 27 nov. 2026 10:00:00 +0000": "10:00", "vendredi 27 novembre 2026 10:00": "10:00", "Fr, 27 Nov 2026 10:00:00 +0000": "10:00", "vie, 27 nov 2026 10:00:00 +0000": "10:00", "Sex, 27 Nov 2026 10:00:00 +0000": "10:00", "Пт, 27 ноя 2026 10:00:00 +0000": "10:00",
    "Пятница, 27 ноября 2026 10:00:00 +0000": "10:00", "金, 27 11月 2026 10:00:00 +0000": "10:00", "2026年11月27日 10:00": "10:00", "Cum, 27 Kas 2026 10:00:00 +0000": "10:00", "pá, 27 lis 2026 10:00:00 +0000": "10:00", "pt., 27 lis 2026 10:00:00 +0000": "10:00", "27 Nov 2026": "00:00",
    "Thu, 01 Jan 1970 00:00:00 GMT": "", "0000-00-00 00:00:00": "", "0001-01-01T00:00:00": "", "Mon, 30 Nov -0001 00:00:00 +0000": "", "yesterday": "", "2 hours ago": "", "": "", "Invalid Date": "", "NaN": "", "2026": "", "November 2026": "", "Fri, 27 Nov 2062 10:00:00 GMT": "far",
}  # fmt: skip
LOCALES = {
    "ven": "fr",
    "Fr,": "de",
    "vie": "es",
    "Sex": "pt",
    "Пт,": "ru",
    "Пят": "ru",
    "金, ": "ja",
    "202": "",
    "Cum": "tr",
    "pá,": "cs",
    "pt.": "pl",
}


@pytest.mark.parametrize("written", DATES)
def test_a_date_is_read_however_it_is_written(written):
    language = LOCALES.get(written[:3], "")
    body = as_rss(
        f"<item><title>A title of news</title><link>http://x.example/1</link><pubDate>{written}</pubDate></item>",
        channel=f"<title>H</title><language>{language}</language>",
    )
    now = dt.datetime(2026, 11, 27, 18, tzinfo=dt.UTC)
    found = parse_feed(body.encode(), now=now).entries[0].published_at
    wanted = DATES[written]
    if wanted == "":
        assert found is None
    elif wanted and wanted != "far":
        assert found == dt.datetime.fromisoformat(f"2026-11-27T{wanted}:00+00:00")


@pytest.mark.parametrize(
    "written",
    [
        "&lt;b&gt;{title}&lt;/b&gt;", "<![CDATA[<b>{title}</b>]]>", "&amp;lt;i&amp;gt;{title}&amp;lt;/i&amp;gt;", "<b>{title}</b>", "\n\t{title}\n", "{title}&#160;", "&amp;nbsp;{title}", "\u200b{title}\u200b",
        "{title}\ufeff", "{title}&lt;br/&gt;", "&lt;![CDATA[{title}]]&gt;", "{title}\u200e", "<![CDATA[&lt;p&gt;{title}&lt;/p&gt;]]>", "{shy}", "&lt;a href='x'&gt;{title}&lt;/a&gt;", "&lt;span style='x' title='a&gt;b'&gt;{title}&lt;/span&gt;", "&lt;script&gt;x()&lt;/script&gt;{title}",
    ],
)  # fmt: skip
def test_a_title_has_no_markup(written):
    body = as_rss(
        f"<item><title>{written}</title><link>http://x.example/1</link></item>".replace("{title}", TITLE).replace(
            "{shy}", TITLE.replace("treaty", "trea\u00adty")
        )
    )
    assert parse_feed(body.encode()).entries[0].title == TITLE


def json_feed(**more):
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "H",
        "items": [{"id": f"{n}", "url": f"{{base}}/s/{n}", "title": title} for n, title in enumerate(TITLES)],
    } | more


def with_items(**more):
    feed = json_feed()
    for n, item in enumerate(feed["items"]):
        for key, value in more.items():
            item[key] = value.replace("{n}", str(n)) if isinstance(value, str) else value
            if value is None and key == "url":
                del item[key]
    return feed


JSONS = {
    "plain": json.dumps(json_feed()), "a mark": "\ufeff" + json.dumps(json_feed()), "version 1": json.dumps(json_feed(version="https://jsonfeed.org/version/1")), "no version": json.dumps({k: v for k, v in json_feed().items() if k != "version"}),
    "ids as numbers": json.dumps(with_items(id=None) | {"items": [i | {"id": n} for n, i in enumerate(json_feed()["items"])]}), "authors null": json.dumps(with_items(authors=None, tags=None, image=None, content_html=None)), "author as text": json.dumps(with_items(author="Ann", authors=["Ann"])),
    "external address": json.dumps(with_items(url=None, external_url="{base}/s/{n}")), "relative addresses": json.dumps(with_items(url="/s/{n}")), "date without zone": json.dumps(with_items(date_published="2026-11-27T10:00:00")), "a date as number": json.dumps(with_items(date_published=1795773600)), "an item that is none": json.dumps(json_feed(items=[None, 5, "x", [], {}, *json_feed()["items"]])),
    "slashes escaped": json.dumps(json_feed()).replace("/", "\\/"), "comma at the end": json.dumps(json_feed())[:-2] + ",]}", "a line break in a text": json.dumps(with_items(summary="a|b")).replace("|", "\n"), "NaN": json.dumps(json_feed(x=float("nan"))), "attachments alone between": json.dumps(json_feed(items=[{"id": "a", "attachments": [{"url": "x", "mime_type": "audio/mpeg"}]}, *json_feed()["items"]])),
    "space first": "\n\n" + json.dumps(json_feed()), "surrogates": json.dumps(with_items(summary="x")).replace('"x"', '"\\ud83d"'),
}  # fmt: skip


@pytest.mark.parametrize("name", JSONS)
async def test_a_feed_in_json_is_read_however_it_is_written(name):
    articles, documents, _ = await collect(
        PAGES | {"/feed.xml": {"type": "application/json", "body": JSONS[name]}}, polls=2
    )
    check_stories(articles, documents)


async def test_the_newest_entries_of_an_endless_feed_are_read_wherever_they_stand():
    start = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    for order in (1, -1):
        told = [
            f"<item><title>Story number {n} of the day</title><link>http://x.example/{n}</link><pubDate>{(start + dt.timedelta(minutes=n)).isoformat()}</pubDate></item>"
            for n in range(5200)
        ]
        found = parse_feed(as_rss("".join(told[::order])).encode()).entries
        assert len(found) == 5000
        assert any(entry.url.endswith("/5199") for entry in found)


@pytest.mark.parametrize("cut", range(60, len(RSS), 53))
async def test_a_feed_that_breaks_off_brings_the_same_articles_once(cut):
    async with collecting(dict(PAGES)) as (site, setup):
        for body in (RSS[:cut], RSS, RSS):
            site.pages["/feed.xml"] = {"type": "text/xml", "body": body}
            await setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml"))
        assert sorted(a.title for a in setup.sink.articles) == sorted(TITLES)


@pytest.mark.parametrize("cut", range(60, len(make_feed("{base}/s/{n}")["/feed.xml"]["body"]), 97))
async def test_a_feed_with_texts_that_breaks_off_brings_whole_articles_once(cut):
    full = make_feed("{base}/s/{n}")["/feed.xml"]["body"]
    async with collecting(dict(PAGES)) as (site, setup):
        for body in (full[:cut], full, full):
            site.pages["/feed.xml"] = {"type": "text/xml", "body": body}
            await setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml"))
        assert sorted(a.title for a in setup.sink.articles) == sorted(TITLES)
        assert all(MORE in a.html for a in setup.sink.articles)
