"""Whose an article is."""

import datetime as dt

from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import FeedState, SeenEntry

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def state(feed_id, **articles):
    seen = {key: SeenEntry(article_id=key, first_seen_at=NOW, content_hash=told) for key, told in articles.items()}
    return FeedState(id=feed_id, url=f"https://{feed_id}.example/", seen=seen)


def test_an_article_is_the_first_ones_who_takes_it():
    claims = SeenUrls()
    assert claims.take("x", "a")
    assert not claims.take("x", "b")


def test_what_was_published_is_taken_and_what_was_only_seen_is_not():
    claims = SeenUrls([state("a", x="hash", y="")])
    assert not claims.take("x", "b")
    assert claims.take("y", "b")


def test_a_poll_that_fails_frees_what_it_had_not_published_yet():
    claims = SeenUrls()
    claims.take("x", "a")
    claims.take("y", "a")
    claims.settle("a", ["x"])
    claims.end("a", published=False)
    assert not claims.take("x", "b")
    assert claims.take("y", "b")


def test_a_poll_that_ends_well_keeps_what_it_took():
    claims = SeenUrls()
    claims.take("x", "a")
    claims.end("a", published=True)
    claims.end("a", published=False)
    assert not claims.take("x", "b")


def test_the_oldest_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(SeenUrls, "MOST", 2)
    claims = SeenUrls()
    for article in "xyz":
        claims.take(article, "a")
    assert claims.take("x", "b")
    assert not claims.take("z", "b")
