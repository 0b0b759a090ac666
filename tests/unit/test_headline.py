"""The headlines of stories."""

import typing

import pytest
from hypothesis import given

from pipeline.alert.rules import known_kinds
from pipeline.records import EventType, Party, Place
from pipeline.track import headline
from pipeline.track.headline import in_words
from tests.make import (
    CHINA,
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
    make_sanctions,
)
from tests.strategies import events

POLICE = Party(text="Brazilian police", country="BRA", sector="COP")
BASTOS = Party(text="former minister Caio Bastos", name="Caio Bastos", country="BRA")
CROWD = Party(text="Thousands of pensioners")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (make_meeting(), "Vladimir Putin and Xi Jinping meet in Moscow"),
        (make_meeting(modality="planned"), "Vladimir Putin and Xi Jinping to meet in Moscow"),
        (make_meeting(actors=(PUTIN,), recipients=(XI,)), "Vladimir Putin meets Xi Jinping in Moscow"),
        (make_meeting(actors=()), "Talks held in Moscow"),
        (make_event("summit", "CONSULT", actors=(PUTIN, XI, USA, UKRAINE)), "Vladimir Putin, Xi Jinping and 2 others hold summit"),
        (make_event("visit", "CONSULT", actors=(XI,), recipients=(RUSSIA,)), "Xi Jinping visits Russia"),
        (make_event("visit", "CONSULT", actors=(XI,), places=(MOSCOW,)), "Xi Jinping visits Moscow"),
        (make_event("call", "CONSULT", actors=(PUTIN, XI)), "Vladimir Putin and Xi Jinping speak by phone"),
        (make_sanctions(), "United States imposes sanctions on Russia"),
        (make_sanctions(modality="planned"), "United States to impose sanctions on Russia"),
        (make_sanctions(actors=()), "Sanctions imposed on Russia"),
        (make_aid(), "United States announces $350 million military aid for Ukraine"),
        (make_aid(money=()), "United States announces military aid for Ukraine"),
        (make_event("arrest", "COERCE", actors=(POLICE,), recipients=(BASTOS,)), "Brazilian police arrest Caio Bastos"),
        (make_event("strike", "ASSAULT", actors=(RUSSIA,), recipients=(UKRAINE,), places=(KYIV,)), "Russia strikes Ukraine in Kyiv"),
        (make_event("strike", "ASSAULT", places=(KYIV,)), "Strike in Kyiv"),
        (make_event("clash", "ASSAULT", places=(KYIV,)), "Fighting in Kyiv"),
        (make_event("protest", "PROTEST", actors=(CROWD,), places=(KYIV,)), "Thousands of pensioners protest in Kyiv"),
        (make_event("accusation", "ACCUSE", actors=(USA,), recipients=(CHINA,)), "United States accuses China"),
        (make_event("ceasefire", "AGREE", actors=(RUSSIA, UKRAINE)), "Russia and Ukraine agree ceasefire"),
        (make_event("a_kind_of_ones_own", "COERCE", actors=(RUSSIA,)), "Russia acts: a kind of ones own"),
    ],
)  # fmt: skip
def test_headlines_read_like_headlines(event, line):
    assert headline.headline(event) == line


def test_a_country_that_is_a_party_is_not_named_again_as_the_place():
    land = Place(text="Russia", name="Russia", country="RUS")
    assert (
        headline.headline(make_meeting(actors=(XI,), recipients=(PUTIN,), places=(land,)))
        == "Xi Jinping meets Vladimir Putin"
    )


def test_of_a_country_and_its_leader_the_leader_is_named():
    assert (
        headline.headline(make_meeting(actors=(RUSSIA, PUTIN, XI, CHINA)))
        == "Vladimir Putin and Xi Jinping meet in Moscow"
    )


@pytest.mark.parametrize("event_type", typing.get_args(EventType))
def test_every_event_type_has_a_line_for_every_case(event_type):
    forms = headline.lines()["type"][event_type]
    assert set(forms) == {"one", "many", "planned", "bare"}


@pytest.mark.parametrize("kind", sorted(headline.lines()["kind"]))
def test_every_kind_has_a_line_for_every_case(kind):
    assert set(headline.lines()["kind"][kind]) == {"one", "many", "planned", "bare"}


def test_every_built_in_kind_has_lines_of_its_own():
    assert known_kinds() <= set(headline.lines()["kind"]) | {"support", "appeal", "accusation", "rejection", "threat"}


@given(events())
def test_no_headline_has_an_empty_field(event):
    line = headline.headline(event)
    assert line == line.strip()
    assert not set("{}[]|") & set(line)
    assert "  " not in line
    assert not line.endswith((" on", " with", " in", " for", " of", ":"))


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        (350e6, "USD", "$350 million"),
        (1.25e9, "EUR", "€1.25 billion"),
        (2e12, "JPY", "¥2 trillion"),
        (500_000, "USD", "$500,000"),
        (60e6, "NOK", "60 million NOK"),
    ],
)
def test_sums_are_written_as_in_newspapers(value, currency, words):
    assert in_words(value, currency) == words


def test_the_largest_sum_is_named():
    assert headline.amount([make_money(5e6), make_money(3e8)]) == "$300 million"
