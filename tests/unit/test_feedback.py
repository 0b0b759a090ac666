"""Feedback on alerts: mutes, right and false alerts, statistics and export."""

import datetime as dt
import json

import pytest

from pipeline.alert import feedback
from pipeline.alert.feedback import FeedbackError, Marks
from tests.make import NOW, make_alert, make_meeting, make_story

HOUR = dt.timedelta(hours=1)
LAST = make_alert(id="b" * 20, story=make_story(id="5707e0ff"))


def alert(number, **changes):
    return make_alert(id=f"{number:020x}", story=make_story(id=f"st{number}"), **changes)


def test_a_rule_is_muted_by_its_name_for_a_while():
    said = feedback.mute("leaders-meet", rules=["leaders-meet"], alerts=[], now=NOW, until=NOW + HOUR)
    marks = Marks([said])
    assert marks.silences("leaders-meet", "any", NOW)
    assert not marks.silences("leaders-meet", "any", NOW + HOUR)
    assert not marks.silences("leaders-meet", "any", NOW - HOUR)
    assert not marks.silences("another", "any", NOW)


def test_a_story_is_muted_by_the_beginning_of_its_id_and_without_an_end_forever():
    said = feedback.mute("5707", rules=["leaders-meet"], alerts=[LAST], now=NOW, until=None)
    assert (said.target, said.name, said.headline) == ("story", "5707e0ff", LAST.headline)
    assert Marks([said]).silences("whatever", "5707e0ff", NOW + 10_000 * HOUR)


@pytest.mark.parametrize(
    ("name", "message"), [("nothing", "no rule is called so"), ("st", "2 stories begin"), ("", "no rule")]
)
def test_muting_an_unknown_name_is_an_error(name, message):
    with pytest.raises(FeedbackError, match=message):
        feedback.mute(name, rules=["leaders-meet"], alerts=[alert(1), alert(2)] if name else [], now=NOW, until=None)


def test_an_ended_mute_stays_in_the_history():
    said = feedback.mute("a", rules=["a"], alerts=[], now=NOW, until=None)
    marks = Marks([said])
    [ended] = feedback.unmute("a", marks, NOW + HOUR)
    marks.add(ended)
    assert marks.mutes(NOW + 2 * HOUR) == ()
    assert marks.silences("a", "", NOW)
    assert not marks.silences("a", "", NOW + HOUR)
    with pytest.raises(FeedbackError, match="is not muted"):
        feedback.unmute("a", marks, NOW + 2 * HOUR)


def test_the_latest_verdict_on_an_alert_counts():
    one = alert(1)
    marks = Marks([feedback.judge(one, right=False, now=NOW)])
    assert marks.silences(one.rule, one.story_id, NOW)
    marks.add(feedback.judge(one, right=True, now=NOW + HOUR))
    assert not marks.silences(one.rule, one.story_id, NOW + HOUR)
    assert marks.of_alert(one.id).verdict == "ack"


def test_an_alert_is_found_by_the_beginning_of_its_id():
    assert feedback.find([alert(1), LAST], "bb") == LAST
    for beginning, message in (("cc", "no such alert"), ("0", "2 alerts begin"), ("", "no such alert")):
        with pytest.raises(FeedbackError, match=message):
            feedback.find([alert(1), alert(2)], beginning)


def test_the_precision_of_a_rule_is_the_share_of_right_alerts_among_the_judged():
    alerts = [alert(n) for n in range(5)] + [alert(9, held="throttled", channels=()), alert(10, rule="b-rule")]
    marks = Marks([feedback.judge(alerts[n], right=n != 1, now=NOW) for n in range(3)])
    first, second, silent = feedback.stats(alerts, marks, ["silent"])
    assert (first.rule, first.rang, first.held, first.right, first.false) == ("leaders-meet", 5, 1, 2, 1)
    assert first.precision == pytest.approx(2 / 3)
    assert (second.rule, second.precision) == ("b-rule", None)
    assert (silent.rule, silent.rang) == ("silent", 0)


def test_judged_alerts_are_exported_for_training():
    event = make_meeting(evidence="They met in the semi-final")
    marks = Marks([
        feedback.judge(alert(1), right=False, now=NOW, event=event, note="sport"),
        feedback.judge(alert(2, evidence="Putin met Xi"), right=True, now=NOW + HOUR),
        feedback.mute("a", rules=["a"], alerts=[], now=NOW, until=None),
    ])  # fmt: skip
    wrong, right = [json.loads(json.dumps(one)) for one in feedback.examples(marks)]
    assert (wrong["text"], wrong["right"], wrong["note"]) == ("They met in the semi-final", False, "sport")
    assert (wrong["event"]["kind"], wrong["event"]["trigger"]) == ("meeting", event.trigger)
    assert (right["evidence"], right["right"], right["event"]) == ("Putin met Xi", True, None)
