"""Event -> Stories: the reports of one happening, folded one by one, in whatever order they come.

`Stories` holds the open stories. All that it knows is in the Story records, so a worker that takes over makes it anew from
the compacted topic news.stories. What it promises (docs/design.md, What a story promises): an event that is known
changes nothing; the same events in the same order give the same stories; reports that are clearly of one happening end in
one story in any order. Time is event time: the clock is the latest `first_seen_at` that was folded.

Two questions are asked of each event. *Which happening is it?* (happening.py: kind, parties, place, date, wording.) And, once
for each article, *what is the article about?* (subject.py: all its words.) The answer to the second is the article's main
story: papers that tell one happening in different kinds of events meet there.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from pipeline.annotate.wording import TELLING
from pipeline.records import Event, Story
from pipeline.settings import Track
from pipeline.track import likeness
from pipeline.track import story as growth
from pipeline.track.likeness import Happening
from pipeline.track.story import merge, seen_at
from pipeline.track.subjects import Subjects, most

__all__ = ["PARTITION", "Stories", "matches", "merge"]

PARTITION: Final = 0
"""The partition of every event in Kafka, so that all are folded in one place, however many partitions there are.
docs/design.md, One place folds all events."""

TOLD: Final = frozenset({"asserted", "planned"})
"""Only these are reports of a happening. What is hypothetical, denied or looked back on changes no story: joining one, it
would depend on which stories were open when it came, and come a second time it could join another."""

CANDIDATES: Final = 200
"""How many open stories an event is compared with at most, those that share its rarest words and names first."""

NEEDED: Final = ((17, 0.75), (22, 0.15), (30, 0.15), (80, 0.25))
"""Of how many telling words an article is, and how alike it must then be to a story to be about it; between, in proportion.
Two flashes share a rare name easily; two long texts on one topic share many words of it."""
AGREES: Final = 0.08
"""What it counts for that the event itself is a report of that story, or of a part of it."""
CONTRADICTS: Final = 0.1
"""What it counts against that the event is of the story's kind, and cannot be the same: another city, another day."""
OTHERS: Final = 0.3
"""The same for other parties, where these are all there is to tell two happenings apart: calls of one president."""
A_DAY: Final = 0.01
"""What each day since the story was last told counts against."""
SUPPORTED: Final = 0.15
"""So alike the words must be at least when the event agrees."""
TOGETHER: Final = 0.06
"""What it counts for in comparing happenings that both are told in articles about one thing."""
APART: Final = 0.12
FOREIGN: Final = 0.08
"""What it counts against that the articles have next to no words in common, and below which likeness that is so."""
MERGING: Final = 0.08
"""By how much more than for joining two stories must be alike to be found one."""

BUCKET_DAYS: Final = 7
SLACK_DAYS: Final = 4  # what `happening` adds to a family's days at most
WORDINGS_LISTED: Final = 3
WORDS_LISTED: Final = 8
"""Of so many reports so many words find a story: names and numbers first, then the longest."""


def matches(story: Story, event: Event) -> float:
    """A story and an event in, how alike their happenings are (0 to 1) out; 0 when they cannot be the same."""
    return likeness.likeness(likeness.of_story(story), likeness.of_event(event))


class Stories:
    """The open stories, found by the names, countries and places of their happening, and by their subject."""

    def __init__(self, options: Track | None = None, stories: Iterable[Story] = ()) -> None:
        self._options = options or Track()
        self._open: dict[str, Story] = {}
        self._happenings: dict[str, Happening] = {}
        self._story_of: dict[str, str] = {}
        self._main_of: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        self._subjects = Subjects()
        self._keys: dict[str, tuple[Key, ...]] = {}
        self._index: dict[Key, dict[str, None]] = {}
        self._oldest: list[tuple[dt.datetime, str]] = []
        self._clock = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        known = sorted(stories, key=lambda s: (s.first_seen_at, s.id, s.revision))
        gone = {story_id for story in known for story_id in story.merged_ids}
        for story in known:
            self._clock = max(self._clock, story.last_seen_at)
            if story.id not in gone and not story.merged_into:
                self._keep(story)
        self._close_old()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Story]:
        return iter(self._open.values())

    def get(self, story_id: str) -> Story | None:
        """An open story by its id."""
        return self._open.get(story_id)

    def told_in(self, article_id: str, event_ids: Iterable[str]) -> list[str]:
        """An article in, the open stories that it tells out: its main story, then what is part of that one, in its order.

        What it mentions in passing of another story is counted there, and not listed: it is not what the article is about.
        """
        told = list(dict.fromkeys(s for event_id in event_ids if (s := self._story_of.get(event_id)) is not None))
        main = self._main_of.get(article_id)
        if main is None:
            return told
        return list(dict.fromkeys([main, *(story_id for story_id in told if self._main(story_id) == main)]))

    def fold(self, event: Event) -> tuple[Story, ...]:
        """An event in, the new revisions of the stories that it changed out.

        One that is known, too old, or no report of a happening changes nothing. The order is that in which they are to be
        written down: whoever is cut off in between and folds the event again with what was written gets the rest.
        """
        if event.id in self._story_of or event.modality not in TOLD or self._is_late(event):
            return ()
        told = likeness.of_event(event)
        rated = self._rated(told, seen_at(event))
        main = self._main_story(event, told, rated)
        match = self._best(event, told, rated, main)
        if match is not None and growth.is_full(match, event):
            return ()
        changed: dict[str, Story] = {}
        if match is None:
            own = growth.begin(event, part_of=main.id if main else "", split_from=self._contradicted(told, main))
        else:
            own = merge(match, event, reports_kept=self._options.reports_kept)
        if main is not None and main.id != own.id and (placed := growth.about(main, event)) is not main:
            changed[main.id] = growth.revised(placed)
        changed[own.id] = growth.about(own, event) if main is not None and main.id == own.id else own
        # Only what leaves its mark in a story moves the clock: a worker that takes over knows no other events.
        self._clock = max(self._clock, seen_at(event))
        for story in changed.values():
            self._keep(story)
        if match is not None:
            self._merge_alike(own.id, event, told, rated, changed)
        self._close_old()
        return tuple(changed.values())

    def _is_late(self, event: Event) -> bool:
        """Whether the story of this event would be closed already: to open it again would tell old news as new."""
        return seen_at(event) < self._clock - dt.timedelta(days=self._options.open_days)

    # --- which happening ---------------------------------------------------------------------------------------------

    def _rated(self, told: Happening, seen: dt.datetime) -> dict[str, float]:
        """The stories, open when this event was seen, that may be its own, each with its likeness."""
        horizon = seen - dt.timedelta(days=self._options.open_days)
        return {
            story_id: score
            for story_id in self._candidates(told)
            if self._open[story_id].last_seen_at >= horizon
            and (score := likeness.likeness(self._happenings[story_id], told)) > 0
        }

    def _best(self, event: Event, told: Happening, rated: dict[str, float], main: Story | None) -> Story | None:
        """The story that is most like it, if one is like enough; of equals the earliest."""
        best: tuple[float, dt.datetime, str] | None = None
        for story_id, alike in rated.items():
            if not likeness.same(told, alike + TOGETHER):
                continue
            score = alike + self._company(event, story_id, main)
            if likeness.same(told, score):
                story = self._open[story_id]
                rank = (-score, story.first_seen_at, story.id)
                best = rank if best is None else min(best, rank)
        return self._open[best[2]] if best is not None else None

    def _company(self, event: Event, story_id: str, main: Story | None) -> float:
        """What it says of an event and a story that their articles are about one thing, or about things far apart."""
        about = self._main(story_id)
        if main is not None and about == main.id:
            return TOGETHER
        words = event.subject
        if len(words) < NEEDED[1][0] or len(self._open[about].subject) < NEEDED[1][0]:
            return 0.0
        return -APART if self._subjects.cosine(about, words) < FOREIGN else 0.0

    def _merge_alike(
        self, own_id: str, event: Event, told: Happening, rated: dict[str, float], changed: dict[str, Story]
    ) -> None:
        """When an event shows that two stories are one, the later becomes part of the earlier, which keeps its id."""
        for other_id, score in rated.items():
            own, other = self._open[own_id], self._open[other_id]
            ours, theirs = self._happenings[own_id], self._happenings[other_id]
            if (
                other_id == own_id
                or own.kind != other.kind
                or not likeness.same(told, score - MERGING + min(0.0, self._company(event, other_id, None)))
            ):
                continue
            if self._main(own_id) != self._main(other_id) and (own.part_of or other.part_of):
                continue  # told of in passing: what one article is about would end in another's story
            if not likeness.same(theirs, likeness.likeness(ours, theirs)):
                continue
            if len(own.event_ids) + len(other.event_ids) > growth.EVENTS_KEPT:
                continue
            first, second = sorted((own, other), key=lambda s: (s.first_seen_at, s.id))
            grown = growth.absorb(first, second, reports_kept=self._options.reports_kept)
            self._drop(second.id)
            self._keep(grown)
            changed.pop(first.id, None)
            changed.pop(second.id, None)
            changed[first.id] = grown
            changed[second.id] = growth.absorbed(second, grown)
            return

    # --- what the article is about -----------------------------------------------------------------------------------

    def _main(self, story_id: str) -> str:
        """The id of the open main story that a story is part of; its own if there is none."""
        part_of = self._open[story_id].part_of
        main = self._moved.get(part_of, part_of)
        return main if main in self._open else story_id

    def _main_story(self, event: Event, told: Happening, rated: dict[str, float]) -> Story | None:
        """The story that the event's article is about, if it is open; None when the article brings a new one."""
        placed = self._main_of.get(event.article_id)
        if placed is not None:
            return self._open[placed]
        own = self._best(event, told, rated, None)
        agreeing = self._open.get(self._main(own.id)) if own is not None else None
        if not event.subject:
            return agreeing
        horizon = seen_at(event) - dt.timedelta(days=self._options.open_days)
        scores = dict(self._subjects.alike(event.subject))
        if agreeing is not None and agreeing.id not in scores:
            scores[agreeing.id] = self._subjects.cosine(agreeing.id, event.subject)
        need = _needed(len(event.subject))
        best = most(
            (story_id, score)
            for story_id, cosine in scores.items()
            if self._open[story_id].last_seen_at >= horizon
            and (
                score := self._agreed(story_id, cosine, told, agreeing, len(event.subject))
                - A_DAY * self._days_since(story_id, event)
            )
            >= need
        )
        if best is not None:
            return self._open[best[0]]
        return agreeing if agreeing is not None and scores[agreeing.id] >= SUPPORTED else None

    def _agreed(self, story_id: str, cosine: float, told: Happening, agreeing: Story | None, words: int) -> float:
        """How much an article is about a story: its words, and whether its event bears them out."""
        if agreeing is not None and agreeing.id == story_id:
            return cosine + AGREES
        if not self._contradicts(story_id, told):
            return cosine
        others = likeness.others(self._happenings[story_id], told)
        return cosine - (OTHERS if others or words < NEEDED[1][0] else CONTRADICTS)

    def _days_since(self, story_id: str, event: Event) -> float:
        return max(0.0, (seen_at(event) - self._open[story_id].last_seen_at) / dt.timedelta(days=1))

    def _contradicts(self, story_id: str, told: Happening) -> bool:
        """Whether the event is one like the story's, and cannot be the same: another city, day or party."""
        ours = self._happenings[story_id]
        return likeness.alike(ours.kind, told.kind) and likeness.likeness(ours, told) <= 0

    def _contradicted(self, told: Happening, main: Story | None) -> str:
        return main.id if main is not None and self._contradicts(main.id, told) else ""

    # --- the index ---------------------------------------------------------------------------------------------------

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
        before = self._open.get(story.id)
        if before is None or before.event_ids is not story.event_ids:
            self._list(story)
        if not story.part_of:
            self._subjects.keep(story.id, story.subject)
        if before is None:
            heapq.heappush(self._oldest, (story.last_seen_at, story.id))
        self._open[story.id] = story
        for event_id in story.event_ids[len(before.event_ids) if before else 0 :]:
            self._story_of[event_id] = story.id
        for article_id in story.subject_ids[len(before.subject_ids) if before else 0 :]:
            self._main_of[article_id] = story.id
        for merged in story.merged_ids:
            self._moved[merged] = story.id

    def _list(self, story: Story) -> None:
        told = likeness.of_story(story)
        keys = tuple(dict.fromkeys(_keys(told, search=False)))
        for key in self._keys.get(story.id, ()):
            if key not in keys:
                self._drop_key(key, story.id)
        for key in keys:
            self._index.setdefault(key, {})[story.id] = None
        self._happenings[story.id] = told
        self._keys[story.id] = keys

    def _drop_key(self, key: Key, story_id: str) -> None:
        listed = self._index.get(key)
        if listed is not None:
            listed.pop(story_id, None)
            if not listed:
                del self._index[key]

    def _drop(self, story_id: str) -> None:
        """Let go of a story."""
        story = self._open.pop(story_id)
        for key in self._keys.pop(story_id):
            self._drop_key(key, story_id)
        for event_id in story.event_ids:
            self._story_of.pop(event_id, None)
        for article_id in story.subject_ids:
            self._main_of.pop(article_id, None)
        for merged in story.merged_ids:
            self._moved.pop(merged, None)
        self._subjects.drop(story_id)
        del self._happenings[story_id]

    def _close_old(self) -> None:
        """Let go of the stories of which nothing was heard for `open_days`, and of the stalest beyond `open_stories`."""
        horizon = self._clock - dt.timedelta(days=self._options.open_days)
        while self._oldest and (self._oldest[0][0] < horizon or len(self._open) > self._options.open_stories):
            heard_at, story_id = heapq.heappop(self._oldest)
            story = self._open.get(story_id)
            if story is None:
                continue  # merged into another meanwhile
            if story.last_seen_at > heard_at:
                heapq.heappush(self._oldest, (story.last_seen_at, story_id))
            else:
                self._drop(story_id)


def _needed(words: int) -> float:
    """Of how many telling words an article is in, how alike it must be to what it is about out."""
    if words <= NEEDED[0][0]:
        return NEEDED[0][1]
    for (few, least), (many, most_) in pairwise(NEEDED):
        if words <= many:
            return least + (most_ - least) * (words - few) / (many - few)
    return NEEDED[-1][1]


Key = int
"""The hash of family, token and week: a third of the memory of the words themselves, and a clash costs one comparison."""


def _keys(told: Happening, *, search: bool) -> Iterator[Key]:
    """Under what a happening is listed, and (`search`) where one looks for it: a little wider, as dates may differ."""
    rules = likeness.FAMILIES[told.family]
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
