"""The conditions of a rule, checked against a story."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alert.evaluate import check, countries_of, evaluate, leaders, said
from pipeline.alert.rules import MoneyAtLeast, Rule, Where
from pipeline.records import Party, When
from pipeline.track.stories import Stories
from tests.folding import make_brief
from tests.make import (
    CHINA,
    KYIV,
    MOSCOW,
    NOW,
    RUSSIA,
    USA,
    make_day,
    make_meeting,
    make_money,
    make_quantity,
    make_report,
    make_story,
)

DAY = dt.timedelta(days=1)


def make_rule(**changes):
    return Rule(**{"name": "a-rule", "about": "What it is for"} | changes)


def holds(story, **conditions):
    return bool(evaluate([make_rule(**conditions)], story))


def raised(rules, told):
    """Return every alert that these events raise, in order, as in the worker."""
    stories = Stories()
    return [a for event in told for story in stories.fold(make_brief(event)) for a in evaluate(rules, story)]


# --- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"kinds": ("meeting", "summit")}, True),
        ({"kinds": ("sanctions",)}, False),
        ({"event_types": ("CONSULT",)}, True),
        ({"event_types": ("AID",)}, False),
        ({"phases": ("planned",)}, False),
        ({"countries_any": ("CHN", "FRA")}, True),
        ({"countries_any": ("FRA",)}, False),
        ({"countries_any": ("G7",)}, False),
        ({"countries_any": ("BRICS",)}, True),
        ({"countries_all": ("RUS", "CHN")}, True),
        ({"countries_all": ("RUS", "FRA")}, False),
        ({"countries_all": ("RUS", "BRICS")}, True),
        ({"countries_at_least": 2}, True),
        ({"countries_at_least": 3}, False),
        ({"actors_any": ("Xi Jinping",)}, True),
        ({"actors_any": ("SCO",)}, True),
        ({"actors_any": ("Emmanuel Macron",)}, False),
        ({"recipients_any": ("RUS",)}, False),
        ({"places_any": ("RUS",)}, True),
        ({"places_any": ("EU",)}, False),
        ({"leaders_at_least": 2}, True),
        ({"sources_at_least": 2}, False),
        ({"confidence_at_least": 0.7}, True),
        ({"confidence_at_least": 0.8}, False),
        ({"text": "putin moscow"}, True),
        ({"text": "putin -moscow"}, False),
        ({"on": ("update",)}, False),
        ({"kinds": ("meeting",), "countries_any": ("FRA",)}, False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_hold(conditions, expected):
    assert holds(make_story(), **conditions) is expected


@pytest.mark.parametrize(
    ("money", "expected"),
    [
        ((make_money(350e6),), True),
        ((make_money(100e6),), True),
        ((make_money(99e6),), False),
        ((make_money(350e6, "JPY"),), False),
        ((make_money(5e6), make_money(2e8)), True),
        ((), False),
        ((make_money(95e6, "EUR"),), True),
        ((make_money(80e6, "EUR"),), False),
        ((make_money(20e9, "JPY"),), True),
        ((make_money(1e12, "XXX"),), False),
    ],
)
def test_money_in_another_currency_counts_at_a_rough_rate(money, expected):
    assert holds(make_story(money=money), money_at_least=MoneyAtLeast(value=100e6)) is expected


def test_a_rule_may_ask_for_its_own_currency_only():
    least = MoneyAtLeast(value=100e6, convert=False)
    assert not holds(make_story(money=(make_money(500e6, "EUR"),)), money_at_least=least)
    assert holds(make_story(money=(make_money(500e6, "EUR"), make_money(100e6))), money_at_least=least)


def test_a_check_shows_what_a_foreign_sum_is_worth():
    story = make_story(money=(make_money(95e6, "EUR"),))
    [one] = [
        c for c in check(make_rule(money_at_least=MoneyAtLeast(value=100e6)), story) if c.condition == "money_at_least"
    ]
    assert one.holds
    assert one.found == "€95 million, about $100 million"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"article_count": Where(at_least=1)}, True),
        ({"article_count": Where(at_least=2)}, False),
        ({"article_count": Where(at_most=1)}, True),
        ({"article_count": Where(at_most=0)}, False),
        ({"publishers": Where(any=("the paper", "Another"))}, True),
        ({"publishers": Where(none=("The Paper",))}, False),
        ({"reports.publisher": Where(any=("Another",))}, False),
        ({"reports.title": Where(text="exclusive")}, False),
        ({"reports.evidence": Where(text="moscow tuesday")}, True),
        ({"places.name": Where(any=("Moscow",))}, True),
        ({"places.lat": Where(at_least=50, at_most=60)}, True),
        ({"money.value": Where(at_least=0)}, False),
        ({"money.value": Where(at_most=0)}, False),
        ({"date.precision": Where(any=("day",))}, True),
        ({"date.start": Where(any=("2024-05-14",))}, True),
        ({"subtype": Where(none=("military",))}, True),
        ({"reports.attributed_to": Where(none=("the Kremlin",))}, True),
        ({"reports.contexts": Where(any=("diplomatic",))}, False),
        ({"article_count": Where(at_least=1), "subtype": Where(any=("military",))}, False),
    ],
)
def test_a_rule_may_ask_for_any_field_of_a_story(where, expected):
    assert holds(make_story(), where=where) is expected


def test_a_rule_may_ask_for_fields_of_the_reports():
    told = make_meeting(attributed_to="the Kremlin", contexts=("diplomatic",), event_mode="visit")
    where = {
        "reports.attributed_to": Where(any=("The Kremlin",)),
        "reports.contexts": Where(any=("diplomatic",)),
        "reports.event_mode": Where(any=("visit",)),
        "reports.trigger": Where(text="putin"),
    }
    assert raised([make_rule(where=where)], [told])
    assert not raised([make_rule(where=where)], [make_meeting()])


def test_a_toll_is_compared_by_its_unit():
    story = make_story(quantities=(make_quantity(60), make_quantity(200, "injured")))
    assert holds(story, quantity_at_least={"dead": 50})
    assert not holds(story, quantity_at_least={"dead": 100})
    assert not holds(story, quantity_at_least={"missing": 1})


def test_an_organisation_counts_for_its_group():
    union = Party(text="The EU", name="European Union", sector="IGO")
    story = make_story(actors=(union,), recipients=(RUSSIA,))
    assert holds(story, actors_any=("EU",))
    assert holds(story, countries_any=("EU",))
    assert holds(story, countries_at_least=2)
    assert not holds(story, actors_any=("NATO",))


@pytest.mark.parametrize("modality", ["hypothetical", "denied", "historical"])
def test_denied_and_hypothetical_stories_count_only_if_the_rule_asks_for_them(modality):
    story = make_story(modality=modality)
    assert not holds(story)
    assert holds(story, modalities=(modality,))


@pytest.mark.parametrize(("days", "expected"), [(0, True), (10, True), (11, False), (400, False), (-30, True)])
def test_an_event_long_before_its_report_raises_nothing(days, expected):
    assert holds(make_story(date=make_day(NOW.date() - days * DAY))) is expected


def test_the_last_day_of_a_range_counts():
    year = When(text="this year", start=dt.date(2024, 1, 1), end=dt.date(2024, 12, 31), precision="year")
    assert holds(make_story(date=year))


@pytest.mark.parametrize(("hours", "expected"), [(1, True), (72, True), (73, False)])
def test_a_report_published_long_before_it_was_fetched_raises_nothing(hours, expected):
    old = make_report(published_at=NOW - dt.timedelta(hours=hours))
    assert holds(make_story(reports=(old,), date=None), told_within_hours=72) is expected


def test_one_fresh_report_is_enough_and_a_report_without_a_date_is_fresh():
    old = make_report(published_at=NOW - 30 * DAY)
    assert holds(make_story(reports=(old, make_report(event_id="e2")), date=None), told_within_hours=72)
    assert holds(make_story(reports=(make_report(published_at=None),), date=None), told_within_hours=72)


# --- leaders ---------------------------------------------------------------------------------------------------------


def party(text, country, name=None):
    return Party(text=text, name=name, country=country, sector="GOV")


@pytest.mark.parametrize(
    ("actors", "evidence", "number"),
    [
        (
            (party("Kenyan President Samuel Otieno", "KEN"), party("Japanese Prime Minister Haruka Ishida", "JPN")),
            "",
            2,
        ),
        ((party("Kenyan Foreign Minister Ann Kamau", "KEN"), party("Prime Minister Haruka Ishida", "JPN")), "", 1),
        ((party("Vice President Ann Kamau", "KEN"), party("the former president Jon Doe", "JPN")), "", 0),
        (
            (party("Otieno", "KEN"), party("Ishida", "JPN")),
            "President Samuel Otieno met prime minister Haruka Ishida",
            2,
        ),
        ((party("Otieno", "KEN"), party("Ishida", "JPN")), "Otieno and Ishida met", 0),
        ((party("Putin", "RUS", "Vladimir Putin"), party("Xi", "CHN", "Xi Jinping")), "Putin and Xi met", 2),
        ((party("the president of the court", "NLD"),), "", 0),
        (
            (party("Hamdok", "SDN", "Abdalla Hamdok"),),
            "the former Prime Minister of Sudan Abdalla Hamdok",
            0,
        ),  # until 2022
        ((party("Witkoff", "USA"),), "the president's special envoy Steve Witkoff", 0),
        ((party("Tshisekedi", "COD"),), "a diplomatic envoy of Congolese president Félix Tshisekedi", 0),
        ((party("Pompeo", "USA"),), "talks with President Barham Salih, Pompeo said", 0),
        ((party("Pompeo", "USA"),), "talks of President Barham Salih and Mike Pompeo", 0),
        ((party("Doe", "USA"),), "talks of Presidents Salih, Roe and Jon Doe", 1),
    ],
)
def test_leaders_are_recognised_by_title_evidence_or_name(actors, evidence, number):
    assert leaders(make_story(actors=actors, reports=(make_report(evidence=evidence),))) == number


@pytest.mark.parametrize(
    ("actors", "places", "evidence", "number"),
    [
        ((RUSSIA, CHINA), (), "A summit opens", 2),
        ((RUSSIA,), (MOSCOW,), "A summit opens in Moscow", 0),
        ((RUSSIA,), (MOSCOW,), "Leaders of thirty countries gather in Moscow", 2),
        ((RUSSIA,), (), "At the NATO summit the president spoke", 2),
        ((RUSSIA,), (KYIV,), "A summit opens in Kyiv", 2),
        ((RUSSIA, CHINA), (), "The National People's Congress opens", 0),
        ((Party(text="NATO", name="NATO", sector="IGO"),), (), "NATO leaders gather", 2),
    ],
)
def test_a_summit_of_states_is_a_meeting_of_leaders_by_its_name(actors, places, evidence, number):
    told = make_story(kind="summit", actors=actors, places=places, reports=(make_report(evidence=evidence, title=""),))
    assert leaders(told) == number


def test_one_source_that_is_not_sure_of_the_kind_is_not_enough_for_a_rule_of_kinds():
    unsure = make_report(kind="", lead=True)
    sure = make_report(event_id="e2", kind="meeting", lead=True)
    asked = {"kinds": ("meeting",), "floor": 0.5}
    assert not holds(make_story(reports=(unsure,)), **asked)
    assert holds(make_story(reports=(unsure, sure)), **asked)
    assert holds(make_story(reports=(unsure,), source_count=2), **asked)
    assert holds(make_story(reports=(unsure,)), floor=0.5)


# --- text queries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("nuclear", True),
        ("NUCLEAR sites", True),
        ("nuclear submarine", False),
        ("submarine|sites", True),
        ('"nuclear sites"', True),
        ('"sites nuclear"', False),
        ("-submarine", True),
        ("-nuclear", False),
        ('-"nuclear sites"', False),
        ("nucl*", True),
        ("nucl", False),
        ("clear", False),
        ("", True),
    ],
)
def test_text_queries(query, expected):
    assert said(query, "Iran rejects inspections of two nuclear  sites.") is expected


@given(st.text(max_size=30), st.text(max_size=60))
def test_every_query_is_accepted(query, text):
    assert said(query, text) in (True, False)


def test_countries_are_those_that_take_part():
    assert countries_of(make_story(recipients=(USA,))) == ("CHN", "RUS", "USA")


def test_check_says_why_a_rule_did_not_match():
    failed = [c for c in check(make_rule(kinds=("sanctions",), sources_at_least=2), make_story()) if not c.holds]
    assert [(c.condition, c.wanted, c.found) for c in failed] == [
        ("kinds", "sanctions", "meeting"),
        ("sources_at_least", "2", "1"),
    ]
