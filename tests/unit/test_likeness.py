"""Whether two reports are of one real-world event: by place, time, parties and numbers, each alone."""

import datetime as dt

import pytest

from pipeline.records import Party, Place, When
from pipeline.track.families import kinds_alike
from pipeline.track.happening import begin
from pipeline.track.likeness import likeness, other_parties
from pipeline.track.profile import profile_of_event, profile_of_happening
from tests.make import (
    CHINA,
    KYIV,
    NOW,
    PUTIN,
    RUSSIA,
    UKRAINE,
    USA,
    XI,
    make_day,
    make_event,
    make_meeting,
    make_quantity,
    make_sanctions,
)

INDIA = Party(text="India", name="India", country="IND", sector="GOV")


def place(name, lat, lon, country="UKR"):
    return Place(text=name, name=name, country=country, lat=lat, lon=lon)


def strike(where=(KYIV,), **changes):
    return make_event("strike", "ASSAULT", **{"actors": (RUSSIA,), "recipients": (UKRAINE,), "places": where,
                                              "evidence": "A missile destroyed a bakery"} | changes)  # fmt: skip


def like(one, other):
    return likeness(profile_of_happening(begin(one)), profile_of_event(other))


def other_words(event):
    return {"evidence": "Four people died when a shop was hit", "article_title": "Elsewhere", "publisher": event}


def test_nearer_places_are_more_alike_and_far_ones_are_another_event():
    at = [
        strike((place("Kyiv", 50.45, 30.52),), **other_words("a")),
        strike((place("Brovary", 50.51, 30.79),), **other_words("b")),  # 20 km
        strike((place("Bila Tserkva", 49.80, 30.12),), **other_words("c")),  # 78 km
    ]
    scores = [like(strike(), event) for event in at]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3
    assert like(strike(), strike((place("Odesa", 46.48, 30.73),), **other_words("d"))) == 0


def test_the_same_region_counts_less_than_the_same_town():
    region = place("Kyiv region", 50.3, 30.5)
    town = like(strike(), strike(**other_words("a")))
    wide = like(strike((region,)), strike((region,), **other_words("a")))
    assert wide < town


def test_a_date_of_a_year_is_cut_to_the_weeks_around_its_report():
    year = When(text="this year", start=dt.date(2024, 1, 1), end=dt.date(2024, 12, 31), precision="year")
    told = profile_of_event(make_meeting(date=year))
    assert told.last - told.first == 90
    assert likeness(profile_of_happening(begin(make_meeting())), told) > 0


def test_a_report_without_a_date_on_the_announced_day_is_more_likely_the_same_event():
    plan = make_meeting(modality="planned", date=make_day(NOW.date()), evidence="They will meet on Tuesday")
    same = make_meeting(date=None, evidence="Hands were shaken", publisher="B")
    vague = make_meeting(modality="planned", date=None, evidence="They will meet on Tuesday")
    assert like(plan, same) > like(vague, same)


def test_a_shared_president_makes_no_meeting_with_another_country_the_same():
    assert like(make_meeting(), make_meeting(actors=(PUTIN, INDIA), evidence="Gas was spoken of")) == 0
    one = make_meeting(actors=(PUTIN,), places=(), evidence="A council of security met")
    both = make_meeting(places=(), evidence="They spoke of gas")
    alone = make_meeting(actors=(PUTIN,), places=(), evidence="They spoke of gas")
    assert like(one, both) < like(one, alone)


@pytest.mark.parametrize(
    ("told", "apart"),
    [
        (make_meeting(actors=(PUTIN, INDIA)), True),
        (make_meeting(actors=(XI, PUTIN)), False),
        (make_meeting(actors=(CHINA,)), False),
        (make_meeting(actors=(USA, INDIA), places=()), True),
    ],
)
def test_meetings_with_other_parties_are_other_events(told, apart):
    assert other_parties(profile_of_happening(begin(make_meeting())), profile_of_event(told)) == apart


def test_strikes_with_other_parties_may_be_one_event():
    assert not other_parties(profile_of_happening(begin(strike())), profile_of_event(strike(actors=(USA,))))
    assert other_parties(
        profile_of_happening(begin(make_sanctions())), profile_of_event(make_sanctions(recipients=(CHINA,)))
    )


def test_kinds_that_two_reporters_use_for_one_event_are_alike():
    assert kinds_alike("visit", "summit")
    assert kinds_alike("strike", "strike")
    assert not kinds_alike("strike", "summit")


@pytest.mark.parametrize(("day", "dead", "more"), [(1, 5, False), (1, 9, True), (0, 5, True)])
def test_a_later_toll_may_be_higher_and_not_lower(day, dead, more):
    seen = NOW + dt.timedelta(days=day)
    first = strike((), quantities=(make_quantity(7),), date=None)
    later = strike((), quantities=(make_quantity(dead),), date=None, first_seen_at=seen, **other_words("b"))
    plain = strike((), date=None, first_seen_at=seen, **other_words("b"))
    assert (like(first, later) >= like(first, plain)) == more


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        ("Vincent Jackson", "Jamal Williams", True),
        ("Vincent Jackson", "Jackson", False),
        ("Kim Jong Nam", "Kim", False),
        ("Vincent Jackson", "the player", False),
    ],
)
def test_arrests_of_two_persons_are_two_events(ours, theirs, apart):
    one, other = (
        make_event(
            "arrest",
            "COERCE",
            recipients=(Party(text=name, name=name),),
            evidence=f"Police arrested {name} late {when}",
        )
        for name, when in ((ours, "on Monday"), (theirs, "at night"))
    )
    assert (like(one, other) == 0) is apart
