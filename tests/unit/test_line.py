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
        (make_meeting(actors=(PUTIN,), recipients=(XI,)), "Meeting: Vladimir Putin → Xi Jinping · Moscow · 14 May 2024"),
        (make_event("summit", "CONSULT", actors=(PUTIN, XI, USA, UKRAINE)), "Summit: Vladimir Putin, Xi Jinping and 2 others"),
        (make_event("call", "CONSULT", actors=(PUTIN, XI)), "Telephone call: Vladimir Putin and Xi Jinping"),
        (make_sanctions(), "Sanctions: United States → Russia · 14 May 2024"),
        (make_sanctions(actors=()), "Sanctions: → Russia · 14 May 2024"),
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


SURE = {"kind": 0.9, "modality": 0.9, "actors": 0.9, "recipients": 0.9, "date": 0.9, "money": 0.9}


@pytest.mark.parametrize(
    ("unsure", "wanted"),
    [
        ({}, "Sanctions: United States → Russia · 14 May 2024"),
        ({"date": 0.5}, "Sanctions: United States → Russia"),
        ({"recipients": 0.5}, "Sanctions: United States · 14 May 2024"),
        ({"actors": 0.5}, ""),
        ({"kind": 0.5}, ""),
        ({"modality": 0.5}, ""),
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
        (make_event("support", "SUPPORT", actors=tuple(Party(text=n, name=n) for n in ("Sanders", "Bernie Sanders", "Senator Bernie Sanders"))),
         "Support: Bernie Sanders"),
        # pieces of sentences are no names
        (make_event("support", "SUPPORT", actors=(Party(text="w", name="Washington and"), USA, Party(text="j", name="federal jury that convicted Bo Ek"))),
         "Support: United States"),
        # one side is named on both
        (make_event("threat", "THREATEN", actors=(RUSSIA, USA), recipients=(USA,)), "Threat: Russia → United States"),
    ],
)  # fmt: skip
def test_each_side_is_named_once(event, wanted):
    assert line(begin(event)) == wanted


def test_the_surest_report_of_a_part_counts():
    [one] = fold(
        make_sanctions(shares=SURE | {"date": 0.1}), make_sanctions(publisher="B", shares=SURE | {"date": 0.8})
    )
    assert one.shares["date"] == 0.8


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
