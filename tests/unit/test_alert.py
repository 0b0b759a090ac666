"""Story -> Alerts: when a rule rings, that it rings once, and what it says."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alert.evaluate import check, countries_of, evaluate, leaders, load_rules, said
from pipeline.alert.rules import MoneyAtLeast, Rule, Where
from pipeline.records import Alert, Party, When, decode, encode
from pipeline.track.stories import Stories
from tests.make import (
    CHINA,
    NOW,
    PUTIN,
    RUSSIA,
    USA,
    XI,
    make_aid,
    make_day,
    make_event,
    make_meeting,
    make_money,
    make_quantity,
    make_report,
    make_sanctions,
    make_story,
)
from tests.strategies import events, unique

SHIPPED = Path(__file__).parents[2] / "configs/alerts.toml"
DAY = dt.timedelta(days=1)
FRANCE = Party(text="France", name="France", country="FRA", sector="GOV")


def make_rule(**changes):
    return Rule(**{"name": "a-rule", "about": "What it is for"} | changes)


def rings(story, **conditions):
    return bool(evaluate([make_rule(**conditions)], story))


def rung(rules, told):
    """Every alert that these events raise, in order, as the worker would see them."""
    stories = Stories()
    return [a for event in told for story in stories.fold(event) for a in evaluate(rules, story)]


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
def test_a_rule_rings_when_all_its_conditions_hold(conditions, expected):
    assert rings(make_story(), **conditions) is expected


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
    assert rings(make_story(money=money), money_at_least=MoneyAtLeast(value=100e6)) is expected


def test_a_rule_may_keep_to_its_own_currency():
    least = MoneyAtLeast(value=100e6, convert=False)
    assert not rings(make_story(money=(make_money(500e6, "EUR"),)), money_at_least=least)
    assert rings(make_story(money=(make_money(500e6, "EUR"), make_money(100e6))), money_at_least=least)


def test_what_a_foreign_sum_is_taken_for_is_told():
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
def test_any_field_of_a_story_may_be_asked_for(where, expected):
    assert rings(make_story(), where=where) is expected


def test_the_events_of_a_story_may_be_asked_for_what_they_alone_know():
    told = make_meeting(attributed_to="the Kremlin", contexts=("diplomatic",), event_mode="visit")
    where = {
        "reports.attributed_to": Where(any=("The Kremlin",)),
        "reports.contexts": Where(any=("diplomatic",)),
        "reports.event_mode": Where(any=("visit",)),
        "reports.trigger": Where(text="putin"),
    }
    assert rung([make_rule(where=where)], [told])
    assert not rung([make_rule(where=where)], [make_meeting()])


def test_what_was_merged_into_another_story_is_silent_and_its_alerts_count_for_the_other():
    assert not rings(make_story(merged_into="other"))
    [rung_before] = evaluate([make_rule()], make_story(id="old"))
    assert evaluate([make_rule()], make_story(merged_ids=("old",)), {rung_before.id}) == ()
    assert evaluate([make_rule()], make_story(merged_ids=("old",)))


def test_a_toll_is_compared_by_its_unit():
    story = make_story(quantities=(make_quantity(60), make_quantity(200, "injured")))
    assert rings(story, quantity_at_least={"dead": 50})
    assert not rings(story, quantity_at_least={"dead": 100})
    assert not rings(story, quantity_at_least={"missing": 1})


def test_an_organisation_counts_for_its_group():
    union = Party(text="The EU", name="European Union", sector="IGO")
    story = make_story(actors=(union,), recipients=(RUSSIA,))
    assert rings(story, actors_any=("EU",))
    assert rings(story, countries_any=("EU",))
    assert rings(story, countries_at_least=2)
    assert not rings(story, actors_any=("NATO",))


@pytest.mark.parametrize("modality", ["hypothetical", "denied", "historical"])
def test_what_is_not_so_rings_only_where_the_rule_says_so(modality):
    story = make_story(modality=modality)
    assert not rings(story)
    assert rings(story, modalities=(modality,))


@pytest.mark.parametrize(("days", "expected"), [(0, True), (10, True), (11, False), (400, False), (-30, True)])
def test_what_happened_long_before_it_was_told_rings_not(days, expected):
    assert rings(make_story(date=make_day(NOW.date() - days * DAY))) is expected


def test_of_a_range_of_days_the_last_one_counts():
    year = When(text="this year", start=dt.date(2024, 1, 1), end=dt.date(2024, 12, 31), precision="year")
    assert rings(make_story(date=year))


@pytest.mark.parametrize(("hours", "expected"), [(1, True), (72, True), (73, False)])
def test_what_was_published_long_before_it_was_met_rings_not(hours, expected):
    old = make_report(published_at=NOW - dt.timedelta(hours=hours))
    assert rings(make_story(reports=(old,), date=None), told_within_hours=72) is expected


def test_a_fresh_report_makes_an_old_story_ring_and_no_date_counts_as_fresh():
    old = make_report(published_at=NOW - 30 * DAY)
    assert rings(make_story(reports=(old, make_report(event_id="e2")), date=None), told_within_hours=72)
    assert rings(make_story(reports=(make_report(published_at=None),), date=None), told_within_hours=72)


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
    ],
)
def test_leaders_are_told_by_title_evidence_or_name(actors, evidence, number):
    assert leaders(make_story(actors=actors, reports=(make_report(evidence=evidence),))) == number


def test_a_summit_is_a_meeting_of_leaders_by_its_name():
    assert leaders(make_story(kind="summit", actors=(RUSSIA, CHINA))) == 2


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
def test_no_query_breaks(query, text):
    assert said(query, text) in (True, False)


# --- once ------------------------------------------------------------------------------------------------------------


def test_two_hundred_reports_ring_one_bell():
    told = [
        make_meeting(publisher=f"P{n}", evidence=f"President Putin and President Xi met, report {n}") for n in range(60)
    ]
    alerts = rung(load_rules(SHIPPED).rules, told)
    assert {a.rule for a in alerts} == {"leaders-meet", "widely-told"}
    assert len({a.id for a in alerts}) == 3  # leaders-meet once; widely-told at ten and at thirty publishers


def test_a_rule_that_becomes_true_with_the_second_source_rings_then_and_under_one_id():
    told = [make_sanctions(publisher=f"P{n}") for n in range(4)]
    alerts = rung([make_rule(sources_at_least=2)], told)
    assert len({a.id for a in alerts}) == 1
    assert alerts[0].story_revision == 2
    assert alerts[0].occasion == "new"


def test_a_change_of_phase_rings_once_for_each_phase():
    plan = make_meeting(modality="planned", date=None, evidence="Putin and Xi will meet in Moscow")
    told = [
        plan,
        make_meeting(publisher="B"),
        make_meeting(publisher="C", evidence="The talks of Putin and Xi in Moscow ended"),
    ]
    alerts = rung([make_rule(on=("phase",))], [*told, make_meeting(publisher="D")])
    assert list(dict.fromkeys(a.occasion for a in alerts)) == ["phase:happened", "phase:ended"]
    assert len({a.id for a in alerts}) == 2


def test_a_rule_on_updates_rings_for_what_is_new_and_not_for_one_more_report():
    told = [make_aid(425e6), make_aid(425e6), make_aid(420e6, publisher="B"), make_aid(420e6, publisher="C")]
    alerts = rung([make_rule(on=("update",))], told)
    assert {a.occasion for a in alerts} == {"update:1"}


def test_ids_differ_by_rule_story_and_occasion():
    story, other = make_story(), make_story(id="other")
    found = evaluate([make_rule(), make_rule(name="b-rule")], story) + evaluate([make_rule()], other)
    assert len({a.id for a in found}) == 3


@given(st.lists(events(), max_size=20).map(unique))
@settings(max_examples=60, deadline=None)
def test_no_rule_rings_twice_for_a_story_on_new_and_a_replay_rings_the_same(told):
    rules = [make_rule(), *load_rules(SHIPPED).rules]
    once, again = rung(rules, told), rung(rules, told)
    assert once == again
    keyed = {(a.rule, a.story_id, a.occasion): a.id for a in once}
    assert len(set(keyed.values())) == len(keyed)
    for found in once:
        assert found.id == keyed[found.rule, found.story_id, found.occasion]
        assert decode(encode(found), Alert) == found


# --- what ships ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (make_meeting(evidence="President Putin met President Xi"), "leaders-meet"),
        (make_meeting(modality="planned", evidence="President Putin is to meet President Xi"), "leaders-meet"),
        (make_event("summit", "CONSULT", actors=(RUSSIA, CHINA)), "leaders-meet"),
        (make_event("call", "CONSULT", actors=(PUTIN, XI)), "leaders-call"),
        (make_sanctions(), "new-sanctions"),
        (make_sanctions(modality="planned"), "new-sanctions"),
        (make_aid(100e6), "large-aid-package"),
        (make_event("ceasefire", "AGREE", actors=(RUSSIA, USA), evidence="Both agreed to a ceasefire"), "ceasefire"),
        (
            make_event(
                "expulsion", "COERCE", actors=(USA,), recipients=(RUSSIA,), evidence="The US expelled ten diplomats"
            ),
            "diplomats-expelled",
        ),
        (make_event("threat", "THREATEN", actors=(RUSSIA,), evidence="Moscow threatened a nuclear strike"), "nuclear"),
    ],
)
def test_the_shipped_rules_ring_for_what_they_are_for(event, rule):
    assert [a.rule for a in rung(load_rules(SHIPPED).rules, [event])] == [rule]


@pytest.mark.parametrize(
    "event",
    [
        make_meeting(
            actors=(party("Foreign Minister Lavrov", "RUS"), party("Foreign Minister Wang", "CHN")), evidence="They met"
        ),
        make_meeting(actors=(PUTIN,), evidence="President Putin met veterans"),
        make_sanctions(modality="hypothetical"),
        make_sanctions(modality="denied"),
        make_sanctions(modality="historical"),
        make_sanctions(date=make_day(NOW.date() - 100 * DAY)),
        make_aid(60e6),
        make_event(
            "ceasefire", "AGREE", modality="planned", actors=(RUSSIA, USA), evidence="They will agree to a ceasefire"
        ),
        make_event("ceasefire", "AGREE", actors=(RUSSIA, USA), evidence="The firm suspended its operations"),
        make_event("protest", "PROTEST", actors=(FRANCE,), evidence="Marchers against nuclear power"),
    ],
)
def test_the_shipped_rules_keep_silent_otherwise(event):
    assert rung(load_rules(SHIPPED).rules, [event]) == []


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_message_is_short_and_complete():
    story = make_story(recipients=(FRANCE,), money=(make_money(425e6), make_money(420e6)), quantities=(make_quantity(7),),
                       publishers=("A", "B", "C", "D", "E"), source_count=3, confidence=0.876)  # fmt: skip
    [found] = evaluate([make_rule()], story)
    assert found.message.splitlines() == [
        "NEW: Putin and Xi meet in Moscow",
        "What: meeting, happened; 7 dead",
        "Who: Vladimir Putin (Russia), Xi Jinping (China) → France",
        "Where: Moscow (Russia)",
        "When: 14 May 2024",
        "Sum: $425 million or $420 million",
        "Sure: 88% (3 independent sources: A, B, C, D and 1 more)",
        "“Putin and Xi met in Moscow on Tuesday”",
        "https://news.example/a1",
    ]


def test_a_message_leaves_out_what_is_not_known():
    [found] = evaluate([make_rule()], make_story(actors=(), places=(), date=None, reports=()))
    assert found.message.splitlines() == [
        "NEW: Putin and Xi meet in Moscow",
        "What: meeting, happened",
        "When: told 14 May 2024",
        "Sure: 70% (1 independent source: The Paper)",
    ]


def test_a_rule_may_have_its_own_words():
    [found] = evaluate([make_rule(template="{rule}: {headline} ({sure}) {link}")], make_story())
    assert found.message == "a-rule: Putin and Xi meet in Moscow (70%) https://news.example/a1"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (dt.date(2024, 5, 1), dt.date(2024, 5, 31), "1 May to 31 May 2024"),
        (dt.date(2023, 12, 30), dt.date(2024, 1, 2), "30 December 2023 to 2 January 2024"),
    ],
)
def test_ranges_of_days_are_told_as_ranges(start, end, words):
    date = When(text="then", start=start, end=end, precision="month")
    [found] = evaluate([make_rule(happened_within_days=999)], make_story(date=date))
    assert f"When: {words}" in found.message


def test_the_evidence_is_that_of_the_surest_report_of_the_storys_own_modality():
    story = make_story(
        reports=(
            make_report(event_id="1", confidence=0.5, evidence="weak"),
            make_report(event_id="2", confidence=0.9, evidence="strong", article_url="https://b.example/"),
            make_report(event_id="3", confidence=0.95, evidence="a denial", modality="denied"),
        )
    )
    [found] = evaluate([make_rule()], story)
    assert (found.evidence, found.url) == ("strong", "https://b.example/")


def test_time_in_an_alert_is_event_time():
    [found] = evaluate([make_rule()], make_story(last_seen_at=NOW + DAY))
    assert found.raised_at == NOW + DAY


def test_countries_are_those_who_take_part():
    assert countries_of(make_story(recipients=(USA,))) == ("CHN", "RUS", "USA")


def test_check_says_why_a_rule_did_not_match():
    failed = [c for c in check(make_rule(kinds=("sanctions",), sources_at_least=2), make_story()) if not c.holds]
    assert [(c.condition, c.wanted, c.found) for c in failed] == [
        ("kinds", "sanctions", "meeting"),
        ("sources_at_least", "2", "1"),
    ]
