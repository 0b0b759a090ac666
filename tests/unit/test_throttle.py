"""Throttle, digest, quiet hours, mutes: what is sent and what is held back, in event time, the same on every replay."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alert import feedback
from pipeline.alert.rules import QuietHours, Rule, Throttle
from pipeline.alert.throttle import GRACE, LISTED, AlertState
from pipeline.records import Alert, Feedback, decode, encode
from tests.make import NOW, make_report, make_story

MINUTE = dt.timedelta(minutes=1)
LATER = NOW + 1000 * MINUTE


def make_rule(**changes):
    return Rule(**{"name": "a-rule", "about": "What it is for", "channels": ("mail",)} | changes)


def story(number, minutes=0, **changes):
    """Another story, reported so many minutes after `NOW`."""
    at = NOW + minutes * MINUTE
    return make_story(
        **{"id": f"s{number}", "headline": f"Story {number}", "first_seen_at": at, "last_seen_at": at, "opened_at": at}
        | changes
    )


def alerts_for(rules, stories, marks=None, alert_state=None):
    alert_state = alert_state or AlertState()
    return [one for each in stories for one in alert_state.alerts_for(rules, each, marks)]


def outcome(alerts):
    return [(a.headline, a.held) for a in alerts]


# --- throttle --------------------------------------------------------------------------------------------------------


def test_alerts_beyond_the_throttle_are_held_back_and_say_so():
    rule = make_rule(throttle=Throttle(alerts=2, minutes=60))
    alerts = alerts_for([rule], [story(n, minutes=10 * n) for n in range(8)])
    assert [a.held for a in alerts] == ["", "", "throttled", "throttled", "throttled", "throttled", "", ""]
    assert all(a.channels == () and a.meant_for == ("mail",) for a in alerts if a.held)


def test_a_throttled_alert_is_not_raised_again_by_a_later_revision():
    rule, alert_state = make_rule(throttle=Throttle(alerts=1, minutes=5)), AlertState()
    alerts_for([rule], [story(1), story(2)], alert_state=alert_state)
    assert alerts_for([rule], [story(2, minutes=60, revision=2)], alert_state=alert_state) == []


def test_each_rule_and_each_family_of_events_is_throttled_by_itself():
    rules = [make_rule(throttle=Throttle(alerts=1, minutes=60)), make_rule(name="b-rule")]
    other = story(2, kind="sanctions", event_type="SANCTION")
    alerts = alerts_for(rules, [story(1), other, story(3)])
    assert [(a.rule, a.held) for a in alerts] == [
        ("a-rule", ""), ("b-rule", ""), ("a-rule", ""), ("b-rule", ""), ("a-rule", "throttled"), ("b-rule", ""),
    ]  # fmt: skip


# --- digests ---------------------------------------------------------------------------------------------------------


def test_a_digest_has_the_alerts_of_its_hour_and_is_sent_with_the_first_story_after_it():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    assert outcome(alerts_for([rule], [story(1), story(2, minutes=30)], alert_state=alert_state)) == [
        ("Story 1", "digest"),
        ("Story 2", "digest"),
    ]
    digest, third = alerts_for([rule], [story(3, minutes=61)], alert_state=alert_state)
    assert third.held == "digest"
    assert (digest.occasion, digest.held, digest.channels) == ("digest", "", ("mail",))
    assert len(digest.gathers) == 2
    assert digest.headline == "2 alerts of a-rule: What it is for"
    assert digest.message.splitlines()[1:] == [
        "- Story 1 (70%) https://news.example/a1",
        "- Story 2 (70%) https://news.example/a1",
    ]
    assert alert_state.waiting == 1


def test_a_digest_of_one_alert_is_that_alert():
    digest, _ = alerts_for([make_rule(digest_minutes=60)], [story(1), story(2, minutes=60)])[1:]
    assert digest.headline == "Story 1"
    assert digest.message.startswith("NEW: Story 1")


def test_a_digest_uses_the_template_of_its_rule():
    rule = make_rule(digest_minutes=60, digest_template="{count} of {rule} ({about}):\n{lines}")
    digest = alerts_for([rule], [story(1), story(2, minutes=60)])[1]
    assert digest.message == "1 of a-rule (What it is for):\n- Story 1 (70%) https://news.example/a1"


def test_a_long_digest_lists_the_first_and_counts_the_rest():
    told = [story(n) for n in range(LISTED + 5)]
    digest = alerts_for([make_rule(digest_minutes=60)], [*told, story(99, minutes=60)])[-2]
    assert digest.message.splitlines()[-1] == "- and 5 more"
    assert len(digest.gathers) == LISTED + 5


def test_without_a_further_story_the_digest_is_sent_once_by_the_clock():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    alerts_for([rule], [story(1)], alert_state=alert_state)
    end = NOW + 60 * MINUTE
    assert alert_state.due([rule], end + GRACE - MINUTE) == ()
    [digest] = alert_state.due([rule], end + GRACE)
    assert digest.raised_at == end
    assert alert_state.due([rule], end + GRACE) == ()
    assert alert_state.waiting == 0


def test_an_alert_raised_after_its_digest_was_sent_is_in_the_next():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    alerts_for([rule], [story(1)], alert_state=alert_state)
    alert_state.due([rule], NOW + 60 * MINUTE + GRACE)
    [late] = alerts_for([rule], [story(2, minutes=20)], alert_state=alert_state)
    assert late.held_until == NOW + 120 * MINUTE


def test_alerts_of_quiet_hours_are_sent_at_their_end_and_later_ones_at_once():
    rule, alert_state = make_rule(quiet_hours=QuietHours(start="09:00", end="10:00")), AlertState()
    alerts = alerts_for(
        [rule], [story(1), story(2, minutes=59), story(3, minutes=60), story(4, minutes=61)], alert_state=alert_state
    )
    assert [(a.occasion, a.held) for a in alerts] == [
        ("new", "digest"), ("new", "digest"), ("digest", ""), ("new", ""), ("new", ""),
    ]  # fmt: skip


def test_a_late_alert_of_ended_quiet_hours_is_sent_at_once():
    rule, alert_state = make_rule(quiet_hours=QuietHours(start="09:00", end="10:00")), AlertState()
    alerts_for([rule], [story(1), story(2, minutes=60)], alert_state=alert_state)
    [late] = alerts_for([rule], [story(3, minutes=30)], alert_state=alert_state)
    assert late.held == ""


def test_the_digest_of_a_removed_rule_is_still_sent():
    alert_state = AlertState()
    alerts_for([make_rule(digest_minutes=60)], [story(1)], alert_state=alert_state)
    [digest] = alert_state.due([], LATER)
    assert digest.channels == ("mail",)


# --- mutes -----------------------------------------------------------------------------------------------------------


def mark(target="rule", name="a-rule", verdict="mute", at=NOW, until=None, **changes):
    return Feedback(
        id=f"{target}{name}{verdict}{at}", verdict=verdict, target=target, name=name, at=at, until=until, **changes
    )


@pytest.mark.parametrize(
    ("said", "held"),
    [
        (mark(), ["muted", "muted", "muted"]),
        (mark(until=NOW + 20 * MINUTE), ["muted", "muted", ""]),
        (mark(at=NOW + 5 * MINUTE, until=NOW + 20 * MINUTE), ["", "muted", ""]),
        (mark(name="another-rule"), ["", "", ""]),
        (mark(target="story", name="s1"), ["", "muted", ""]),
        (mark(target="alert", name="x", verdict="false", rule="a-rule", story_id="s2"), ["", "", "muted"]),
        (mark(target="alert", name="x", verdict="false", rule="b-rule", story_id="s2"), ["", "", ""]),
        (mark(target="alert", name="x", verdict="ack", rule="a-rule", story_id="s2"), ["", "", ""]),
    ],
)
def test_mutes_and_false_alerts_count_from_their_moment_on_in_event_time(said, held):
    told = [story(n, minutes=10 * n) for n in range(3)]
    alerts = alerts_for([make_rule()], told, feedback.Marks([said]))
    assert [a.held for a in alerts] == held
    assert all(a.channels == () for a in alerts if a.held)


def test_a_digest_of_a_rule_muted_by_then_is_not_sent():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    alerts_for([rule], [story(1)], alert_state=alert_state)
    [digest] = alert_state.due([rule], LATER, feedback.Marks([mark(at=NOW + 30 * MINUTE)]))
    assert (digest.held, digest.channels) == ("muted", ())


# --- replay and takeover-----------------------------------------------------------------------------------------------

RULES = [
    make_rule(throttle=Throttle(alerts=2, minutes=30)),
    make_rule(name="hourly", digest_minutes=60),
    make_rule(name="nightly", quiet_hours=QuietHours(start="09:10", end="09:50"), on=("new", "update")),
]
TOLD = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 150), st.sampled_from([("meeting", "CONSULT"), ("sanctions", "SANCTION")])
    ),
    max_size=25,
)


def stories_of(told):
    return [
        story(n, minutes, kind=kind, event_type=event_type, occasions=("new", "update:1")[: 1 + n % 2])
        for n, minutes, (kind, event_type) in told
    ]


@given(TOLD, st.integers(0, 25), st.sampled_from([None, 20]))
@settings(max_examples=80, deadline=None)
def test_a_worker_that_takes_over_anywhere_raises_what_the_first_would_have(told, cut, muted):
    marks = feedback.Marks([mark(at=NOW + muted * MINUTE)] if muted is not None else [])
    stories = stories_of(told)
    whole = alerts_for(RULES, stories, marks)
    first = alerts_for(RULES, stories[:cut], marks)
    written = [decode(encode(one), Alert) for one in first]
    second = alerts_for(RULES, stories[max(0, cut - 2) :], marks, alert_state=AlertState(written))
    assert [a.id for a in first + second if a.occasion != "digest"] == [a.id for a in whole if a.occasion != "digest"]
    held = {a.id: a.held for a in whole}
    assert all(held[a.id] == a.held for a in first + second if a.id in held)


@given(TOLD)
@settings(max_examples=80, deadline=None)
def test_no_id_is_written_twice_and_every_waiting_alert_is_in_one_digest(told):
    alert_state = AlertState()
    alerts = [
        *alerts_for(RULES, stories_of(told), alert_state=alert_state),
        *alert_state.due(RULES, LATER + 10_000 * MINUTE),
    ]
    assert len({a.id for a in alerts}) == len(alerts)
    waited = sorted(a.id for a in alerts if a.held == "digest")
    assert sorted(i for a in alerts for i in a.gathers) == waited
    assert alert_state.waiting == 0
    assert all(bool(a.held) != bool(a.channels) for a in alerts)


def test_an_alert_has_the_event_and_article_of_its_evidence():
    [one] = alerts_for([make_rule()], [story(1, reports=(make_report(event_id="e7", article_id="a7"),))])
    assert (one.event_id, one.article_id, one.family) == ("e7", "a7", "talks")


def test_what_was_raised_is_remembered_for_the_stories_with_the_latest_reports_only(monkeypatch):
    """Beyond the limit the story without a report for longest is forgotten: memory stays bounded over years."""
    monkeypatch.setattr("pipeline.alert.throttle.STORIES_KNOWN", 3)
    rules, alert_state = [make_rule()], AlertState()
    assert len(alerts_for(rules, [story(n, n) for n in range(3)], alert_state=alert_state)) == 3
    assert not alerts_for(rules, [story(0, 5)], alert_state=alert_state), "known, and the latest now"
    assert len(alerts_for(rules, [story(3, 6)], alert_state=alert_state)) == 1
    assert not alerts_for(rules, [story(0, 7), story(2, 8)], alert_state=alert_state), "these had the later reports"
    assert len(alert_state._known) == 3
    assert "s1" not in alert_state._known


def test_a_story_into_which_another_was_merged_does_not_repeat_its_alert():
    rules, alert_state = [make_rule()], AlertState()
    assert len(alerts_for(rules, [story(1)], alert_state=alert_state)) == 1
    assert not alerts_for(rules, [story(2, 3, merged_ids=("s1",))], alert_state=alert_state)
