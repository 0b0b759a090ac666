import datetime as dt

from pipeline.detect import lexicon
from pipeline.detect.drafts import Draft
from pipeline.detect.merge import merge
from pipeline.records import Money, Party, Place, When

RULES = {rule.kind: rule for rules in lexicon.load().verbs.values() for rule in rules}
RUSSIA = Party(text="Putin", name="Vladimir Putin", country="RUS")
CHINA = Party(text="Xi", name="Xi Jinping", country="CHN")
FRANCE = Party(text="France", name="France", country="FRA")


def draft(
    kind="meeting", *, start=0, section="text", actors=(RUSSIA, CHINA), weight=0.7, modality="asserted", **fields
):
    text = f"told at {start}"
    return Draft(
        rule=RULES[kind], section=section, start=start, end=start + len(text), evidence=text, trigger="met", at=start,
        modality=modality, actors=tuple(actors), scores={"rule": weight}, **fields,
    )  # fmt: skip


def day(number):
    return When(text="then", start=dt.date(2023, 3, number), end=dt.date(2023, 3, number))


def test_title_lead_and_body_tell_one_event():
    merged = merge([draft(section="title"), draft(start=0), draft(start=90)])
    assert len(merged) == 1
    assert len(merged[0].mentions) == 2


def test_the_surer_telling_leads_and_takes_what_it_lacks():
    (one,) = merge([draft(start=0, weight=0.5, date=day(20)), draft(start=90, weight=0.9)])
    assert (one.start, one.date, [m.start for m in one.mentions]) == (90, day(20), [0])


def test_a_visit_and_the_talks_during_it_are_one_contact():
    assert len(merge([draft("visit", actors=[CHINA], recipients=(RUSSIA,)), draft(start=50)])) == 1


def test_planned_talks_are_another_event_than_held_ones():
    assert len(merge([draft(), draft(start=50, modality="planned")])) == 2


def test_other_sides_meet_in_another_event():
    assert len(merge([draft(), draft(start=50, actors=(RUSSIA, FRANCE))])) == 2


def test_another_day_is_another_event():
    assert len(merge([draft(date=day(20)), draft(start=50, date=day(22))])) == 2


def test_strikes_on_two_towns_are_two_events():
    kyiv, odesa = Place(text="Kyiv", name="Kyiv", country="UKR"), Place(text="Odesa", name="Odesa", country="UKR")
    assert (
        len(
            merge(
                [
                    draft("strike", actors=[RUSSIA], places=(kyiv,)),
                    draft("strike", start=50, actors=[RUSSIA], places=(odesa,)),
                ]
            )
        )
        == 2
    )


def test_packages_of_different_sums_are_two_events():
    sums = [(Money(text=f"${n}", value=n, currency="USD"),) for n in (350, 400)]
    assert (
        len(
            merge(
                [
                    draft("aid_package", actors=[FRANCE], money=sums[0]),
                    draft("aid_package", start=50, actors=[FRANCE], money=sums[1]),
                ]
            )
        )
        == 2
    )


def bare(kind="meeting", **fields):
    return draft(kind, start=90, actors=(), **fields)


def test_what_names_nobody_is_the_one_such_thing_told_again():
    (one,) = merge([draft(start=0, weight=0.6), bare(weight=0.9, date=day(21))])
    assert (one.start, one.date, [m.start for m in one.mentions]) == (0, day(21), [90])


def test_what_names_nobody_stays_by_itself_where_two_such_things_were_told():
    assert len(merge([draft(), draft(start=50, actors=(RUSSIA, FRANCE)), bare()])) == 3


def test_what_names_nobody_and_did_not_happen_or_happened_on_another_day_stays_by_itself():
    assert len(merge([draft(), bare(modality="planned")])) == 2
    assert len(merge([draft(date=day(20)), bare(date=day(22))])) == 2
