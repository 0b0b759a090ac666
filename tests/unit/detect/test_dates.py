"""Dates where they stand, seen from a publication time with its zone."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.date_after import Told, leaning
from pipeline.detect.dates import date_at, find_dates
from pipeline.detect.daywords import Span, easter

SYDNEY = dt.datetime.fromisoformat("2023-03-21T00:00:00+11:00")  # a Tuesday there, still Monday in London
MONDAY = dt.datetime.fromisoformat("2023-03-20T13:00:00+00:00")


def only(text, published=SYDNEY):
    found = find_dates(text, published)
    assert len(found) == 1, [date.text for date in found]
    return found[0]


def days(text, prefer=None, published=SYDNEY):
    when = only(text, published).read(prefer)
    return f"{when.start}..{when.end}", when.precision


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("He said on Friday that", "2023-03-17", "2023-03-17", "day"),
        ("The plea came on Tuesday (AEDT), as", "2023-03-21", "2023-03-21", "day"),
        ("more official talks scheduled for Tuesday", "2023-03-21", "2023-03-21", "day"),
        ("agreed in Brussels on Monday to buy", "2023-03-20", "2023-03-20", "day"),
        ("when it was unveiled last month", "2023-02-01", "2023-02-28", "month"),
        ("signed a pact last year", "2022-01-01", "2022-12-31", "year"),
        ("would win next year", "2024-01-01", "2024-12-31", "year"),
        ("next week", "2023-03-27", "2023-04-02", "week"),
        ("two days ago", "2023-03-19", "2023-03-19", "day"),
        ("a couple of weeks ago", "2023-03-07", "2023-03-07", "week"),
        ("20 March 2023", "2023-03-20", "2023-03-20", "day"),
        ("March 20th, 2023", "2023-03-20", "2023-03-20", "day"),
        ("2023-03-20", "2023-03-20", "2023-03-20", "day"),
        ("12/31/1994", "1994-12-31", "1994-12-31", "day"),
        ("31.12.1994", "1994-12-31", "1994-12-31", "day"),
        ("Tuesday, March 21, 2023", "2023-03-21", "2023-03-21", "day"),
        ("earlier this year", "2023-01-01", "2023-03-21", "season"),
        ("over the weekend", "2023-03-18", "2023-03-19", "day"),
        ("this weekend", "2023-03-25", "2023-03-26", "day"),
        ("in the second half of 2022", "2022-07-01", "2022-12-31", "season"),
        ("in the first quarter of 2013", "2013-01-01", "2013-03-31", "season"),
        ("the last week of 2016", "2016-12-26", "2017-01-01", "week"),
        ("the first Monday of next month", "2023-04-03", "2023-04-03", "day"),
        ("yesterday morning", "2023-03-20", "2023-03-20", "day"),
        ("overnight", "2023-03-20", "2023-03-21", "day"),
        ("the day before yesterday", "2023-03-19", "2023-03-19", "day"),
        ("late last year", "2022-09-01", "2022-12-31", "season"),
        ("mid-March", "2023-03-11", "2023-03-20", "week"),
        ("in March last year", "2022-03-01", "2022-03-31", "month"),
        ("last March", "2022-03-01", "2022-03-31", "month"),
        ("summer 2022", "2022-06-01", "2022-08-31", "season"),
        ("the 1990s", "1990-01-01", "1999-12-31", "year"),
        ("the 15th century", "1400-01-01", "1499-12-31", "year"),
        ("the past three months", "2022-12-21", "2023-03-21", "month"),
        ("Friday last week", "2023-03-17", "2023-03-17", "day"),
        ("next week Monday", "2023-03-27", "2023-03-27", "day"),
        ("this coming Friday", "2023-03-24", "2023-03-24", "day"),
        ("next Monday", "2023-03-27", "2023-03-27", "day"),
        ("three weeks from tomorrow", "2023-04-12", "2023-04-12", "day"),
        ("will meet in two weeks", "2023-04-04", "2023-04-04", "week"),
        ("the first talks will be held in two weeks", "2023-04-04", "2023-04-04", "week"),
        ("Good Friday 2024", "2024-03-29", "2024-03-29", "day"),
        ("the week of 6 March 2023", "2023-03-06", "2023-03-12", "week"),
        ("at the end of the month", "2023-03-21", "2023-03-31", "week"),
        ("the 15th day of next month", "2023-04-15", "2023-04-15", "day"),
        ("in 2019 alone", "2019-01-01", "2019-12-31", "year"),
        ("the toll from Sunday's eruption", "2023-03-19", "2023-03-19", "day"),
        ("Q3 2021", "2021-07-01", "2021-09-30", "season"),
        ("the week after next", "2023-04-03", "2023-04-09", "week"),
        ("in recent days", "2023-03-14", "2023-03-21", "week"),
        ("over the past few weeks", "2023-02-21", "2023-03-21", "month"),
        ("in the last several months", "2022-09-21", "2023-03-21", "season"),
        ("in the coming days", "2023-03-21", "2023-03-28", "week"),
        ("over the next few weeks", "2023-03-21", "2023-04-21", "month"),
        ("the past 24 hours", "2023-03-20", "2023-03-21", "day"),
        ("within 48 hours", "2023-03-21", "2023-03-23", "day"),
        ("within a month", "2023-03-21", "2023-04-21", "month"),
        ("within three weeks", "2023-03-21", "2023-04-11", "week"),
        ("arrested the day before, police said", "2023-03-20", "2023-03-20", "day"),
        ("the previous night", "2023-03-20", "2023-03-20", "day"),
        ("earlier in the month", "2023-03-01", "2023-03-21", "week"),
        ("later in the week", "2023-03-21", "2023-03-26", "day"),
    ],
)
def test_news_forms(text, start, end, precision):
    assert days(text) == (f"{start}..{end}", precision)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("from 3 to 5 May 2022", "2022-05-03", "2022-05-05"),
        ("May 3-5, 2022", "2022-05-03", "2022-05-05"),
        ("from Monday to Wednesday", "2023-03-20", "2023-03-22"),
        ("between 2019 and 2021", "2019-01-01", "2021-12-31"),
        ("2014-2018", "2014-01-01", "2018-12-31"),
        ("Nov 18-Dec 19, 2015", "2015-11-18", "2015-12-19"),
        ("from November to February 2022", "2021-11-01", "2022-02-28"),
        ("April 9th through 17th, 2016", "2016-04-09", "2016-04-17"),
        ("between January 2023 and now", "2023-01-01", "2023-03-21"),
    ],
)
def test_ranges_lend_each_other_what_they_leave_out(text, start, end):
    assert days(text)[0] == f"{start}..{end}"


def test_an_open_date_has_both_readings_and_the_tense_chooses():
    assert days("on Friday", "past")[0] == "2023-03-17..2023-03-17"
    assert days("on Friday", "future")[0] == "2023-03-24..2023-03-24"
    assert days("between June and August", "past")[0] == "2022-06-01..2022-08-31"
    assert days("between June and August", "future")[0] == "2023-06-01..2023-08-31"
    assert days("in March", "future")[0] == "2023-03-01..2023-03-31"
    assert only("last month").future is None


def test_a_date_without_a_year_is_the_nearer_one():
    assert days("on May 9")[0] == "2023-05-09..2023-05-09"
    assert days("on November 9")[0] == "2022-11-09..2022-11-09"


def test_a_day_without_a_year_is_not_a_year_off_whatever_the_tense():
    assert days("beginning on March 25", "past")[0] == "2023-03-25..2023-03-25"
    assert days("on March 18", "future")[0] == "2023-03-18..2023-03-18"


def test_scheduled_and_until_look_ahead():
    assert days("talks scheduled for Friday")[0] == "2023-03-24..2023-03-24"
    assert days("a truce until Friday")[0] == "2023-03-24..2023-03-24"


def test_the_time_zone_of_the_publisher_decides_what_day_it_is():
    assert days("on Tuesday", published=SYDNEY)[0] == "2023-03-21..2023-03-21"
    assert days("on Tuesday", published=MONDAY)[0] == "2023-03-14..2023-03-14"


@pytest.mark.parametrize(
    ("text", "relation", "words"),
    [
        ("have held out since last summer", "since", "since last summer"),
        ("by the end of the month", "until", "by the end of the month"),
        ("before Friday", "before", "before Friday"),
        ("after January 1, 2007", "after", "after January 1, 2007"),
        ("on Friday", "on", "Friday"),
        ("starting on 5 May 2022", "from", "starting on 5 May 2022"),
    ],
)
def test_what_a_date_bounds_is_said(text, relation, words):
    date = only(text)
    assert (date.relation, date.text) == (relation, words)


def test_since_reaches_up_to_publication():
    assert days("since August")[0] == "2022-08-01..2023-03-21"
    assert days("since last summer") == ("2022-06-01..2023-03-21", "season")


@pytest.mark.parametrize(
    "text",
    [
        "for three days",
        "informal talks for nearly 4½ hours",
        "a 10-day visit",
        "This may take longer; it might march on.",
        "May I ask",
        "the March on Washington",
        "every Friday, on Mondays and Tuesday mornings",
        "Black Friday and Ash Wednesday",
        "2022 people fled, 3,2019 votes",
        "Resolution 2022",
        "a second round in the third quarter final",
        "the course will last three weekends",
        "up to date",
        "at 12:30",
        "133-03-03-2020",
        "feb 30",
        "in two weeks of fighting",
        "it will be the first trip by a leader in six years",
        "7.5 March of",
        "fled after the fall of the regime",
        "ahead of the upcoming Winter Olympics",
        "the lowest since the 2011 revolution",
        "the day before the vote",
        "within the city, within reach",
        "recent weekly data of few days",
    ],
)
def test_durations_recurrences_and_look_alikes_are_no_dates(text):
    assert find_dates(text, SYDNEY) == ()


@pytest.mark.parametrize(
    ("text", "words", "start", "end"),
    [
        ("the 2014 election", "2014", "2014-01-01", "2014-12-31"),
        ("a November attack", "November", "2022-11-01", "2022-11-30"),
        ("the summer offensive", "summer", "2022-06-01", "2022-08-31"),
    ],
)
def test_what_the_context_takes_for_a_date_may_be_a_bare_month_or_year(text, words, start, end):
    assert find_dates(text, SYDNEY) == ()
    at = text.index(words)
    found = date_at(text, at, at + len(words), SYDNEY)
    assert (found.text, str(found.read("past").start), str(found.read("past").end)) == (words, start, end)


@pytest.mark.parametrize("words", ["three days", "the rainy", "season"])
def test_what_is_no_date_stays_none_whatever_the_context_says(words):
    text = "for three days in the rainy season"
    at = text.index(words)
    assert date_at(text, at, at + len(words), SYDNEY) is None


def test_without_a_publication_time_only_full_dates_are_found():
    text = (
        "Yesterday, on Friday, in May, since August, last year and two days ago; but 5 May 2022, 2021-01-31 and in 2020"
    )
    assert [str(date.when.start) for date in find_dates(text, None)] == ["2022-05-05", "2021-01-31", "2020-01-01"]


def test_several_dates_come_in_order():
    text = "On Monday he left; on 3 March 2022 she came.\nNext week they meet, or in June 2024."
    found = find_dates(text, SYDNEY)
    assert [date.text for date in found] == ["Monday", "3 March 2022", "Next week", "June 2024"]


def test_easter_falls_where_the_church_has_it():
    assert [str(easter(year)) for year in (1961, 2008, 2019, 2024)] == [
        "1961-04-02",
        "2008-03-23",
        "2019-04-21",
        "2024-03-31",
    ]


WORDS = [
    "on",
    "in",
    "the",
    "of",
    "last",
    "next",
    "this",
    "Friday",
    "Mar",
    "May",
    "March",
    "20",
    "3",
    "5",
    "2022",
    "0001",
    "9999",
    "99999999",
    "to",
    "-",
    "/",
    ".",
    ",",
    "week",
    "weeks",
    "year",
    "years",
    "ago",
    "two",
    "since",
    "from",
    "between",
    "and",
    "by",
    "day",
    "century",
    "th",
    "st",
    "2nd",
    "Q",
    "1",
    "early",
    "end",
    "second",
    "half",
    "Christmas",
    "weekend",
    "\n",
    "’",
    "s",
    "before",
    "after",
]


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
        st.lists(st.sampled_from(WORDS)).map("".join),
    ),
    st.sampled_from(
        [
            None,
            SYDNEY,
            dt.datetime(1, 1, 1, tzinfo=dt.UTC),
            dt.datetime(9999, 12, 31, tzinfo=dt.UTC),
            dt.datetime.fromisoformat("2024-02-29"),
        ]
    ),
)
def test_any_text_at_any_time_gives_dates_on_exact_slices(text, published):
    found = find_dates(text, published)
    for date in found:
        assert text[date.start : date.end] == date.text == date.when.text
        for when in filter(None, (date.when, date.past, date.future)):
            assert when.start <= when.end
        if date.past and date.future:
            assert date.past.start <= date.future.start
    assert all(left.end <= right.start for left, right in pairwise(found))


def test_this_weekday_is_the_last_one_of_what_happened():
    assert days("condemned it this Friday", "past")[0] == "2023-03-17..2023-03-17"
    assert days("will meet this Friday", "future")[0] == "2023-03-24..2023-03-24"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("the next day", "2024-03-06..2024-03-06"),
        ("two days later", "2024-03-07..2024-03-07"),
        ("a day earlier", "2024-03-04..2024-03-04"),
        ("later the same day", "2024-03-05..2024-03-05"),
        ("in the evening", "2024-03-05..2024-03-05"),
        ("the following week", "2024-03-11..2024-03-17"),
        ("later that month", "2023-09-01..2023-09-30"),
        ("the following year", "2024-01-01..2024-12-31"),
        ("9999 years later", None),
        ("some days later", None),
        ("three nights", None),
    ],
)
def test_some_dates_lean_on_the_one_before(words, expected):
    month = Told(Span(dt.date(2023, 9, 1), dt.date(2023, 9, 30)), "month")
    day = Told(Span(dt.date(2024, 3, 5), dt.date(2024, 3, 5)), "day")
    told = [month, day]  # the nearest first: a month is no day to lean on
    when = leaning(words, told)
    assert (f"{when.start}..{when.end}" if when else None) == expected
    assert leaning(words, []) is None
