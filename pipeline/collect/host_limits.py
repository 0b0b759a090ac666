"""The politeness limit of each host: one request in an interval, and the pauses that a host asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from pipeline.collect.fetch import Clock, FetchError

LONGEST_WAIT_SECONDS: Final = 60
"""A page whose host asks for a longer pause is left for the next poll; nothing waits for it."""

LONGEST_PAUSE_SECONDS: Final = 86_400
LONGEST_CRAWL_DELAY_SECONDS: Final = 30.0

CLOCK_STEP: Final = dt.timedelta(minutes=1)
"""A clock that is set back by more than this was wrong before."""

HOSTS: Final = 50_000
"""Above this number of hosts, those that have no request ahead are forgotten."""


class HostLimits:
    """One request per host and interval: each caller reserves the next free moment of the host and waits for it.

    `interval_factor` makes the interval longer for a host that other collectors ask too.
    """

    def __init__(
        self, interval_seconds: float, clock: Clock, interval_factor: Callable[[str], float] = lambda _: 1.0
    ) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._interval_factor = interval_factor
        self._free_at: dict[str, dt.datetime] = {}
        self._paused_until: dict[str, dt.datetime] = {}
        self._intervals: dict[str, float] = {}
        self._latest = dt.datetime.min.replace(tzinfo=dt.UTC) + 2 * CLOCK_STEP

    async def wait(self, host: str) -> None:
        """Return when the host may be asked.

        Raises:
            FetchError: that is longer ahead than `LONGEST_WAIT_SECONDS`.
        """
        now = self._clock.now()
        if (
            now < self._latest - CLOCK_STEP
        ):  # the clock was ahead and was set right: what is reserved in its time never comes
            self._free_at.clear()
            self._paused_until.clear()
            self._latest = now
        self._latest = max(self._latest, now)
        at = max(now, self._free_at.get(host, now))
        seconds = (at - now).total_seconds()
        if seconds > LONGEST_WAIT_SECONDS:
            paused = self._paused_until.get(host, now) > now
            why = f"{host} asked for a pause" if paused else f"too many requests to {host} wait already"
            raise FetchError("queued", f"{why}, until {at:%H:%M} UTC", retry_after_seconds=seconds)
        interval = self._intervals.get(host, self._interval) * self._interval_factor(f"http://{host}/")
        self._free_at[host] = at + dt.timedelta(seconds=interval)
        if len(self._free_at) > HOSTS:
            self._free_at = {name: free_at for name, free_at in self._free_at.items() if free_at > now}
            self._paused_until = {name: until for name, until in self._paused_until.items() if until > now}
        if seconds > 0:
            await self._clock.sleep(seconds)

    def pause(self, host: str, seconds: float) -> None:
        """Make no request to the host for so many seconds, a day at most."""
        until = self._clock.now() + dt.timedelta(seconds=min(seconds, LONGEST_PAUSE_SECONDS))
        self._free_at[host] = max(self._free_at.get(host, until), until)
        self._paused_until[host] = max(self._paused_until.get(host, until), until)

    def set_crawl_delay(self, host: str, seconds: float) -> None:
        """Set the interval that the host's robots.txt asks for. The longer one counts, up to half a minute."""
        self._intervals[host] = max(self._interval, min(seconds, LONGEST_CRAWL_DELAY_SECONDS))
