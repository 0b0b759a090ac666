"""Which feed an article belongs to."""

import datetime as dt

from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import FeedState, SeenEntry

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def state(feed_id, **articles):
    seen = {
        key: SeenEntry(article_id=key, first_seen_at=NOW, content_hash=content) for key, content in articles.items()
    }
    return FeedState(id=feed_id, url=f"https://{feed_id}.example/", seen=seen)


def test_an_article_is_the_first_ones_who_takes_it():
    seen_urls = SeenUrls()
    assert seen_urls.claim("x", "a")
    assert not seen_urls.claim("x", "b")


def test_what_was_published_is_taken_and_what_was_only_seen_is_not():
    seen_urls = SeenUrls([state("a", x="hash", y="")])
    assert not seen_urls.claim("x", "b")
    assert seen_urls.claim("y", "b")


def test_a_poll_that_fails_frees_what_it_had_not_published_yet():
    seen_urls = SeenUrls()
    seen_urls.claim("x", "a")
    seen_urls.claim("y", "a")
    seen_urls.confirm("a", ["x"])
    seen_urls.end_poll("a", published=False)
    assert not seen_urls.claim("x", "b")
    assert seen_urls.claim("y", "b")


def test_a_poll_that_ends_well_keeps_what_it_took():
    seen_urls = SeenUrls()
    seen_urls.claim("x", "a")
    seen_urls.end_poll("a", published=True)
    seen_urls.end_poll("a", published=False)
    assert not seen_urls.claim("x", "b")


def test_the_oldest_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(SeenUrls, "MOST", 2)
    seen_urls = SeenUrls()
    for article in "xyz":
        seen_urls.claim(article, "a")
    assert seen_urls.claim("x", "b")
    assert not seen_urls.claim("z", "b")
