"""Event -> Happening: which reports are of one real-world event."""

import datetime as dt

import pytest

from pipeline.records import Party, Place, When
from pipeline.settings import Track
from pipeline.track.families import family
from pipeline.track.likeness import likeness
from pipeline.track.profile import profile_of_event, profile_of_happening
from tests.folding import Held, fold, later, own
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
    make_happening,
    make_meeting,
    make_sanctions,
)

DAY = dt.timedelta(days=1)
INDIA = Party(text="India", name="India", country="IND", sector="GOV")
IRAN = Party(text="Iran", name="Iran", country="IRN", sector="GOV")
ODESA = Place(text="Odesa", name="Odesa", country="UKR", lat=46.48, lon=30.73)
BEIJING = Place(text="Beijing", name="Beijing", country="CHN", lat=39.9, lon=116.4)


# --- one event, or two -----------------------------------------------------------------------------------------------


def test_two_papers_on_one_meeting_make_one_story():
    first = make_meeting()
    second = make_meeting(publisher="The Post", evidence="The presidents, Putin and Xi, held talks in the Kremlin")
    [story] = fold(first, second)
    assert story.article_count == 2
    assert story.event_ids == (first.id, second.id)
    assert story.publishers == ("The Paper", "The Post")


def test_a_report_that_names_only_one_of_the_two_joins_by_its_place():
    [story] = fold(
        make_meeting(), make_meeting(publisher="B", actors=(XI,), evidence="Xi was welcomed with a dinner in Moscow")
    )
    assert story.article_count == 2


def test_a_meeting_with_another_partner_is_another_story():
    assert len(fold(make_meeting(), make_meeting(actors=(PUTIN, INDIA), evidence="Putin met the Indian leader"))) == 2


def test_the_same_two_in_another_city_are_another_story():
    assert len(fold(make_meeting(), make_meeting(places=(BEIJING,), evidence="They met again"))) == 2


def test_announcement_meeting_and_outcome_are_phases_of_one_story():
    plan = make_meeting(
        modality="planned", evidence="Putin and Xi will meet in Moscow next week", date=make_day(NOW.date() + 6 * DAY)
    )
    held = later(make_meeting(evidence="Putin and Xi met in Moscow", date=make_day(NOW.date() + 6 * DAY)), 6 * DAY)
    ended = later(make_meeting(evidence="The talks of Putin and Xi in Moscow ended without a result",
                               date=make_day(NOW.date() + 7 * DAY)), 7 * DAY)  # fmt: skip
    stories = Held()
    changes = [(s.phase, s.change) for s in (own(stories, plan), own(stories, held), own(stories, ended))]
    assert changes == [("planned", "new"), ("happened", "phase"), ("ended", "phase")]
    [story] = stories
    assert story.phases == ("planned", "happened", "ended")
    assert story.occasions[:1] + story.occasions[-1:] == ("new", "phase:ended")
    assert story.modality == "asserted"


def test_a_plan_reported_after_the_meeting_does_not_move_the_phase_back():
    [story] = fold(
        make_meeting(),
        make_meeting(modality="planned", evidence="Putin and Xi will go on talking in Moscow", publisher="B"),
    )
    assert story.phase == "happened"
    assert story.modality == "asserted"


def test_a_second_round_of_sanctions_a_month_later_is_new():
    first = make_sanctions()
    month = 30 * DAY
    second = later(make_sanctions(date=make_day(NOW.date() + month)), month)
    assert len({fold(first)[0].id, fold(second)[0].id}) == 2
    stories = Held(Track(open_days=60))
    assert own(stories, first).id != own(stories, second).id


def test_sanctions_on_another_country_are_another_story():
    assert (
        len(
            fold(
                make_sanctions(),
                make_sanctions(recipients=(IRAN,), evidence="The US imposed sanctions on Iran on Tuesday"),
            )
        )
        == 2
    )


def test_the_answer_to_an_expulsion_is_another_happening_although_the_sides_are_swapped():
    expelled = make_event(
        kind="expulsion",
        event_type="SANCTION",
        actors=(UKRAINE,),
        recipients=(RUSSIA,),
        evidence="Kyiv expelled diplomats",
    )
    plan = {
        "kind": "rupture",
        "event_type": "SANCTION",
        "modality": "planned",
        "evidence": "Moscow will close the consulate",
    }
    answer = make_event(actors=(RUSSIA,), recipients=(UKRAINE,), publisher="B", **plan)
    assert likeness(profile_of_event(expelled), profile_of_event(answer)) == 0
    again = make_event(
        kind="expulsion",
        event_type="SANCTION",
        actors=(RUSSIA,),
        recipients=(UKRAINE,),
        evidence="Diplomats of Kyiv expelled",
    )
    assert likeness(profile_of_event(expelled), profile_of_event(again)) > 0, "sides that a reader confused"


def test_sanctions_by_another_country_are_another_story():
    britain = Party(text="Britain", name="United Kingdom", country="GBR", sector="GOV")
    assert (
        len(fold(make_sanctions(), make_sanctions(actors=(britain,), evidence="Britain imposed sanctions on Russia")))
        == 2
    )


def test_sanctions_by_an_organisation_without_a_country_are_another_story():
    union = Party(text="The EU", name="European Union", sector="IGO")
    assert (
        len(fold(make_sanctions(), make_sanctions(actors=(union,), evidence="The EU put Russian firms on its list")))
        == 2
    )


def test_strikes_on_two_cities_in_one_night_are_two_stories():
    kyiv = make_event(
        "strike",
        "ASSAULT",
        actors=(RUSSIA,),
        recipients=(UKRAINE,),
        places=(KYIV,),
        evidence="Missiles hit Kyiv at night",
    )
    odesa = make_event(
        "strike",
        "ASSAULT",
        actors=(RUSSIA,),
        recipients=(UKRAINE,),
        places=(ODESA,),
        evidence="Missiles hit Odesa at night",
    )
    assert len(fold(kyiv, odesa)) == 2


def test_two_strikes_between_the_same_countries_need_more_than_the_countries():
    one = make_event(
        "strike",
        "ASSAULT",
        actors=(RUSSIA,),
        recipients=(UKRAINE,),
        evidence="A missile destroyed a bakery in the suburbs",
    )
    two = make_event(
        "strike", "ASSAULT", actors=(RUSSIA,), recipients=(UKRAINE,), evidence="Drones set a power plant on fire"
    )
    assert len(fold(one, two)) == 2


def test_fighting_that_goes_on_for_days_in_one_town_is_one_story():
    told = [
        make_event("clash", "ASSAULT", places=(KYIV,), evidence=f"Fighting for the bridges of Kyiv, day {n}",
                   date=make_day(NOW.date() + n * DAY), first_seen_at=NOW + n * DAY, publisher=f"P{n}")
        for n in range(6)
    ]  # fmt: skip
    assert len(fold(*told)) == 1


def test_accusations_of_one_day_differ_by_their_words():
    one = make_event(
        "accusation",
        "ACCUSE",
        actors=(USA,),
        recipients=(CHINA,),
        evidence="The US accused China of stealing seeds from laboratories",
    )
    two = make_event(
        "accusation",
        "ACCUSE",
        actors=(USA,),
        recipients=(CHINA,),
        evidence="Washington blamed Beijing for ramming a coast guard vessel",
    )
    assert len(fold(one, two)) == 2


def test_the_same_sentence_in_another_paper_joins_the_story():
    wire = make_event("protest", "PROTEST", evidence="Thousands marched through the old town against the reform")
    copy = make_event(
        "protest", "PROTEST", evidence="Thousands marched through the old town, against the reform", publisher="B"
    )
    assert len(fold(wire, copy)) == 1


def test_a_month_as_a_date_is_compatible_with_a_day_in_it():
    month = When(text="in May", start=dt.date(2024, 5, 1), end=dt.date(2024, 5, 31), precision="month")
    [story] = fold(make_meeting(date=month), make_meeting(publisher="B", evidence="Putin and Xi met on Tuesday"))
    assert story.date.precision == "day"


def test_different_families_never_mix():
    assert likeness(profile_of_happening(make_happening()), profile_of_event(make_sanctions())) == 0.0


@pytest.mark.parametrize(
    ("kind", "event_type", "expected"),
    [
        ("meeting", "CONSULT", "talks"), ("summit", "CONSULT", "talks"), ("visit", "CONSULT", "talks"), ("call", "CONSULT", "talks"),
        ("strike", "ASSAULT", "fighting"), ("clash", "ASSAULT", "fighting"), ("offensive", "ASSAULT", "fighting"),
        ("ceasefire", "AGREE", "accords"), ("ceasefire", "RETREAT", "accords"),
        ("arms_deal", "COOPERATE", "supply"), ("aid_package", "AID", "supply"),
        ("legal_action", "ACCUSE", "coercion"), ("arrest", "COERCE", "coercion"),
    ],
)  # fmt: skip
def test_reports_of_one_event_have_one_family(kind, event_type, expected):
    assert family(make_event(kind, event_type)) == expected
