"""When a feed is due."""

import datetime as dt
import random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.schedule import HostQueue, Schedule, interval_from_dates, next_due
from pipeline.settings import Collector

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
OPTIONS = Collector(interval_seconds=900, min_interval_seconds=60, max_interval_seconds=86_400)


def seconds(**more):
    return (next_due(OPTIONS, NOW, random.Random(1), **more) - NOW).total_seconds()


def every(gap_seconds, count=10, ago=0):
    return [NOW - dt.timedelta(seconds=ago + gap_seconds * n) for n in range(count)]


def test_a_feed_without_habits_is_asked_at_the_usual_interval_with_a_little_chance():
    assert 900 <= seconds() <= 990


def test_the_operators_interval_wins_over_the_feeds_habits():
    assert 120 <= seconds(interval_seconds=120, dates=every(86_400)) <= 132


def test_a_busy_feed_is_asked_more_often_and_a_quiet_one_less_within_bounds():
    assert interval_from_dates(OPTIONS, NOW, every(60)) == 300
    assert interval_from_dates(OPTIONS, NOW, every(1200)) == 600
    assert interval_from_dates(OPTIONS, NOW, every(86_400)) == 3600
    assert interval_from_dates(OPTIONS, NOW, every(60, ago=30 * 86_400)) == 3600


def test_dates_in_the_future_say_nothing_about_habits():
    assert interval_from_dates(OPTIONS, NOW, [NOW + dt.timedelta(hours=n) for n in range(1, 9)]) == 900


def test_failures_double_the_interval_up_to_the_longest():
    assert 900 <= seconds(failures=1) <= 990
    assert 3600 <= seconds(failures=3) <= 3960
    assert 86_400 <= seconds(failures=50) <= 95_040


def test_what_the_feed_asks_for_is_a_lower_bound_within_the_longest_interval():
    assert 1800 <= seconds(lower_bounds=(None, 1800, 60)) <= 1980
    assert 86_400 <= seconds(lower_bounds=(10_000_000,)) <= 95_040


def test_the_shortest_interval_holds_whatever_is_configured_for_the_feed():
    assert seconds(interval_seconds=1) >= 60


@given(
    after=st.floats(0, 30 * 86_400),
    failures=st.integers(0, 100),
    wish=st.one_of(st.none(), st.floats(0, 1e9)),
    seed=st.integers(),
    interval=st.one_of(st.none(), st.integers(1, 10**9)),
)
def test_a_feed_is_never_asked_before_its_retry_after_nor_before_the_shortest_interval(
    after, failures, wish, seed, interval
):
    due_at = next_due(
        OPTIONS,
        NOW,
        random.Random(seed),
        interval_seconds=interval,
        failures=failures,
        lower_bounds=(wish,),
        retry_after_seconds=after,
    )
    assert (due_at - NOW).total_seconds() >= max(after, 60) - 0.001
    assert (due_at - NOW).total_seconds() <= max(86_400, after) * 1.11


def test_feeds_come_out_in_the_order_that_they_are_due_and_a_moved_one_once():
    schedule = Schedule()
    schedule.add("late", NOW + dt.timedelta(seconds=2))
    schedule.add("early", NOW)
    schedule.add("moved", NOW)
    schedule.add("moved", NOW + dt.timedelta(seconds=3))
    assert [schedule.pop_due(NOW), schedule.pop_due(NOW)] == ["early", None]
    later = NOW + dt.timedelta(seconds=5)
    assert [schedule.pop_due(later), schedule.pop_due(later), schedule.pop_due(later)] == ["late", "moved", None]
    assert len(schedule) == 0


def test_the_time_to_the_next_feed_is_known_and_bounded():
    schedule = Schedule()
    assert schedule.seconds_to_next(NOW, most=5) == 5
    schedule.add("a", NOW + dt.timedelta(seconds=3))
    assert schedule.seconds_to_next(NOW, most=5) == 3
    assert schedule.seconds_to_next(NOW + dt.timedelta(seconds=9), most=5) == 0


def test_a_feed_that_was_taken_out_is_not_due():
    schedule = Schedule()
    schedule.add("a", NOW)
    schedule.remove("a")
    schedule.remove("unknown")
    assert schedule.pop_due(NOW) is None


def test_feeds_of_one_host_take_turns_and_other_hosts_do_not_wait():
    queue = HostQueue(2)
    assert [queue.start("a", name) for name in "1234"] == [True, True, False, False]
    assert queue.start("b", "5")
    queue.remove("3")
    assert queue.finish("a") == "4"
    assert queue.finish("a") is None
    assert queue.finish("a") is None
    assert [queue.start("a", name) for name in "678"] == [True, True, False]
