"""The news that `python -m bench.overload` sends, and its table."""

import itertools

from bench import overload


def test_each_of_the_news_is_another_happening():
    found = list(overload.expulsions())
    assert len({name for name, _ in found}) == len(found) >= 100
    first = [name.split("-") for name, _ in found[:12]]
    assert all(one[0] != other[0] for one, other in itertools.pairwise(first)), "one after the other of another country"


def test_a_row_tells_what_was_read_of_a_backfill_and_how_long_the_rest_took():
    row = overload.Row("burst", 400, oldest_seconds=3.21, alert_seconds=1.5, recovered_seconds=60, alerts=9)
    row.memory_mb = {"worker": 500}
    assert row.line() == "| burst | 400 | 3.2 | 1.5 (9) | 60 | worker 500 |"
    assert "| 1,234 read |" in overload.Row("backfill", 100_000, past=1234).line()
    assert overload.HEAD.splitlines()[0].count("|") == row.line().count("|")


def test_articles_of_a_flood_are_different_articles():
    made = list(overload._pages("flood", 250))
    assert len({one.id for one in made}) == len({one.url for one in made}) == 250
    assert len({one.html for one in made}) == 200
