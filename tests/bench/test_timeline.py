"""The steps of an article's way; `python -m bench.timeline` is the measure itself."""

import pytest

from bench import timeline


def test_a_step_lasts_from_the_moment_before_to_its_own():
    times = {"published": 100.5, "read": 101.0, "indexed": 101.75}
    assert timeline.steps(times, 100.0) == {"published": 0.5, "read": 0.5, "indexed": 0.75}


def test_the_summary_has_the_steps_that_were_seen_and_the_whole():
    found = [(f"/{n}", float(n), {"read": n / 2}) for n in range(1, 101)]
    assert timeline.summary(found) == {"read": [25.0, 49.5], "feed to index": [50.0, 99.0]}


def test_only_the_first_time_counts(tmp_path):
    notes = timeline.Notes.__new__(timeline.Notes)
    notes.times = {}
    notes.note("a", "read", 5.0)
    notes.note("a", "read", 9.0)
    assert notes.times == {"a": {"read": pytest.approx(5.0)}}
