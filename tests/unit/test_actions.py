"""Records and their bulk actions: index, id and version."""

import datetime as dt
import json

import pytest

from pipeline.index import actions
from pipeline.records import Feed, RecordError
from tests.make import (
    NOW,
    make_alert,
    make_document,
    make_event,
    make_failure,
    make_feedback,
    make_story,
)

HOUR = dt.timedelta(hours=1)


def action_of(record, now=NOW + HOUR):
    return actions.action(record, prefix="news", now=now)


def test_the_index_is_the_month_of_first_sight_in_utc():
    far_west = dt.timezone(dt.timedelta(hours=-10))
    seen = dt.datetime(2024, 4, 30, 20, tzinfo=far_west)
    assert action_of(make_event(first_seen_at=seen)).index == "news-events-v1-2024.05"


def test_an_article_changed_in_a_later_month_stays_in_its_index():
    first, later = make_document(), make_document(fetched_at=NOW + 40 * 24 * HOUR)
    assert action_of(first).index == action_of(later, now=NOW + 41 * 24 * HOUR).index == "news-documents-v1-2024.05"


@pytest.mark.parametrize("seen", [None, dt.datetime(1999, 12, 31, tzinfo=dt.UTC), NOW + 48 * HOUR])
def test_a_first_sight_that_is_absent_or_absurd_makes_no_index(seen):
    with pytest.raises(RecordError, match="first_seen_at"):
        actions.index_of("news", "events", seen, now=NOW)


def test_a_failure_is_in_the_month_in_which_it_failed_and_created_once():
    later = action_of(make_failure(failed_at=NOW + 10 * HOUR))
    assert action_of(make_failure()).index == later.index == "news-failures-v1-2024.05"
    assert later.op == "create"


def test_a_newer_fetch_has_a_higher_version_and_the_same_fetch_the_same():
    first, second = make_document(), make_document(fetched_at=NOW + HOUR)
    assert action_of(first).version < action_of(second).version
    assert action_of(first).version_type == "external_gte"
    assert action_of(make_event(fetched_at=NOW)).version == action_of(first).version


def test_a_story_is_ordered_by_its_revision_alone():
    action = action_of(make_story(revision=7))
    assert (action.version, action.version_type) == (7, "external")


@pytest.mark.parametrize("make", [make_story, make_alert])
def test_a_story_that_learns_of_an_earlier_report_stays_in_the_month_it_was_opened_in(make):
    earlier = make(opened_at=NOW, first_seen_at=NOW - 30 * 24 * HOUR)
    assert action_of(earlier).index == action_of(make()).index


def test_alerts_are_created_once():
    action = action_of(make_alert())
    header = json.loads(action.lines()[0])
    assert header == {"create": {"_index": "news-alerts-v1-2024.05", "_id": action.id}}


def test_the_later_word_on_an_alert_takes_the_place_of_the_earlier_one():
    header = json.loads(action_of(make_feedback()).lines()[0])["index"]
    assert header["_index"] == "news-feedback-v1-all"
    assert header["version_type"] == "external_gte"
    assert header["version"] == int(NOW.timestamp() * 1000)


@pytest.mark.parametrize("make", [make_document, make_event, make_story, make_alert, make_failure, make_feedback])
def test_the_two_lines_are_json_without_a_line_break_inside(make):
    action = action_of(make())
    header, body = action.lines()
    assert b"\n" not in header + body
    assert json.loads(body)["event"]["dataset"] == f"dateline.{action.name}"


def test_a_prefix_keeps_two_installations_apart():
    action = actions.action(make_event(), prefix="test", now=NOW)
    assert action.index == "test-events-v1-2024.05"
    assert actions.alias("test", "events") == "test-events"


def test_a_record_that_is_not_indexed_is_refused():
    with pytest.raises(RecordError, match="feed"):
        action_of(Feed(id="f", url="u"))
