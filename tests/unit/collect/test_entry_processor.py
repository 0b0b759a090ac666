"""Entries of a feed: their pages, and what becomes of those whose page cannot be fetched."""

import datetime as dt
from html import escape

import pytest

from pipeline.collect import entry_processor
from pipeline.collect.fetch import FetchError, FetchResult
from tests.unit.collect.polling import NOW, PROSE, PollSetup, item, outcomes


@pytest.fixture
def setup():
    return PollSetup()


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
async def test_a_page_that_cannot_be_fetched_is_rejected_once_with_its_reason(setup, kind, reason):
    setup.site.feed(item(more="<pubDate>Mon, 23 Nov 2026 12:00:00 GMT</pubDate>"), etag='"1"')
    setup.site.pages["https://news.example/a"] = FetchError(kind, "no")
    before = outcomes("rejected", reason)
    state = await setup.poll()
    await setup.poll()
    assert setup.sink.articles == []
    assert outcomes("rejected", reason) == before + 1
    assert state.etag == '"1"'


async def test_a_page_that_fails_is_tried_again_and_the_feed_is_then_read_in_full(setup):
    setup.site.feed(item(), etag='"1"')
    setup.site.pages["https://news.example/a"] = FetchError("broken", "answers 500")
    state = await setup.poll()
    assert state.etag is None
    assert state.due_at <= NOW + dt.timedelta(seconds=60)
    setup.site.page("https://news.example/a")
    state = await setup.poll()
    assert state.etag == '"1"'
    assert len(setup.sink.articles) == 1


async def test_after_some_failures_of_its_page_an_article_is_made_of_the_feeds_text(setup):
    summary = PROSE * 2
    setup.site.feed(item("a", summary=summary), item("b"))
    for name in "ab":
        setup.site.pages[f"https://news.example/{name}"] = FetchError("broken", "answers 500")
    before = outcomes("rejected", "not_found")
    for _ in range(4):
        state = await setup.poll()
    (article,) = setup.sink.articles
    assert (article.html, article.content_type) == (summary.strip(), "text/plain")
    assert outcomes("rejected", "not_found") == before + 1
    assert len(state.seen) == 2


async def test_an_article_whose_page_is_refused_is_made_of_the_feeds_text_at_once(setup):
    setup.site.feed(item(summary=PROSE * 2))
    setup.site.pages["https://news.example/a"] = FetchError("refused", "robots.txt")
    await setup.poll()
    assert setup.sink.articles[0].content_type == "text/plain"


async def test_whole_articles_in_the_feed_are_used_without_fetching_pages(setup):
    content = "".join(f"<p>{PROSE} {n}</p>" for n in range(20))
    setup.site.feed(item(more=f"<content:encoded>{escape(content)}</content:encoded>"))
    await setup.poll()
    assert "Title of a" in setup.sink.articles[0].html
    assert PROSE in setup.sink.articles[0].html
    assert setup.site.hits("https://news.example/a") == 0


async def test_content_that_breaks_off_is_not_taken_for_the_whole_article(setup):
    content = "".join(f"<p>{PROSE} {n}</p>" for n in range(20)) + "<p>Continue reading...</p>"
    setup.site.feed(item(more=f"<content:encoded>{escape(content)}</content:encoded>"))
    setup.site.page("https://news.example/a")
    await setup.poll()
    assert setup.site.hits("https://news.example/a") == 1


async def test_a_redirect_to_the_front_page_is_no_article_and_is_tried_again_some_times(setup):
    setup.site.feed(item())
    setup.site.page("https://news.example/a", at="https://news.example/")
    before = outcomes("rejected", "wall")
    for _ in range(5):
        await setup.poll()
    assert setup.sink.articles == []
    assert outcomes("rejected", "wall") == before + 1
    assert setup.site.hits("https://news.example/a") == entry_processor.ATTEMPTS


async def test_a_picture_is_not_an_article_and_a_page_that_lies_about_its_type_is_one(setup):
    setup.site.feed(item("a"), item("b"), item("c"))
    setup.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=b"\x89PNG\r\n", content_type="text/html"
    )
    setup.site.page("https://news.example/b", kind="image/png")
    setup.site.pages["https://news.example/c"] = FetchResult(
        url="https://news.example/c", status=200, body=b"plain words", content_type="text/plain"
    )
    await setup.poll()
    assert [(a.url[-1], a.content_type) for a in setup.sink.articles] == [("b", "text/html"), ("c", "text/plain")]


async def test_an_empty_page_is_rejected_as_empty(setup):
    setup.site.feed(item())
    setup.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=b" \n", content_type="text/html"
    )
    before = outcomes("rejected", "empty")
    await setup.poll()
    assert setup.sink.articles == []
    assert outcomes("rejected", "empty") == before + 1


async def test_a_page_longer_than_the_cap_loses_its_scripts_first(setup):
    setup = PollSetup(article_bytes=2000)
    setup.site.feed(item())
    setup.site.page("https://news.example/a", head="<script>" + "x" * 5000 + "</script><style>y</style>")
    await setup.poll()
    assert PROSE in setup.sink.articles[0].html
    assert len(setup.sink.articles[0].html) < 2000


async def test_a_page_in_another_encoding_and_with_broken_bytes_arrives_as_text(setup):
    setup.site.feed(item())
    body = (
        f'<html><head><meta charset="windows-1250"></head><body><p>{PROSE} Ćosić</p></body></html>'.encode("cp1250")
        + b"\x81\xff"
    )
    setup.site.pages["https://news.example/a"] = FetchResult(
        url="https://news.example/a", status=200, body=body, content_type="text/html"
    )
    await setup.poll()
    assert "Ćosić" in setup.sink.articles[0].html


async def test_a_page_that_waits_for_its_site_is_not_counted_as_failing(setup):
    setup.site.feed(item(), etag='"1"')
    setup.site.pages["https://news.example/a"] = FetchError("queued", "wait", retry_after_seconds=120)
    for _ in range(5):
        asked_at = setup.now
        state = await setup.poll()
    assert asked_at + dt.timedelta(seconds=120) <= state.due_at < asked_at + dt.timedelta(seconds=200)
    setup.site.page("https://news.example/a")
    await setup.poll()
    assert setup.sink.articles[0].content_type == "text/html"


async def test_an_error_in_one_entry_goes_to_quarantine_and_the_others_go_on(setup, monkeypatch):
    setup.site.feed(item("a"), item("b"))
    setup.site.page("https://news.example/a")
    setup.site.page("https://news.example/b", PROSE + "B.")
    real = entry_processor.compose

    def compose(feed, parsed, candidate, page, **more):
        if candidate.url.endswith("/a"):
            raise ZeroDivisionError("an error")
        return real(feed, parsed, candidate, page, **more)

    monkeypatch.setattr(entry_processor, "compose", compose)
    await setup.poll()
    await setup.poll()
    failures = [failure for batch in setup.sink.batches for failure in batch.failures]
    assert [failure.error_type for failure in failures] == ["ZeroDivisionError"]
    assert b"https://news.example/a" in failures[0].raw
    assert len(setup.sink.articles) == 1
