"""Event -> Story: the reports of one happening, folded one by one, in whatever order they come.

`Stories` holds the open stories of one partition. All that it knows is in the Story records, so a worker that takes over
makes it anew from the compacted topic news.stories. What it promises (docs/design.md, Stories): an event that is known
changes nothing; the same events in the same order give the same stories; reports that are clearly of one happening end in
one story in any order. Time is event time: the clock is the latest `first_seen_at` that was folded.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline import happening
from pipeline import story as growth
from pipeline.happening import Happening, family
from pipeline.records import Event, Story
from pipeline.settings import Track
from pipeline.story import merge, seen_at
from pipeline.wording import TELLING

__all__ = ["Stories", "family", "matches", "merge"]

TOLD: Final = frozenset({"asserted", "planned"})
"""Only these are reports of a happening. What is hypothetical, denied or looked back on changes no story: joining one, it
would depend on which stories were open when it came, and come a second time it could join another."""

CANDIDATES: Final = 200
"""How many open stories an event is compared with at most, those that share its rarest words and names first."""

BUCKET_DAYS: Final = 7
SLACK_DAYS: Final = 4  # what `happening` adds to a family's days at most
WORDINGS_LISTED: Final = 3
WORDS_LISTED: Final = 8
"""Of so many reports so many words find a story: names and numbers first, then the longest."""


def matches(story: Story, event: Event) -> float:
    """A story and an event in, how alike their happenings are (0 to 1) out; 0 when they cannot be the same."""
    return happening.likeness(happening.of_story(story), happening.of_event(event))


class Stories:
    """The open stories, found by the names, countries and places of their happening."""

    def __init__(self, options: Track | None = None, stories: Iterable[Story] = ()) -> None:
        self._options = options or Track()
        self._open: dict[str, Story] = {}
        self._happenings: dict[str, Happening] = {}
        self._story_of: dict[str, str] = {}
        self._keys: dict[str, tuple[Key, ...]] = {}
        self._index: dict[Key, dict[str, None]] = {}
        self._oldest: list[tuple[dt.datetime, str]] = []
        self._clock = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        for story in sorted(stories, key=lambda s: (s.first_seen_at, s.id, s.revision)):
            self._clock = max(self._clock, story.last_seen_at)
            self._keep(story)
        self._close_old()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Story]:
        return iter(self._open.values())

    def get(self, story_id: str) -> Story | None:
        """An open story by its id."""
        return self._open.get(story_id)

    def fold(self, event: Event) -> Story | None:
        """An event in, the story that it changed out; None for one that is known, too old, or no report of a happening."""
        if event.id in self._story_of or event.modality not in TOLD or self._is_late(event):
            return None
        told = happening.of_event(event)
        match = self._best(told, seen_at(event))
        if match is not None:
            if growth.is_full(match, event):
                return None
            story = merge(match, event, reports_kept=self._options.reports_kept)
        else:
            story = growth.begin(event)
        self._keep(story)
        # Only what leaves its mark in a story moves the clock: a worker that takes over knows no other events.
        self._clock = max(self._clock, seen_at(event))
        self._close_old()
        return story

    def _is_late(self, event: Event) -> bool:
        """Whether the story of this event would be closed already: to open it again would tell old news as new."""
        return seen_at(event) < self._clock - dt.timedelta(days=self._options.open_days)

    def _best(self, told: Happening, seen: dt.datetime) -> Story | None:
        """The story, open when this event was seen, that is most like it, if one is like enough; of equals the earliest."""
        horizon = seen - dt.timedelta(days=self._options.open_days)
        best: tuple[float, dt.datetime, str] | None = None
        for story_id in self._candidates(told):
            if self._open[story_id].last_seen_at < horizon:
                continue
            score = happening.likeness(self._happenings[story_id], told)
            if happening.same(told, score):
                story = self._open[story_id]
                rank = (-score, story.first_seen_at, story.id)
                best = rank if best is None else min(best, rank)
        return self._open[best[2]] if best is not None else None

    def _candidates(self, told: Happening) -> Iterator[str]:
        """Open stories that share a key with it, by the rarest key first, each once, at most `CANDIDATES`."""
        found: dict[str, None] = {}
        keys = [key for key in dict.fromkeys(_keys(told, search=True)) if key in self._index]
        for key in sorted(keys, key=lambda key: len(self._index[key])):
            for story_id in reversed(self._index[key]):
                if story_id not in found:
                    if len(found) == CANDIDATES:
                        return
                    found[story_id] = None
                    yield story_id

    def _keep(self, story: Story) -> None:
        """Hold this revision of a story and everything by which it is found."""
        told = happening.of_story(story)
        keys = tuple(dict.fromkeys(_keys(told, search=False)))
        for key in self._keys.get(story.id, ()):
            if key not in keys:
                self._drop_key(key, story.id)
        for key in keys:
            self._index.setdefault(key, {})[story.id] = None
        if story.id not in self._open:
            heapq.heappush(self._oldest, (story.last_seen_at, story.id))
        self._open[story.id] = story
        self._happenings[story.id] = told
        self._keys[story.id] = keys
        for event_id in story.event_ids:
            self._story_of[event_id] = story.id

    def _drop_key(self, key: Key, story_id: str) -> None:
        listed = self._index.get(key)
        if listed is not None:
            listed.pop(story_id, None)
            if not listed:
                del self._index[key]

    def _close_old(self) -> None:
        """Let go of the stories of which nothing was heard for `open_days`."""
        horizon = self._clock - dt.timedelta(days=self._options.open_days)
        while self._oldest and self._oldest[0][0] < horizon:
            _, story_id = heapq.heappop(self._oldest)
            story = self._open[story_id]
            if story.last_seen_at >= horizon:
                heapq.heappush(self._oldest, (story.last_seen_at, story_id))
                continue
            for key in self._keys.pop(story_id):
                self._drop_key(key, story_id)
            for event_id in story.event_ids:
                self._story_of.pop(event_id, None)
            del self._open[story_id], self._happenings[story_id]


Key = int
"""The hash of family, token and week: a third of the memory of the words themselves, and a clash costs one comparison."""


def _keys(told: Happening, *, search: bool) -> Iterator[Key]:
    """Under what a happening is listed, and (`search`) where one looks for it: a little wider, as dates may differ."""
    rules = happening.FAMILIES[told.family]
    slack = (max(rules.days, rules.plan_days) + SLACK_DAYS) if search else 0
    first, last = (told.first - slack) // BUCKET_DAYS, (told.last + slack) // BUCKET_DAYS
    for token in _tokens(told):
        for bucket in range(first, last + 1):
            yield hash((told.family, token, bucket))


def _tokens(told: Happening) -> Iterator[str]:
    for country in sorted(told.countries | told.lands):
        yield f"c:{country}"
    for name in sorted(told.names):
        yield f"n:{name}"
    for spot in told.spots:
        yield f"p:{spot.name}"
    for text in sorted(told.texts)[:WORDINGS_LISTED]:
        yield f"t:{text}"
    for words in told.words[:WORDINGS_LISTED]:
        for word in heapq.nlargest(WORDS_LISTED, words, key=lambda w: (words[w] >= TELLING, len(w), w)):
            yield f"w:{word}"
