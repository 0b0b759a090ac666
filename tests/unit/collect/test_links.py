"""A link of a feed, in every form that feeds have, is asked for as it is written: with an empty query or a final semicolon too."""

import json

import pytest

from tests.unit.collect.cases import check_stories, collect
from tests.unit.collect.test_odd_sites import MORE, TEXTS, make_feed, page, stories

ENDINGS = ("/s/{n}?", "/s/{n};", "/s/{n};?", "/s/{n}?&", "/s/?{n}?", "/s/{n}?x=;", "/s/{n};v", "/s//{n}/?", "/s/./{n}?")


def rss(item, head="", attributes=""):
    items = "".join(
        f"<item><title>{title}</title>{item.replace('{n}', str(n))}</item>" for n, title in enumerate(TEXTS)
    )
    body = f"<rss version='2.0' {attributes}><channel {head}><title>Harbour Wire</title>{items}</channel></rss>"
    return {"type": "application/rss+xml", "body": body}


def atom(link, attributes="", inner=""):
    entries = "".join(
        f"<entry {inner}><title>{title}</title><id>urn:x:{n}</id>{link.replace('{n}', str(n))}<updated>2026-11-27T10:00:00Z</updated></entry>"
        for n, title in enumerate(TEXTS)
    )
    body = f"<feed xmlns='http://www.w3.org/2005/Atom' {attributes}><title>Harbour Wire</title>{entries}</feed>"
    return {"type": "application/atom+xml", "body": body}


def rdf(link):
    items = "".join(
        f"<item rdf:about='urn:x:{n}'><title>{title}</title><link>{link.replace('{n}', str(n))}</link></item>"
        for n, title in enumerate(TEXTS)
    )
    spaces = "xmlns='http://purl.org/rss/1.0/' xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"
    return {
        "type": "application/rdf+xml",
        "body": f"<rdf:RDF {spaces}><channel><title>W</title></channel>{items}</rdf:RDF>",
    }


def jsonfeed(link, key="url"):
    items = [
        {"title": title, key: link.replace("{n}", str(n))} | ({} if key == "id" else {"id": str(n)})
        for n, title in enumerate(TEXTS)
    ]
    return {
        "type": "application/json",
        "body": json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}),
    }


def sitemap(link):
    listed = "".join(
        f"<url><loc>{link.replace('{n}', str(n))}</loc><news:news><news:publication_date>2026-11-27T10:00Z</news:publication_date>"
        f"<news:title>{title}</news:title></news:news></url>"
        for n, title in enumerate(TEXTS)
    )
    spaces = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'"
    return {"type": "application/xml", "body": f"<urlset {spaces}>{listed}</urlset>"}


FORMS = {
    "link": lambda path: rss(f"<link>{{base}}{path}</link>"),
    "relative link": lambda path: rss(f"<link>{path}</link>"),
    "link with a base": lambda path: rss(f"<link>{path[1:]}</link>", "xml:base='{base}/'"),
    "base of the feed": lambda path: rss(f"<link>{path}</link>", "", "xml:base='{base}/x/y'"),
    "guid": lambda path: rss(f"<guid>{{base}}{path}</guid>"),
    "guid that is a permalink": lambda path: rss(f"<guid isPermaLink='true'>{{base}}{path}</guid>"),
    "CDATA": lambda path: rss(f"<link><![CDATA[{{base}}{path.replace('&amp;', '&')}]]></link>"),
    "broken XML": lambda path: rss(f"<link>{{base}}{path}</link><description>A & B</description>"),
    "original link": lambda path: rss(
        f"<link>{{base}}/go</link><f:origLink xmlns:f='http://rssnamespace.org/feedburner/ext/1.0'>{{base}}{path}</f:origLink>"
    ),
    "RSS 1.0": lambda path: rdf("{base}" + path),
    "atom": lambda path: atom(f"<link href='{{base}}{path}'/>"),
    "relative atom": lambda path: atom(f"<link rel='alternate' type='text/html' href='{path}'/>"),
    "atom with bases": lambda path: atom(f"<link href='{path[1:]}'/>", "xml:base='{base}/x/'", "xml:base='../'"),
    "JSON": lambda path: jsonfeed("{base}" + path.replace("&amp;", "&")),
    "relative JSON": lambda path: jsonfeed(path.replace("&amp;", "&")),
    "id of JSON": lambda path: jsonfeed("{base}" + path.replace("&amp;", "&"), "id"),
    "sitemap": lambda path: sitemap("{base}" + path),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ENDINGS)
async def test_a_link_is_asked_for_as_it_is_written(form, path):
    asked = path.replace("/./", "/") if "relative" in form or "base" in form else path
    pages = {"/feed.xml": FORMS[form](path.replace("&", "&amp;"))} | stories(asked)
    articles, documents, site = await collect(pages, polls=2)
    check_stories(articles, documents)
    assert {one for one in site.asked if one not in ("/feed.xml", "/robots.txt")} == {
        asked.replace("{n}", str(n)) for n in range(3)
    }
    assert {article.url for article in articles} == {
        site.addresses["base"] + asked.replace("{n}", str(n)) for n in range(3)
    }


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(
    "paths",
    [
        ("/s", "/s/", "/s//"), ("/s?x=1", "/s?x=1/", "/s?x=1//"), ("/s", "/s?", "/s;"), ("/index.php?/a/1", "/index.php?/a/1/", "/index.php?/a/2"),
        ("/s/a", "/s/A", "/S/a"), ("/s/%7Ea", "/s/~a", "/s/%7ea"), ("/s/a", "/s/a/amp", "/s/a.amp"), ("/s?a=1&b=2", "/s?b=2&a=1", "/s?a=1&b=2&"),
    ],
)  # fmt: skip
async def test_addresses_that_are_almost_the_same_are_of_three_articles_where_the_pages_are(paths, text):
    items, pages = "", {}
    for path, (title, told) in zip(paths, TEXTS.items(), strict=True):
        pages[path] = page(title, told, MORE)
        described = f"<description>{told}</description>" if text else ""
        items += f"<item><title>{title}</title><link>{{base}}{path.replace('&', '&amp;')}</link>{described}</item>"
    feed = f"<rss version='2.0'><channel><title>Harbour Wire</title>{items}</channel></rss>"
    articles, documents, site = await collect(pages | {"/feed.xml": {"type": "text/xml", "body": feed}}, polls=2)
    check_stories(articles, documents)
    assert all(site.asked[path] == 1 for path in paths)


@pytest.mark.parametrize("target", ["/t/{n}?", "/t/{n};", "{base}/t/{n}?", "./../t/{n};"])
@pytest.mark.parametrize("how", ["Location", "Refresh", "meta", "script"])
async def test_a_redirect_leads_to_the_address_that_it_names(target, how):
    pages = make_feed("{base}/s/{n}", text=False) | stories("/t/" + target.rpartition("/")[2])
    for n in range(3):
        to = target.replace("{n}", str(n))
        stubs = {
            "Location": {"status": 302, "headers": {"Location": to}},
            "Refresh": {"headers": {"Refresh": f"0; url={to}"}, "body": "<html></html>"},
            "meta": {"body": f"<meta http-equiv=refresh content='0;url={to}'>"},
            "script": {"body": f"<script>location.replace('{to}')</script>"},
        }
        pages[f"/s/{n}"] = stubs[how]
    articles, documents, _ = await collect(pages, polls=2)
    check_stories(articles, documents)


@pytest.mark.parametrize("declared", ["/view/{n}-long-story?", "{base}/view/{n}-long-story;"])
async def test_the_address_that_a_page_declares_is_kept_as_it_is_written(declared):
    pages = make_feed("{base}/view/{n}-long-story?from=rss", text=False)
    for n, (title, told) in enumerate(TEXTS.items()):
        head = f"<link rel=canonical href='{declared.replace('{n}', str(n))}'>"
        pages[f"/view/{n}-long-story?from=rss"] = page(title, told, MORE, head=head)
    articles, documents, site = await collect(pages)
    check_stories(articles, documents)
    wanted = declared.replace("{base}", "")
    assert {document.canonical_url for document in documents} == {
        site.addresses["base"] + wanted.replace("{n}", str(n)) for n in range(3)
    }
