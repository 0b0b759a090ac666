"""A site of tests/cases (a path and its answer) on two ports of 127.0.0.1, and a poller that collects its feed."""

import asyncio
import collections
import json
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from pipeline.collect.http_client import HttpClient
from pipeline.page.extract import extract
from pipeline.records import Feed
from tests.unit.collect.polling import PollSetup

CASES = Path(__file__).parents[2] / "cases"
STORIES = {
    "Spain and Chile sign extradition treaty": "treaty",
    "Japan sanctions three Russian banks": "sanctions",
    "Strike kills 31 in Sumy": "strike kill",
}


class Site:
    """Answers a path as the site's description says; "?*" and ";*" stand for any query and any session. Counts what is asked.

    A description may be a function of the request. `raw` are the bytes of a whole answer, after which the server hangs up.
    """

    def __init__(self, pages):
        self.pages = pages
        self.asked = collections.Counter()
        self.addresses = {}

    def filled(self, text, path):
        for name, value in (*self.addresses.items(), ("count", str(self.asked[path]))):
            text = text.replace(f"{{{name}}}", value)
        return text

    async def answer(self, request):
        path = request.raw_path
        self.asked[path] += 1
        starred = [path.partition(mark)[0] + f"{mark}*" for mark in "?;" if mark in path]
        found = next((self.pages[p] for p in (path, *starred) if p in self.pages), {"status": 404, "body": "not here"})
        found = found(request) if callable(found) else found
        if "raw" in found:
            request.transport.write(found["raw"])
            request.transport.close()
            return web.Response()
        headers = {name: self.filled(value, path) for name, value in found.get("headers", {}).items()}
        headers["Content-Type"] = found.get("type", "text/html; charset=utf-8")
        body = found.get("body", "")
        body = body if isinstance(body, bytes) else self.filled(body, path).encode()
        return web.Response(status=found.get("status", 200), headers=headers, body=body)

    async def __aenter__(self):
        self.runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.1)
        await self.runner.setup()
        for name in ("base", "other"):
            await web.TCPSite(self.runner, "127.0.0.1", 0).start()
            self.addresses[name] = f"http://127.0.0.1:{self.runner.addresses[-1][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()


@asynccontextmanager
async def collecting(pages):
    """A site and a poller for it with the real HTTP client."""
    async with Site(pages) as site:
        setup = PollSetup(allow_private_addresses=True, per_host_interval_seconds=0)
        setup.now = setup.now.replace(day=27, hour=18)
        client = HttpClient(setup.settings.collector, setup.clock)
        setup.site = client
        setup.restart()
        try:
            yield site, setup
        finally:
            await client.close()


async def collect(pages, polls=1):
    """What a site's feed brings in some polls: the articles, their documents, and the site with what was asked."""
    async with collecting(pages) as (site, setup):
        for _ in range(polls):
            await asyncio.wait_for(setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml")), 20)
        articles = setup.sink.articles
        return articles, [extract(article) for article in articles], site


def load(name):
    return json.loads((CASES / name / "site.json").read_text("utf-8"))


def check_stories(articles, documents):
    """Three articles under three ids, each with its headline and the words of its story."""
    assert sorted(document.title for document in documents) == sorted(STORIES)
    assert len({article.id for article in articles}) == len(articles) == len(STORIES)
    for document in documents:
        assert STORIES[document.title] in document.text.casefold()
