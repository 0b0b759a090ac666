"""Happenings and stories over time: repeats, any order, takeover."""

import datetime as dt
import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Happening, decode, encode
from pipeline.records import Story as StoryRecord
from pipeline.settings import Track
from pipeline.track.brief import briefs_of
from pipeline.track.happening import merge
from pipeline.track.stories import Stories
from tests.folding import Held, fold, own
from tests.make import KYIV, NOW, make_aid, make_day, make_event, make_happening, make_meeting, make_sanctions
from tests.strategies import events, unique

DAY = dt.timedelta(days=1)


# --- happenings ------------------------------------------------------------------------------------------------------


def test_a_happening_that_goes_on_for_weeks_stays_one():
    held = Held()
    told = [make_event("clash", "ASSAULT", places=(KYIV,), evidence="Fighting for the bridges of Kyiv", publisher=f"P{n}",
                       first_seen_at=NOW + 2 * n * DAY, date=make_day(NOW.date() + 2 * n * DAY)) for n in range(12)]  # fmt: skip
    assert len({own(held, event).id for event in told}) == 1


def test_an_earlier_report_that_comes_later_moves_the_beginning():
    held = Held()
    own(held, make_meeting())
    assert own(held, make_meeting(publisher="B", first_seen_at=NOW - DAY)).first_seen_at == NOW - DAY


def test_merge_is_pure_and_a_known_event_changes_nothing():
    happening, event = make_happening(), make_meeting(publisher="B")
    grown = merge(happening, event)
    assert happening == make_happening()
    assert merge(grown, event) == grown
    assert len(grown.event_ids) == len(happening.event_ids) + 1


@given(st.lists(events(), max_size=25).map(unique), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_repeated_events_change_nothing(told, rng):
    """At-least-once delivery: each event comes again at any later time."""
    repeated = list(told)
    for event in told:
        repeated.insert(rng.randint(repeated.index(event) + 1, len(repeated)), event)
    once, twice = Held(), Held()
    plain = [one for event in told for one in once.fold(event)]
    assert [one for event in repeated for one in twice.fold(event)] == plain


@given(st.lists(events(), max_size=25).map(unique))
@settings(max_examples=50, deadline=None)
def test_every_happening_keeps_its_promises_for_any_events(told):
    held = Held(Track(reports_kept=4))
    for one in (one for event in told for one in held.fold(event)):
        assert len(one.event_ids) == len(set(one.event_ids)) <= len(told)
        assert len(one.reports) <= 4
        assert 0 <= one.confidence <= 0.99
        assert 1 <= one.source_count <= len(one.event_ids)
        assert one.first_seen_at <= one.last_seen_at
        assert msgspec.json.decode(msgspec.json.encode(one), type=Happening) == one
    for event in told:
        assert sum(event.id in one.event_ids for one in held) <= 1


@given(st.permutations(range(9)))
@settings(max_examples=60, deadline=None)
def test_clear_events_are_grouped_the_same_in_any_order(order):
    """Three events with three reports each: any order makes the same three groups."""
    told = [
        *(make_meeting(publisher=f"P{n}") for n in range(3)),
        *(make_sanctions(publisher=f"P{n}") for n in range(3)),
        *(make_aid(publisher=f"P{n}") for n in range(3)),
    ]
    groups = {frozenset(one.event_ids) for one in fold(*(told[n] for n in order))}
    assert groups == {frozenset(e.id for e in told[n : n + 3]) for n in (0, 3, 6)}


# --- stories ---------------------------------------------------------------------------------------------------------


@given(st.lists(events(), max_size=20).map(unique), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_repeated_articles_change_nothing(told, seed):
    briefs = briefs_of(told)
    repeated = list(briefs)
    rng = random.Random(seed)
    for one in briefs:
        repeated.insert(rng.randint(repeated.index(one) + 1, len(repeated)), one)
    once, twice = Stories(), Stories()
    plain = [story for one in briefs for story in once.fold(one)]
    assert [story for one in repeated for story in twice.fold(one)] == plain


@given(st.lists(events(), max_size=20).map(unique))
@settings(max_examples=30, deadline=None)
def test_every_story_keeps_its_promises_for_any_articles(told):
    stories, revisions = Stories(), {}
    briefs = briefs_of(told)
    for story in (story for one in briefs for story in stories.fold(one)):
        assert story.revision > revisions.get(story.id, 0)
        revisions[story.id] = story.revision
        assert story.headline
        assert story.central_article in story.article_ids
        assert len(story.article_ids) == len(set(story.article_ids)) == story.article_count
        assert set(story.touched) <= {h.id for h in story.happenings}
        assert decode(encode(story), StoryRecord) == story
    for one in briefs:
        assert sum(one.id in story.article_ids for story in stories) <= 1


@given(st.lists(events(), min_size=1, max_size=16).map(unique))
@settings(max_examples=20, deadline=None)
def test_a_worker_that_dies_anywhere_is_taken_over_without_a_difference(told):
    """Stories are rebuilt from their records after each article; the result is that of one worker that never died."""
    steady, changing = Stories(), Stories()
    for one in briefs_of(told):
        expected = steady.fold(one)
        assert changing.fold(one) == expected
        changing = Stories(Track(), [decode(encode(story), StoryRecord) for story in changing])
    assert {s.id: s for s in changing} == {s.id: s for s in steady}
