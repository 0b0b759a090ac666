"""How often a feed publishes, and when its silence is unusual."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.rhythm import publications, silence
from pipeline.records import FeedState

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def read(state, dates, now=NOW, *, found=True):
    return msgspec.structs.replace(state, **publications(state, dates, now, found=found))


def fresh():
    return FeedState(id="a", url="https://a.example/")


def every(gap, count):
    return [NOW - gap * n for n in range(count)]


def test_a_busy_feed_that_is_known_for_long_is_silent_after_half_a_day():
    state = read(fresh(), every(HOUR, 24 * 10))
    assert silence(state, NOW + 11 * HOUR) is None
    assert silence(state, NOW + 13 * HOUR) == (
        "nothing new since 24 Nov 2026 12:00 UTC (13 hours); before that it never paused longer than 60 minutes"
    )


def test_a_feed_whose_weekend_is_not_known_yet_may_rest_for_three_days():
    state = read(fresh(), every(HOUR, 24))
    assert silence(state, NOW + 70 * HOUR) is None
    assert silence(state, NOW + 73 * HOUR)


def test_a_pause_as_long_as_the_usual_weekend_is_no_silence():
    weekdays = [day for n in range(20) if (day := NOW - DAY * n).weekday() < 5]
    state = read(fresh(), weekdays)
    assert silence(state, NOW + 5 * DAY) is None
    assert silence(state, NOW + 7 * DAY)


def test_a_feed_with_few_entries_has_no_habits_to_break():
    assert silence(read(fresh(), every(HOUR, 3)), NOW + 300 * DAY) is None
    assert silence(fresh(), NOW) is None


def test_a_feed_that_was_dead_before_it_was_first_read_is_silent_at_once():
    dates = [date - 200 * DAY for date in every(DAY, 12)]
    assert "200 days" in silence(read(fresh(), dates), NOW)


def test_a_pinned_post_of_long_ago_is_no_habit():
    state = read(fresh(), [*every(HOUR, 24 * 10), NOW - 900 * DAY])
    assert silence(state, NOW + 13 * HOUR)


def test_entries_without_dates_are_heard_when_they_are_found():
    state = fresh()
    for n in range(20):
        state = read(state, [], NOW + n * HOUR)
    assert state.heard_at == NOW + 19 * HOUR
    assert state.longest_gap_seconds == pytest.approx(3600)
    assert read(state, [], NOW + 40 * HOUR, found=False) == state


def test_a_long_pause_is_slowly_forgotten():
    state = read(fresh(), every(HOUR, 24))
    state = read(state, [NOW + 20 * DAY], NOW + 20 * DAY)
    longest = state.longest_gap_seconds
    for n in range(1, 60):
        state = read(state, [NOW + (20 + n) * DAY], NOW + (20 + n) * DAY)
    assert state.longest_gap_seconds < longest / 3


def test_the_usual_gap_is_kept_for_the_polls_that_bring_nothing():
    assert read(fresh(), every(HOUR, 9)).gap_seconds == 3600


@given(
    st.lists(st.lists(st.integers(-40 * 365 * 24, 40 * 365 * 24), max_size=6), max_size=6),
    st.booleans(),
)
def test_whatever_dates_a_feed_shows_the_memory_of_it_stays_sound(polls, found):
    state, now = fresh(), NOW
    for hours in polls:
        state = read(state, [NOW + hour * HOUR for hour in hours], now, found=found)
        assert state.heard_at is None or state.heard_since <= state.heard_at <= now
        assert state.longest_gap_seconds >= 0
        silence(state, now)
        now += HOUR
