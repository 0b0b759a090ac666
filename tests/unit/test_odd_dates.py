"""Dates of pages and feeds as the world writes them: years that are no dates, days to come, and three numbers in any order."""

import datetime as dt
import json
from pathlib import Path

import pytest

from pipeline.collect import files
from pipeline.collect.feed import parse_feed
from pipeline.page import date_parsing
from pipeline.page.extract import extract, extract_jsonl, from_page
from tests.make import make_article

CASES = Path(__file__).parents[1] / "cases"
NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
PROSE = (
    "<p>Ukraine and Russia signed a grain accord in Geneva on Friday, the foreign ministry said.</p><p>Officials from both "
    "delegations said that the accord would be put before parliaments in the spring.</p>"
)
TITLE = "Ministers sign grain accord"


def answers(name):
    lines = (CASES / name / "pages.jsonl").read_bytes().splitlines()
    return {found["id"]: found for found in map(json.loads, extract_jsonl(lines, now=NOW))}


def page(head="", body="", *, lang="en", foot=""):
    return (
        f'<!doctype html><html lang="{lang}"><head><title>{TITLE}</title>{head}</head><body><article><h1>{TITLE}</h1>{body}{PROSE}'
        f"</article><footer>{foot}</footer></body></html>"
    )


def published(*arguments, url="https://n.example/story/1", feed=None, **more):
    article = make_article(
        page(*arguments, **more), content_type="text/html", url=url, title="", fetched_at=NOW, published_at=feed
    )
    return extract(article).published_at


def meta(written):
    return f'<meta name="date" content="{written}">'


def test_the_cases_of_dates_have_the_right_values():
    assert {name: a["published"] for name, a in answers("day-first-date").items()} == dict.fromkeys(
        ("fr", "gb", "us"), "2026-11-05T10:30:00+00:00"
    )
    dates = {name: a["published"] for name, a in answers("future-declared").items()}
    assert dates == {"future": None, "future-with-day": "2026-11-27T00:00:00+00:00"}
    (entry,) = files.feed_file(CASES / "day-first-date/feed-gb.xml", now=NOW)["entries"]
    assert entry["published"] == "2026-11-05T10:30:00+00:00"


# --- a year alone is no date ---


@pytest.mark.parametrize(
    ("body", "foot"),
    [
        ("", "Copyright © 2019-2026 Harbour Wire Ltd"), ("", "© 2024"), ("<p>The bank was founded in 1987.</p>", ""),
        ("<p>The accord of March 2022 ended last year.</p>", ""), ("<p class=date>2026</p>", ""),
        ("<p>The accord of 27 March 2022 between both sides ended last year, as the ministry said.</p>", ""),
        ("<img src=/uploads/2021/03/05/x.jpg>", "Last change of these terms: 1 January 2020"),
        ("<!-- built 2020-02-03 -->", "<p>1 January 2020</p>"), ("<time datetime=2026-11>November 2026</time>", ""), ("<time datetime=2026>2026</time>", ""),
        ("<meta property='og:image' content='https://n.example/uploads/2021/03/05/x.jpg'>", ""),
        ("", "<ul><li><a href=/x>An older story of the week</a> <time datetime='2025-03-01'>1 March 2025</time></li></ul>"),
        (f"{PROSE}<table><tr><td>Accord of</td><td>22 July 2022</td></tr></table>", ""),
        (f"{PROSE}<div itemscope><h3 itemprop=headline>Strike kills 31 in Sumy</h3><meta itemprop=datePublished content='2026-11-20T08:00Z'></div>", ""),
        ("", "<article><h3>Strike kills 31 in Sumy</h3><time datetime='2026-11-20T08:00Z'>x</time></article>"),
        ("<div class=card><h2>Strike kills 31 in Sumy</h2><time datetime='2026-11-20T08:00Z' itemprop=datePublished>x</time></div>", ""),
        ("<p>See also: <a href=/9>Strike kills 31 in Sumy</a> <time datetime='2026-11-20T08:00Z' class=published>x</time></p>", ""),
        ("<div class=card><a href=/9>Strike kills 31 in Sumy</a><span class=date>20 November 2026</span></div>", ""),
        ("<blockquote><time datetime='2026-11-20T08:00Z'>x</time> We signed it.</blockquote>", ""),
        ("<figure><img src=a.jpg><figcaption>Geneva, <time datetime='2026-11-20'>20 November</time></figcaption></figure>", ""),
        ("<p>On <time datetime='2026-11-20'>20 November</time> the talks had failed, and the minister went home to the capital.</p>", ""),
        ("", "<section class=comments><article><time datetime='2026-11-20T08:00Z' class=published>x</time><p>Good news.</p></article></section>"),
        ("", "<div itemscope itemtype='http://schema.org/Event'><time itemprop=startDate datetime='2026-11-20T20:00Z'>x</time></div>"),
    ],
)  # fmt: skip
def test_years_and_days_of_something_else_are_no_date_of_the_page(body, foot):
    assert published("", body, foot=foot) is None
    moment = NOW - dt.timedelta(hours=3)
    assert published("", body, foot=foot, feed=moment) == moment


@pytest.mark.parametrize("written", ["11/2026", "November 2026", "2026", "2026-11", "Q4 2026"])
def test_a_month_that_a_page_declares_is_no_day(written):
    assert published(meta(written)) is None


@pytest.mark.parametrize(
    ("written", "lang"),
    [
        ("5 ноября 2026, 10:30", "ru"),
        ("Nov. 5, 2026, 10:30 a.m. ET", "en-US"),
        ("11/05/26", "en-US"),
        ("05/11/26", "en-GB"),
    ],
)
def test_a_day_is_read_wherever_it_stands_and_however_its_language_writes_it(written, lang):
    assert published(meta(written), lang=lang).date() == published("", f"<p class=date>{written}</p>", lang=lang).date()
    assert published(meta(written), lang=lang).date() == dt.date(2026, 11, 5)


@pytest.mark.parametrize("body", ["<p>27 November 2026</p>", "<div><span>Published: 27.11.2026</span></div>", "<p class=date>1 January 2026</p>", "<p>2026年11月27日 10時30分</p>", "<p>27/11/2026 | 10:30</p>", f"{PROSE}<p>Published: 27 November 2026</p>"])  # fmt: skip
def test_a_whole_day_beside_the_headline_is_the_pages_date(body):
    assert published("", body).date() == (dt.date(2026, 1, 1) if "January" in body else dt.date(2026, 11, 27))


# --- a day to come ---


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2026-12-24T08:00:00Z">',
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ministers sign grain accord", "datePublished": "2027-01-02"}</script>',
        meta("31/12/2026"), meta("24 December 2026 08:00"), meta("2026-11-30T12:00:00Z"),
    ],
)  # fmt: skip
def test_a_declared_day_to_come_is_neither_believed_nor_replaced_by_its_year(head):
    assert published(head) is None
    assert published(head, "<p class=date>27 November 2026</p>") == dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
    moment = NOW - dt.timedelta(hours=3)
    assert published(head, feed=moment) == moment


# --- three numbers ---


@pytest.mark.parametrize(
    ("written", "locale", "day"),
    [
        ("05/11/2026 10:30", "fr", "2026-11-05"), ("05/11/2026", "en-GB", "2026-11-05"), ("05-11-2026", "en_AU", "2026-11-05"),
        ("11/05/2026", "en-US", "2026-11-05"), ("11/05/2026 10:30 AM", "en-PH", "2026-11-05"), ("05.11.2026", "en-US", "2026-11-05"),
        ("05.11.26", "de", "2026-11-05"), ("5/11/26", "es-MX", "2026-11-05"), ("11/27/2026", "fr", "2026-11-27"),
        ("27/11/2026", "en-US", "2026-11-27"), ("Thu, 05/11/2026", "en-IE", "2026-11-05"), ("05/11/2026", "en-USA", "2026-05-11"),
        ("11/05/2026", "", "2026-11-05"), ("05/11/2026", "en", "2026-11-05"), ("12/11/2026", "en-US", "2026-11-12"),
        ("05/12/2026", "en-GB", "2026-05-12"), ("02/03/2026", "en-CA", "2026-03-02"), ("02/03/2026", "zh-Hans-CN", "2026-03-02"),
        ("05/11/2026 | 10:30", "en-GB", "2026-11-05"), ("2026年11月5日 10時30分", "ja", "2026-11-05"), ("2026년 11월 5일", "ko", "2026-11-05"),
        ("02/03/2026", "es-PR", "2026-02-03"), ("10:30, 05/11/2026", "fr", "2026-11-05"), ("10:30 11/05/2026", "en-US", "2026-11-05"), ("2026/11/05", "en-US", "2026-11-05"),
        ("5/11-2026", "sv", "2026-11-05"), ("5 พฤศจิกายน 2569", "th", "2026-11-05"), ("05/11/2569", "th", "2026-11-05"),
    ],
)  # fmt: skip
def test_three_numbers_are_read_in_the_order_of_the_locale_and_never_as_a_day_to_come(written, locale, day):
    found = date_parsing.parse_date(written, locale, now=NOW)
    assert found is not None
    assert found.date().isoformat() == day


@pytest.mark.parametrize("written", ["31/31/2026", "5/11", "1/2/3", "10.0.0.1", "12/2026", "5.11.2026.7"])
def test_numbers_that_are_no_day_are_none(written):
    assert date_parsing.parse_date(written, "en-GB", now=NOW) is None


@pytest.mark.parametrize(
    ("more", "day"),
    [
        ({"lang": "en-GB"}, dt.date(2026, 3, 2)), ({"lang": "en-US"}, dt.date(2026, 2, 3)), ({"lang": "it"}, dt.date(2026, 3, 2)),
        ({"lang": "en", "url": "https://paper.co.uk/1"}, dt.date(2026, 3, 2)), ({"lang": ""}, dt.date(2026, 3, 2)),
        ({"lang": "en", "url": "https://paper.io/1"}, dt.date(2026, 3, 2)),
    ],
)  # fmt: skip
def test_the_page_says_in_which_order_its_numbers_are(more, day):
    assert published(meta("02/03/2026"), **more).date() == day
    assert published("", "<p class=date>02/03/2026</p>", **more).date() == day


def test_the_country_of_the_feed_counts_where_the_page_names_none():
    article = make_article(page(meta("02/03/2026")), content_type="text/html", url="https://n.example/1", title="", fetched_at=NOW, published_at=None)  # fmt: skip
    assert extract(article).published_at == dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    american = make_article(page(meta("02/03/2026")), content_type="text/html", url="https://n.example/1", title="", fetched_at=NOW, published_at=None, locale="en-US")  # fmt: skip
    assert extract(american).published_at == dt.datetime(2026, 2, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("language", "wanted"), [("en-gb", (5, 11)), ("en-us", (11, 5)), ("fr", (5, 11)), ("", (5, 11)), ("en", (5, 11))]
)
def test_a_feed_is_read_in_the_order_of_its_language(language, wanted):
    written = "05/11/2026 10:30"
    body = f"<rss version='2.0'><channel><language>{language}</language><item><title>T</title><link>https://n.example/1</link><pubDate>{written}</pubDate></item></channel></rss>"
    at = parse_feed(body.encode(), now=NOW).entries[0].published_at
    assert (at.day, at.month) == wanted


@pytest.mark.parametrize(("written", "day"), [("1795860000", 28), ("1795860000000", 28), ("Fri, 27 Nov 2026 24:00:00 GMT", 28), ("20261127T100000Z", 27), ("27-Nov-26 10:00", 27), ("Fri, 27 Nov 2026 01:30:00 GMT+2", 26)])  # fmt: skip
def test_odd_forms_of_dates_are_read_in_a_feed(written, day):
    body = f"<rss version='2.0'><channel><item><title>T</title><link>https://n.example/1</link><pubDate>{written}</pubDate></item></channel></rss>"
    assert parse_feed(body.encode(), now=NOW).entries[0].published_at.day == day


@pytest.mark.parametrize("written", ["2026", "2026-11", " 2019 ", "2019-2026", "2026-W48", "10:30", "Q4 2026", "Winter 2026", "2 hours ago"])  # fmt: skip
def test_a_year_or_a_month_is_no_date_in_a_feed(written):
    body = f"<rss version='2.0'><channel><item><title>T</title><link>https://n.example/1</link><pubDate>{written}</pubDate></item></channel></rss>"
    assert parse_feed(body.encode(), now=NOW).entries[0].published_at is None


# --- the JSON-LD of other articles ---


def other(**fields):
    return {
        "@type": "NewsArticle",
        "headline": "Strike kills 31 in Sumy",
        "datePublished": "2026-11-20T08:00:00Z",
    } | fields


OWN = {"@type": "NewsArticle", "headline": TITLE, "datePublished": "2026-11-27T08:00:00Z"}


def test_the_case_of_other_articles_has_the_right_values():
    found = answers("other-articles-json-ld")
    assert {answer["title"] for answer in found.values()} == {TITLE}
    dates = {name: answer["published"] for name, answer in found.items()}
    own = "2026-11-27T08:00:00+00:00"
    assert dates == {"list-first": own, "array": own, "list-alone": None}


@pytest.mark.parametrize(
    ("things", "dated"),
    [
        ([{"@graph": [other(url="/9"), {"@type": "ItemList", "itemListElement": [other()]}, OWN]}], True),
        ([{"@type": "CollectionPage", "mainEntity": {"@type": "ItemList", "itemListElement": [{"item": other()}]}}, OWN], True),
        ([other(), OWN | {"headline": "Grain: the talks are over", "url": "http://www.n.example/story/1/#top"}], True),
        ([other(mainEntityOfPage={"@id": "https://n.example/9"}), OWN | {"headline": "x", "mainEntityOfPage": {"@id": "https://n.example/story/1"}}], True),
        ([{"@type": "WebPage", "hasPart": [other()], "relatedLink": [other()]}], False),
        ([other()], False), ([other(), other(headline="Japan sanctions three Russian banks")], False),
        ([other(url="https://n.example/9"), other(url="https://n.example/8")], False),
        ([OWN | {"url": "https://m.n.example/story/1?m=1"}], True),
        ([{"@type": "WebPage", "datePublished": "2026-11-20T08:00:00Z", "url": "https://n.example/story/9"}], False),
        ([{"@type": "NewsArticle", "datePublished": "2026-11-27T08:00:00Z"}], True),
        ([other(headline="Ministers sign grain accord: what we know", url="https://n.example/story/9")], False),
        ([other(headline="Ministers sign grain accord: what we know", url="/story/9"), OWN], True),
        ([other(headline="Ministers sign second grain accord in Oslo", url="https://n.example/2019/ministers-sign-accord")], False),
        ([OWN | {"url": "https://www.paper.example/archive/ministers-sign-grain-accord"}], True),
        ([[other(), other()], {"@type": "BreadcrumbList", "itemListElement": [{"name": "x"}]}, OWN | {"headline": TITLE.upper()}], True),
    ],
)  # fmt: skip
def test_of_several_declared_articles_the_one_with_the_pages_url_or_headline_is_taken(things, dated):
    head = "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)
    found = extract(from_page(page(head), "https://n.example/story/1", now=NOW))
    assert found.published_at == (dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC) if dated else None)
    assert "Strike" not in found.title


def test_the_address_of_a_section_that_a_page_declares_is_no_sign_that_an_article_is_its_own():
    thing = json.dumps(other(mainEntityOfPage="https://n.example/news"))
    head = f'<link rel=canonical href="https://n.example/news"><script type="application/ld+json">{thing}</script>'
    found = extract(from_page(page(head), "https://n.example/story/1", now=NOW))
    assert (found.title, found.published_at) == (TITLE, None)


def test_the_time_of_a_block_under_a_heading_that_is_the_pages_title_is_the_pages():
    body = f"<article><header><h2><a href=/story/1>{TITLE}</a></h2><time datetime='2026-11-27T08:00Z'>x</time></header>{PROSE}</article>"
    source = f"<html><head><title>{TITLE} | Wire</title></head><body><h1>Harbour Wire news</h1>{body}</body></html>"
    assert extract(from_page(source, "https://n.example/story/1", now=NOW)).published_at == dt.datetime(
        2026, 11, 27, 8, tzinfo=dt.UTC
    )


def test_a_page_with_a_short_title_does_not_take_an_article_that_has_its_word():
    thing = json.dumps(other(headline="Mayor of Kelm resigns", url="https://n.example/story/9"))
    head = f'<script type="application/ld+json">{thing}</script>'
    source = page(head).replace(TITLE, "Kelm")
    found = extract(from_page(source, "https://n.example/story/1", now=NOW))
    assert (found.title, found.published_at) == ("Kelm", None)


@pytest.mark.parametrize(
    "above",
    [
        "<div class=promo><h1><a href=/9>Strike kills 31 in Sumy, governor says</a></h1></div>", "<header><h1>Harbour Wire of the coast</h1></header>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("level", ["h1", "h2"])
def test_of_several_headings_the_one_that_is_the_pages_title_is_its_headline(above, level):
    body = f"{above}<article><{level}>{TITLE}</{level}>{PROSE}</article>"
    source = f"<html><head><title>{TITLE} | Harbour Wire</title></head><body>{body}</body></html>"
    assert extract(from_page(source, "https://n.example/story/1", now=NOW)).title == TITLE
