"""The other way news comes: hubs push it here. Subscribes, answers hubs' questions, renews, and hands on what is signed.

Polls go on as a safety net, at longer intervals while a subscription holds; when one of them finds what should have been
pushed, the hub is not relied on for a day.
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

LOOK_SECONDS: Final = 1.0
TOGETHER: Final = 8
"""Hubs that are asked at once."""

WAITING: Final = 2000
"""Pushes that were not read yet, at the most; beyond that a hub is told to come again."""


class Push:
    """Subscriptions and the server that hubs call. Make it inside the running loop; `wake` is told of a feed that has news."""

    def __init__(self, settings: Settings, clock: Clock, wake: Callable[[str], None] = lambda _: None) -> None:
        self._options = settings.websub
        self._limit = settings.collector.feed_bytes
        self._clock = clock
        self.wake = wake
        self._subscriptions: dict[str, Subscription] = {}
        self._feeds: dict[str, str] = {}
        self._pushed: dict[str, deque[FetchResult]] = {}
        self._runner: web.ServerRunner | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=TOGETHER,
                socket_factory=guard.socket_factory(allow_private=settings.collector.allow_private_addresses),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": settings.collector.user_agent},
            timeout=aiohttp.ClientTimeout(total=settings.collector.total_timeout_seconds),
            trust_env=False,
        )

    # --- what a poll asks and tells ----------------------------------------------------------------------------------

    def take(self, feed_id: str) -> FetchResult | None:
        """The first of what was pushed for a feed and not read yet."""
        waiting = self._pushed.get(feed_id)
        if not waiting:
            return None
        first = waiting.popleft()
        if not waiting:
            del self._pushed[feed_id]
        return first

    def waits(self, feed_id: str) -> bool:
        """Whether something was pushed that nobody has taken."""
        return feed_id in self._pushed

    def interval(self, feed_id: str) -> float | None:
        """The seconds between two polls of a feed whose hub can be relied on; None for all others."""
        known = self._subscriptions.get(feed_id)
        return float(self._options.poll_seconds) if known is not None and known.active(self._clock.now()) else None

    def follow(self, feed: Feed, state: FeedState, *, found: int = 0, pushed: bool = False) -> None:
        """A feed that was read: subscribe where it offers a hub, let go where it does not any more.

        `found` is how many new entries a poll brought; some that were not pushed mean that the hub missed them.
        """
        now = self._clock.now()
        topic = state.topic or feed.url
        known = self._subscriptions.get(feed.id)
        if not state.hub or not websub.acceptable(state.hub, topic):
            self.forget(feed.id)
        elif known is None or (known.hub, known.topic) != (state.hub, topic):
            self._subscriptions[feed.id] = Subscription(feed.id, state.hub, topic, due_at=now)
            self._feeds[websub.token(self._options.secret, feed.id)] = feed.id
        elif found and not pushed and known.active(now):
            log.info("websub_missed", feed=feed.id, hub=known.hub, entries=found)
            known.missed_at = now

    def forget(self, feed_id: str) -> None:
        """A feed that is another collector's now, or has no hub any more: a hub that still calls is told that it is gone."""
        self._subscriptions.pop(feed_id, None)
        self._pushed.pop(feed_id, None)
        self._feeds.pop(websub.token(self._options.secret, feed_id), None)

    # --- hubs --------------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    async def open(self) -> None:
        """Listen.

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
            for one in due[: TOGETHER - len(self._asking)]:
                one.due_at = now + websub.AGAIN
                task = asyncio.create_task(self._subscribe(one))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            waiting = asyncio.ensure_future(stop.wait())
            await asyncio.wait([waiting], timeout=LOOK_SECONDS)
            waiting.cancel()

    async def close(self) -> None:
        """Stop listening. Leases end by themselves: after a restart they are still good."""
        for task in tuple(self._asking):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._session.close()

    async def _subscribe(self, one: Subscription) -> None:
        secret = self._options.secret
        callback = f"{self._options.callback_url.rstrip('/')}/{websub.token(secret, one.feed_id)}"
        form = websub.request(
            "subscribe",
            topic=one.topic,
            callback=callback,
            secret=websub.key(secret, one.feed_id, one.topic),
            lease_seconds=self._options.lease_seconds,
        )
        try:
            async with self._session.post(one.hub, data=form, max_redirects=3) as response:
                said = "" if response.status // 100 == 2 else f"answers {response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            said = str(getattr(error, "os_error", None) or error)[:200] or type(error).__name__
        if said:
            self._trouble(one, f"the hub {said}", websub.AGAIN)

    def _trouble(self, one: Subscription, problem: str, wait: dt.timedelta) -> None:
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
        said, until = websub.verified(request.query, one, now)
        if one is not None and said == "denied":
            metrics.websub_total.labels(outcome="refused").inc()
            one.until = None
            self._trouble(
                one, f"the hub refuses: {request.query.get('hub.reason', 'no reason given')[:200]}", websub.DENIED
            )
            return web.Response()
        if said != "yes":
            return web.Response(status=404)
        if one is not None and until is not None:
            metrics.websub_total.labels(outcome="subscribed").inc()
            log.info("websub_subscribed", feed=one.feed_id, hub=one.hub, until=until)
            one.until, one.problem, one.due_at = until, "", websub.renewal(now, until)
        # as plain text, so that a browser that is led here shows a stranger's challenge and runs nothing
        return web.Response(text=request.query.get("hub.challenge", ""), headers={"X-Content-Type-Options": "nosniff"})

    async def _receive(self, request: web.BaseRequest, one: Subscription) -> web.Response:
        body = bytearray()
        async for chunk in request.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._limit:
                return web.Response(status=413)
        secret = websub.key(self._options.secret, one.feed_id, one.topic)
        if not websub.signed(bytes(body), request.headers.get("X-Hub-Signature", ""), secret):
            metrics.websub_total.labels(outcome="unsigned").inc()
            log.warning("websub_unsigned", feed=one.feed_id, bytes=len(body))
            return web.Response(status=202)  # as the standard wants it: a stranger learns nothing
        if sum(map(len, self._pushed.values())) >= WAITING:
            return web.Response(status=503, headers={"Retry-After": "60"})
        metrics.websub_total.labels(outcome="pushed").inc()
        kind = request.headers.get("Content-Type", "")
        answer = FetchResult(url=one.topic, status=200, body=bytes(body), content_type=kind)
        self._pushed.setdefault(one.feed_id, deque()).append(answer)
        self.wake(one.feed_id)
        return web.Response(status=202)


async def opened(settings: Settings, clock: Clock) -> Push | None:
    """Settings in, WebSub ready to be used out; None where it is off.

    Raises:
        SettingsError: there is no secret, or one that can be guessed.
        OSError: the port is taken.
    """
    options = settings.websub
    if not options.callback_url:
        return None
    if wrong := websub.problem(options.callback_url, options.secret):
        raise SettingsError(wrong)
    push = Push(settings, clock)
    try:
        await push.open()
    except BaseException:
        await push.close()
        raise
    return push
