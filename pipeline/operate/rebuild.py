"""`dateline replay --from DATE --stage STAGE`: past articles through today's code, into new indices, while the service runs.

The steps, each of which may be repeated, so that a run that was killed goes on where it was:

    read      articles since DATE from their topic, through extract, annotate and detect, into new indices
    track     the events folded into stories, from those that were open at DATE on
    copy      what the replay does not touch: items before DATE, and the stories that are still open
    switch    the aliases, in one request
    catch up  what the service has written to the old indices since the beginning

The service's own topics are not written, so no alert is raised, and the tracker goes on with the stories that it has open.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, takewhile
from typing import Final

import msgspec

from pipeline import bus, flow
from pipeline.index import client, history, rebuild
from pipeline.index.bulk import PLACES_SECONDS, BulkWriter
from pipeline.index.rebuild import Replay, Stage
from pipeline.records import Event, Failure, Story, encode
from pipeline.settings import Settings
from pipeline.track.brief import briefs_of
from pipeline.track.stories import Stories
from pipeline.worker.pool import ArticleResult, Pool

GROUP: Final = f"{bus.GROUP_PREFIX}replay-"
"""The consumer group of a replay is this and its id: its offsets say how far the reading is."""

RETRY_SECONDS: Final = 1.0
SWEEP: Final = 1_000
"""After so many moments with articles the stories that have closed are written."""

AT_ONCE: Final = 500
"""How many ids one question names, and how many stories one bulk request holds at least."""

OVERLAP: Final = dt.timedelta(days=1)
"""What was written so long before the replay began is looked at again at its end: an article may wait on its topic."""

Report = Callable[[str, int, int], object]
"""Takes the step, how much of it is done, and the total."""


class RebuildError(Exception):
    """A replay cannot begin or go on; the message says why and what to do."""


@dataclass(slots=True)
class Counts:
    """What a replay did: articles read, left out or failed, stories written, items copied."""

    articles: int = 0
    skipped: int = 0
    failed: int = 0
    stories: int = 0
    copied: int = 0


class _SeenAt(msgspec.Struct):
    """The part of an article that says whether it belongs to the replay."""

    first_seen_at: dt.datetime


class Rebuild:
    """Runs one replay. Only tests replace `wait_seconds`, the time after which every indexer knows of the switch."""

    def __init__(
        self, settings: Settings, job: Replay, *, report: Report, wait_seconds: float = 2 * PLACES_SECONDS
    ) -> None:
        self.counts = Counts()
        self._settings = settings
        self._job = job
        self._target = rebuild.staged(settings, job)
        self._report = report
        self._wait_seconds = wait_seconds
        self._pool: Pool | None = None
        self._loop = asyncio.new_event_loop()

    def run(self) -> Counts:
        """Do the steps that are left.

        Raises:
            BusError, RefusedError, UnavailableError, RequestError: a server does not answer. Run it again: it goes on.
        """
        steps: dict[str, Callable[[], None]] = {
            "read": self._read, "track": self._track, "copy": self._copy, "switch": self._switch, "catch up": self._catch_up,
        }  # fmt: skip
        names = list(steps)
        if self._job.step in ("read", "track", "copy"):
            client.prepare(self._target)
        try:
            for name in names[names.index(self._job.step) :]:
                steps[name]()
                following = names.index(name) + 1
                self._job.step = names[following] if following < len(names) else "done"
                rebuild.save(self._settings, self._job)
        finally:
            if self._pool is not None:
                self._pool.close()
            self._loop.close()
        bus.forget_group(self._settings, GROUP + self._job.id)
        return self.counts

    # --- read --------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        if self._job.stage != "detect":
            return
        group = GROUP + self._job.id
        left = self._left(group)
        if left is None:
            bus.reset(self._settings, group, (bus.ARTICLES,), since=self._job.since)
            left = self._left(group) or 0
        total, stop = left, threading.Event()
        if not total:
            return
        self._pool = Pool(self._settings)
        self._loop.run_until_complete(self._pool.warm())
        es = client.connect(self._target)
        try:
            writer = BulkWriter(self._target, client.ElasticsearchServer(es, self._target), self._count_failed, stop)

            def handle(messages: list[bus.Message]) -> None:
                self._handle(writer, messages)
                done = self.counts.articles + self.counts.skipped + self.counts.failed
                self._report("read", min(done, total), total)

            self._consume(group, handle, stop)
        finally:
            es.close()

    def _left(self, group: str) -> int | None:
        """Return how many articles the group has still to read; None if it does not exist yet."""
        found = [lag for lag in bus.lags(self._settings, [group]) if lag.committed is not None]
        return sum(lag.records for lag in found) if found else None

    def _consume(self, group: str, handle: Callable[[list[bus.Message]], None], stop: threading.Event) -> None:
        """Read until nothing is left; what arrives meanwhile is read too."""

        def end_when_done() -> None:
            while not stop.wait(RETRY_SECONDS):
                with contextlib.suppress(bus.BusError):
                    if self._left(group) == 0:
                        stop.set()

        threading.Thread(target=end_when_done, name="replay-end", daemon=True).start()
        assert self._pool is not None
        chunk = self._pool.size * self._settings.worker.batch_records
        try:
            while not stop.is_set():
                try:
                    bus.consume(
                        self._settings, topics=(bus.ARTICLES,), group=group, handle=handle, stop=stop, max_records=chunk
                    )
                except bus.BusError as error:
                    self._report(f"waits: {error}", 0, 1)
                    stop.wait(RETRY_SECONDS)
        finally:
            stop.set()

    def _handle(self, writer: BulkWriter, messages: Sequence[bus.Message]) -> None:
        raws = [message.value for message in messages if message.value is not None and self._belongs(message.value)]
        self.counts.skipped += len(messages) - len(raws)
        found: list[bus.Message] = []
        for result in self._loop.run_until_complete(self._all(raws)):
            if result.outcome == "failed":
                self.counts.failed += 1
                continue
            self.counts.articles += 1
            if result.outcome == "ok":
                found.append(_message(bus.DOCUMENTS, result.document))
                found += [_message(bus.EVENTS, value) for _, value in result.events]
        writer.handle(found)

    def _belongs(self, raw: bytes) -> bool:
        try:
            return msgspec.json.decode(raw, type=_SeenAt).first_seen_at >= self._job.since
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False  # in quarantine since it was read first

    async def _all(self, raws: Sequence[bytes]) -> list[ArticleResult]:
        assert self._pool is not None
        share = -(-len(raws) // self._pool.size) or 1
        parts = [raws[start : start + share] for start in range(0, len(raws), share)]
        return list(chain.from_iterable(await asyncio.gather(*(self._pool.read(part) for part in parts))))

    def _count_failed(self, failures: Sequence[Failure]) -> None:
        self.counts.failed += len(failures)

    # --- track -------------------------------------------------------------------------------------------------------

    def _track(self) -> None:
        """Fold the events in the order in which they were first seen, and write each story when it has closed.

        What is still open at the end is the tracker's own and is copied.
        """
        if self._job.stage == "index":
            return
        stories, waiting = Stories(self._settings.track), dict[str, Story]()
        open_for = dt.timedelta(days=self._settings.track.open_days)
        with self._writing() as write:
            # All events of an article were first seen at one moment, so a group has whole articles.
            moments = groupby(self._events(open_for), key=lambda event: event.first_seen_at)
            for number, (at, group) in enumerate(moments, 1):
                for story in flow.follow(stories, briefs_of(group)):
                    waiting[story.id] = story
                if number % SWEEP == 0 and at is not None:
                    write(self._closed(waiting, at - open_for))
            write(self._closed(waiting, self._job.started_at - open_for))

    def _events(self, open_for: dt.timedelta) -> Iterator[Event]:
        since, live = self._job.since, self._settings

        def progress(done: int, total: int) -> None:
            self._report("track", done, total)

        if self._job.stage == "track":
            return history.events(live, since - open_for, progress=progress)
        before = takewhile(
            lambda event: event.first_seen_at is not None and event.first_seen_at < since,
            history.events(live, since - open_for),
        )
        return chain(before, history.events(self._target, None, progress=progress))

    def _closed(self, waiting: dict[str, Story], horizon: dt.datetime) -> list[Story]:
        """Take out and return the stories without a report since `horizon` that began within the replay."""
        closed = [story for story in waiting.values() if story.last_seen_at < horizon]
        for story in closed:
            del waiting[story.id]
        found = [story for story in closed if story.first_seen_at >= self._job.since]
        self.counts.stories += len(found)
        return found

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Callable[[Iterable[Story]], None]]:
        es, stop = client.connect(self._target), threading.Event()
        try:
            writer = BulkWriter(self._target, client.ElasticsearchServer(es, self._target), self._count_failed, stop)
            yield lambda found: writer.handle([_message(bus.STORIES, encode(story)) for story in found])
        finally:
            es.close()

    # --- copy, switch, catch up --------------------------------------------------------------------------------------

    def _copy(self) -> None:
        job = self._job
        for name in rebuild.NAMES[job.stage]:
            query = {"match_all": {}} if job.stage == "index" else rebuild.earlier(job)
            self._take(name, query)
        if job.stage != "index":
            self._copy_open_stories()
        job.replaced = rebuild.to_replace(self._settings, job)

    def _copy_open_stories(self) -> None:
        still_open = self._job.started_at - dt.timedelta(days=self._settings.track.open_days)
        self._take("stories", rebuild.changed_since("stories", still_open))

    def _switch(self) -> None:
        self._catch_up_once()
        rebuild.switch(self._settings, self._job)
        self._report("switch", 1, 1)

    def _catch_up(self) -> None:
        time.sleep(self._wait_seconds)  # until then an indexer may still write to an old index
        self._catch_up_once()

    def _catch_up_once(self) -> None:
        since = self._job.started_at - OVERLAP
        if self._job.stage == "index":
            for name in rebuild.NAMES["index"]:
                self._take(name, rebuild.changed_since(name, since))
            return
        if self._job.stage == "detect":
            # An article that the replay has read in the same version stays as the replay read it, with its events.
            articles = self._take("documents", rebuild.changed_since("documents", since), newer_only=True)
            for start in range(0, len(articles), AT_ONCE):
                self._take("events", rebuild.of_articles(articles[start : start + AT_ONCE]))
        self._copy_open_stories()

    def _take(self, name: str, query: dict[str, object], *, newer_only: bool = False) -> list[str]:
        def progress(done: int, total: int) -> None:
            self._report(f"{self._job.step} {name}", done, total)

        written = rebuild.copy(self._settings, self._job, name, query, newer_only=newer_only, progress=progress)
        self.counts.copied += len(written)
        return written


def _message(topic: str, value: bytes) -> bus.Message:
    return bus.Message(topic, 0, 0, None, value, 0)


def begin(settings: Settings, stage: Stage, since: dt.datetime, *, now: dt.datetime) -> Replay:
    """Return the replay to run: the one that was begun and has not ended, or a new one.

    Raises:
        RebuildError: another replay has not ended, or the articles since then are no longer on their topic.
        BusError, RefusedError, UnavailableError, RequestError: a server does not answer.
    """
    job = rebuild.open_job(settings)
    if job is not None:
        if (job.stage, job.since) != (stage, since):
            raise RebuildError(
                f"the replay --from {job.since:%Y-%m-%dT%H:%M} --stage {job.stage} has not ended: run it again to end it, or "
                "remove it with `dateline replay --abort`"
            )
        return job
    if stage == "detect":
        first = bus.removed_before(settings, bus.ARTICLES)
        if first is not None and first > since:
            raise RebuildError(
                f"{bus.ARTICLES} has the articles since {first:%Y-%m-%dT%H:%M} only (kafka.retention_days and retention_gb): "
                "give --from that or later"
            )
    job = Replay(id=f"{now:%Y%m%d%H%M%S}", stage=stage, since=since, started_at=now)
    rebuild.save(settings, job)
    return job


def abort(settings: Settings) -> bool:
    """Remove what a replay has written that has not ended; return whether there was one.

    Raises:
        RebuildError: it has switched the aliases already, so only going on leads to a whole index.
        BusError, RefusedError, UnavailableError, RequestError: a server does not answer.
    """
    job = rebuild.open_job(settings)
    if job is None:
        return False
    if job.step in ("switch", "catch up"):
        raise RebuildError(f"it is at its step {job.step!r}: run it again, it ends within a minute")
    rebuild.abort(settings, job)
    bus.forget_group(settings, GROUP + job.id)
    return True
