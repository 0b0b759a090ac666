"""WebSub: subscribes to hubs, answers their verification requests, renews leases, and queues what they push.

Polls go on at longer intervals while a subscription is active. When a poll finds an entry that the hub should have pushed, the
hub does not count as reliable for a day.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Callable
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from pipeline import metrics
from pipeline.collect import guard, websub
from pipeline.collect.fetch import Clock, FetchResult
from pipeline.collect.websub import Subscription
from pipeline.records import Feed, FeedState
from pipeline.settings import Settings, SettingsError

log = structlog.get_logger("collector")

TICK_SECONDS: Final = 1.0
"""The time between two looks for subscriptions that are due."""

REQUESTS_AT_ONCE: Final = 8
"""Hubs that are asked at the same time."""

QUEUED: Final = 2000
"""The most pushes that wait to be read; above that a hub is told to try again later."""

RETRY_SECONDS: Final = 60


class Subscriber:
    """Subscriptions and the server that hubs call. Create it inside the running event loop.

    `wake` is called with the id of a feed for which something was pushed.
    """

    def __init__(self, settings: Settings, clock: Clock, wake: Callable[[str], None] = lambda _: None) -> None:
        self._options = settings.websub
        self._limit = settings.collector.feed_bytes
        self._clock = clock
        self.wake = wake
        self._subscriptions: dict[str, Subscription] = {}
        self._feeds: dict[str, str] = {}
        self._pushed: dict[str, deque[FetchResult]] = {}
        self._runner: web.ServerRunner | None = None
        self._requests: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=REQUESTS_AT_ONCE,
                socket_factory=guard.socket_factory(allow_private=settings.collector.allow_private_addresses),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": settings.collector.user_agent},
            timeout=aiohttp.ClientTimeout(total=settings.collector.total_timeout_seconds),
            trust_env=False,
        )

    # --- called by polls ---------------------------------------------------------------------------------------------

    def next_pushed(self, feed_id: str) -> FetchResult | None:
        """Take the oldest push for a feed from the queue, or return None."""
        waiting = self._pushed.get(feed_id)
        if not waiting:
            return None
        first = waiting.popleft()
        if not waiting:
            del self._pushed[feed_id]
        return first

    def has_pushed(self, feed_id: str) -> bool:
        """Whether a push for the feed waits in the queue."""
        return feed_id in self._pushed

    def poll_interval(self, feed_id: str) -> float | None:
        """Return the seconds between two polls of a feed whose hub is reliable; None for all others."""
        known = self._subscriptions.get(feed_id)
        return float(self._options.poll_seconds) if known is not None and known.active(self._clock.now()) else None

    def after_poll(self, feed: Feed, state: FeedState, *, new_entries: int = 0, pushed: bool = False) -> None:
        """Subscribe where a feed that was read offers a hub, and end the subscription where it no longer does.

        `new_entries` is how many the poll published. If they were not pushed, the hub missed them.
        """
        now = self._clock.now()
        topic = state.topic or feed.url
        known = self._subscriptions.get(feed.id)
        if not state.hub or not websub.acceptable(state.hub, topic):
            self.remove(feed.id)
        elif known is None or (known.hub, known.topic) != (state.hub, topic):
            self._subscriptions[feed.id] = Subscription(feed.id, state.hub, topic, due_at=now)
            self._feeds[websub.callback_token(self._options.secret, feed.id)] = feed.id
        elif new_entries and not pushed and known.active(now):
            log.info("websub_missed", feed=feed.id, hub=known.hub, entries=new_entries)
            known.missed_at = now

    def remove(self, feed_id: str) -> None:
        """End a feed's subscription: another collector polls it now, or it has no hub. A hub that still calls gets a 410."""
        self._subscriptions.pop(feed_id, None)
        self._pushed.pop(feed_id, None)
        self._feeds.pop(websub.callback_token(self._options.secret, feed_id), None)

    # --- hubs --------------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    async def open(self) -> None:
        """Start the server.

        Raises:
            OSError: the port is taken.
        """
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._options.host, self._options.port).start()
        log.info("websub_listens", host=self._options.host, port=self.port, callback=self._options.callback_url)

    async def run(self, stop: asyncio.Event) -> None:
        """Subscribe and renew until `stop` is set."""
        while not stop.is_set():
            now = self._clock.now()
            due = [one for one in self._subscriptions.values() if one.due_at <= now]
            for one in due[: REQUESTS_AT_ONCE - len(self._requests)]:
                one.due_at = now + websub.RETRY_AFTER
                task = asyncio.create_task(self._subscribe(one))
                self._requests.add(task)
                task.add_done_callback(self._requests.discard)
            waiting = asyncio.ensure_future(stop.wait())
            await asyncio.wait([waiting], timeout=TICK_SECONDS)
            waiting.cancel()

    async def close(self) -> None:
        """Stop the server. Leases are not ended: they still hold after a restart."""
        for task in tuple(self._requests):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._session.close()

    async def _subscribe(self, one: Subscription) -> None:
        secret = self._options.secret
        callback = f"{self._options.callback_url.rstrip('/')}/{websub.callback_token(secret, one.feed_id)}"
        form = websub.request_form(
            "subscribe",
            topic=one.topic,
            callback=callback,
            secret=websub.signing_key(secret, one.feed_id, one.topic),
            lease_seconds=self._options.lease_seconds,
        )
        try:
            async with self._session.post(one.hub, data=form, max_redirects=3) as response:
                problem = "" if response.status // 100 == 2 else f"answers {response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            problem = str(getattr(error, "os_error", None) or error)[:200] or type(error).__name__
        if problem:
            self._failed(one, f"the hub {problem}", websub.RETRY_AFTER)

    def _failed(self, one: Subscription, problem: str, wait: dt.timedelta) -> None:
        one.due_at = self._clock.now() + wait
        if problem != one.problem:
            log.warning("websub_failed", feed=one.feed_id, hub=one.hub, error=problem)
        one.problem = problem

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        feed_id = self._feeds.get(request.path.rstrip("/").rpartition("/")[2])
        if request.method == "GET":
            return self._verify(request, feed_id)
        if request.method != "POST":
            return web.Response(status=405)
        if feed_id is None:
            metrics.websub_total.labels(outcome="unknown").inc()
            return web.Response(status=410)  # so that a hub stops calling
        return await self._receive(request, self._subscriptions[feed_id])

    def _verify(self, request: web.BaseRequest, feed_id: str | None) -> web.Response:
        one = self._subscriptions.get(feed_id) if feed_id is not None else None
        now = self._clock.now()
        answer, until = websub.verify(request.query, one, now)
        if one is not None and answer == "denied":
            metrics.websub_total.labels(outcome="refused").inc()
            one.until = None
            self._failed(
                one, f"the hub refuses: {request.query.get('hub.reason', 'no reason given')[:200]}", websub.DENIED
            )
            return web.Response()
        if answer != "yes":
            return web.Response(status=404)
        if one is not None and until is not None:
            metrics.websub_total.labels(outcome="subscribed").inc()
            log.info("websub_subscribed", feed=one.feed_id, hub=one.hub, until=until)
            one.until, one.problem, one.due_at = until, "", websub.renewal_at(now, until)
        # plain text, so that a browser that follows a link to this address never runs a challenge as HTML
        return web.Response(text=request.query.get("hub.challenge", ""), headers={"X-Content-Type-Options": "nosniff"})

    async def _receive(self, request: web.BaseRequest, one: Subscription) -> web.Response:
        body = bytearray()
        async for chunk in request.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._limit:
                return web.Response(status=413)
        secret = websub.signing_key(self._options.secret, one.feed_id, one.topic)
        if not websub.is_signed(bytes(body), request.headers.get("X-Hub-Signature", ""), secret):
            metrics.websub_total.labels(outcome="unsigned").inc()
            log.warning("websub_unsigned", feed=one.feed_id, bytes=len(body))
            return web.Response(status=202)  # as the standard asks: a sender without the secret learns nothing
        if sum(map(len, self._pushed.values())) >= QUEUED:
            return web.Response(status=503, headers={"Retry-After": str(RETRY_SECONDS)})
        metrics.websub_total.labels(outcome="pushed").inc()
        kind = request.headers.get("Content-Type", "")
        answer = FetchResult(url=one.topic, status=200, body=bytes(body), content_type=kind)
        self._pushed.setdefault(one.feed_id, deque()).append(answer)
        self.wake(one.feed_id)
        return web.Response(status=202)


async def open_subscriber(settings: Settings, clock: Clock) -> Subscriber | None:
    """Settings in, a subscriber that listens out; None where WebSub is off.

    Raises:
        SettingsError: the secret is missing or too short.
        OSError: the port is taken.
    """
    options = settings.websub
    if not options.callback_url:
        return None
    if problem := websub.options_problem(options.callback_url, options.secret):
        raise SettingsError(problem)
    subscriber = Subscriber(settings, clock)
    try:
        await subscriber.open()
    except BaseException:
        await subscriber.close()
        raise
    return subscriber
