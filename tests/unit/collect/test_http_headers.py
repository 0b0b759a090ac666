"""Headers that say when to ask again."""

import datetime as dt

import pytest

from pipeline.collect.http_headers import freshness, max_age, retry_after

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Expires": "Tue, 24 Nov 2026 00:10:00 GMT"}, 600),
        ({"Expires": "Tue, 24 Nov 2026 00:10:00 GMT", "Cache-Control": "max-age=60"}, 60),
        ({"Expires": "Tue, 24 Nov 2026 00:10:00 GMT", "Cache-Control": "no-cache"}, None),
        ({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        ({"Expires": "0"}, None),
        ({}, None),
    ],
)
def test_how_long_an_answer_stays_good_is_read(headers, seconds):
    assert freshness(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 24 Nov 2026 00:10:00 GMT", 600),
        ("Mon, 23 Nov 2026 00:10:00 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=300", 300),
        ("public, Max-Age = 60", 60),
        ("no-store, max-age=9", None),
        ("s-maxage=5", None),
        ("", None),
    ],
)
def test_max_age_is_read(value, seconds):
    assert max_age(value) == seconds
