"""Event -> Stories: the reports of one real-world event are merged one by one, in whatever order they come.

`Stories` holds the open stories. All its state is in the Story records, so a worker that takes over builds it again from the
compacted topic news.stories. Its guarantees are in docs/design.md, "What a story promises": a known event changes nothing; the
same events in the same order give the same stories; clear reports of one event end in one story in any order. Time is event
time: the clock is the latest `first_seen_at` that was merged.

Two questions are asked. For each event: *which real-world event is it?* (likeness.py: kind, parties, place, date, wording.)
Once for each article: *what is the article about?* (subjects.py: all its words.) The second answer is the article's main story.
There articles meet that report one real-world event with different kinds of events.
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
from pipeline.track.families import FAMILIES, kinds_alike
from pipeline.track.profile import Profile, profile_of_event, profile_of_story
from pipeline.track.sources import seen_at
from pipeline.track.story import absorb, absorbed, begin, count_article, fit_in_one, is_full, merge, revised
from pipeline.track.subjects import Subjects, most

__all__ = ["PARTITION", "Stories", "matches", "merge"]

PARTITION: Final = 0
"""The partition of every event in Kafka, so that one worker merges them all, however many partitions there are.
See docs/design.md, "One place folds all events"."""

TOLD: Final = frozenset({"asserted", "planned"})
"""Only events of these modalities are reports. A hypothetical, denied or historical event changes no story: which story it
joined would depend on the stories that were open when it came, so a replay could give another result."""

CANDIDATES: Final = 200
"""An event is compared with at most so many open stories, those that share its rarest words and names first."""

NEEDED: Final = ((17, 0.75), (22, 0.15), (30, 0.15), (80, 0.25))
"""(telling words of an article, likeness it needs to be about a story), interpolated between the rows.
Two flashes share a rare name easily; two long texts on one topic share many words of it."""
AGREES: Final = 0.08
"""Added to the likeness if the event itself is a report of that story or of a part of it."""
CONTRADICTS: Final = 0.1
"""Subtracted if the event is of the story's kind and cannot be the same: another city, another day."""
OTHERS: Final = 0.3
"""Subtracted instead if other parties take part and only the parties tell two events apart: the calls of one president."""
A_DAY: Final = 0.01
"""Subtracted for each day since the story's latest report."""
SUPPORTED: Final = 0.15
"""The least likeness of the words if the event agrees."""
TOGETHER: Final = 0.06
"""Added when two reports are compared whose articles are about one thing."""
FOREIGN: Final = 0.08
"""Articles whose words are less alike than this have next to nothing in common."""
APART: Final = 0.12
"""Subtracted when two reports are compared whose articles have next to nothing in common."""
MERGING: Final = 0.08
"""How much more alike two stories must be to be merged than an event and a story."""

BUCKET_DAYS: Final = 7
SLACK_DAYS: Final = 4  # the most that likeness.py adds to a family's days
WORDINGS_LISTED: Final = 3
WORDS_LISTED: Final = 8
"""A story is indexed by so many words of each of so many reports: names and numbers first, then the longest words."""


def matches(story: Story, event: Event) -> float:
    """Return how alike a story and an event are, 0 to 1; 0 if they cannot be the same real-world event."""
    return likeness.likeness(profile_of_story(story), profile_of_event(event))


class Stories:
    """The open stories, indexed by names, countries, places and words, and by subject."""

    def __init__(self, options: Track | None = None, stories: Iterable[Story] = ()) -> None:
        self._options = options or Track()
        self._open: dict[str, Story] = {}
        self._profiles: dict[str, Profile] = {}
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
        """Return an open story by its id, or None."""
        return self._open.get(story_id)

    def told_in(self, article_id: str, event_ids: Iterable[str]) -> list[str]:
        """Return the ids of an article's open stories: its main story, then the parts of that story in the article's order.

        Reports of other stories in the article are counted there and not listed, since the article is not about them.
        """
        told = list(dict.fromkeys(s for event_id in event_ids if (s := self._story_of.get(event_id)) is not None))
        main = self._main_of.get(article_id)
        if main is None:
            return told
        return list(dict.fromkeys([main, *(story_id for story_id in told if self._main(story_id) == main)]))

    def fold(self, event: Event) -> tuple[Story, ...]:
        """Return the new revisions of the stories that an event changes.

        An event changes nothing if it is known, too old, or of a modality that is no report. The revisions must be written
        in the order given: a worker that stops between two of them and folds the event again gets the rest.
        """
        if event.id in self._story_of or event.modality not in TOLD or self._is_late(event):
            return ()
        profile = profile_of_event(event)
        rated = self._rated(profile, seen_at(event))
        main = self._main_story(event, profile, rated)
        match = self._best(event, profile, rated, main)
        if match is not None and is_full(match, event):
            return ()
        changed: dict[str, Story] = {}
        if match is None:
            own = begin(event, part_of=main.id if main else "", split_from=self._contradicted(profile, main))
        else:
            own = merge(match, event, reports_kept=self._options.reports_kept)
        if main is not None and main.id != own.id and (placed := count_article(main, event)) is not main:
            changed[main.id] = revised(placed)
        changed[own.id] = count_article(own, event) if main is not None and main.id == own.id else own
        # Only events that change a story move the clock: a worker that takes over knows no others.
        self._clock = max(self._clock, seen_at(event))
        for story in changed.values():
            self._keep(story)
        if match is not None:
            self._merge_if_same(own.id, event, profile, rated, changed)
        self._close_old()
        return tuple(changed.values())

    def _is_late(self, event: Event) -> bool:
        """Return whether the story of this event would be closed by now: a new one would report old news as new."""
        return seen_at(event) < self._clock - dt.timedelta(days=self._options.open_days)

    # --- which real-world event --------------------------------------------------------------------------------------

    def _rated(self, profile: Profile, seen: dt.datetime) -> dict[str, float]:
        """Return the stories that may be the event's own and were open when it was seen, each with its likeness."""
        horizon = seen - dt.timedelta(days=self._options.open_days)
        return {
            story_id: score
            for story_id in self._candidates(profile)
            if self._open[story_id].last_seen_at >= horizon
            and (score := likeness.likeness(self._profiles[story_id], profile)) > 0
        }

    def _best(self, event: Event, profile: Profile, rated: dict[str, float], main: Story | None) -> Story | None:
        """Return the story most like the event, of equals the earliest; None if none is like enough."""
        best: tuple[float, dt.datetime, str] | None = None
        for story_id, alike in rated.items():
            if not likeness.is_match(profile, alike + TOGETHER):
                continue
            score = alike + self._company(event, story_id, main)
            if likeness.is_match(profile, score):
                story = self._open[story_id]
                rank = (-score, story.first_seen_at, story.id)
                best = rank if best is None else min(best, rank)
        return self._open[best[2]] if best is not None else None

    def _company(self, event: Event, story_id: str, main: Story | None) -> float:
        """Return what is added to the likeness of an event and a story because of what their articles are about."""
        about = self._main(story_id)
        if main is not None and about == main.id:
            return TOGETHER
        words = event.subject
        if len(words) < NEEDED[1][0] or len(self._open[about].subject) < NEEDED[1][0]:
            return 0.0
        return -APART if self._subjects.cosine(about, words) < FOREIGN else 0.0

    def _merge_if_same(
        self, own_id: str, event: Event, profile: Profile, rated: dict[str, float], changed: dict[str, Story]
    ) -> None:
        """Merge the later of two stories into the earlier, which keeps its id, if an event shows that they are one."""
        for other_id, score in rated.items():
            own, other = self._open[own_id], self._open[other_id]
            ours, theirs = self._profiles[own_id], self._profiles[other_id]
            if (
                other_id == own_id
                or own.kind != other.kind
                or not likeness.is_match(profile, score - MERGING + min(0.0, self._company(event, other_id, None)))
            ):
                continue
            if self._main(own_id) != self._main(other_id) and (own.part_of or other.part_of):
                continue  # a passing mention: the main story of one article would end in that of another
            if not likeness.is_match(theirs, likeness.likeness(ours, theirs)):
                continue
            if not fit_in_one(own, other):
                continue
            first, second = sorted((own, other), key=lambda s: (s.first_seen_at, s.id))
            grown = absorb(first, second, reports_kept=self._options.reports_kept)
            self._drop(second.id)
            self._keep(grown)
            changed.pop(first.id, None)
            changed.pop(second.id, None)
            changed[first.id] = grown
            changed[second.id] = absorbed(second, grown)
            return

    # --- what the article is about -----------------------------------------------------------------------------------

    def _main(self, story_id: str) -> str:
        """Return the id of the open main story that a story is part of, or its own id if there is none."""
        part_of = self._open[story_id].part_of
        main = self._moved.get(part_of, part_of)
        return main if main in self._open else story_id

    def _main_story(self, event: Event, profile: Profile, rated: dict[str, float]) -> Story | None:
        """Return the open story that the event's article is about; None if the article brings a new one."""
        placed = self._main_of.get(event.article_id)
        if placed is not None:
            return self._open[placed]
        own = self._best(event, profile, rated, None)
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
                score := self._agreed(story_id, cosine, profile, agreeing, len(event.subject))
                - A_DAY * self._days_since(story_id, event)
            )
            >= need
        )
        if best is not None:
            return self._open[best[0]]
        return agreeing if agreeing is not None and scores[agreeing.id] >= SUPPORTED else None

    def _agreed(self, story_id: str, cosine: float, profile: Profile, agreeing: Story | None, words: int) -> float:
        """Return how much an article is about a story: by its words, and by whether its event agrees."""
        if agreeing is not None and agreeing.id == story_id:
            return cosine + AGREES
        if not self._contradicts(story_id, profile):
            return cosine
        others = likeness.other_parties(self._profiles[story_id], profile)
        return cosine - (OTHERS if others or words < NEEDED[1][0] else CONTRADICTS)

    def _days_since(self, story_id: str, event: Event) -> float:
        return max(0.0, (seen_at(event) - self._open[story_id].last_seen_at) / dt.timedelta(days=1))

    def _contradicts(self, story_id: str, profile: Profile) -> bool:
        """Return whether the event is of the story's kind and cannot be the same: another city, day or party."""
        ours = self._profiles[story_id]
        return kinds_alike(ours.kind, profile.kind) and likeness.likeness(ours, profile) <= 0

    def _contradicted(self, profile: Profile, main: Story | None) -> str:
        return main.id if main is not None and self._contradicts(main.id, profile) else ""

    # --- the index ---------------------------------------------------------------------------------------------------

    def _candidates(self, profile: Profile) -> Iterator[str]:
        """Yield at most `CANDIDATES` open stories that share a key with the profile, by the rarest key first, each once."""
        found: dict[str, None] = {}
        keys = [key for key in dict.fromkeys(_keys(profile, search=True)) if key in self._index]
        for key in sorted(keys, key=lambda key: len(self._index[key])):
            for story_id in reversed(self._index[key]):
                if story_id not in found:
                    if len(found) == CANDIDATES:
                        return
                    found[story_id] = None
                    yield story_id

    def _keep(self, story: Story) -> None:
        """Keep this revision of a story, and index it."""
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
        profile = profile_of_story(story)
        keys = tuple(dict.fromkeys(_keys(profile, search=False)))
        for key in self._keys.get(story.id, ()):
            if key not in keys:
                self._drop_key(key, story.id)
        for key in keys:
            self._index.setdefault(key, {})[story.id] = None
        self._profiles[story.id] = profile
        self._keys[story.id] = keys

    def _drop_key(self, key: Key, story_id: str) -> None:
        listed = self._index.get(key)
        if listed is not None:
            listed.pop(story_id, None)
            if not listed:
                del self._index[key]

    def _drop(self, story_id: str) -> None:
        """Forget a story."""
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
        del self._profiles[story_id]

    def _close_old(self) -> None:
        """Forget stories without a report for `open_days`, and the oldest ones beyond `open_stories`."""
        horizon = self._clock - dt.timedelta(days=self._options.open_days)
        while self._oldest and (self._oldest[0][0] < horizon or len(self._open) > self._options.open_stories):
            last_seen_at, story_id = heapq.heappop(self._oldest)
            story = self._open.get(story_id)
            if story is None:
                continue  # merged into another meanwhile
            if story.last_seen_at > last_seen_at:
                heapq.heappush(self._oldest, (story.last_seen_at, story_id))
            else:
                self._drop(story_id)


def _needed(words: int) -> float:
    """Return the likeness to a story that an article of so many telling words needs to be about it."""
    if words <= NEEDED[0][0]:
        return NEEDED[0][1]
    for (few, least), (many, most_) in pairwise(NEEDED):
        if words <= many:
            return least + (most_ - least) * (words - few) / (many - few)
    return NEEDED[-1][1]


Key = int
"""The hash of family, token and week: a third of the memory of the words, and a collision costs one comparison."""


def _keys(profile: Profile, *, search: bool) -> Iterator[Key]:
    """Yield the keys of a profile; with `search` those of a wider span of days, as dates of one event may differ."""
    rules = FAMILIES[profile.family]
    slack = (max(rules.days, rules.plan_days) + SLACK_DAYS) if search else 0
    first, last = (profile.first - slack) // BUCKET_DAYS, (profile.last + slack) // BUCKET_DAYS
    for token in _tokens(profile):
        for bucket in range(first, last + 1):
            yield hash((profile.family, token, bucket))


def _tokens(profile: Profile) -> Iterator[str]:
    for country in sorted(profile.countries | profile.lands):
        yield f"c:{country}"
    for name in sorted(profile.names):
        yield f"n:{name}"
    for location in profile.locations:
        yield f"p:{location.name}"
    for text in sorted(profile.texts)[:WORDINGS_LISTED]:
        yield f"t:{text}"
    for words in profile.words[:WORDINGS_LISTED]:
        for word in heapq.nlargest(WORDS_LISTED, words, key=lambda w: (words[w] >= TELLING, len(w), w)):
            yield f"w:{word}"
