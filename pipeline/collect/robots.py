"""robots.txt: whether a page may be read, and at which interval. Feeds are not checked, because a site offers them to readers.

The only importer of protego.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from protego import Protego

from pipeline.page import decode

FRESH: Final = dt.timedelta(hours=12)
"""How long the rules of a site are used."""

FAILED: Final = dt.timedelta(minutes=10)
"""How long to wait before a robots.txt that could not be read is asked for again."""

SITES: Final = 5000
"""The most sites whose rules are remembered."""


class RobotsUnknownError(Exception):
    """The site cannot say now what it allows; by RFC 9309 nothing is allowed then."""


@dataclass(frozen=True, slots=True)
class _SiteRules:
    """What is known of a site until `until`: its rules, None where all is allowed, or why they cannot be read."""

    until: dt.datetime
    rules: Protego | None = None
    problem: str = ""


class Robots:
    """The rules of each site, read when they are first needed and remembered for `FRESH`."""

    def __init__(
        self,
        user_agent: str,
        fetch: Callable[[str], Awaitable[bytes | None]],
        now: Callable[[], dt.datetime],
    ) -> None:
        # robots.txt names readers by their first word: "Dateline" of "Dateline/1.0 (...)"
        self._name = re.split(r"[/\s(]", user_agent.strip() or "Dateline")[0]
        self._fetch = fetch
        self._now = now
        self._sites: dict[str, _SiteRules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def ask(self, url: str) -> tuple[bool, float | None]:
        """A page's URL in, whether it may be read and the seconds between requests that the site asks for out.

        Raises:
            RobotsUnknownError: the server failed.
        """
        parts = urlsplit(url)
        known = await self._rules(f"{parts.scheme}://{parts.netloc}")
        if known.problem:
            raise RobotsUnknownError(known.problem)
        if known.rules is None:
            return True, None
        delay = known.rules.crawl_delay(self._name)
        return bool(known.rules.can_fetch(url, self._name)), float(delay) if delay else None

    async def _rules(self, site: str) -> _SiteRules:
        async with self._asking.setdefault(site, asyncio.Lock()):  # one caller fetches, the others wait for its result
            known = self._sites.get(site)
            if known is None or known.until < self._now():
                known = await self._read(site)
                while len(self._sites) >= SITES:
                    oldest = next(iter(self._sites))
                    del self._sites[oldest]
                    self._asking.pop(oldest, None)
                self._sites[site] = known
        return known

    async def _read(self, site: str) -> _SiteRules:
        try:
            body = await self._fetch(f"{site}/robots.txt")
        except RobotsUnknownError as error:
            return _SiteRules(self._now() + FAILED, problem=str(error))
        return _SiteRules(self._now() + FRESH, Protego.parse(decode.text(body)) if body else None)
