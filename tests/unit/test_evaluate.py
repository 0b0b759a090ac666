"""Story -> Alerts: each alert is raised once, the shipped rules, and the text of an alert."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alert.evaluate import evaluate, load_rules
from pipeline.alert.rules import Rule
from pipeline.records import Alert, Party, When, decode, encode
from pipeline.track.happening import begin
from pipeline.track.stories import Stories
from tests.folding import make_brief
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


def party(text, country, name=None):
    return Party(text=text, name=name, country=country, sector="GOV")


def make_rule(**changes):
    return Rule(**{"name": "a-rule", "about": "What it is for"} | changes)


def holds(story, **conditions):
    return bool(evaluate([make_rule(**conditions)], story))


def raised(rules, told):
    """Return every alert that these events raise, in order, as in the worker."""
    stories = Stories()
    return [a for event in told for story in stories.fold(make_brief(event)) for a in evaluate(rules, story)]


# --- once ------------------------------------------------------------------------------------------------------------


def test_many_reports_raise_each_alert_once():
    told = [
        make_meeting(publisher=f"P{n}", evidence=f"President Putin and President Xi met, report {n}") for n in range(60)
    ]
    alerts = raised(load_rules(SHIPPED).rules, told)
    assert {a.rule for a in alerts} == {"leaders-meet", "widely-told"}
    assert len({a.id for a in alerts}) == 3  # leaders-meet once; widely-told at ten and at thirty publishers


def test_a_rule_that_holds_from_the_second_source_on_raises_one_alert_then():
    told = [make_sanctions(publisher=f"P{n}") for n in range(4)]
    alerts = raised([make_rule(sources_at_least=2)], told)
    assert len({a.id for a in alerts}) == 1
    assert alerts[0].story_revision == 2
    assert alerts[0].occasion == "new"


def test_a_change_of_phase_raises_one_alert_for_each_phase():
    plan = make_meeting(modality="planned", date=None, evidence="Putin and Xi will meet in Moscow")
    told = [
        plan,
        make_meeting(publisher="B"),
        make_meeting(publisher="C", evidence="The talks of Putin and Xi in Moscow ended"),
    ]
    alerts = raised([make_rule(on=("phase",))], [*told, make_meeting(publisher="D")])
    assert list(dict.fromkeys(a.occasion for a in alerts)) == ["phase:happened", "phase:ended"]
    assert len({a.id for a in alerts}) == 2


def test_a_rule_on_updates_needs_something_new_and_not_one_more_report():
    told = [make_aid(425e6), make_aid(425e6), make_aid(420e6, publisher="B"), make_aid(420e6, publisher="C")]
    alerts = raised([make_rule(on=("update",))], told)
    assert {a.occasion for a in alerts} == {"update:1"}


def both(*told):
    """Return a story with these events as happenings, all of them changed by its last revision."""
    known = tuple(begin(event) for event in told)
    return msgspec.structs.replace(make_story(), happenings=known, touched=tuple(one.id for one in known))


def test_a_visit_and_the_meeting_there_ring_once():
    meeting, visit = make_meeting(), make_meeting(kind="visit", places=(), evidence="Xi is on a visit to Putin")
    rule = make_rule(kinds=("meeting", "visit"))
    [first] = evaluate([rule], both(meeting, visit))
    assert evaluate([rule], both(meeting, visit), {first.id}) == ()
    assert evaluate([rule], both(visit, meeting), {first.id}) == ()


@pytest.mark.parametrize(
    "other",
    [
        make_meeting(kind="visit", actors=(PUTIN, XI, FRANCE), evidence="With Kyiv"),
        make_meeting(kind="visit", date=make_day(NOW.date() + 40 * DAY), modality="planned"),
        make_event("strike", "ASSAULT", actors=(PUTIN,), recipients=(FRANCE,)),
    ],
)
def test_what_has_other_parties_or_days_rings_too(other):
    assert len(evaluate([make_rule(kinds=("meeting", "visit", "strike"))], both(make_meeting(), other))) == 2


def test_ids_differ_by_rule_story_and_occasion():
    story, other = make_story(), make_story(id="other")
    found = evaluate([make_rule(), make_rule(name="b-rule")], story) + evaluate([make_rule()], other)
    assert len({a.id for a in found}) == 3


@given(st.lists(events(), max_size=20).map(unique))
@settings(max_examples=60, deadline=None)
def test_no_alert_is_raised_under_two_ids_and_a_replay_raises_the_same(told):
    rules = [make_rule(), *load_rules(SHIPPED).rules]
    once, again = raised(rules, told), raised(rules, told)
    assert once == again
    keyed = {(a.rule, a.happening_id or a.story_id, a.occasion): a.id for a in once}
    assert len(set(keyed.values())) == len(keyed)
    for found in once:
        assert found.id == keyed[found.rule, found.happening_id or found.story_id, found.occasion]
        assert decode(encode(found), Alert) == found


# --- what ships ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (make_meeting(evidence="President Putin met President Xi"), "leaders-meet"),
        (make_meeting(modality="planned", evidence="President Putin is to meet President Xi"), "leaders-meet"),
        (make_event("summit", "CONSULT", actors=(RUSSIA, CHINA), evidence="A summit opened"), "leaders-meet"),
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
def test_the_shipped_rules_raise_the_alerts_they_are_for(event, rule):
    assert [a.rule for a in raised(load_rules(SHIPPED).rules, [event])] == [rule]


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
def test_the_shipped_rules_raise_nothing_else(event):
    assert raised(load_rules(SHIPPED).rules, [event]) == []


# --- text of an alert -------------------------------------------------------------------------------------------------


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


def test_an_alert_has_the_title_of_an_article_that_tells_its_happening():
    report = make_report(title="Prague expels three diplomats", publisher="Wire")
    story = make_story(headline="Moscow threatens Prague", publisher="Desk", central_article="other", reports=(report,))
    happening = msgspec.structs.replace(begin(make_sanctions()), reports=(report,))
    told = msgspec.structs.replace(story, happenings=(happening,), touched=(happening.id,))
    [found] = evaluate([make_rule()], told)
    assert found.headline == "Prague expels three diplomats"
    assert found.message.startswith("NEW: Prague expels three diplomats (Wire)")
    [central] = evaluate([make_rule()], msgspec.structs.replace(told, central_article=report.article_id))
    assert central.headline == "Moscow threatens Prague"
    aside = msgspec.structs.replace(report, lead=False, article_id="other", event_id="aside")
    happening = msgspec.structs.replace(happening, reports=(aside, msgspec.structs.replace(report, lead=True)))
    [other] = evaluate([make_rule()], msgspec.structs.replace(told, happenings=(happening,)))
    assert other.headline == "Prague expels three diplomats"  # the central article only mentions it


@pytest.mark.parametrize("title", ["", "September 18th, 2013"])
def test_a_title_that_is_only_a_date_gives_way_to_the_first_sentence(title):
    report = make_report(title=title, evidence="Prague expelled three diplomats. They left.")
    happening = msgspec.structs.replace(begin(make_sanctions()), reports=(report,))
    story = make_story(headline="Moscow threatens Prague", central_article="other", happenings=(happening,))
    [found] = evaluate([make_rule()], msgspec.structs.replace(story, touched=(happening.id,)))
    assert found.headline == "Prague expelled three diplomats."


def test_a_message_leaves_out_unknown_parts():
    [found] = evaluate([make_rule(parties="any")], make_story(actors=(), places=(), date=None, reports=()))
    assert found.message.splitlines() == [
        "NEW: Putin and Xi meet in Moscow",
        "What: meeting, happened",
        "When: told 14 May 2024",
        "Sure: 70% (1 independent source: The Paper)",
    ]


def test_a_rule_may_have_its_own_template():
    [found] = evaluate([make_rule(template="{rule}: {headline} ({sure}) {link}")], make_story())
    assert found.message == "a-rule: Putin and Xi meet in Moscow (70%) https://news.example/a1"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (dt.date(2024, 5, 1), dt.date(2024, 5, 31), "1 May to 31 May 2024"),
        (dt.date(2023, 12, 30), dt.date(2024, 1, 2), "30 December 2023 to 2 January 2024"),
    ],
)
def test_a_message_shows_a_range_of_days(start, end, words):
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


def test_a_story_merged_into_another_raises_nothing_and_its_alerts_count_for_the_other():
    assert not holds(make_story(merged_into="other"))
    [earlier] = evaluate([make_rule()], make_story(id="old"))
    assert evaluate([make_rule()], make_story(merged_ids=("old",)), {earlier.id}) == ()
    assert evaluate([make_rule()], make_story(merged_ids=("old",)))
