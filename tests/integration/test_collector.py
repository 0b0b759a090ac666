"""The collector process on a real Kafka, with a news site on 127.0.0.1 that behaves as it likes."""

import json
import os
import random
import signal
import time
import zlib
from collections import Counter

import psutil
import pytest

from pipeline import bus
from tests.integration.collecting import PROSE, Process, Site, articles, state
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture
def collector(stack, tmp_path, request):
    """Makes collector processes, and ends them."""
    bus.create_topics(stack)
    made = []

    def make(feeds, **options):
        made.append(Process(stack, tmp_path / "config", feeds, **options))
        return made[-1]

    yield make
    for process in made:
        process.end(signal.SIGKILL)


@pytest.fixture
def name():
    """An id that no other test's feed has."""
    return f"feed-{random.getrandbits(40):x}"


def test_articles_arrive_once_a_poll_of_nothing_new_is_a_304_and_the_metrics_agree(stack, site, collector, name):
    links = [f"/story/{n}" for n in range(30)]
    site.feed("/feed", links)
    for link in links:
        site.story(link)
    process = collector({name: f"{site.url}/feed"}).start()
    wait_until(lambda: site.hits["/feed"] >= 3, what=process.log)
    got = articles(stack, name)
    assert sorted(article.url for article in got) == sorted(f"{site.url}{link}" for link in links)
    assert json.loads(process.get("/readyz"))["ok"]
    assert process.metric('dateline_records_total{outcome="ok",reason="",stage="collect"}') == 30
    assert process.metric('dateline_feed_fetches_total{outcome="not_modified"}') >= 1
    assert max(site.hits[link] for link in links) == 1
    site.story("/story/new")
    site.feed("/feed", ["/story/new", *links])
    wait_until(lambda: len(articles(stack, name)) == 31)
    assert process.end() == 0
    assert "Traceback" not in process.log()


def test_a_restart_fetches_nothing_again_and_keeps_to_when_a_feed_is_due(stack, site, collector, name):
    site.feed("/feed", ["/story/1"])
    site.story("/story/1")
    process = collector({name: f"{site.url}/feed"}, interval_seconds=3600, max_interval_seconds=7200).start()
    wait_until(lambda: (found := state(stack, name)) and found.due_at)
    assert process.end() == 0
    process.start()
    wait_until(lambda: '"ok": true' in process.get("/readyz"))
    time.sleep(2)
    assert site.hits["/feed"] == 1
    assert site.hits["/story/1"] == 1


def test_killed_in_the_middle_again_and_again_every_article_is_published_exactly_once(stack, site, collector, name):
    links = [f"/story/{n}" for n in range(240)]
    site.feed("/feed", links)
    for link in links:
        site.story(link)
    site.slow_seconds = 0.25
    process = collector({name: f"{site.url}/feed"})
    chance = random.Random(7)
    for _ in range(4):
        before = len(articles(stack, name))
        process.start()
        wait_until(lambda before=before: len(articles(stack, name)) > before, what=process.log)
        time.sleep(chance.random())
        process.end(signal.SIGKILL)
    assert 0 < len(articles(stack, name)) < 240
    site.slow_seconds = 0
    process.start()
    wait_until(lambda: len(articles(stack, name)) >= 240, what=process.log)
    time.sleep(2)
    counts = Counter(article.url for article in articles(stack, name))
    assert len(counts) == 240
    assert set(counts.values()) == {1}


def fifty_megabytes(request):
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.end_headers()
    for _ in range(500):
        request.wfile.write(b"<p>" + b"x" * 100_000)
    request.close_connection = True


def bomb(request):
    body = zlib.compress(b"<p>" + b"y" * 50_000_000)
    request.reply(200, body, Content_Encoding="deflate")


def drip(request):
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.2)


def around(request):
    request.send_response(302)
    request.send_header("Location", "/around")
    request.send_header("Content-Length", "0")
    request.end_headers()


def test_a_hostile_site_costs_its_own_articles_and_nothing_else(stack, site, collector, name):
    site.pages |= {
        "/story/huge": fifty_megabytes,
        "/story/bomb": bomb,
        "/story/drip": drip,
        "/story/empty": b" ",
        "/story/broken-utf8": b"<html><body><p>"
        + PROSE.encode()
        + b"/story/broken-utf8 \xff\xfe\xc3</p></body></html>",
        "/story/picture": b"\x89PNG\r\n\x1a\n",
        "/garbage": os.urandom(5000),
        "/html": b"<html><head><link rel='alternate' type='application/rss+xml' href='/good'></head>hello</html>",
        "/entities": b'<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss version="2.0"><channel><title>&b;</title></channel></rss>',
        "/around": around,
    }
    site.story("/story/good")
    bad = ["huge", "bomb", "drip", "empty", "broken-utf8", "picture", "missing"]
    site.feed("/bad", [f"/story/{page}" for page in bad])
    site.feed("/good", ["/story/good"])
    paths = ("good", "bad", "garbage", "html", "entities", "around", "absent")
    feeds = {f"{name}-{path}": f"{site.url}/{path}" for path in paths}
    process = collector(feeds, total_timeout_seconds=2, page_bytes=1_000_000).start()

    def rejected(reason):
        return process.metric(f'dateline_records_total{{outcome="rejected",reason="{reason}",stage="collect"}}')

    wait_until(lambda: rejected("not_found") == 2, what=process.log)  # the missing page, and at last the dripping one
    got = articles(stack, *feeds)
    assert sorted(article.url.rpartition("/")[2] for article in got) == ["broken-utf8", "good"]
    assert all(PROSE[:50] in article.html for article in got)
    assert (rejected("oversized"), rejected("empty"), rejected("not_text")) == (2, 1, 1)
    errors = {path: state(stack, f"{name}-{path}").error for path in paths}
    assert errors["good"] is None
    assert errors["bad"] is None
    assert "not a feed" in errors["garbage"]
    assert f"an HTML page; did you mean {site.url}/good" in errors["html"]
    assert "XML bomb" in errors["entities"]
    assert "more than 5 redirects" in errors["around"]
    assert "answers 404" in errors["absent"]
    assert process.metric('dateline_feed_fetches_total{outcome="error"}') >= 5
    assert json.loads(process.get("/readyz"))["ok"]
    site.story("/story/later")
    site.feed("/good", ["/story/later", "/story/good"])
    wait_until(lambda: len(articles(stack, *feeds)) == 3, what=process.log)
    assert process.end() == 0
    assert "Traceback" not in process.log()


def test_a_private_address_is_refused_where_it_was_not_allowed(stack, site, collector, name):
    site.feed("/feed", ["/story/1"])
    process = collector({name: f"{site.url}/feed"}, allow_private_addresses="false").start()
    wait_until(lambda: (found := state(stack, name)) and found.error, what=process.log)
    assert "not a public address" in state(stack, name).error
    assert site.hits == {}


def test_fifty_articles_a_second_pass_through_one_collector(stack, site, collector, name):
    filler = f"<p>{PROSE * 10}</p>" * 60  # sixty kilobytes, as pages of news have
    feeds = {}
    for feed in range(10):
        links = [f"/story/{feed}/{n}" for n in range(60)]
        for link in links:
            site.story(link, filler)
        site.feed(f"/feed/{feed}", links)
        feeds[f"{name}-{feed}"] = f"{site.url}/feed/{feed}"
    process = collector(feeds).start()
    wait_until(lambda: site.hits, what=process.log)
    used = sum(psutil.Process(process.process.pid).cpu_times()[:2])
    wait_until(lambda: process.metric('dateline_published_total{topic="news.articles"}') == 600, what=process.log)
    used = sum(psutil.Process(process.process.pid).cpu_times()[:2]) - used
    assert 600 / used > 50  # per second of one core, however busy the machine is with others


def test_a_wrong_feeds_file_stops_the_start_and_names_the_place(stack, collector, name):
    process = collector({name: "ftp://x.example/"}).start()
    assert process.process.wait(timeout=30) != 0
    assert "feed[0].url" in process.log()
