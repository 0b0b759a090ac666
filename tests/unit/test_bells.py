"""Throttle, digest, quiet hours, mutes: what goes out and what is held, in event time, the same on every replay."""

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
    return Rule(**{"name": "a-rule", "about": "What it is for", "channels": ("desk",)} | changes)


def story(number, minutes=0, **changes):
    """A story of its own that is told so many minutes after the first."""
    at = NOW + minutes * MINUTE
    return make_story(
        **{"id": f"s{number}", "headline": f"Story {number}", "first_seen_at": at, "last_seen_at": at, "opened_at": at}
        | changes
    )


def ring(rules, stories, marks=None, alert_state=None):
    alert_state = alert_state or AlertState()
    return [one for told in stories for one in alert_state.ring(rules, told, marks)]


def outcome(alerts):
    return [(a.headline, a.held) for a in alerts]


# --- throttle --------------------------------------------------------------------------------------------------------


def test_what_is_over_the_throttle_is_held_back_and_says_so():
    rule = make_rule(throttle=Throttle(alerts=2, minutes=60))
    alerts = ring([rule], [story(n, minutes=10 * n) for n in range(8)])
    assert [a.held for a in alerts] == ["", "", "throttled", "throttled", "throttled", "throttled", "", ""]
    assert all(a.channels == () and a.meant_for == ("desk",) for a in alerts if a.held)


def test_a_throttled_alert_stays_so_when_its_story_goes_on():
    rule, alert_state = make_rule(throttle=Throttle(alerts=1, minutes=5)), AlertState()
    ring([rule], [story(1), story(2)], alert_state=alert_state)
    assert ring([rule], [story(2, minutes=60, revision=2)], alert_state=alert_state) == []


def test_each_rule_and_each_family_of_happenings_is_throttled_by_itself():
    rules = [make_rule(throttle=Throttle(alerts=1, minutes=60)), make_rule(name="b-rule")]
    other = story(2, kind="sanctions", event_type="SANCTION")
    alerts = ring(rules, [story(1), other, story(3)])
    assert [(a.rule, a.held) for a in alerts] == [
        ("a-rule", ""), ("b-rule", ""), ("a-rule", ""), ("b-rule", ""), ("a-rule", "throttled"), ("b-rule", ""),
    ]  # fmt: skip


# --- digests ---------------------------------------------------------------------------------------------------------


def test_a_digest_gathers_what_was_raised_in_its_hour_and_goes_out_with_the_first_story_after_it():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    assert outcome(ring([rule], [story(1), story(2, minutes=30)], alert_state=alert_state)) == [
        ("Story 1", "digest"),
        ("Story 2", "digest"),
    ]
    digest, third = ring([rule], [story(3, minutes=61)], alert_state=alert_state)
    assert third.held == "digest"
    assert (digest.occasion, digest.held, digest.channels) == ("digest", "", ("desk",))
    assert len(digest.gathers) == 2
    assert digest.headline == "2 alerts of a-rule: What it is for"
    assert digest.message.splitlines()[1:] == [
        "- Story 1 (70%) https://news.example/a1",
        "- Story 2 (70%) https://news.example/a1",
    ]
    assert alert_state.waiting == 1


def test_a_digest_of_one_is_that_alert():
    digest, _ = ring([make_rule(digest_minutes=60)], [story(1), story(2, minutes=60)])[1:]
    assert digest.headline == "Story 1"
    assert digest.message.startswith("NEW: Story 1")


def test_a_digest_in_own_words():
    rule = make_rule(digest_minutes=60, digest_template="{count} of {rule} ({about}):\n{lines}")
    digest = ring([rule], [story(1), story(2, minutes=60)])[1]
    assert digest.message == "1 of a-rule (What it is for):\n- Story 1 (70%) https://news.example/a1"


def test_a_long_digest_lists_the_first_and_counts_the_rest():
    told = [story(n) for n in range(LISTED + 5)]
    digest = ring([make_rule(digest_minutes=60)], [*told, story(99, minutes=60)])[-2]
    assert digest.message.splitlines()[-1] == "- and 5 more"
    assert len(digest.gathers) == LISTED + 5


def test_where_no_further_story_comes_the_clock_lets_the_digest_out_once():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    ring([rule], [story(1)], alert_state=alert_state)
    end = NOW + 60 * MINUTE
    assert alert_state.due([rule], end + GRACE - MINUTE) == ()
    [digest] = alert_state.due([rule], end + GRACE)
    assert digest.raised_at == end
    assert alert_state.due([rule], end + GRACE) == ()
    assert alert_state.waiting == 0


def test_what_is_read_after_its_digest_went_out_is_in_the_next():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    ring([rule], [story(1)], alert_state=alert_state)
    alert_state.due([rule], NOW + 60 * MINUTE + GRACE)
    [late] = ring([rule], [story(2, minutes=20)], alert_state=alert_state)
    assert late.held_until == NOW + 120 * MINUTE


def test_alerts_of_quiet_hours_come_when_they_are_over_and_then_at_once():
    rule, alert_state = make_rule(quiet_hours=QuietHours(start="09:00", end="10:00")), AlertState()
    alerts = ring(
        [rule], [story(1), story(2, minutes=59), story(3, minutes=60), story(4, minutes=61)], alert_state=alert_state
    )
    assert [(a.occasion, a.held) for a in alerts] == [
        ("new", "digest"), ("new", "digest"), ("digest", ""), ("new", ""), ("new", ""),
    ]  # fmt: skip


def test_a_late_alert_of_quiet_hours_that_are_over_comes_at_once():
    rule, alert_state = make_rule(quiet_hours=QuietHours(start="09:00", end="10:00")), AlertState()
    ring([rule], [story(1), story(2, minutes=60)], alert_state=alert_state)
    [late] = ring([rule], [story(3, minutes=30)], alert_state=alert_state)
    assert late.held == ""


def test_the_digest_of_a_rule_that_is_gone_still_goes_out():
    alert_state = AlertState()
    ring([make_rule(digest_minutes=60)], [story(1)], alert_state=alert_state)
    [digest] = alert_state.due([], LATER)
    assert digest.channels == ("desk",)


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
def test_mutes_and_false_alarms_count_from_their_moment_on_in_event_time(said, held):
    told = [story(n, minutes=10 * n) for n in range(3)]
    alerts = ring([make_rule()], told, feedback.Marks([said]))
    assert [a.held for a in alerts] == held
    assert all(a.channels == () for a in alerts if a.held)


def test_a_digest_of_a_rule_that_is_muted_by_then_goes_to_nobody():
    rule, alert_state = make_rule(digest_minutes=60), AlertState()
    ring([rule], [story(1)], alert_state=alert_state)
    [digest] = alert_state.due([rule], LATER, feedback.Marks([mark(at=NOW + 30 * MINUTE)]))
    assert (digest.held, digest.channels) == ("muted", ())


# --- the same again --------------------------------------------------------------------------------------------------

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
def test_a_worker_that_takes_over_anywhere_rings_as_the_first_would_have(told, cut, muted):
    marks = feedback.Marks([mark(at=NOW + muted * MINUTE)] if muted is not None else [])
    stories = stories_of(told)
    whole = ring(RULES, stories, marks)
    first = ring(RULES, stories[:cut], marks)
    written = [decode(encode(one), Alert) for one in first]
    second = ring(RULES, stories[max(0, cut - 2) :], marks, alert_state=AlertState(written))
    assert [a.id for a in first + second if a.occasion != "digest"] == [a.id for a in whole if a.occasion != "digest"]
    held = {a.id: a.held for a in whole}
    assert all(held[a.id] == a.held for a in first + second if a.id in held)


@given(TOLD)
@settings(max_examples=80, deadline=None)
def test_no_id_is_written_twice_and_every_waiting_alert_is_in_one_digest(told):
    alert_state = AlertState()
    alerts = [*ring(RULES, stories_of(told), alert_state=alert_state), *alert_state.due(RULES, LATER + 10_000 * MINUTE)]
    assert len({a.id for a in alerts}) == len(alerts)
    waited = sorted(a.id for a in alerts if a.held == "digest")
    assert sorted(i for a in alerts for i in a.gathers) == waited
    assert alert_state.waiting == 0
    assert all(bool(a.held) != bool(a.channels) for a in alerts)


def test_an_alert_names_the_event_that_it_shows():
    [one] = ring([make_rule()], [story(1, reports=(make_report(event_id="e7", article_id="a7"),))])
    assert (one.event_id, one.article_id, one.family) == ("e7", "a7", "talks")
