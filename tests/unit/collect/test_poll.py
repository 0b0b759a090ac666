"""One poll of one feed, with a made-up web and a sink that records."""

import datetime as dt

import msgspec
import pytest
from prometheus_client import REGISTRY

from pipeline.collect.fetch import FetchError, FetchResult
from pipeline.collect.writer import LostError
from tests.unit.collect.polling import FEED, NOW, PROSE, PollSetup, item, outcomes


@pytest.fixture
def setup():
    return PollSetup()


async def test_a_new_entry_becomes_an_article_with_its_page_kept_raw(setup):
    setup.site.feed(item(summary="Short."), etag='"1"', last_modified="Tue")
    setup.site.page("https://news.example/a")
    before = outcomes("ok")
    state = await setup.poll()
    (article,) = setup.sink.articles
    assert (article.title, article.url, article.feed_id) == ("Title of a", "https://news.example/a", "wire")
    assert (article.publisher, article.language, article.summary) == ("The Paper", "en", "Short.")
    assert article.html == f"<html><head></head><body><article><p>{PROSE}</p></article></body></html>"
    assert article.first_seen_at == article.fetched_at == NOW
    assert (state.etag, state.last_modified, state.failures, state.error) == ('"1"', "Tue", 0, None)
    assert len(state.seen) == 1
    assert outcomes("ok") == before + 1


async def test_the_article_and_the_state_that_remembers_it_are_one_batch(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")
    await setup.poll()
    (batch,) = setup.sink.batches
    assert [entry.article_id for entry in batch.state.seen.values()] == [article.id for article in batch.articles]


async def test_an_unchanged_feed_is_asked_conditionally_and_brings_nothing(setup):
    setup.site.feed(item(), etag='"1"', last_modified="Tue")
    setup.site.page("https://news.example/a")
    await setup.poll()
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await setup.poll()
    assert setup.site.asked[-1] == (FEED.url, '"1"', "Tue")
    assert state.etag == '"1"'
    assert state.due_at > setup.now - dt.timedelta(minutes=20)
    assert len(setup.sink.articles) == 1


async def test_the_state_of_an_unchanged_feed_is_written_every_five_minutes_or_when_it_says_more_than_the_time(setup):
    setup.site.feed(item(), etag='"1"')
    setup.site.page("https://news.example/a")
    await setup.poll()
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    written = []
    for minutes in (-16, -18, -16, -19):  # a poll itself takes 20 minutes here
        setup.now += dt.timedelta(minutes=minutes)
        state = await setup.poll()
        assert state.checked_at == setup.now - dt.timedelta(minutes=20)
        written.append(len(setup.sink.batches))
    assert written == [1, 2, 2, 3]
    setup.now -= dt.timedelta(minutes=19)
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304, etag='"2"')
    await setup.poll()
    assert len(setup.sink.batches) == 4
    assert setup.sink.batches[-1].state.etag == '"2"'


async def test_a_second_poll_and_a_restart_repeat_nothing_and_fetch_no_page_again(setup):
    setup.site.feed(item("a"), item("b"))
    setup.site.page("https://news.example/a")
    setup.site.page("https://news.example/b", PROSE + "B.")
    await setup.poll()
    setup.restart()
    await setup.poll()
    assert len(setup.sink.articles) == 2
    assert setup.site.hits("https://news.example/a") == 1


async def test_an_entry_that_changed_is_a_new_version_of_the_same_article(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")
    await setup.poll()
    setup.site.feed(item(title="Another title"))
    setup.site.page("https://news.example/a", PROSE + "Now with more.")
    await setup.poll()
    first, second = setup.sink.articles
    assert first.id == second.id
    assert first.content_hash != second.content_hash
    assert second.first_seen_at == first.first_seen_at == NOW
    assert second.fetched_at > first.fetched_at


async def test_a_change_in_the_feed_that_is_not_on_the_page_is_not_published(setup):
    setup.site.feed(item(summary="One comment"))
    setup.site.page("https://news.example/a")
    await setup.poll()
    setup.site.feed(item(summary="Two comments"))
    before = outcomes("rejected", "unchanged")
    await setup.poll()
    await setup.poll()
    assert len(setup.sink.articles) == 1
    assert outcomes("rejected", "unchanged") == before + 1
    assert setup.site.hits("https://news.example/a") == 2


async def test_one_address_in_two_feeds_is_published_once_also_after_a_restart(setup):
    other = msgspec.structs.replace(FEED, id="other", url="https://other.example/rss")
    setup.site.feed(item())
    setup.site.feed(item(url="http://www.news.example/a?utm_source=other"), url=other.url)
    for url in ("https://news.example/a", "http://www.news.example/a?utm_source=other"):
        setup.site.page(url)
    before = outcomes("rejected", "duplicate")
    await setup.poll()
    setup.restart()
    await setup.poll(other)
    await setup.poll(other)
    assert len(setup.sink.articles) == 1
    assert outcomes("rejected", "duplicate") == before + 1


async def test_two_addresses_that_redirect_to_one_are_one_article(setup):
    setup.site.feed(item("x1"), item("x2"))
    for name in ("x1", "x2"):
        setup.site.page(f"https://news.example/{name}", at="https://news.example/2026/the-story")
    await setup.poll()
    (article,) = setup.sink.articles
    assert article.canonical_url == "https://news.example/2026/the-story"
    assert article.url == "https://news.example/x1"


async def test_an_old_entry_is_stale_and_an_undated_one_is_not(setup):
    old = "<pubDate>Tue, 01 Sep 2026 10:00:00 GMT</pubDate>"
    setup.site.feed(item("a", more=old), item("b"))
    setup.site.page("https://news.example/a")
    setup.site.page("https://news.example/b")
    before = outcomes("rejected", "stale")
    await setup.poll()
    await setup.poll()
    assert [article.url for article in setup.sink.articles] == ["https://news.example/b"]
    assert outcomes("rejected", "stale") == before + 1
    assert setup.site.hits("https://news.example/a") == 0


async def test_what_is_not_a_feed_is_reported_backs_off_and_keeps_its_state(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")
    good = await setup.poll()
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=200, body=b"<html>Down for maintenance</html>")
    before = REGISTRY.get_sample_value("dateline_feed_fetches_total", {"outcome": "error"}) or 0.0
    first = await setup.poll()
    for _ in range(5):
        last = await setup.poll()
    assert "not a feed: an HTML page" in first.error
    assert (first.failures, last.failures) == (1, 6)
    assert last.due_at - last.checked_at > 10 * (first.due_at - first.checked_at)
    assert last.seen == good.seen
    assert REGISTRY.get_sample_value("dateline_feed_fetches_total", {"outcome": "error"}) == before + 6
    setup.site.feed(item())
    healed = await setup.poll()
    assert (healed.failures, healed.error) == (0, None)
    assert len(setup.sink.articles) == 1


async def test_retry_after_is_obeyed(setup):
    setup.site.pages[FEED.url] = FetchError("busy", "answers 429", retry_after_seconds=50_000)
    state = await setup.poll()
    assert state.due_at >= NOW + dt.timedelta(seconds=50_000)


async def test_a_feed_that_is_gone_is_retired_and_a_new_url_brings_it_back(setup):
    setup.site.pages[FEED.url] = FetchError("gone", "answers 410: removed permanently")
    state = await setup.poll()
    assert state.retired
    assert "retired" in state.error
    moved = msgspec.structs.replace(FEED, url="https://news.example/new-rss")
    setup.site.feed(item(), url=moved.url)
    setup.site.page("https://news.example/a")
    state = await setup.poll(moved)
    assert (state.retired, state.error, state.url) == (False, None, moved.url)


async def test_a_permanent_redirect_is_remembered_and_forgotten_when_it_breaks(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")
    setup.site.pages[FEED.url] = replaced(setup.site.pages[FEED.url], moved_to="https://news.example/moved")
    state = await setup.poll()
    assert state.moved_to == "https://news.example/moved"
    state = await setup.poll()
    assert setup.site.asked[-1][0] == "https://news.example/moved"
    assert state.moved_to is None
    await setup.poll()
    assert setup.site.asked[-1][0] == FEED.url


def replaced(answer, **changes):
    """A copy of a frozen, slotted dataclass with some fields changed."""
    return type(answer)(**{name: getattr(answer, name) for name in answer.__dataclass_fields__} | changes)


async def test_max_age_and_ttl_are_lower_bounds_of_the_next_poll(setup):
    setup.site.feed(item(), max_age_seconds=7200)
    setup.site.page("https://news.example/a")
    state = await setup.poll()
    assert state.due_at >= NOW + dt.timedelta(seconds=7200)


def with_channel(setup, more):
    page = setup.site.pages[FEED.url]
    body = page.body.replace(b"<title>Wire", more + b"<title>Wire")
    setup.site.pages[FEED.url] = replaced(page, body=body)


async def test_what_a_feed_asked_for_holds_also_while_it_is_unchanged(setup):
    setup.site.feed(item(), etag='"1"')
    with_channel(setup, b"<ttl>90</ttl>")
    setup.site.page("https://news.example/a")
    await setup.poll()
    asked_at = setup.now
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await setup.poll()
    assert state.due_at >= asked_at + dt.timedelta(minutes=90)


async def test_hours_that_a_feed_skips_are_skipped_unless_the_operator_set_an_interval(setup):
    setup.site.feed(item())
    with_channel(setup, b"<skipHours><hour>12</hour><hour>13</hour></skipHours>")
    setup.site.page("https://news.example/a")
    state = await setup.poll()
    assert NOW.replace(hour=14) <= state.due_at <= NOW.replace(hour=14, minute=10)
    state = await setup.poll(msgspec.structs.replace(FEED, interval_seconds=300))
    assert state.due_at < NOW.replace(hour=13)


async def test_a_feed_that_used_to_publish_and_stopped_is_reported_until_it_publishes_again(setup):
    days = [f"<pubDate>{NOW - dt.timedelta(days=n):%a, %d %b %Y %H:%M:%S} GMT</pubDate>" for n in range(1, 12)]
    setup.site.feed(*(item(str(n), more=day) for n, day in enumerate(days)))
    for n in range(len(days)):
        setup.site.page(f"https://news.example/{n}", PROSE + str(n))
    assert (await setup.poll()).silence is None
    setup.now += dt.timedelta(days=2)
    setup.site.pages[FEED.url] = FetchResult(url=FEED.url, status=304)
    state = await setup.poll()
    assert "nothing new since 23 Nov 2026" in state.silence
    assert REGISTRY.get_sample_value("dateline_feed_silent", {"feed": "wire"}) == 1
    assert (await setup.poll()).failures == 0
    setup.site.feed(item("new"))
    setup.site.page("https://news.example/new")
    assert (await setup.poll()).silence is None
    assert REGISTRY.get_sample_value("dateline_feed_silent", {"feed": "wire"}) == 0


async def test_a_feed_that_never_could_be_read_shows_a_last_success_of_zero(setup):
    await setup.poll(msgspec.structs.replace(FEED, id="never"))
    assert REGISTRY.get_sample_value("dateline_feed_last_success_timestamp_seconds", {"feed": "never"}) == 0


async def test_a_feed_whose_site_is_not_to_be_asked_now_is_deferred_and_not_counted_as_failing(setup):
    setup.site.pages[FEED.url] = FetchError("queued", "news.example asked for a pause", retry_after_seconds=300)
    state = await setup.poll()
    assert (state.failures, state.error, state.due_at) == (0, None, NOW + dt.timedelta(seconds=300))
    assert setup.sink.batches == []


async def test_what_a_poll_claimed_and_could_not_publish_is_free_again(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")

    async def put_lost(batch):
        raise LostError("another collector has the feed now")

    put, setup.sink.put = setup.sink.put, put_lost
    with pytest.raises(LostError):
        await setup.poll()
    setup.sink.put = put
    await setup.poll()
    assert len(setup.sink.articles) == 1


async def test_an_article_that_another_collector_published_is_not_published_again(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a")
    await setup.poll()
    other = PollSetup()
    other.poller.seen_urls.add_state(setup.states["wire"])
    elsewhere = msgspec.structs.replace(FEED, id="other", url="https://other.example/rss")
    other.site.feed(item(), url=elsewhere.url)
    await other.poll(elsewhere)
    assert other.sink.articles == []


async def test_many_entries_are_published_as_they_come_and_the_etag_only_at_the_end(setup):
    setup.site.feed(*(item(str(n)) for n in range(120)), etag='"1"')
    for n in range(120):
        setup.site.page(f"https://news.example/{n}", PROSE + str(n))
    await setup.poll()
    sizes = [len(batch.articles) for batch in setup.sink.batches]
    assert sum(sizes) == 120
    assert len(sizes) > 1
    assert [batch.state.etag for batch in setup.sink.batches[:-1]] == [None] * (len(sizes) - 1)
    assert setup.sink.batches[-1].state.etag == '"1"'
    assert len({article.id for article in setup.sink.articles}) == 120


async def test_when_it_has_to_stop_it_publishes_what_it_has_and_finds_the_rest_later(setup):
    setup.site.feed(*(item(str(n)) for n in range(40)), etag='"1"')
    for n in range(40):
        setup.site.page(f"https://news.example/{n}", PROSE + str(n))
    setup.poller.stopping = lambda _: len(setup.site.asked) > 10
    state = await setup.poll()
    assert 0 < len(setup.sink.articles) < 40
    assert state.etag is None
    setup.poller.stopping = lambda _: False
    setup.restart()
    await setup.poll()
    assert len({article.id for article in setup.sink.articles}) == len(setup.sink.articles) == 40


async def test_entries_that_looked_old_while_the_clock_was_ahead_are_read_when_it_is_set_right(setup):
    setup.site.feed(item(more="<pubDate>Tue, 24 Nov 2026 11:00:00 GMT</pubDate>"))
    setup.site.page("https://news.example/a")
    now, setup.now = setup.now, setup.now + dt.timedelta(days=300)
    await setup.poll()
    assert setup.sink.articles == []
    setup.now = now
    await setup.poll()
    assert len(setup.sink.articles) == 1
