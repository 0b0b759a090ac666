"""The structured line of a happening: only what is known, no verb."""

import msgspec
import pytest
from hypothesis import given

from pipeline.records import Party, Place
from pipeline.track.happening import begin
from pipeline.track.line import in_words, line
from tests.folding import fold
from tests.make import (
    KYIV,
    MOSCOW,
    PUTIN,
    RUSSIA,
    UKRAINE,
    USA,
    XI,
    make_aid,
    make_event,
    make_meeting,
    make_money,
    make_quantity,
    make_sanctions,
)
from tests.strategies import events

CROWD = Party(text="Thousands of pensioners")


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (make_meeting(), "Meeting: Vladimir Putin and Xi Jinping · Moscow · 14 May 2024"),
        (make_meeting(modality="planned"), "Meeting (planned): Vladimir Putin and Xi Jinping · Moscow · 14 May 2024"),
        (make_meeting(actors=(PUTIN,), recipients=(XI,)), "Meeting: Vladimir Putin and Xi Jinping · Moscow · 14 May 2024"),
        (make_event("summit", "CONSULT", actors=(PUTIN, XI, USA, UKRAINE)), "Summit: Vladimir Putin, Xi Jinping and 2 others"),
        (make_event("call", "CONSULT", actors=(PUTIN, XI)), "Telephone call: Vladimir Putin and Xi Jinping"),
        (make_sanctions(), "Sanctions: United States → Russia · 14 May 2024"),
        (make_event("arrest", "COERCE", recipients=(XI,)), "Arrest: → Xi Jinping"),
        (make_aid(), "Military aid package: United States → Ukraine · $350 million"),
        (make_event("strike", "ASSAULT", actors=(RUSSIA,), recipients=(UKRAINE,), places=(KYIV,), quantities=(make_quantity(7),)),
         "Air or missile strike: Russia → Ukraine · Kyiv · 7 dead"),
    ],
)  # fmt: skip
def test_the_line_says_kind_parties_place_day_and_amount(event, wanted):
    assert line(begin(event)) == wanted


@pytest.mark.parametrize(
    "event", [make_meeting(actors=()), make_event("protest", "PROTEST", actors=(CROWD,), places=(KYIV,))]
)
def test_without_a_known_party_there_is_no_line(event):
    assert line(begin(event)) == ""


SURE = {"kind": 0.95, "modality": 0.95, "actors": 0.95, "recipients": 0.95, "date": 0.95, "money": 0.95}


@pytest.mark.parametrize(
    ("unsure", "wanted"),
    [
        ({}, "Sanctions: United States → Russia · 14 May 2024"),
        ({"date": 0.8}, "Sanctions: United States → Russia"),
        ({"recipients": 0.8}, ""),
        ({"actors": 0.8}, ""),
        ({"kind": 0.8}, ""),
        ({"modality": 0.8}, ""),
    ],
)
def test_what_the_reader_is_not_sure_of_is_not_told(unsure, wanted):
    assert line(begin(make_sanctions(shares=SURE | unsure))) == wanted


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        # of one country the country, in talks the person
        (make_sanctions(actors=(USA, Party(text="the Treasury", name="Treasury", country="USA", sector="GOV"))),
         "Sanctions: United States → Russia · 14 May 2024"),
        (make_event("call", "CONSULT", actors=(RUSSIA, PUTIN, XI)), "Telephone call: Vladimir Putin and Xi Jinping"),
        (make_event("meeting", "CONSULT", actors=(XI, *(Party(text=n, name=n) for n in ("Sanders", "Bernie Sanders", "Senator Bernie Sanders")))),
         "Meeting: Xi Jinping and Bernie Sanders"),
        # pieces of sentences are no names
        (make_sanctions(actors=(Party(text="Washington and", name="Washington and"), USA, Party(text="Texas. Jeffs", name="Texas. Jeffs"))),
         "Sanctions: United States → Russia · 14 May 2024"),
        # neither the nameless, nor people of a country for the country, nor the place of an act
        (make_event("arrest", "COERCE", recipients=(XI, Party(text="23 Somali pirates", name="Somalia", country="SOM", sector="CRM"))),
         "Arrest: → Xi Jinping"),
        (make_event("arrest", "COERCE", recipients=(XI, Party(text="Moscow's mayor", name="Moscow")), places=(MOSCOW,)), "Arrest: → Xi Jinping · Moscow"),
        (make_meeting(actors=(PUTIN, XI, Party(text="UN-run school", name="United Nations", sector="IGO"))),
         "Meeting: Vladimir Putin and Xi Jinping · Moscow · 14 May 2024"),
        # a company that no list has
        (make_event("agreement", "AGREE", actors=(Party(text="Ardea"), Party(text="Seamill"), Party(text="Shares", sector="BUS"))),
         "Agreement: Ardea and Seamill"),
        # initials are another form of a name
        (make_event("agreement", "AGREE", actors=(Party(text="Ardea"), Party(text="SP"), Party(text="Seamill Power"))),
         "Agreement: Ardea and Seamill Power"),
        # of one that is named on both sides it is not sure what it did
        (make_event("threat", "THREATEN", actors=(RUSSIA, USA), recipients=(USA,)), ""),
    ],
)  # fmt: skip
def test_each_side_is_named_once(event, wanted):
    assert line(begin(event)) == wanted


@pytest.mark.parametrize(
    "event",
    [
        make_sanctions(recipients=()),
        make_sanctions(actors=()),
        make_event("legal_action", "COERCE", actors=(USA,)),
        make_event("meeting", "CONSULT", actors=(XI,)),
        make_event("protest", "PROTEST", actors=(RUSSIA,)),
        make_event("election", "CONSULT", actors=(XI,)),
        make_event("attack", "ASSAULT", actors=(RUSSIA,)),
    ],
)
def test_half_of_what_happened_is_no_line(event):
    assert line(begin(event)) == ""


def told_by(*articles, **changes):
    """Return the happening that articles tell, each of them with these actors and recipients."""
    [one] = fold(*(
        make_sanctions(actors=actors, recipients=recipients, publisher=f"Paper {n}", **changes)
        for n, (actors, recipients) in enumerate(articles)
    ))  # fmt: skip
    return one


def test_a_party_of_one_article_of_many_is_left_out():
    usual = ((USA,), (RUSSIA,))
    assert (
        line(told_by(usual, usual, ((USA, UKRAINE), (RUSSIA,)), usual))
        == "Sanctions: United States → Russia · 14 May 2024"
    )


@pytest.mark.parametrize(("kind", "other", "wanted"), [("summit", "meeting", True), ("meeting", "visit", False)])
def test_who_tells_a_meeting_does_not_speak_against_a_summit(kind, other, wanted):
    happening = begin(make_event(kind, "CONSULT", actors=(PUTIN, XI)))
    first = happening.reports[0]
    others = [msgspec.structs.replace(first, article_id=name, kind=other) for name in ("b", "c", "d")]
    told = msgspec.structs.replace(happening, reports=(first, *others))
    assert bool(line(told)) is wanted


def test_parties_on_both_sides_by_turns_are_on_neither():
    one, other = ((USA,), (RUSSIA,)), ((USA, RUSSIA), (RUSSIA, USA))
    assert line(told_by(one, other, other)) == ""


def test_many_articles_make_sure_what_the_reader_of_one_is_not():
    shares = SURE | {"actors": 0.7}
    usual = ((USA,), (RUSSIA,))
    assert line(told_by(usual, shares=shares)) == ""
    assert line(told_by(usual, usual, shares=shares)) == "Sanctions: United States → Russia · 14 May 2024"


def test_of_one_article_only_the_parties_in_its_title_are_told():
    event = make_event("meeting", "CONSULT", actors=(PUTIN, XI, UKRAINE), article_title="Putin receives Xi")
    assert line(begin(event)) == "Meeting: Vladimir Putin and Xi Jinping"


def test_who_only_belongs_to_somebody_is_not_that_person_and_a_region_is_nobody():
    diplomats = Party(text="Russian diplomats loyal to Vladimir Putin", name="Vladimir Putin", country="RUS")
    assert line(begin(make_sanctions(recipients=(diplomats,)))) == ""
    leaders = Party(text="a range of Middle East leaders", name="Middle East", sector="GOV")
    assert line(begin(make_meeting(actors=(PUTIN, XI, leaders)))).startswith("Meeting: Vladimir Putin and Xi Jinping")


def test_a_title_in_capitals_gives_no_names():
    parties = {
        "actors": (Party(text="Italy Marks Day", name="Italy Marks Day"),),
        "recipients": (Party(text="Threaten Quake"),),
    }
    title = "Italy Marks Day of Mourning; Prosecutors Threaten Quake Victims"
    assert (
        line(begin(make_event("threat", "THREATEN", section="title", article_title=title, evidence=title, **parties)))
        == ""
    )


def test_other_days_and_sums_of_many_articles_are_not_told():
    usual = ((USA,), (RUSSIA,))
    fine = [make_money(5e6)]
    one = told_by(usual, usual, usual, usual, money=tuple(fine))
    assert line(one).endswith("$5 million")
    [mixed] = fold(*(make_sanctions(publisher=f"P{n}", money=(make_money(5e6 if n < 3 else 6e6),)) for n in range(4)))
    assert line(mixed).endswith("$5 million")


def test_an_unsure_happening_has_no_line_until_a_second_source_tells_it():
    [first] = fold(make_meeting(confidence=0.6))
    assert first.line == ""
    [second] = fold(make_meeting(confidence=0.6), make_meeting(confidence=0.6, publisher="The Post"))
    assert second.line.startswith("Meeting: ")


def test_where_reports_differ_the_lowest_and_the_highest_are_told():
    [aid] = fold(make_aid(425e6), make_aid(420e6, publisher="B"))
    assert aid.line.endswith("$420 million to $425 million")


def test_several_places_or_an_inexact_day_are_left_out():
    places = (MOSCOW, Place(text="Sochi", name="Sochi", country="RUS", lat=43.6, lon=39.7))
    assert line(begin(make_meeting(places=places, date=None))) == "Meeting: Vladimir Putin and Xi Jinping"


@given(events())
def test_any_event_gives_a_line_without_holes(event):
    told = line(msgspec.structs.replace(begin(event), money=(make_money(5e6),)))
    assert "{" not in told
    assert "None" not in told
    assert "  " not in told


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [(3.5e8, "USD", "$350 million"), (1.25e9, "EUR", "€1.25 billion"), (2e12, "JPY", "¥2 trillion"), (900, "GBP", "£900"), (5e6, "NOK", "5 million NOK")],
)  # fmt: skip
def test_sums_are_written_as_in_a_newspaper(value, currency, words):
    assert in_words(value, currency) == words
