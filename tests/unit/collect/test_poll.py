"""One poll of one feed, with a web and a way out that are made up."""

import asyncio
import datetime as dt
import random
from html import escape

import msgspec
import pytest
from prometheus_client import REGISTRY

from pipeline.collect import entry_processor
from pipeline.collect.fetch import Clock, FetchError, FetchResult
from pipeline.collect.poll import Poller
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.writer import LostError
from pipeline.records import Article, Feed, FeedState, decode, encode
from pipeline.settings import Collector, Settings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
FEED = Feed(id="wire", url="https://news.example/rss", publisher="The Paper", language="en")
PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "


class Site:
    """A made-up web: what each URL answers, and what was asked."""

    def __init__(self):
        self.pages = {}
        self.asked = []

    async def get(self, url, *, etag=None, last_modified=None, **_):
        self.asked.append((url, etag, last_modified))
        await asyncio.sleep(0)
        answer = self.pages.get(url, FetchError("not_found", "answers 404: no such page"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def feed(self, *items, url=FEED.url, **headers):
        body = "".join(
            f"<item><title>{escape(i['title'])}</title><link>{i['url']}</link><guid>{i.get('id', i['url'])}</guid>"
            f"<description>{escape(i.get('summary', ''))}</description>{i.get('more', '')}</item>"
            for i in items
        )
        rss = f"<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>Wire</title>{body}</channel></rss>"
        self.pages[url] = FetchResult(url=url, status=200, body=rss.encode(), content_type="text/xml", **headers)

    def page(self, url, text=PROSE, *, at=None, head="", kind="text/html"):
        body = f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>"
        self.pages[url] = FetchResult(url=at or url, status=200, body=body.encode(), content_type=kind)

    def hits(self, url):
        return sum(asked[0] == url for asked in self.asked)


class Shelf:
    """Where batches go. As on the wire: what is put is encoded."""

    def __init__(self):
        self.batches = []

    async def put(self, batch):
        self.batches.append(batch)
        assert encode(batch.state)

    @property
    def articles(self):
        return [decode(encode(article), Article) for batch in self.batches for article in batch.articles]


class House:
    """A poller with its made-up surroundings, and feeds' states as they go on."""

    def __init__(self, **options):
        self.site, self.shelf = Site(), Shelf()
        self.now = NOW
        self.settings = Settings(collector=Collector(**options))
        self.clock = Clock(now=lambda: self.now, sleep=asyncio.sleep)
        self.states = {}
        self.restart()

    async def poll(self, feed=FEED):
        state = self.states.get(feed.id) or FeedState(id=feed.id, url=feed.url)
        self.states[feed.id] = await self.poller.poll(feed, state)
        self.now += dt.timedelta(minutes=20)
        return self.states[feed.id]

    def restart(self):
        """Start a new process that knows only what was published."""
        seen_urls = SeenUrls(self.states.values())
        self.poller = Poller(self.settings, self.site, self.shelf, seen_urls, self.clock, random.Random(1))


def item(name="a", **more):
    return {"title": f"Title of {name}", "url": f"https://news.example/{name}"} | more


def outcomes(outcome, reason=""):
    labels = {"stage": "collect", "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("dateline_records_total", labels) or 0.0


@pytest.fixture
def house():
    return House()


async def test_a_new_entry_becomes_an_article_with_its_page_kept_raw(house):
    house.site.feed(item(summary="Short."), etag='"1"', last_modified="Tue")
    house.site.page("https://news.example/a")
    before = outcomes("ok")
    state = await house.poll()
    (article,) = house.shelf.articles
    assert (article.title, article.url, article.feed_id) == ("Title of a", "https://news.example/a", "wire")
    assert (article.publisher, article.language, article.summary) == ("The Paper", "en", "Short.")
    assert article.html == f"<html><head></head><body><article><p>{PROSE}</p></article></body></html>"
    assert article.first_seen_at == article.fetched_at == NOW
    assert (state.etag, state.last_modified, state.failures, state.error) == ('"1"', "Tue", 0, None)
    assert len(state.seen) == 1
    assert outcomes("ok") == before + 1


async def test_the_article_and_the_state_that_remembers_it_are_one_batch(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")
    await house.poll()
    (batch,) = house.shelf.batches
    assert [entry.article_id for entry in batch.state.seen.values()] == [article.id for article in batch.articles]


async def test_an_unchanged_feed_is_asked_conditionally_and_brings_nothing(house):
    house.site.feed(item(), etag='"1"', last_modified="Tue")
    house.site.page("https://news.example/a")
    await house.poll()
    house.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await house.poll()
    assert house.site.asked[-1] == (FEED.url, '"1"', "Tue")
    assert state.etag == '"1"'
    assert state.due_at > house.now - dt.timedelta(minutes=20)
    assert len(house.shelf.articles) == 1


async def test_a_second_poll_and_a_restart_repeat_nothing_and_fetch_no_page_again(house):
    house.site.feed(item("a"), item("b"))
    house.site.page("https://news.example/a")
    house.site.page("https://news.example/b", PROSE + "B.")
    await house.poll()
    house.restart()
    await house.poll()
    assert len(house.shelf.articles) == 2
    assert house.site.hits("https://news.example/a") == 1


async def test_an_entry_that_changed_is_a_new_version_of_the_same_article(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")
    await house.poll()
    house.site.feed(item(title="Another title"))
    house.site.page("https://news.example/a", PROSE + "Now with more.")
    await house.poll()
    first, second = house.shelf.articles
    assert first.id == second.id
    assert first.content_hash != second.content_hash
    assert second.first_seen_at == first.first_seen_at == NOW
    assert second.fetched_at > first.fetched_at


async def test_a_change_in_the_feed_that_the_page_does_not_bear_out_is_not_published(house):
    house.site.feed(item(summary="One comment"))
    house.site.page("https://news.example/a")
    await house.poll()
    house.site.feed(item(summary="Two comments"))
    before = outcomes("rejected", "unchanged")
    await house.poll()
    await house.poll()
    assert len(house.shelf.articles) == 1
    assert outcomes("rejected", "unchanged") == before + 1
    assert house.site.hits("https://news.example/a") == 2


async def test_one_address_in_two_feeds_is_published_once_also_after_a_restart(house):
    other = msgspec.structs.replace(FEED, id="other", url="https://other.example/rss")
    house.site.feed(item())
    house.site.feed(item(url="http://www.news.example/a?utm_source=other"), url=other.url)
    house.site.page("https://news.example/a")
    before = outcomes("rejected", "duplicate")
    await house.poll()
    house.restart()
    await house.poll(other)
    await house.poll(other)
    assert len(house.shelf.articles) == 1
    assert outcomes("rejected", "duplicate") == before + 1


async def test_two_addresses_that_redirect_to_one_are_one_article(house):
    house.site.feed(item("x1"), item("x2"))
    for name in ("x1", "x2"):
        house.site.page(f"https://news.example/{name}", at="https://news.example/2026/the-story")
    await house.poll()
    (article,) = house.shelf.articles
    assert article.canonical_url == "https://news.example/2026/the-story"
    assert article.url == "https://news.example/x1"


async def test_an_old_entry_is_stale_and_an_undated_one_is_not(house):
    old = "<pubDate>Tue, 01 Sep 2026 10:00:00 GMT</pubDate>"
    house.site.feed(item("a", more=old), item("b"))
    house.site.page("https://news.example/a")
    house.site.page("https://news.example/b")
    before = outcomes("rejected", "stale")
    await house.poll()
    await house.poll()
    assert [article.url for article in house.shelf.articles] == ["https://news.example/b"]
    assert outcomes("rejected", "stale") == before + 1
    assert house.site.hits("https://news.example/a") == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("not_found", "not_found"),
        ("gone", "not_found"),
        ("refused", "refused"),
        ("oversized", "oversized"),
        ("not_text", "not_text"),
    ],
)
async def test_a_page_that_cannot_be_had_is_rejected_once_with_its_reason(house, kind, reason):
    house.site.feed(item(), etag='"1"')
    house.site.pages["https://news.example/a"] = FetchError(kind, "no")
    before = outcomes("rejected", reason)
    state = await house.poll()
    await house.poll()
    assert house.shelf.articles == []
    assert outcomes("rejected", reason) == before + 1
    assert state.etag == '"1"'


async def test_a_page_that_fails_is_tried_again_and_the_feed_is_then_read_in_full(house):
    house.site.feed(item(), etag='"1"')
    house.site.pages["https://news.example/a"] = FetchError("broken", "answers 500")
    state = await house.poll()
    assert state.etag is None
    assert state.due_at <= NOW + dt.timedelta(seconds=60)
    house.site.page("https://news.example/a")
    state = await house.poll()
    assert state.etag == '"1"'
    assert len(house.shelf.articles) == 1


async def test_a_page_that_goes_on_failing_is_told_from_the_feed(house):
    summary = PROSE * 2
    house.site.feed(item("a", summary=summary), item("b"))
    for name in "ab":
        house.site.pages[f"https://news.example/{name}"] = FetchError("broken", "answers 500")
    before = outcomes("rejected", "not_found")
    for _ in range(4):
        state = await house.poll()
    (article,) = house.shelf.articles
    assert (article.html, article.content_type) == (summary.strip(), "text/plain")
    assert outcomes("rejected", "not_found") == before + 1
    assert len(state.seen) == 2


async def test_a_page_that_refuses_us_is_told_from_the_feed_at_once(house):
    house.site.feed(item(summary=PROSE * 2))
    house.site.pages["https://news.example/a"] = FetchError("refused", "robots.txt")
    await house.poll()
    assert house.shelf.articles[0].content_type == "text/plain"


async def test_whole_articles_in_the_feed_are_used_without_fetching_pages(house):
    content = "".join(f"<p>{PROSE} {n}</p>" for n in range(20))
    house.site.feed(item(more=f"<content:encoded>{escape(content)}</content:encoded>"))
    await house.poll()
    assert "Title of a" in house.shelf.articles[0].html
    assert PROSE in house.shelf.articles[0].html
    assert house.site.hits("https://news.example/a") == 0


async def test_content_that_breaks_off_is_not_taken_for_the_whole_article(house):
    content = "".join(f"<p>{PROSE} {n}</p>" for n in range(20)) + "<p>Continue reading...</p>"
    house.site.feed(item(more=f"<content:encoded>{escape(content)}</content:encoded>"))
    house.site.page("https://news.example/a")
    await house.poll()
    assert house.site.hits("https://news.example/a") == 1


async def test_a_redirect_to_the_front_page_is_an_article_that_is_gone(house):
    house.site.feed(item())
    house.site.page("https://news.example/a", at="https://news.example/")
    before = outcomes("rejected", "not_found")
    await house.poll()
    assert house.shelf.articles == []
    assert outcomes("rejected", "not_found") == before + 1


async def test_a_picture_is_no_article_and_a_page_that_lies_about_its_type_is_one(house):
    house.site.feed(item("a"), item("b"), item("c"))
    house.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=b"\x89PNG\r\n", content_type="text/html"
    )
    house.site.page("https://news.example/b", kind="image/png")
    house.site.pages["https://news.example/c"] = FetchResult(
        url="https://news.example/c", status=200, body=b"plain words", content_type="text/plain"
    )
    await house.poll()
    assert [(a.url[-1], a.content_type) for a in house.shelf.articles] == [("b", "text/html"), ("c", "text/plain")]


async def test_an_empty_page_is_rejected_as_empty(house):
    house.site.feed(item())
    house.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=b" \n", content_type="text/html"
    )
    before = outcomes("rejected", "empty")
    await house.poll()
    assert house.shelf.articles == []
    assert outcomes("rejected", "empty") == before + 1


async def test_a_page_longer_than_the_cap_loses_its_scripts_first(house):
    house = House(article_bytes=2000)
    house.site.feed(item())
    house.site.page("https://news.example/a", head="<script>" + "x" * 5000 + "</script><style>y</style>")
    await house.poll()
    assert PROSE in house.shelf.articles[0].html
    assert len(house.shelf.articles[0].html) < 2000


async def test_a_page_in_another_encoding_and_with_broken_bytes_arrives_as_text(house):
    house.site.feed(item())
    body = (
        f'<html><head><meta charset="windows-1250"></head><body><p>{PROSE} Ćosić</p></body></html>'.encode("cp1250")
        + b"\x81\xff"
    )
    house.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=body, content_type="text/html"
    )
    await house.poll()
    assert "Ćosić" in house.shelf.articles[0].html


async def test_a_feed_that_is_none_is_told_backs_off_and_keeps_what_it_knew(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")
    good = await house.poll()
    house.site.pages[FEED.url] = FetchResult(url=FEED.url, status=200, body=b"<html>Down for maintenance</html>")
    before = REGISTRY.get_sample_value("dateline_feed_fetches_total", {"outcome": "error"}) or 0.0
    first = await house.poll()
    for _ in range(5):
        last = await house.poll()
    assert "not a feed: an HTML page" in first.error
    assert (first.failures, last.failures) == (1, 6)
    assert last.due_at - last.checked_at > 10 * (first.due_at - first.checked_at)
    assert last.seen == good.seen
    assert REGISTRY.get_sample_value("dateline_feed_fetches_total", {"outcome": "error"}) == before + 6
    house.site.feed(item())
    healed = await house.poll()
    assert (healed.failures, healed.error) == (0, None)
    assert len(house.shelf.articles) == 1


async def test_retry_after_is_obeyed(house):
    house.site.pages[FEED.url] = FetchError("busy", "answers 429", retry_after_seconds=50_000)
    state = await house.poll()
    assert state.due_at >= NOW + dt.timedelta(seconds=50_000)


async def test_a_feed_that_is_gone_is_retired_and_a_new_url_brings_it_back(house):
    house.site.pages[FEED.url] = FetchError("gone", "answers 410: removed for good")
    state = await house.poll()
    assert state.retired
    assert "retired" in state.error
    moved = msgspec.structs.replace(FEED, url="https://news.example/new-rss")
    house.site.feed(item(), url=moved.url)
    house.site.page("https://news.example/a")
    state = await house.poll(moved)
    assert (state.retired, state.error, state.url) == (False, None, moved.url)


async def test_a_permanent_redirect_is_remembered_and_forgotten_when_it_breaks(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")
    house.site.pages[FEED.url] = msgspec_free_replace(house.site.pages[FEED.url], moved_to="https://news.example/moved")
    state = await house.poll()
    assert state.moved_to == "https://news.example/moved"
    state = await house.poll()
    assert house.site.asked[-1][0] == "https://news.example/moved"
    assert state.moved_to is None
    await house.poll()
    assert house.site.asked[-1][0] == FEED.url


def msgspec_free_replace(answer, **changes):
    """A copy of a frozen, slotted dataclass with some fields changed."""
    return type(answer)(**{name: getattr(answer, name) for name in answer.__dataclass_fields__} | changes)


async def test_max_age_and_ttl_are_lower_bounds_of_the_next_poll(house):
    house.site.feed(item(), max_age_seconds=7200)
    house.site.page("https://news.example/a")
    state = await house.poll()
    assert state.due_at >= NOW + dt.timedelta(seconds=7200)


def with_channel(house, more):
    page = house.site.pages[FEED.url]
    body = page.body.replace(b"<title>Wire", more + b"<title>Wire")
    house.site.pages[FEED.url] = msgspec_free_replace(page, body=body)


async def test_what_a_feed_asked_for_holds_also_while_it_is_unchanged(house):
    house.site.feed(item(), etag='"1"')
    with_channel(house, b"<ttl>90</ttl>")
    house.site.page("https://news.example/a")
    await house.poll()
    asked_at = house.now
    house.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await house.poll()
    assert state.due_at >= asked_at + dt.timedelta(minutes=90)


async def test_hours_that_a_feed_skips_are_skipped_unless_the_operator_set_an_interval(house):
    house.site.feed(item())
    with_channel(house, b"<skipHours><hour>12</hour><hour>13</hour></skipHours>")
    house.site.page("https://news.example/a")
    state = await house.poll()
    assert NOW.replace(hour=14) <= state.due_at <= NOW.replace(hour=14, minute=10)
    state = await house.poll(msgspec.structs.replace(FEED, interval_seconds=300))
    assert state.due_at < NOW.replace(hour=13)


async def test_a_feed_that_used_to_publish_and_stopped_is_told_until_it_speaks_again(house):
    days = [f"<pubDate>{NOW - dt.timedelta(days=n):%a, %d %b %Y %H:%M:%S} GMT</pubDate>" for n in range(1, 12)]
    house.site.feed(*(item(str(n), more=day) for n, day in enumerate(days)))
    for n in range(len(days)):
        house.site.page(f"https://news.example/{n}", PROSE + str(n))
    assert (await house.poll()).silence is None
    house.now += dt.timedelta(days=2)
    house.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await house.poll()
    assert "nothing new since 23 Nov 2026" in state.silence
    assert REGISTRY.get_sample_value("dateline_feed_silent", {"feed": "wire"}) == 1
    assert (await house.poll()).failures == 0
    house.site.feed(item("new"))
    house.site.page("https://news.example/new")
    assert (await house.poll()).silence is None
    assert REGISTRY.get_sample_value("dateline_feed_silent", {"feed": "wire"}) == 0


async def test_a_feed_that_never_could_be_read_shows_a_last_success_of_zero(house):
    await house.poll(msgspec.structs.replace(FEED, id="never"))
    assert REGISTRY.get_sample_value("dateline_feed_last_success_timestamp_seconds", {"feed": "never"}) == 0


async def test_a_feed_whose_site_is_not_to_be_asked_now_is_put_off_without_being_blamed(house):
    house.site.pages[FEED.url] = FetchError("queued", "news.example asked for a pause", retry_after_seconds=300)
    state = await house.poll()
    assert (state.failures, state.error, state.due_at) == (0, None, NOW + dt.timedelta(seconds=300))
    assert house.shelf.batches == []


async def test_a_page_that_waits_for_its_site_is_not_counted_as_failing(house):
    house.site.feed(item(), etag='"1"')
    house.site.pages["https://news.example/a"] = FetchError("queued", "wait", retry_after_seconds=120)
    for _ in range(5):
        asked_at = house.now
        state = await house.poll()
    assert asked_at + dt.timedelta(seconds=120) <= state.due_at < asked_at + dt.timedelta(seconds=200)
    house.site.page("https://news.example/a")
    await house.poll()
    assert house.shelf.articles[0].content_type == "text/html"


async def test_what_a_poll_claimed_and_could_not_publish_is_free_again(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")

    async def lost(batch):
        raise LostError("another collector has the feed now")

    put, house.shelf.put = house.shelf.put, lost
    with pytest.raises(LostError):
        await house.poll()
    house.shelf.put = put
    await house.poll()
    assert len(house.shelf.articles) == 1


async def test_an_article_that_another_collector_published_is_not_published_again(house):
    house.site.feed(item())
    house.site.page("https://news.example/a")
    await house.poll()
    other = House()
    other.poller.seen_urls.add_state(house.states["wire"])
    elsewhere = msgspec.structs.replace(FEED, id="other", url="https://other.example/rss")
    other.site.feed(item(), url=elsewhere.url)
    await other.poll(elsewhere)
    assert other.shelf.articles == []


async def test_an_accident_with_one_entry_goes_to_quarantine_and_the_others_go_on(house, monkeypatch):
    house.site.feed(item("a"), item("b"))
    house.site.page("https://news.example/a")
    house.site.page("https://news.example/b", PROSE + "B.")
    real = entry_processor.compose

    def compose(feed, parsed, candidate, page, **more):
        if candidate.url.endswith("/a"):
            raise ZeroDivisionError("an accident")
        return real(feed, parsed, candidate, page, **more)

    monkeypatch.setattr(entry_processor, "compose", compose)
    await house.poll()
    await house.poll()
    failures = [failure for batch in house.shelf.batches for failure in batch.failures]
    assert [failure.error_type for failure in failures] == ["ZeroDivisionError"]
    assert b"https://news.example/a" in failures[0].raw
    assert len(house.shelf.articles) == 1


async def test_many_entries_are_published_as_they_come_and_the_etag_only_at_the_end(house):
    house.site.feed(*(item(str(n)) for n in range(120)), etag='"1"')
    for n in range(120):
        house.site.page(f"https://news.example/{n}", PROSE + str(n))
    await house.poll()
    sizes = [len(batch.articles) for batch in house.shelf.batches]
    assert sum(sizes) == 120
    assert len(sizes) > 1
    assert [batch.state.etag for batch in house.shelf.batches[:-1]] == [None] * (len(sizes) - 1)
    assert house.shelf.batches[-1].state.etag == '"1"'
    assert len({article.id for article in house.shelf.articles}) == 120


async def test_when_told_to_stop_it_publishes_what_it_has_and_finds_the_rest_later(house):
    house.site.feed(*(item(str(n)) for n in range(40)), etag='"1"')
    for n in range(40):
        house.site.page(f"https://news.example/{n}", PROSE + str(n))
    house.poller.stopping = lambda _: len(house.site.asked) > 10
    state = await house.poll()
    assert 0 < len(house.shelf.articles) < 40
    assert state.etag is None
    house.poller.stopping = lambda _: False
    house.restart()
    await house.poll()
    assert len({article.id for article in house.shelf.articles}) == len(house.shelf.articles) == 40
