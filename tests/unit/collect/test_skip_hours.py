"""skipHours and skipDays: when a feed asks not to be polled."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.skip_hours import allowed_at, read_skips

TUESDAY_NOON = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("body", "hours", "days"),
    [
        (b"<skipHours><hour>0</hour><hour> 23 </hour></skipHours>", (0, 23), ()),
        (b"<skipHours><hour>24</hour></skipHours>", (0,), ()),
        (b"<skipDays><day>Saturday</day><day>sunday</day><day>Caturday</day></skipDays>", (), (5, 6)),
        (b"<hour>3</hour>", (), ()),
        (b"<skipHours><hour>x</hour><hour>-1</hour></skipHours>", (), ()),
        (b"", (), ()),
    ],
)
def test_skipped_hours_and_days_are_read(body, hours, days):
    assert read_skips(body) == (hours, days)


def test_a_feed_is_asked_when_what_it_skips_is_over():
    assert allowed_at(TUESDAY_NOON, (12, 13), (), 0.5) == dt.datetime(2026, 11, 24, 14, 5, tzinfo=dt.UTC)
    assert allowed_at(TUESDAY_NOON, (), (1, 2), 0.0) == dt.datetime(2026, 11, 26, 0, 0, tzinfo=dt.UTC)


def test_a_feed_that_skips_all_there_is_is_asked_all_the_same():
    assert allowed_at(TUESDAY_NOON, tuple(range(24)), (), 0.0) == TUESDAY_NOON
    assert allowed_at(TUESDAY_NOON, (), tuple(range(7)), 0.0) == TUESDAY_NOON


@given(
    st.integers(0, 400 * 24 * 60),
    st.sets(st.integers(0, 23), max_size=23),
    st.sets(st.integers(0, 6), max_size=6),
    st.floats(0, 1),
)
def test_it_is_never_asked_sooner_nor_at_a_skipped_time(minutes, hours, days, spread):
    due_at = TUESDAY_NOON + dt.timedelta(minutes=minutes)
    at = allowed_at(due_at, tuple(hours), tuple(days), spread)
    assert at >= due_at
    assert at.hour not in hours
    assert at.weekday() not in days
