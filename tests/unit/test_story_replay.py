"""Stories over time: closing, takeover, repeats and any order."""

import datetime as dt
import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Party, decode, encode
from pipeline.records import Story as StoryRecord
from pipeline.settings import Track
from pipeline.track.stories import Stories, merge
from tests.folding import fold, later, own
from tests.make import (
    KYIV,
    NOW,
    make_aid,
    make_day,
    make_event,
    make_meeting,
    make_sanctions,
    make_story,
)
from tests.strategies import events, unique

DAY = dt.timedelta(days=1)


# --- time, memory, recovery ------------------------------------------------------------------------------------------


def test_stories_close_by_event_time_and_a_later_report_of_that_time_changes_nothing():
    stories = Stories(Track(open_days=14))
    first = make_meeting()
    own(stories, first)
    own(stories, later(make_sanctions(), 15 * DAY))
    assert len(stories) == 1
    assert own(stories, first) is None
    assert own(stories, make_meeting(publisher="B")) is None


def test_a_story_with_new_reports_stays_open():
    stories = Stories(Track(open_days=14))
    told = [make_event("clash", "ASSAULT", places=(KYIV,), evidence="Fighting for the bridges of Kyiv", publisher=f"P{n}",
                       first_seen_at=NOW + 2 * n * DAY, date=make_day(NOW.date() + 2 * n * DAY)) for n in range(12)]  # fmt: skip
    assert len({own(stories, event).id for event in told}) == 1


def test_an_earlier_report_that_comes_later_moves_the_beginning_and_not_the_index():
    stories = Stories()
    opened = own(stories, make_meeting())
    story = own(stories, make_meeting(publisher="B", first_seen_at=NOW - DAY))
    assert story.first_seen_at == NOW - DAY
    assert story.opened_at == opened.opened_at == NOW


def test_stories_rebuilt_from_their_records_go_on_alike():
    told = [make_meeting(publisher=f"P{n}") for n in range(3)] + [make_sanctions(), make_aid()]
    whole = Stories()
    for event in told:
        own(whole, event)
    half = Stories()
    for event in told[:2]:
        own(half, event)
    taken_over = Stories(Track(), [decode(encode(s), StoryRecord) for s in half])
    for event in told:
        own(taken_over, event)
    assert sorted(taken_over, key=lambda s: s.id) == sorted(whole, key=lambda s: s.id)


def test_a_takeover_from_records_leaves_out_closed_stories():
    old = make_story(id="old", event_ids=("x",), first_seen_at=NOW - 40 * DAY, last_seen_at=NOW - 40 * DAY)
    stories = Stories(Track(open_days=14), [make_story(), old])
    assert [s.id for s in stories] == [make_story().id]
    assert stories.get("old") is None


def test_merge_is_pure_and_a_known_event_is_no_revision():
    story, event = make_story(), make_meeting(publisher="B")
    grown = merge(story, event)
    assert story == make_story()
    assert merge(grown, event) == grown
    assert grown.revision == story.revision + 1


@given(st.lists(events(), max_size=25).map(unique), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_repeated_events_change_nothing(told, rng):
    """At-least-once delivery: each event comes again at any later time."""
    repeated = list(told)
    for event in told:
        repeated.insert(rng.randint(repeated.index(event) + 1, len(repeated)), event)
    once, twice = Stories(), Stories()
    plain = [story for event in told for story in once.fold(event)]
    doubled = [story for event in repeated for story in twice.fold(event)]
    assert doubled == plain


@given(st.lists(events(), max_size=25).map(unique))
@settings(max_examples=100, deadline=None)
def test_every_story_keeps_its_promises_for_any_events(told):
    stories = Stories(Track(reports_kept=4))
    revisions = {}
    for story in (story for event in told for story in stories.fold(event)):
        assert story.revision > revisions.get(story.id, 0)
        revisions[story.id] = story.revision
        assert len(story.event_ids) == len(set(story.event_ids)) <= len(told)
        assert len(story.reports) <= 4
        assert 0 <= story.confidence <= 0.99
        assert 1 <= story.source_count <= len(story.event_ids)
        assert story.headline
        assert "{" not in story.headline
        assert story.first_seen_at <= story.last_seen_at
        assert decode(encode(story), StoryRecord) == story
    for event in told:
        holding = [s for s in stories if event.id in s.event_ids]
        assert len(holding) <= 1
        assert all(stories.told_in(event.article_id, [event.id]) for _ in holding)


@given(st.permutations(range(9)))
@settings(max_examples=60, deadline=None)
def test_clear_events_are_grouped_the_same_in_any_order(order):
    """Three events with three reports each: any order makes the same three groups."""
    told = [
        *(make_meeting(publisher=f"P{n}") for n in range(3)),
        *(make_sanctions(publisher=f"P{n}") for n in range(3)),
        *(make_aid(publisher=f"P{n}") for n in range(3)),
    ]
    groups = {frozenset(s.event_ids) for s in fold(*(told[n] for n in order))}
    assert groups == {frozenset(e.id for e in told[n : n + 3]) for n in (0, 3, 6)}


@given(st.lists(events(), min_size=1, max_size=20).map(unique))
@settings(max_examples=60, deadline=None)
def test_a_worker_that_dies_anywhere_is_taken_over_without_a_difference(told):
    """Stories are rebuilt from their records after each event; the result is that of one worker that never died."""
    steady, changing = Stories(), Stories()
    for event in told:
        expected = steady.fold(event)
        assert changing.fold(event) == expected
        changing = Stories(Track(), list(changing))
    assert {s.id: s for s in changing} == {s.id: s for s in steady}


def test_fold_stays_fast_with_many_open_stories():
    """With thousands of open stories the index keeps a fold at a few milliseconds."""
    rng = random.Random(7)
    codes = [f"{a}{b}X" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]
    stories = Stories()

    def event(n):
        one, two = rng.sample(codes, 2)
        return make_event(
            "accusation", "ACCUSE", evidence=f"{one} accused {two} of {rng.random()} over matter {n}", publisher=f"P{n % 50}",
            actors=(Party(text=one, country=one),), recipients=(Party(text=two, country=two),),
            first_seen_at=NOW + n * dt.timedelta(seconds=300),
        )  # fmt: skip

    for n in range(3_000):
        own(stories, event(n))
    began = time.perf_counter()
    for n in range(3_000, 3_200):
        own(stories, event(n))
    assert (time.perf_counter() - began) / 200 < 0.02
    assert len(stories) > 1_500
