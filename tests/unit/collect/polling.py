"""A poller with a made-up web and a sink that records, for the tests of polls and of their entries."""

import asyncio
import datetime as dt
import random
from html import escape

from prometheus_client import REGISTRY

from pipeline.collect.fetch import Clock, FetchError, FetchResult
from pipeline.collect.poll import Poller
from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import Article, Feed, FeedState, decode, encode
from pipeline.settings import Collector, Settings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
FEED = Feed(id="wire", url="https://news.example/rss", publisher="The Paper", language="en")
PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "


class Site:
    """A made-up web: the answer of each URL, and the requests that were made."""

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


class RecordingSink:
    """Records the batches that are put. As on the wire, what is put is encoded."""

    def __init__(self):
        self.batches = []

    async def put(self, batch):
        self.batches.append(batch)
        assert encode(batch.state)

    @property
    def articles(self):
        return [decode(encode(article), Article) for batch in self.batches for article in batch.articles]


class PollSetup:
    """A poller with a made-up web, and the states of its feeds from poll to poll."""

    def __init__(self, **options):
        self.site, self.sink = Site(), RecordingSink()
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
        self.poller = Poller(self.settings, self.site, self.sink, seen_urls, self.clock, random.Random(1))


def item(name="a", **more):
    return {"title": f"Title of {name}", "url": f"https://news.example/{name}"} | more


def outcomes(outcome, reason=""):
    labels = {"stage": "collect", "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("dateline_records_total", labels) or 0.0
