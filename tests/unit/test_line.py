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
