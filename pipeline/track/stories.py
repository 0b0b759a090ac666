"""Article -> Stories: articles on one piece of news are gathered one by one, in whatever order they come, events or not.

`Stories` holds the open stories. All its state is in the Story records, so a worker that takes over builds it again from
the compacted topic news.stories. Its guarantees are in docs/design.md, "What a story promises": a known article changes
nothing; the same articles in the same order give the same stories; clear articles on one news end in one story in any
order. Time is event time: the clock is the latest `first_seen_at` that was folded.

Two questions are asked. Of an article: *what is it about?* Its words, names and events are compared with those of the nearest
open stories by a learnt scorer (subjects.py, scorer.py). Of each of its events: *which happening of that story is it?*
(happenings.py, likeness.py.)
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Final

from pipeline.records import Brief, Related, Story
from pipeline.settings import Track
from pipeline.track import happenings, likeness, scorer
from pipeline.track.families import kinds_alike
from pipeline.track.lead import in_lead
from pipeline.track.profile import Profile, profile_of_event
from pipeline.track.shelf import Card, Shelf
from pipeline.track.story import (
    IDS_KEPT,
    absorb,
    absorbed,
    begin,
    finished,
    seen_at,
    with_article,
    with_events,
)
from pipeline.track.subjects import Subjects

PARTITION: Final = 0
"""The partition of every article's brief in Kafka, so that one worker folds them all, however many partitions there are.
See docs/design.md, "One place folds all articles"."""

EVENTS_COMPARED: Final = 3
"""So many events of an article, those of its title and lead, are compared with a story's happenings to find the story."""
RELATED_KEPT: Final = 5
RELATED: Final = 0.12
"""The least cosine of a related story: of 89 real pages of one week, pairs on one topic have up to .27, others almost 0."""
A_DAY: Final = dt.timedelta(days=1)

Told = Callable[[], Sequence[Profile]]
"""The profiles of events, made when they are asked for: most articles have no story near enough to be compared by them."""


class Stories:
    """The open stories, indexed by their words."""

    def __init__(
        self, options: Track | None = None, stories: Iterable[Story] = (), model: scorer.Model | None = None
    ) -> None:
        self._options = options or Track()
        self._model = model or scorer.model()
        self._open = Shelf()
        self._story_of: dict[str, str] = {}
        self._subjects = Subjects()
        self._oldest: list[tuple[dt.datetime, str]] = []
        self._clock = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        self._unwritten = self._recover(stories)
        self._close_old()

    def _recover(self, stories: Iterable[Story]) -> tuple[Story, ...]:
        """Keep the latest revision of each story. Return the last revisions that a worker owed those that were merged."""
        gone, ended, merged = set[str](), set[str](), set[str]()
        for story in stories:
            self._clock = max(self._clock, story.last_seen_at)
            gone.update(story.merged_ids if not story.merged_into else (story.id, *story.merged_ids))
            ended.update([story.id] if story.merged_into else ())
            merged.update([story.id] if story.merged_ids else ())
            # A story of an earlier version has no articles to compare with: it stays as it is.
            if story.articles and not story.merged_into and self._is_newer(story):
                self._keep(story)
        dropped = [self._drop(story_id) for story_id in sorted(gone) if story_id in self._open]
        whole = [story for story in map(self._open.get, sorted(merged)) if story is not None]
        for story in whole:
            self._keep(story)  # its articles were listed under those that it has absorbed
        owed = [one for one in dropped if one.id not in ended]
        return tuple(absorbed(one, into) for one in owed for into in whole if one.id in into.merged_ids)

    def take_unwritten(self) -> tuple[Story, ...]:
        """Return, once, what a worker that died in the middle of a merge has not written. It must be written first.

        That is the last revision of each story that was merged into another one: without it both would tell its events.
        """
        unwritten, self._unwritten = self._unwritten, ()
        return unwritten

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Story]:
        return iter(self._open)

    def get(self, story_id: str) -> Story | None:
        """Return an open story by its id, or None."""
        return self._open.get(story_id)

    def story_of(self, article_id: str) -> Story | None:
        """Return the open story that an article is part of, or None."""
        story_id = self._story_of.get(article_id)
        return self._open[story_id] if story_id is not None else None

    def fold(self, brief: Brief) -> tuple[Story, ...]:
        """Return the new revisions of the stories that an article changes.

        A known article changes nothing unless it tells an event that it did not tell before. One that is too old, or whose
        story is full, changes nothing. The revisions must be written in the order given.
        """
        known = self.story_of(brief.id)
        if known is None and seen_at(brief) < self._clock - dt.timedelta(days=self._options.open_days):
            return ()  # its story would be closed by now: a new one would report old news as new
        own = scorer.side_of(brief, self._subjects.rarity)
        rated = [] if known is not None else self._rated(brief, own)
        best = known or (self._open[rated[0][1]] if rated and rated[0][0] >= 0 else None)
        if best is not None and known is None and len(best.article_ids) >= IDS_KEPT:
            return ()
        placed = self._placed(best, brief, own, known=known is not None)
        if known is not None and not placed.touched:
            return ()
        related = self._related(placed.id, rated)
        story = finished(best, placed, floor=self._options.floor, rarity=self._subjects.rarity, related=related)
        # Only articles that change a story move the clock: a worker that takes over knows no others.
        self._clock = max(self._clock, seen_at(brief))
        self._keep(story)
        changed = (story,) if best is None else self._merged(story, [one for _, one, _ in rated if one != story.id])
        self._close_old()
        return changed

    def _placed(self, best: Story | None, brief: Brief, own: scorer.Side, *, known: bool) -> Story:
        """Return the story with the article and its events, without what is computed from them."""
        grown = best if known and best is not None else with_article(best or begin(brief), brief, own)
        return with_events(grown, brief, floor=self._options.floor, reports_kept=self._options.reports_kept)

    # --- what an article is about ------------------------------------------------------------------------------------

    def _rated(self, brief: Brief, own: scorer.Side) -> list[tuple[float, str, float]]:
        """Return the open stories nearest to an article, best first: the score, the story's id, the cosine of the words."""
        told = cache(partial(lead_profiles, brief))
        scaled, at, found = scorer.scaled(own, self._subjects.rarity), seen_at(brief), []
        for story_id in self._subjects.candidates(own.words):
            card = self._open.card(story_id)
            days = _days(card, at, at)
            if days <= self._options.open_days:
                score, cosine = self._score(story_id, scaled, told, days)
                found.append((score, story_id, cosine))
        return sorted(found, key=lambda one: (-one[0], self._open.card(one[1]).first_seen_at, one[1]))

    def _score(self, story_id: str, scaled: scorer.Side, told: Told, days: float) -> tuple[float, float]:
        """Return how sure it is that a story and another side that tells these events are on one news, and their cosine."""
        theirs = self._open.card(story_id)
        values = scorer.features(theirs, scaled, days=days, agrees=1.0)
        if scorer.score(values, self._model) >= 0:
            ours, events = self._open.profiles(story_id), told()
            agrees, contradicts = agreement(ours, events, theirs.articles * scaled.articles)
            values = scorer.features(theirs, scaled, days=days, agrees=agrees, contradicts=contradicts)
        return scorer.score(values, self._model), values[0]

    def _related(self, own: str, rated: Sequence[tuple[float, str, float]]) -> list[Related]:
        """Return the other stories nearest to an article, for the page of its story `own`."""
        near = [(cosine, one) for _, one, cosine in rated if one != own and cosine >= RELATED]
        near.sort(key=lambda one: (-one[0], one[1]))
        return [
            Related(id=one, headline=self._open.card(one).headline, alike=round(cosine, 3))
            for cosine, one in near[:RELATED_KEPT]
        ]

    def _merged(self, story: Story, others: Sequence[str]) -> tuple[Story, ...]:
        """Merge a story that has grown with those of the others that are on its news, the nearest first.

        The later of two stories goes into the earlier, which keeps its id. Many articles together show better than one alone
        whether two stories are one: an article that is like both decides nothing.
        """
        changed = [story]
        while (other := self._same_news(story, others)) is not None:
            first, second = sorted((story, other), key=lambda s: (s.first_seen_at, s.id))
            floor = self._options.floor
            whole = absorb(first, second, floor=floor, reports_kept=self._options.reports_kept)
            story = finished(first, whole, floor=floor, rarity=self._subjects.rarity)
            self._drop(second.id)
            self._keep(story)
            # The grown story comes first: a worker that takes over in between leaves out those that it has absorbed.
            changed = [story, *(one for one in changed if one.id not in (first.id, second.id)), absorbed(second, story)]
            others = [one for one in others if one not in (first.id, second.id)]
        return tuple(changed)

    def _same_news(self, story: Story, others: Sequence[str]) -> Story | None:
        """Return the story nearest to this one if both are on one piece of news."""
        best, nearest = 0.0, ""
        scaled = scorer.scaled(scorer.side(story), self._subjects.rarity)
        for other in others:
            card = self._open.card(other)
            if len(story.article_ids) + card.articles > IDS_KEPT:
                continue
            days = _days(card, story.first_seen_at, story.last_seen_at)
            found, _ = self._score(other, scaled, partial(self._open.profiles, story.id), days)
            if found > best or (found == best and not nearest):
                best, nearest = found, other
        return self._open[nearest] if nearest else None

    # --- the index ---------------------------------------------------------------------------------------------------

    def _keep(self, story: Story) -> None:
        """Keep this revision of a story, and index it."""
        if story.id not in self._open:
            heapq.heappush(self._oldest, (story.last_seen_at, story.id))
        self._open.keep(story)
        self._subjects.keep(story.id, self._open.card(story.id).words.keys)
        for article_id in story.article_ids:
            self._story_of[article_id] = story.id

    def _is_newer(self, story: Story) -> bool:
        """Return whether no later revision of a story is open."""
        known = self._open.get(story.id)
        return known is None or known.revision <= story.revision

    def _drop(self, story_id: str) -> Story:
        """Forget a story, and return it."""
        story = self._open.drop(story_id)
        for article_id in story.article_ids:
            self._story_of.pop(article_id, None)
        self._subjects.drop(story_id)
        return story

    def _close_old(self) -> None:
        """Forget stories without a report for `open_days`, and the oldest ones beyond `open_stories`."""
        horizon = self._clock - dt.timedelta(days=self._options.open_days)
        while self._oldest and (self._oldest[0][0] < horizon or len(self._open) > self._options.open_stories):
            last_seen_at, story_id = heapq.heappop(self._oldest)
            if story_id not in self._open:
                continue  # merged into another meanwhile
            seen = self._open.card(story_id).last_seen_at
            if seen > last_seen_at:
                heapq.heappush(self._oldest, (seen, story_id))
            else:
                self._drop(story_id)


def _days(story: Card, first: dt.datetime, last: dt.datetime) -> float:
    """Return how many days a span of time is before the first or after the last article of a story."""
    return max(0.0, (first - story.last_seen_at) / A_DAY, (story.first_seen_at - last) / A_DAY)


def lead_profiles(brief: Brief) -> list[Profile]:
    """Return the profiles of the events of an article's title and lead, at most `EVENTS_COMPARED`."""
    lead = [event for event in brief.events if event.modality in happenings.TOLD and in_lead(event)]
    return [profile_of_event(event) for event in lead[:EVENTS_COMPARED]]


def agreement(ours: Sequence[Profile], told: Sequence[Profile], pairs: int) -> tuple[float, float]:
    """Return how like a story's happenings an article's events are, and if one is of the main one's kind and cannot be it.

    The latter is the share of the `pairs` of articles of which it is true: what one of many articles tells says little.
    """
    agrees = max((likeness.likeness(one, event) for one in ours for event in told), default=0.0)
    alike = [(one, event) for one in ours[:1] for event in told if kinds_alike(one.kind, event.kind)]
    if not alike or any(likeness.likeness(one, event) > 0 for one, event in alike):
        return agrees, 0.0
    return agrees, min(1.0, max(one.articles * event.articles for one, event in alike) / pairs)
