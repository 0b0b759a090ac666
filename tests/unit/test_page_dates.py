"""When a page was published: every place where publishers write it, and dates that mean something else."""

import datetime as dt
import gzip
import html
import json
import re
from pathlib import Path

import pytest

from pipeline.page import date_parsing, extract
from pipeline.records import Article
from tests.make import make_article

UTC = dt.UTC
NOW = dt.datetime(2026, 11, 25, tzinfo=UTC)
MOMENT = dt.datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
DAY = dt.datetime(2026, 11, 24, tzinfo=UTC)
PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. " * 4
URL = "https://www.paper.example/world/talks-end"


def article(head="", body="", url=URL, **changes) -> Article:
    source = f"<html><head><title>Talks end in the capital</title>{head}</head><body><article><h1>Talks end in the capital</h1>{body}<p>{PROSE}</p></article></body></html>"
    return make_article(
        source, **{"url": url, "content_type": "text/html", "published_at": None, "fetched_at": NOW} | changes
    )


def published(*arguments, **changes):
    return extract.extract(article(*arguments, **changes)).published_at


def linked(**fields):
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": "Talks end", **fields})}</script>'


@pytest.mark.parametrize(
    "head",
    [
        linked(datePublished="2026-11-24T08:30:00Z"),
        linked(datePublished="2026-11-24T19:30:00+11:00", dateModified="2026-11-25T00:00:00Z"),
        linked(datePublished=["2026-11-24T08:30:00Z"]),
        linked(dateCreated="2026-11-24T08:30:00Z"),
        linked(datePublished="Tue, 24 Nov 2026 08:30:00 GMT"),
        linked(datePublished="02:00:00 PM IST Nov 24, 2026"),
        linked(datePublished="0001-01-01T00:00:00Z") + '<meta property="article:published_time" content="2026-11-24T08:30Z">',
        ('<script type="application/ld+json">{"@graph": [{"@type": "WebPage"}, {"@type": "ReportageNewsArticle",'
        ' "headline": "x", "datePublished": "2026-11-24T08:30:00Z"}]}</script>'),
        '<meta property="article:published_time" content="2026-11-24T08:30:00+00:00">',
        '<meta property="og:article:published_time" content="2026-11-24T08:30:00Z">',
        '<meta name="parsely-pub-date" content="2026-11-24T08:30:00Z">',
        '<meta name="sailthru.date" content="Tue, 24 Nov 2026 08:30:00 +0000">',
        '<meta name="pubdate" content="November 24, 2026, 03:30 AM EST">',
        '<meta name="pubdate" content="2026-11-24 18:30:00 AEST">',
        '<meta name="DC.date.issued" content="2026-11-24T08:30:00Z">',
        '<meta name="dcterms.created" content="2026-11-24T08:30:00Z">',
        '<meta itemprop="datePublished" content="2026-11-24T08:30:00Z">',
        '<meta name="date" content="1795509000">',
        '<meta name="date" content="Tue Nov 24 2026 09:30:00 GMT+0100 (CET)">',
    ],
)  # fmt: skip
def test_what_a_page_declares_is_its_moment(head):
    assert published(head) == MOMENT


@pytest.mark.parametrize(
    "body",
    [
        '<time datetime="2026-11-24T08:30:00Z">yesterday</time>',
        '<time class="published" datetime="2026-11-24T08:30:00Z">a</time><time datetime="2026-11-20T08:30:00Z">b</time>',
        '<time class="updated" datetime="2026-11-24T12:00:00Z">a</time><time datetime="2026-11-24T08:30:00Z">b</time>',
        '<time itemprop="datePublished" datetime="2026-11-24T08:30:00Z">a</time>',
        '<span itemprop="datePublished" content="2026-11-24T08:30:00Z">a</span>',
        '<abbr class="published" title="2026-11-24T08:30:00Z">Tuesday</abbr>',
        '<span itemprop="datePublished">24 November 2026 08:30 GMT</span>',
    ],
)
def test_what_a_page_shows_with_a_mark_is_its_moment(body):
    assert published("", body) == MOMENT


def test_the_only_time_of_a_page_is_its_own_wherever_it_stands():
    outside = (
        f'<html><body><div><time datetime="2026-11-24T08:30:00Z">x</time></div><div><p>{PROSE}</p></div></body></html>'
    )
    made = make_article(outside, url=URL, content_type="text/html", published_at=None, fetched_at=NOW)
    assert extract.extract(made).published_at == MOMENT


@pytest.mark.parametrize(
    "body",
    [
        "<p class='byline'>By Ann Lee | Published November 24, 2026</p>",
        "<p class='date'>24 November 2026</p>",
        "<div class='post-meta'>Nov 24, 2026</div>",
        "<p>Published: 24.11.2026</p>",
    ],
)
def test_a_day_in_the_visible_text_is_found(body):
    assert published("", body) == DAY


@pytest.mark.parametrize(
    "path",
    ["2026/11/24/talks", "news/2026-11-24/talks", "2026/nov/24/talks", "20261124/talks", "talks-2026-11-24.html"],
)
def test_the_day_in_an_address_is_found_and_beats_days_that_the_text_tells_of(path):
    body = "<p>The first treaty was signed on March 28, 2017, and renewed on April 5, 2019.</p>"
    assert published("", body, url=f"https://www.paper.example/{path}") == DAY


def test_a_declared_moment_beats_the_address():
    assert published(linked(datePublished="2026-11-24T08:30:00Z"), url="https://p.example/2026/11/25/x") == MOMENT


def test_a_date_to_come_is_not_believed():
    assert published(linked(datePublished="2027-11-24T08:30:00Z"), url="https://p.example/2026/11/24/x") == DAY


def test_a_feeds_moment_beats_the_same_day_on_the_page_and_not_another_day():
    day = '<meta name="date" content="2026-11-24">'
    assert published(day, published_at=MOMENT) == MOMENT
    assert published(day, published_at=MOMENT - dt.timedelta(days=5)) == DAY


def test_a_feed_with_one_date_for_both_does_not_hide_what_the_page_shows():
    body = "<p class='date'>24 November 2026</p>"
    later = NOW - dt.timedelta(hours=1)
    assert published("", body, published_at=later - dt.timedelta(days=3)) == later - dt.timedelta(days=3)
    assert published("", body, published_at=later, updated_at=later) in (DAY, later)
    assert published("", "", published_at=later, updated_at=later) == later


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (linked(datePublished="2026-11-24T08:30:00Z", dateModified="2026-11-24T10:00:00Z"), ""),
        ('<meta property="article:published_time" content="2026-11-24T08:30Z"><meta property="article:modified_time" content="2026-11-24T10:00Z">', ""),
        (linked(datePublished="2026-11-24T08:30:00Z"), '<time class="date-updated" datetime="2026-11-24T10:00:00Z">x</time>'),
    ],
)  # fmt: skip
def test_when_it_was_updated_is_told_apart(head, body):
    found = extract.extract(article(head, body))
    assert (found.published_at, found.updated_at) == (MOMENT, MOMENT + dt.timedelta(minutes=90))


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("2026-11-24T08:30:00Z", True), ("2026-11-24T08:30:00", False), ("2026-11-24", False), ("November 24, 2026", False),
        ("November 24, 2026 8:30 AM", False), ("November 24, 2026 8:30 AM GMT", True), ("Tue, 24 Nov 2026 08:30:00 +0000", True),
    ],
)  # fmt: skip
def test_a_moment_is_exact_only_with_a_clock_and_a_zone(written, exact):
    found = date_parsing.parse_declared(written)
    assert found is not None
    assert found[1] is exact


@pytest.mark.parametrize("written", ["", "today", "{{ date }}", "Nov 24", "0001-01-01T00:00:00Z", "x" * 100, "24/11"])
def test_what_is_no_date_is_none(written):
    assert date_parsing.parse_declared(written) is None


# --- pictures and walls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (linked(image={"url": "/a.jpg"}), ""), (linked(image=["https://www.paper.example/a.jpg"]), ""),
        ('<meta property="og:image" content="/a.jpg">', ""), ('<meta name="twitter:image:src" content="/a.jpg">', ""),
        (linked(thumbnailUrl="/a.jpg"), ""), ('<link rel="image_src" href="/a.jpg">', ""),
        ("", '<img src="/logo.png"><figure><img src="data:image/gif;base64,xx"><img src="/a.jpg"></figure>'),
    ],
)  # fmt: skip
def test_the_lead_image_is_found(head, body):
    assert extract.extract(article(head, body)).image_url == "https://www.paper.example/a.jpg"


@pytest.mark.parametrize(
    ("head", "truncated"),
    [
        (linked(isAccessibleForFree=False), True), (linked(isAccessibleForFree="False"), True), (linked(isAccessibleForFree=True), False),
        (linked(hasPart={"@type": "WebPageElement", "isAccessibleForFree": False}), True),
        (linked(hasPart=[{"isAccessibleForFree": "False"}]), True), ('<meta property="article:content_tier" content="metered">', True),
        ('<meta property="article:content_tier" content="free">', False), ("", False),
    ],
)  # fmt: skip
def test_a_wall_is_told(head, truncated):
    assert extract.extract(article(head)).truncated is truncated


# --- real pages ------------------------------------------------------------------------------------------------------------

PAGES = Path(__file__).parents[3] / "shared/eval/extraction/dev.jsonl.gz"


def read_by_hand(source: str) -> dt.date | None:
    """Return the day that a page declares, by a search in its source that shares no code with the pipeline."""
    patterns = (
        r'"datePublished"\s*:\s*"(\d{4}-\d\d-\d\d)',
        r'<meta[^>]+article:published_time"[^>]+content="(\d{4}-\d\d-\d\d)',
        r'<meta[^>]+content="(\d{4}-\d\d-\d\d)[^"]*"[^>]+article:published_time',
        r'<meta[^>]+(?:parsely-pub-date|itemprop="datePublished)"[^>]+content="(\d{4}-\d\d-\d\d)',
    )
    for pattern in patterns:
        for found in re.findall(pattern, html.unescape(source)):
            if found > "1990":
                return dt.date.fromisoformat(found)
    return None


@pytest.mark.skipif(not PAGES.exists(), reason="the pages are not part of the project")
def test_at_least_95_of_100_real_pages_give_the_day_that_they_declare():
    right = total = 0
    with gzip.open(PAGES, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            day = read_by_hand(row["html"])
            if day is None:
                continue
            total += 1
            at = extract.published_on(extract.from_page(row["html"], row["url"], now=NOW))
            # a moment in UTC may be of the next day where the page's zone is west of Greenwich
            right += at is not None and abs((at.date() - day).days) <= 1
    assert total > 40
    assert right >= 0.95 * total
