"""WebSub against a real hub on 127.0.0.1: subscriptions, verification, pushes, renewals, and forged requests."""

import asyncio
import datetime as dt
import hmac
import random

import aiohttp
import msgspec
import pytest
from aiohttp import web

from pipeline.collect import subscriber as subscriber_module
from pipeline.collect import websub
from pipeline.collect.fetch import Clock
from pipeline.collect.http_client import HttpClient
from pipeline.collect.poll import Poller
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.subscriber import Subscriber
from pipeline.operate import check
from pipeline.records import Feed, FeedState
from pipeline.settings import Collector, Settings, SettingsError, Websub
from tests.make import NOW
from tests.waiting import until

SECRET = "a long text that nobody guesses"
OPTIONS = Collector(
    allow_private_addresses=True, per_host_interval_seconds=0, fetch_pages=False, total_timeout_seconds=5
)
WORDS = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. " * 2


class Moving:
    """A clock that a test moves."""

    def __init__(self):
        self.at = NOW

    def clock(self):
        return Clock(now=lambda: self.at, sleep=asyncio.sleep)


class Sink:
    def __init__(self):
        self.articles = []

    async def put(self, batch):
        self.articles += batch.articles


class Hub:
    """A hub and the feed that names it, as one server."""

    def __init__(self):
        self.asked, self.answers, self.status, self.lease, self.numbers = [], [], 202, 864_000, [1]
        self.polls = 0

    def feed(self, numbers):
        entries = "".join(
            f"<entry><id>urn:{n}</id><title>T {n}</title><link href='{self.url}/{n}'/><summary>{WORDS} {n}</summary></entry>"
            for n in numbers
        )
        links = f"<link rel='hub' href='{self.url}/hub'/><link rel='self' href='{self.url}/feed?topic'/>"
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{links}{entries}</feed>".encode()

    async def answer(self, request):
        if request.path == "/hub":
            form = dict(await request.post())
            self.asked.append(form)
            if self.status == 202:
                self.task = asyncio.create_task(self.verify(form))
            return web.Response(status=self.status)
        self.polls += 1
        return web.Response(body=self.feed(self.numbers), content_type="application/atom+xml")

    async def verify(self, form, **changes):
        query = {
            "hub.mode": "subscribe", "hub.topic": form["hub.topic"], "hub.challenge": "c-4711",
            "hub.lease_seconds": str(self.lease), **changes,
        }  # fmt: skip
        async with aiohttp.ClientSession() as session, session.get(form["hub.callback"], params=query) as response:
            self.answers.append((response.status, await response.text()))

    async def send(self, numbers, *, secret=None, method="sha256", header=None, path=None):
        body = self.feed(numbers)
        key = (secret or self.asked[-1]["hub.secret"]).encode()
        signature = header if header is not None else f"{method}={hmac.new(key, body, method).hexdigest()}"
        headers = {"X-Hub-Signature": signature, "Content-Type": "application/atom+xml"}
        url = path or self.asked[-1]["hub.callback"]
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            return response.status

    async def __aenter__(self):
        self.runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.time = Moving()
        clock = self.time.clock()
        settings = Settings(collector=OPTIONS, websub=Websub(callback_url="http://later", secret=SECRET, port=0))
        self.woken = []
        self.subscriber = Subscriber(settings, clock, wake=self.woken.append)
        await self.subscriber.open()
        here = msgspec.structs.replace(settings.websub, callback_url=f"http://127.0.0.1:{self.subscriber.port}/websub/")
        self.subscriber._options = here
        self.web = HttpClient(OPTIONS, clock)
        self.sink = Sink()
        self.poller = Poller(
            settings, self.web, self.sink, SeenUrls(), clock, random.Random(1), subscriber=self.subscriber
        )
        self.source = Feed(id="f", url=f"{self.url}/feed")
        self.stop = asyncio.Event()
        self.job = asyncio.create_task(self.subscriber.run(self.stop))
        return self

    async def __aexit__(self, *_):
        self.stop.set()
        await self.job
        await self.subscriber.close()
        await self.web.close()
        await self.runner.cleanup()

    async def poll(self, state=None):
        return await self.poller.poll(self.source, state or FeedState(id="f", url=self.source.url))

    async def subscribed(self):
        state = await self.poll()
        await until(lambda: self.answers)
        return state


async def test_a_feed_with_a_hub_is_subscribed_and_the_hubs_question_answered():
    async with Hub() as hub:
        state = await hub.subscribed()
        (form,) = hub.asked
        assert (form["hub.mode"], form["hub.topic"], form["hub.lease_seconds"]) == (
            "subscribe", f"{hub.url}/feed?topic", "864000",
        )  # fmt: skip
        assert len(form["hub.secret"]) < 200
        assert SECRET not in str(form)
        assert hub.answers == [(200, "c-4711")]
        assert (state.hub, state.topic) == (f"{hub.url}/hub", f"{hub.url}/feed?topic")


async def test_what_is_pushed_is_published_at_once_without_a_poll_and_once():
    async with Hub() as hub:
        state = await hub.subscribed()
        assert await hub.send([2]) == 202
        assert await hub.send([3], method="sha1") == 202
        assert hub.woken == ["f", "f"]
        for _ in range(2):
            assert hub.subscriber.has_pushed("f")
            state = await hub.poll(state)
        assert not hub.subscriber.has_pushed("f")
        assert [a.title for a in hub.sink.articles] == ["T 1", "T 2", "T 3"]
        assert hub.polls == 1
        hub.numbers = [1, 2, 3]
        state = await hub.poll(state)
        assert len(hub.sink.articles) == 3
        assert state.hub


async def test_polls_go_on_at_longer_intervals_and_at_the_usual_ones_when_the_hub_misses_something():
    async with Hub() as hub:
        state = await hub.subscribed()
        state = await hub.poll(state)
        assert state.due_at - hub.time.at >= dt.timedelta(hours=6)
        hub.numbers = [1, 2]
        state = await hub.poll(state)
        assert hub.subscriber.poll_interval("f") is None
        state = await hub.poll(state)
        assert state.due_at - hub.time.at < dt.timedelta(hours=6)
        hub.time.at += dt.timedelta(days=2)
        assert hub.subscriber.poll_interval("f") == 21_600


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=00", "md5=00", "sha256=ü", "nonsense"])
async def test_what_is_not_signed_rightly_is_dropped(header):
    async with Hub() as hub:
        await hub.subscribed()
        assert await hub.send([2], header=header) == 202
        assert await hub.send([2], secret="another") == 202
        assert not hub.subscriber.has_pushed("f")
        assert hub.woken == []


async def test_who_calls_an_address_that_is_none_is_told_that_it_is_gone():
    async with Hub() as hub:
        await hub.subscribed()
        there = hub.asked[0]["hub.callback"]
        assert await hub.send([2], path=there[:-1] + "x") == 410
        hub.subscriber.remove("f")
        assert await hub.send([2]) == 410


async def test_a_push_that_is_too_large_is_refused():
    async with Hub() as hub:
        await hub.subscribed()
        hub.subscriber._limit = 100
        assert await hub.send([2]) == 413


async def test_a_hub_that_pushes_faster_than_is_read_is_told_to_wait(monkeypatch):
    monkeypatch.setattr(subscriber_module, "QUEUED", 1)
    async with Hub() as hub:
        await hub.subscribed()
        assert [await hub.send([2]), await hub.send([3])] == [202, 503]


async def test_nobody_else_can_subscribe_or_unsubscribe_us():
    async with Hub() as hub:
        await hub.subscribed()
        form, hub.answers = hub.asked[0], []
        await hub.verify(form, **{"hub.topic": "https://other.example/"})
        await hub.verify(form, **{"hub.mode": "unsubscribe"})
        await hub.verify(form, **{"hub.mode": "publish"})
        await hub.verify(form | {"hub.callback": form["hub.callback"][:-2]})
        assert [status for status, _ in hub.answers] == [404, 404, 404, 404]


async def test_a_lease_is_renewed_before_it_ends():
    async with Hub() as hub:
        hub.lease = 1000
        await hub.subscribed()
        hub.time.at += dt.timedelta(seconds=790)
        await asyncio.sleep(1.2)
        assert len(hub.asked) == 1
        hub.time.at += dt.timedelta(seconds=20)
        await until(lambda: len(hub.asked) == 2)


async def test_a_hub_that_refuses_is_left_alone_for_a_day_and_polls_stay_as_they_were():
    async with Hub() as hub:
        await hub.subscribed()
        hub.answers = []
        await hub.verify(hub.asked[0], **{"hub.mode": "denied", "hub.reason": "no"})
        assert hub.answers[0][0] == 200
        assert hub.subscriber.poll_interval("f") is None
        assert hub.subscriber._subscriptions["f"].due_at == NOW + websub.DENIED


@pytest.mark.parametrize("status", [404, 500])
async def test_a_hub_that_fails_is_asked_again_later(status):
    async with Hub() as hub:
        hub.status = status
        await hub.poll()
        await until(lambda: hub.subscriber._subscriptions["f"].problem)
        assert str(status) in hub.subscriber._subscriptions["f"].problem
        assert hub.subscriber._subscriptions["f"].due_at == NOW + websub.RETRY_AFTER


async def test_a_hub_inside_the_network_is_not_asked():
    async with Hub() as hub:
        closed = Settings(websub=hub.subscriber._options)
        subscriber = Subscriber(closed, hub.time.clock())
        subscriber.after_poll(hub.source, FeedState(id="f", url=hub.source.url, hub=f"{hub.url}/hub"))
        await subscriber._subscribe(subscriber._subscriptions["f"])
        assert "not a public address" in subscriber._subscriptions["f"].problem
        assert hub.asked == []
        await subscriber.close()


async def test_a_feed_that_names_no_hub_any_more_is_let_go():
    async with Hub() as hub:
        state = await hub.subscribed()
        hub.subscriber.after_poll(hub.source, msgspec.structs.replace(state, hub=None))
        assert hub.subscriber._subscriptions == {}


async def test_it_is_off_unless_there_is_an_address_and_refuses_a_secret_that_can_be_guessed():
    clock = Clock.real()
    assert await subscriber_module.open_subscriber(Settings(), clock) is None
    with pytest.raises(SettingsError, match=r"websub\.secret"):
        await subscriber_module.open_subscriber(
            Settings(websub=Websub(callback_url="https://c.example/", secret="short")), clock
        )
    with pytest.raises(SettingsError, match=r"websub\.callback_url"):
        await subscriber_module.open_subscriber(Settings(websub=Websub(callback_url="c.example", secret=SECRET)), clock)


def test_each_feed_has_a_key_of_its_own_and_a_lease_has_bounds():
    assert (
        len(
            {
                websub.signing_key(SECRET, "a", "t"),
                websub.signing_key(SECRET, "a", "u"),
                websub.signing_key(SECRET, "b", "t"),
                websub.callback_token(SECRET, "a"),
            }
        )
        == 4
    )
    one = websub.Subscription("f", "h", "t", NOW)
    query = {"hub.mode": "subscribe", "hub.topic": "t", "hub.challenge": "c"}
    lasts = [websub.verify(query | {"hub.lease_seconds": s}, one, NOW)[1] - NOW for s in ("1", "", "99999999", "x")]
    assert lasts == [websub.SHORTEST_LEASE, dt.timedelta(days=1), websub.LONGEST_LEASE, dt.timedelta(days=1)]


@pytest.mark.parametrize(
    ("header", "hub", "topic"),
    [
        ('<https://h.example/>; rel="hub", <https://p.example/f>; rel="self"', "https://h.example/", "https://p.example/f"),
        ("<https://h.example/?a=1,2>;rel=hub", "https://h.example/?a=1,2", ""),
        ('</f>; title="x"; rel="self alternate", <https://h.example/>; REL="Hub"', "https://h.example/", "https://p.example/f"),
        ("<https://x.example/>; rel=next", "", ""),
        ("nonsense <", "", ""),
    ],
)  # fmt: skip
def test_a_hub_in_the_headers_is_found(header, hub, topic):
    assert websub.hub_and_topic(header, "https://p.example/feed") == (hub, topic)


def test_the_check_of_the_configuration_names_what_is_wrong(tmp_path):
    (tmp_path / "dateline.toml").write_text('[websub]\ncallback_url = "https://c.example/"\n')
    assert next(check.check(tmp_path)).problem.startswith("websub.secret: give a text of")
    (tmp_path / "dateline.toml").write_text(f'[websub]\ncallback_url = "https://c.example/"\nsecret = "{SECRET}"\n')
    assert next(check.check(tmp_path)).problem == ""
