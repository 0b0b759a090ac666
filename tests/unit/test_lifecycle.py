"""The index in bounds: which index holds an item, and which indices are begun and removed when."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import index_table, lifecycle
from pipeline.index.lifecycle import Step
from pipeline.settings import Retention, Settings

NOW = dt.datetime(2026, 11, 28, 14, 55, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
GB = 10**9


def settings(**retention):
    return Settings(retention=Retention(**{"failures_days": 0} | retention))


def live(*sizes, name="events", prefix="news"):
    """The indices (suffix, gigabytes) as `inspect` would return them."""
    indices = {f"{prefix}-{name}-v1-{suffix}": size for suffix, size in sizes}
    aliases = {index: {"aliases": {f"news-{name}": {}}} for index in indices}
    stats = {
        index: {
            "total": {"store": {"size_in_bytes": int(size * GB)}},
            "primaries": {"store": {"size_in_bytes": int(size * GB)}, "docs": {"count": 1}},
        }
        for index, size in indices.items()
    }
    return lifecycle.described("news", aliases, stats)


def planned(indices, given, now=NOW):
    return lifecycle.plan(indices, given, now=now)


def test_an_item_is_in_the_index_that_had_begun_when_it_was_first_seen():
    found = index_table.known(
        {"events": ["news-events-v1-2026.11", "news-r202611-events-v1-2026.11.17t15", "x-v1-all"]}
    )
    at = dt.datetime(2026, 11, 17, 15, tzinfo=dt.UTC)
    assert found.index("events", at) == "news-r202611-events-v1-2026.11.17t15"
    assert found.index("events", at - dt.timedelta(microseconds=1)) == "news-events-v1-2026.11"
    assert found.index("events", at + 30 * DAY) is None, "the next month begins anew"
    assert found.index("stories", at) is None


@given(
    st.lists(st.integers(0, 29 * 24), max_size=6),
    st.integers(0, 30 * 24 - 1),
    st.lists(st.integers(0, 29 * 24), max_size=3),
)
def test_a_new_index_never_takes_an_item_that_is_in_another_already(starts, hour, later):
    """Whatever is made afterwards begins later than the item was seen, so the item stays where it is."""
    month = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    seen = month + dt.timedelta(hours=hour, minutes=7)
    names = {index_table.successor("news", "events", month + dt.timedelta(hours=start)) for start in starts}
    names.add("news-events-v1-2026.11")
    more = {
        index_table.successor("news", "events", index_table.next_start(seen) + dt.timedelta(hours=start))
        for start in later
    }
    before = index_table.known({"events": names}).index("events", seen)
    assert index_table.known({"events": names | more}).index("events", seen) == before


def test_an_index_that_grew_too_large_gets_one_successor_that_begins_after_every_indexer_knows_it():
    large = live(("2026.10", 90), ("2026.11", 31))
    [step] = planned(large, settings(index_gb=30))
    assert step == Step("create", "news-events-v1-2026.11.28t16", "events", "size"), "15:00 is only five minutes away"
    both = live(("2026.11", 31), ("2026.11.28t16", 0))
    assert planned(both, settings(index_gb=30)) == ()
    assert planned(live(("2026.11", 29)), settings(index_gb=30)) == ()


def test_the_last_hour_of_a_month_needs_no_successor():
    assert planned(live(("2026.11", 31)), settings(index_gb=30), dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC)) == ()


def test_an_index_is_removed_when_all_of_its_items_are_older_than_its_retention():
    found = live(("2026.08", 1), ("2026.09", 1), ("2026.09.20t10", 1), ("2026.10", 1), ("2026.11", 1))
    steps = planned(found, settings(events_days=60))
    assert {step.index for step in steps} == {"news-events-v1-2026.08", "news-events-v1-2026.09"}
    assert planned(found, settings(stories_days=60)) == ()


def test_feedback_is_never_removed():
    found = live(("2020.01", 100), name="feedback")
    assert planned(found, settings(total_gb=1, documents_days=1)) == ()


def test_beyond_the_size_of_all_the_oldest_go_first_and_never_one_that_takes_items():
    texts, events = (
        live(("2026.09", 5), ("2026.10", 5), ("2026.11", 5), name="documents"),
        live(("2026.09", 1), ("2026.10", 1), ("2026.11", 1)),
    )
    steps = planned((*texts, *events), settings(total_gb=12.5))
    assert [step.index for step in steps] == ["news-documents-v1-2026.09", "news-events-v1-2026.09"]
    assert {step.reason for step in steps} == {"size"}
    assert len(planned((*texts, *events), settings(total_gb=0.001))) == 4


def test_what_a_replay_replaced_is_told_apart_and_indices_of_others_are_not_seen():
    aliases = {
        "news-events-v1-2026.11": {"aliases": {"news-events-replaced": {}}},
        "news-r202611281400-events-v1-2026.11": {"aliases": {"news-events": {}}},
        "news-r202611281500-events-v1-2026.11": {"aliases": {"news-r202611281500-events": {}}},
        "news-restorecheck-events-v1-2026.11": {"aliases": {}},
        "news-of-others": {"aliases": {}},
    }
    found = lifecycle.described("news", aliases, {})
    assert {one.index: one.state for one in found} == {
        "news-events-v1-2026.11": "replaced",
        "news-r202611281400-events-v1-2026.11": "live",
        "news-r202611281500-events-v1-2026.11": "staged",
    }
    assert [step.index for step in lifecycle.replaced(found)] == ["news-events-v1-2026.11"]


@pytest.mark.parametrize(
    ("at", "start"), [("14:00", "15:00"), ("14:49", "15:00"), ("14:51", "16:00"), ("23:55", "01:00")]
)
def test_a_start_is_a_full_hour_at_least_ten_minutes_away(at, start):
    hour, minute = map(int, at.split(":"))
    found = index_table.next_start(NOW.replace(hour=hour, minute=minute))
    assert f"{found:%H:%M}" == start
    assert found - NOW.replace(hour=hour, minute=minute) >= index_table.AHEAD
