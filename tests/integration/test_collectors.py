"""Several collectors share the feeds on a real Kafka: no double work, and one that dies or pauses is taken over."""

import os
import random
import signal
import time
from collections import Counter

import pytest
import structlog

from pipeline import bus
from pipeline.collect.sharding import partition_of
from tests.integration.collecting import Process, Site, articles, state
from tests.waiting import wait_until

log = structlog.get_logger("test")
pytestmark = pytest.mark.integration

STORIES = 60


class Newsroom:
    """Sites of their own host and port, a feed on each, and collectors that share them."""

    def __init__(self, stack, directory):
        self.stack = stack
        self.directory = directory
        self.mark = f"{random.getrandbits(40):x}"
        self.sites = []
        self.collectors = []
        while {self.part(site) for site in self.sites} < set(range(stack.kafka.partitions)):
            self.sites.append(Site())
        self.feeds = {f"feed-{self.mark}-{n}": f"{site.url}/feed" for n, site in enumerate(self.sites)}

    def part(self, site):
        return partition_of(site.url, self.stack.kafka.partitions)

    def publish(self, count, first=0):
        for site in self.sites:
            links = [f"/story/{n}" for n in range(first, first + count)]
            for link in links:
                site.story(link)
            site.feed("/feed", links)

    def collector(self, **options):
        directory = self.directory / f"config-{len(self.collectors)}"
        made = Process(self.stack, directory, self.feeds, **options)
        made.environ["DATELINE_WORKER_SESSION_TIMEOUT_SECONDS"] = "6"
        self.collectors.append(made)
        return made.start()

    def published(self):
        return Counter(article.url for article in articles(self.stack, *self.feeds))

    def parts(self):
        return [collector.ready().get("parts", 0) for collector in self.collectors]

    def asked_by(self):
        """How many collectors have asked each feed."""
        return {site.url: len(site.agents["/feed"]) for site in self.sites}

    def close(self):
        for collector in self.collectors:
            if collector.process.poll() is None:
                os.kill(collector.process.pid, signal.SIGCONT)
            collector.end(signal.SIGKILL)
        for site in self.sites:
            site.close()


@pytest.fixture
def newsroom(stack, tmp_path):
    bus.create_topics(stack)
    room = Newsroom(stack, tmp_path)
    yield room
    room.close()


def started(room, count=2):
    for number in range(count):
        room.collector(user_agent=f"Reader{number}/1")
    wait_until(
        lambda: sum(room.parts()) == room.stack.kafka.partitions and min(room.parts()) > 0, what=room.collectors[0].log
    )


def test_two_collectors_share_the_feeds_and_each_feed_is_asked_by_one(newsroom):
    started(newsroom)
    for site in newsroom.sites:
        site.agents.clear()
    newsroom.publish(10)
    wait_until(lambda: sum(newsroom.published().values()) >= 10 * len(newsroom.sites))
    time.sleep(2)
    counts = newsroom.published()
    assert len(counts) == 10 * len(newsroom.sites)
    assert set(counts.values()) == {1}
    assert set(newsroom.asked_by().values()) == {1}
    assert {agent for site in newsroom.sites for agent in site.agents["/feed"]} == {"Reader0/1", "Reader1/1"}


def test_one_of_two_is_killed_under_load_and_every_article_is_published_exactly_once(newsroom):
    newsroom.publish(STORIES)
    for site in newsroom.sites:
        site.slow_seconds = 0.4
    started(newsroom)
    wait_until(lambda: sum(newsroom.published().values()) >= STORIES)
    killed, survivor = newsroom.collectors
    killed.end(signal.SIGKILL)
    began = time.monotonic()
    assert sum(newsroom.published().values()) < STORIES * len(newsroom.sites), "it has to be under load"
    wait_until(lambda: survivor.ready().get("parts") == newsroom.stack.kafka.partitions, what=survivor.log)
    takeover = time.monotonic() - began
    for site in newsroom.sites:
        site.slow_seconds = 0.0
    wait_until(lambda: len(newsroom.published()) == STORIES * len(newsroom.sites), what=survivor.log)
    time.sleep(2)
    log.info("taken over", seconds=round(takeover, 1))
    assert set(newsroom.published().values()) == {1}
    assert takeover < 25
    told = [state(newsroom.stack, feed).etag for feed in newsroom.feeds]
    assert all(told), "the feeds' states went over with them"


def test_one_that_slept_while_another_took_over_publishes_nothing_twice(newsroom):
    newsroom.publish(STORIES)
    for site in newsroom.sites:
        site.slow_seconds = 0.4
    started(newsroom)
    wait_until(lambda: sum(newsroom.published().values()) >= STORIES)
    sleeper, survivor = newsroom.collectors
    os.kill(sleeper.process.pid, signal.SIGSTOP)
    wait_until(lambda: survivor.ready().get("parts") == newsroom.stack.kafka.partitions, what=survivor.log)
    os.kill(sleeper.process.pid, signal.SIGCONT)
    for site in newsroom.sites:
        site.slow_seconds = 0.0
    wait_until(lambda: len(newsroom.published()) == STORIES * len(newsroom.sites), what=survivor.log)
    wait_until(
        lambda: min(newsroom.parts()) > 0 and sum(newsroom.parts()) == newsroom.stack.kafka.partitions, what=sleeper.log
    )
    newsroom.publish(5, first=1000)
    wait_until(lambda: len(newsroom.published()) == (STORIES + 5) * len(newsroom.sites), what=sleeper.log)
    time.sleep(2)
    assert set(newsroom.published().values()) == {1}


def test_one_that_stops_in_order_hands_over_at_once(newsroom):
    started(newsroom)
    leaver, survivor = newsroom.collectors
    assert leaver.end() == 0
    began = time.monotonic()
    wait_until(lambda: survivor.ready().get("parts") == newsroom.stack.kafka.partitions, what=survivor.log)
    assert time.monotonic() - began < newsroom.stack.worker.session_timeout_seconds
    newsroom.publish(3)
    wait_until(lambda: len(newsroom.published()) == 3 * len(newsroom.sites), what=survivor.log)
