"""feeds.toml is read again when it changes, while the collector runs. If the new file has an error the old feeds go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pipeline import bus
from pipeline.collect import feeds as feeds_
from pipeline.collect.poll_loop import PollLoop
from pipeline.settings import Settings, SettingsError
from pipeline.toml.edit import file_stamp

log = structlog.get_logger("collector")

LOOK_SECONDS: Final = 1.0
"""How often the file is looked at."""


class FeedsWatch:
    """Holds what is wrong with the file, if anything. `run` hands the feeds of each new version to the loop of polls."""

    def __init__(self, settings: Settings, poll_loop: PollLoop, held: Callable[[], bus.Partitions]) -> None:
        self.problem = ""
        self._settings = settings
        self._poll_loop = poll_loop
        self._held = held
        self._file = settings.path(settings.collector.feeds_file)
        self._seen = file_stamp(self._file)

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the file until `stop` is set."""
        while not stop.is_set():
            await self.look()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> bool:
        """Read the file if it has changed; return whether its feeds are in use. An error in the file is not raised."""
        stamp = file_stamp(self._file)
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            found = await asyncio.to_thread(feeds_.load, self._settings)
        except SettingsError as error:
            self.problem = str(error)
            log.error("feeds_not_reloaded", error=self.problem)  # noqa: TRY400 - the user's error: our stack is no help
            return False
        self.problem = ""
        await self._poll_loop.replace(found, self._held())
        return True
