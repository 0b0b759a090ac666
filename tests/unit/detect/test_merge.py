"""Drafts of one happening are folded, those of different ones are not.

The vectors are given: equal ones mean one happening, and a `like` of .3 is what they say of two that may be one.
"""

import datetime as dt

import pytest

from pipeline.detect.drafts import Draft
from pipeline.detect.kinds import built_in
from pipeline.detect.merge import merge, without_sayings
from pipeline.detect.pairs import alike
from pipeline.records import Money, Party, Place, When
from tests.unit.detect.stub import StubEncoder, telling

PUTIN = Party(text="Putin", name="Vladimir Putin", country="RUS", sector="GOV")
RUSSIA = Party(text="Russia", name="Russia", country="RUS", sector="GOV")
LAVROV = Party(text="Lavrov", name="Sergey Lavrov", country="RUS", sector="GOV")
XI = Party(text="Xi", name="Xi Jinping", country="CHN", sector="GOV")
CHINA = Party(text="China", name="China", country="CHN", sector="GOV")
FRANCE = Party(text="France", name="France", country="FRA", sector="GOV")
MALI = Party(text="Mali", name="Mali", country="MLI", sector="GOV")
NOBODY = Party(text="the two sides")
KYIV = Place(text="Kyiv", name="Kyiv", country="UKR")
ODESA = Place(text="Odesa", name="Odesa", country="UKR")
UKRAINE = Place(text="Ukraine", name="Ukraine", country="UKR")


def draft(
    kind="meeting",
    *,
    at=0,
    group=0,
    like=1.0,
    section="text",
    actors=(PUTIN, XI),
    confidence=0.7,
    modality="asserted",
    **fields,
):
    """A draft; drafts of one `group` have the vector of one happening, `like` is its likeness to group 0."""
    spec = built_in()[kind]
    evidence = f"They {kind} at {at}"
    one = telling(evidence, kind, kind, spec.type, section=section, modality=modality, group=group)
    one.vector = one.vector * like
    return Draft(
        kind=spec, telling=one, section=section, start=at, end=at + len(evidence), evidence=evidence, trigger=kind, at=at,
        modality=modality, actors=tuple(actors), confidence=confidence, **fields,
    )  # fmt: skip


def folded(*drafts):
    return merge(list(drafts), StubEncoder())


def day(number):
    return When(text="then", start=dt.date(2023, 3, number), end=dt.date(2023, 3, number))


def names(parties):
    return [p.name for p in parties]


# --- what is one -----------------------------------------------------------------------------------------------------


def test_title_lead_and_body_tell_one_event():
    (one,) = folded(draft(section="title"), draft(at=10), draft(at=90))
    assert sorted((m.section, m.start) for m in one.mentions) == [("text", 90), ("title", 0)]


def test_another_happening_of_the_same_sort_is_another_event():
    other = {"actors": (FRANCE, MALI), "at": 50, "group": 1}
    assert len(folded(draft(), draft(**other))) == 2
    assert len(folded(draft(actors=()), draft(**other))) == 2, "the vectors say so where no side does"


def test_what_both_tell_decides_where_the_vectors_leave_it_open():
    accused = {"actors": (FRANCE,), "recipients": (MALI,)}
    assert len(folded(draft("accusation", **accused), draft("accusation", at=50, like=0.3, **accused))) == 1
    other = draft("accusation", at=50, like=0.3, actors=(CHINA,), recipients=(FRANCE,))
    assert len(folded(draft("accusation", **accused), other)) == 2


def test_what_is_told_between_does_not_make_one_of_two():
    strikes = [
        draft("strike", at=at, actors=(RUSSIA,), date=date) for at, date in ((0, day(20)), (50, None), (90, day(22)))
    ]
    found = folded(*strikes)
    assert sorted(len(one.mentions) for one in found) == [0, 1]
    assert {one.date.start for one in found} == {day(20).start, day(22).start}


def test_all_winners_of_one_election_are_one_event_and_an_earlier_election_another():
    winners = [Party(text=name, name=name) for name in ("Eddie Chu", "Alvin Yeung", "Regina Ip")]
    told = [draft("election", at=50 * n, like=0.9, actors=(one,)) for n, one in enumerate(winners)]
    earlier = draft("election", at=200, like=0.3, actors=winners[:1], date=day(1), modality="historical")
    assert sorted(len(one.mentions) for one in folded(*told, earlier)) == [0, 2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Party(text="a", name="Nabil al-Quaety", country="YEM"), Party(text="b", name="al-Quaety"), True),
        (
            Party(text="a", name="Nabil al-Quaety", country="YEM"),
            Party(text="b", name="al-Quaety", country="IRQ"),
            False,
        ),
        (PUTIN, LAVROV, False),
        (PUTIN, RUSSIA, True),
        (
            Party(text="a", name="Myanmar army", country="MMR", sector="MIL"),
            Party(text="b", name="Myanmar's army"),
            True,
        ),
        (Party(text="a", country="SYR", sector="MIL"), Party(text="b", country="SYR", sector="REB"), False),
        (Party(text="a", country="SYR", sector="MIL"), PUTIN, False),
        (Party(text="a", country="RUS", sector="MIL"), PUTIN, None),
        (Party(text="a", name="Libyan commander", country="LBY"), Party(text="b", name="Khalid Marghani"), False),
        (NOBODY, PUTIN, None),
    ],
)
def test_who_is_the_same_party(one, other, same):
    assert alike(one, other) is alike(other, one) is same


def test_a_visit_and_the_talks_during_it_are_one_contact():
    assert len(folded(draft("visit", actors=(XI,), recipients=(RUSSIA,)), draft(at=50, actors=(XI, RUSSIA)))) == 1


def test_a_person_and_the_country_are_one_side():
    assert len(folded(draft(actors=(PUTIN, XI)), draft(at=50, actors=(RUSSIA, CHINA)))) == 1
    accused = {"recipients": (FRANCE,)}
    assert (
        len(
            folded(
                draft("accusation", actors=(LAVROV,), **accused),
                draft("accusation", at=50, actors=(RUSSIA,), **accused),
            )
        )
        == 1
    )


def test_a_sums_or_dates_absence_speaks_against_nothing():
    assert len(folded(draft(date=day(20)), draft(at=50))) == 1
    assert len(folded(draft(places=(KYIV,)), draft(at=50))) == 1


def test_a_title_and_the_lead_tell_one_statement_and_later_sentences_another():
    rejection = {"actors": (FRANCE,)}
    title = draft("rejection", section="title", **rejection)
    lead, later = draft("rejection", at=9, like=0.3, **rejection), draft("rejection", at=50, like=0.05, **rejection)
    later.telling.sentence = 7
    assert [len(one.mentions) for one in folded(title, lead, later)] == [1, 0]


def test_a_body_and_the_body_of_a_country_are_one():
    army = [Party(text=text, name=text, country="MMR", sector="MIL") for text in ("Myanmar army", "Myanmar's army")]
    title = draft("offensive", section="title", actors=army[:1])
    assert len(folded(title, draft("offensive", at=20, actors=army[1:], like=0.2))) == 1


def test_whom_the_title_describes_the_text_names():
    court = Party(text="the court", name="International Criminal Court", sector="IGO")
    described = Party(text="Libyan commander", name="Libyan commander", country="LBY")
    named = Party(text="Khalid Marghani", name="Khalid Marghani")
    title = draft("legal_action", section="title", actors=(court,), recipients=(described,))
    (one,) = folded(title, draft("legal_action", at=20, actors=(court,), recipients=(named,), like=0.4))
    assert names(one.recipients) == ["Khalid Marghani"]


def test_the_presidents_of_the_title_are_the_persons_of_the_text():
    offices = [
        Party(text=t, name=t, country=c, sector="GOV")
        for t, c in (("Russian president", "RUS"), ("Chinese president", "CHN"))
    ]
    assert len(folded(draft(section="title", actors=offices), draft(at=20, like=0.4))) == 1


def test_two_parties_of_one_ceasefire_are_named_in_two_sentences():
    sides = (FRANCE, MALI)
    assert len(folded(draft("ceasefire", actors=sides), draft("ceasefire", at=50, like=0.4, actors=sides))) == 1


def test_what_names_nobody_is_another_word_for_the_one_force_that_is_told():
    told = draft("offensive", actors=(RUSSIA,), places=(KYIV,))
    assert len(folded(told, draft("attack", at=50, actors=()))) == 1


@pytest.mark.parametrize(("saying", "deed"), [("agreement", "ceasefire"), ("pledge", "aid_package")])
def test_a_saying_and_the_deed_that_it_says_are_one_event_of_the_deeds_kind(saying, deed):
    def both(**other):
        said, done = draft(saying, actors=(FRANCE, MALI)), draft(deed, **{"actors": (FRANCE, MALI), "group": 1} | other)
        done.start, done.end = other.get("at", 0), said.end
        return [one.kind.kind for one in without_sayings(folded(said, done))]

    assert both() == [deed]
    assert both(actors=(FRANCE, CHINA)) == [saying, deed], "other parties"
    assert both(at=90) == [saying, deed], "another sentence"


def test_aid_that_the_title_plans_is_the_aid_that_the_text_decides():
    package = {"actors": (FRANCE,), "recipients": (MALI,)}
    title = draft("aid_package", section="title", modality="planned", confidence=0.9, **package)
    (one,) = folded(title, draft("aid_package", at=20, **package))
    assert (one.modality, len(one.mentions)) == ("asserted", 1)
    plan = draft("aid_package", at=60, modality="planned", **package)
    assert len(folded(draft("aid_package", **package), plan)) == 2, "a further package that the text plans"


# --- what is two -----------------------------------------------------------------------------------------------------


def test_two_persons_of_one_country_stay_apart():
    accused = {"recipients": (FRANCE,)}
    one = draft("accusation", actors=(PUTIN,), **accused)
    two = draft("accusation", at=50, actors=(LAVROV,), **accused)
    assert len(folded(one, two)) == 2


def test_a_title_with_one_person_of_whom_the_text_speaks_is_told_by_the_text():
    judge = Party(text="Judge Browning", name="James Browning", country="USA")
    lawman = Party(text="Rodella", name="Thomas Rodella", country="USA")
    short = draft(
        "legal_action",
        section="title",
        actors=(),
        recipients=(Party(text="Rio Lawman", name="Rio Lawman", country="USA"),),
    )
    full = draft("legal_action", at=10, actors=(judge,), recipients=(lawman,))
    assert len(folded(short, full)) == 2
    full.evidence = "Thomas Rodella, the former Rio lawman, was sentenced by Judge James Browning"
    (one,) = folded(short, full)
    assert names(one.recipients) == ["Thomas Rodella"]


def test_meetings_of_different_persons_stay_apart():
    assert len(folded(draft(actors=(PUTIN,)), draft(at=50, actors=(LAVROV,)))) == 2


@pytest.mark.parametrize("modality", ["planned", "hypothetical", "denied"])
def test_what_did_not_happen_is_another_event_than_what_did(modality):
    assert len(folded(draft(), draft(at=50, modality=modality))) == 2


def test_history_and_fact_may_be_one():
    assert len(folded(draft(), draft(at=50, modality="historical"))) == 1


def test_other_sides_are_another_event():
    assert len(folded(draft(), draft(at=50, like=0.2, actors=(FRANCE, MALI)))) == 2
    assert len(folded(draft(), draft(at=50, like=0.2))) == 1


def test_another_day_is_another_event():
    assert len(folded(draft(date=day(20)), draft(at=50, date=day(22)))) == 2


def test_strikes_on_two_towns_are_two_events_and_on_a_town_and_its_country_one():
    kyiv = draft("strike", actors=(RUSSIA,), places=(KYIV,))
    assert len(folded(kyiv, draft("strike", at=50, actors=(RUSSIA,), places=(ODESA,)))) == 2
    kyiv = draft("strike", actors=(RUSSIA,), places=(KYIV,))
    assert len(folded(kyiv, draft("strike", at=50, actors=(RUSSIA,), places=(UKRAINE,)))) == 1
    kyiv = draft("strike", actors=(RUSSIA,), places=(KYIV,))
    unmapped = (Place(text="Zuzabul", name="Zuzabul"),)  # it may lie in Kyiv
    assert len(folded(kyiv, draft("strike", at=50, actors=(RUSSIA,), places=unmapped))) == 1


def test_packages_of_different_sums_are_two_events():
    sums = [(Money(text=f"${n}", value=n, currency="USD"),) for n in (350, 400)]
    both = [
        draft("aid_package", at=at, actors=(FRANCE,), recipients=(MALI,), money=money) for at, money in enumerate(sums)
    ]
    assert len(folded(*both)) == 2


def test_another_type_or_family_is_another_event():
    sides = {"actors": (FRANCE,), "recipients": (MALI,)}
    assert len(folded(draft("accusation", **sides), draft("sanctions", at=50, **sides))) == 2
    assert len(folded(draft("accusation", **sides), draft("legal_action", at=50, **sides))) == 2


def test_nameless_parties_of_two_sorts_are_two():
    soldiers, rebels = (
        Party(text=text, country="SYR", sector=sector) for text, sector in (("troops", "MIL"), ("rebels", "REB"))
    )
    assert alike(soldiers, rebels) is False
    assert len(folded(draft("strike", actors=(soldiers,)), draft("strike", at=50, actors=(soldiers,)))) == 1


def test_nameless_parties_of_one_country_are_one_only_if_the_vectors_say_so():
    crowd = {"actors": (Party(text="people", country="SYR", sector="CVL"),), "places": (KYIV,), "date": day(20)}
    assert len(folded(draft("protest", **crowd), draft("protest", at=50, group=1, **crowd))) == 2


# --- what the one takes from the other -------------------------------------------------------------------------------


def test_the_surer_telling_leads_and_takes_what_it_lacks():
    (one,) = folded(draft(confidence=0.5, date=day(20), places=(KYIV,)), draft(at=90, confidence=0.9))
    assert (one.start, one.date, one.places) == (90, day(20), (KYIV,))
    assert [m.start for m in one.mentions] == [0]


def test_the_date_that_one_telling_names_holds_for_all():
    (one,) = folded(draft(confidence=0.9), draft(at=90, confidence=0.5, actors=(), date=day(21), places=(KYIV,)))
    assert (one.start, one.date, one.places) == (0, day(21), (KYIV,))


def test_what_names_nobody_does_not_lead_and_its_words_are_a_mention():
    (one,) = folded(draft(confidence=0.7), draft(at=90, confidence=0.7, actors=(NOBODY,)))
    assert (one.start, names(one.actors), [m.start for m in one.mentions]) == (0, names((PUTIN, XI)), [90])


def test_the_text_leads_before_an_equal_title():
    (one,) = folded(draft(section="title"), draft(at=40))
    assert (one.section, one.mentions[0].section) == ("text", "title")


def test_who_stands_on_one_side_is_not_taken_for_the_other_too():
    (one,) = folded(
        draft("arrest", actors=(FRANCE,), recipients=(MALI,), confidence=0.9),
        draft("arrest", at=50, actors=(FRANCE, MALI), recipients=(), confidence=0.6),
    )
    assert (names(one.actors), names(one.recipients)) == (["France"], ["Mali"])


def test_sides_that_only_one_of_the_two_knows_are_taken():
    (one,) = folded(
        draft("arrest", actors=(NOBODY,), recipients=(FRANCE,), confidence=0.9),
        draft("arrest", at=50, actors=(MALI,), recipients=(), confidence=0.6),
    )
    assert (names(one.actors), names(one.recipients)) == (["Mali"], ["France"])


def test_the_fuller_list_of_sides_is_taken():
    (one,) = folded(draft(actors=(PUTIN,), confidence=0.95), draft(at=50, actors=(PUTIN, XI), confidence=0.5))
    assert set(names(one.actors)) == {"Vladimir Putin", "Xi Jinping"}


def test_each_telling_more_is_surer_but_never_sure():
    once = draft().confidence
    (twice,) = folded(draft(), draft(at=10))
    (often,) = folded(*(draft(at=10 * n) for n in range(9)))
    assert once < twice.confidence < often.confidence < 0.9
    assert len(often.mentions) == 8


def test_a_sentence_that_tells_it_twice_is_one_mention():
    (one,) = folded(draft(confidence=0.9), draft(at=50), draft(at=50))
    assert [m.start for m in one.mentions] == [50]


def test_nothing_and_one_are_left_as_they_are():
    assert folded() == []
    assert len(folded(draft())) == 1


def test_what_a_court_rules_a_parliament_has_not():
    court = Party(text="the court", name="US Supreme Court", country="USA", sector="JUD")
    house = Party(text="the House", name="US House of Representatives", country="USA", sector="LEG")
    assert len(folded(draft("legal_action", actors=[court]), draft("legal_action", at=60, actors=[house]))) == 2
    assert len(folded(draft("legal_action", actors=[court]), draft("legal_action", at=60, actors=[court]))) == 1
