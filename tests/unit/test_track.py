"""Event -> Story: what one happening is, what is promised of repeats and order, and what a story remembers."""

import datetime as dt
import random
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Party, Place, When, decode, encode
from pipeline.records import Story as StoryRecord
from pipeline.settings import Track
from pipeline.track.families import family
from pipeline.track.stories import Stories, matches, merge
from tests.make import (
    CHINA,
    KYIV,
    NOW,
    PUTIN,
    RUSSIA,
    UKRAINE,
    USA,
    XI,
    make_aid,
    make_day,
    make_event,
    make_meeting,
    make_quantity,
    make_sanctions,
    make_story,
)
from tests.strategies import events, unique

DAY = dt.timedelta(days=1)
INDIA = Party(text="India", name="India", country="IND", sector="GOV")
IRAN = Party(text="Iran", name="Iran", country="IRN", sector="GOV")
ODESA = Place(text="Odesa", name="Odesa", country="UKR", lat=46.48, lon=30.73)
BEIJING = Place(text="Beijing", name="Beijing", country="CHN", lat=39.9, lon=116.4)


def own(stories, event):
    """The event's own story as folding it left it; None when nothing changed."""
    return next((s for s in stories.fold(event) if event.id in s.event_ids and not s.merged_into), None)


def fold(*told):
    """The stories that these events make, in that order."""
    stories = Stories()
    for event in told:
        own(stories, event)
    return list(stories)


def later(event, delta, **changes):
    """The same report, met later."""
    return msgspec.structs.replace(
        event, id=event.id + str(delta), first_seen_at=NOW + delta, published_at=NOW + delta, **changes
    )


# --- one happening, or two -------------------------------------------------------------------------------------------


def test_two_papers_on_one_meeting_make_one_story():
    first = make_meeting()
    second = make_meeting(publisher="The Post", evidence="The presidents, Putin and Xi, held talks in the Kremlin")
    [story] = fold(first, second)
    assert story.revision == 2
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
    stories = Stories()
    changes = [(s.phase, s.change) for s in (own(stories, plan), own(stories, held), own(stories, ended))]
    assert changes == [("planned", "new"), ("happened", "phase"), ("ended", "phase")]
    [story] = stories
    assert story.phases == ("planned", "happened", "ended")
    assert story.occasions[:1] + story.occasions[-1:] == ("new", "phase:ended")
    assert story.modality == "asserted"


def test_a_plan_told_after_the_meeting_does_not_turn_the_story_back():
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
    stories = Stories(Track(open_days=60))
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


def test_sanctions_of_another_country_are_another_story():
    britain = Party(text="Britain", name="United Kingdom", country="GBR", sector="GOV")
    assert (
        len(fold(make_sanctions(), make_sanctions(actors=(britain,), evidence="Britain imposed sanctions on Russia")))
        == 2
    )


def test_an_organisation_without_a_country_tells_sanctions_apart():
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


def test_the_same_sentence_in_another_paper_joins_whatever_else_is_known():
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
    assert matches(make_story(), make_sanctions()) == 0.0


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
def test_reports_of_one_happening_share_their_partition_key(kind, event_type, expected):
    assert family(make_event(kind, event_type)) == expected


# --- what makes a story, and what does not ---------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["hypothetical", "denied", "historical"])
def test_what_is_not_said_to_happen_makes_no_story_and_changes_none(modality):
    stories = Stories()
    assert own(stories, make_sanctions(modality=modality)) is None
    own(stories, make_sanctions())
    assert own(stories, make_sanctions(modality=modality, publisher="B")) is None
    assert len(stories) == 1


# --- sources ---------------------------------------------------------------------------------------------------------


def test_wire_copies_count_as_publishers_and_as_one_source():
    text = tuple(range(32))
    wire = [
        make_meeting(publisher=name, fingerprint=text, evidence=f"Putin and Xi met in Moscow {name}")
        for name in ("Harbour Wire", "The Post", "The Courier")
    ]
    [story] = fold(*wire)
    assert len(story.publishers) == 3
    assert story.source_count == 1


@pytest.mark.parametrize(
    "houses",
    [(("A", "AP"), ("B", "AP")), (("AP", None), ("B", "AP")), (("B", "AP"), ("AP", None)), (("A", None), ("A", None))],
)
def test_one_agency_or_one_house_is_one_source(houses):
    [story] = fold(
        *(make_meeting(publisher=p, credit=c, confidence=n) for n, (p, c) in zip((0.6, 0.7), houses, strict=True))
    )
    assert story.source_count == 1


def test_confidence_grows_with_independent_sources_and_stays_below_one():
    stories = Stories()
    grown = [own(stories, make_meeting(publisher=f"P{n}")).confidence for n in range(12)]
    assert grown == sorted(grown)
    assert len(set(grown[:8])) == 8
    assert grown[-1] <= 0.99


def test_a_copy_adds_no_confidence():
    stories = Stories()
    before = own(stories, make_meeting(credit="AP")).confidence
    assert own(stories, make_meeting(credit="AP", publisher="B")).confidence == before


def test_without_a_publisher_the_host_of_the_address_is_the_publisher():
    [story] = fold(make_meeting(publisher="", article_url="https://www.morning.example/a"))
    assert story.publishers == ("morning.example",)


def test_reports_are_bounded_and_keep_the_first_and_every_source():
    stories = Stories(Track(reports_kept=5))
    for n in range(30):
        story = own(
            stories, make_meeting(publisher=f"P{n % 4}", evidence=f"Putin and Xi met in Moscow for the {n}th time")
        )
    assert len(story.reports) == 5
    assert story.reports[0].publisher == "P0"
    assert {r.publisher for r in story.reports} == {"P0", "P1", "P2", "P3"}
    assert story.source_count == 4
    assert story.article_count == len(story.event_ids) == 30


# --- what a story remembers ------------------------------------------------------------------------------------------


def test_sums_that_differ_stay_side_by_side_and_are_an_update():
    stories = Stories()
    own(stories, make_aid(425e6))
    story = own(stories, make_aid(420e6, publisher="B"))
    assert [m.value for m in story.money] == [425e6, 420e6]
    assert story.change == "update"
    assert "update:1" in story.occasions
    assert "sum: $420 million (B)" in [m.what for m in story.timeline]


def test_a_quite_different_sum_is_another_package():
    assert (
        len(
            fold(
                make_aid(425e6),
                make_aid(60e6, publisher="B", evidence="Washington gives Kyiv help for its power plants"),
            )
        )
        == 2
    )


def test_a_rising_toll_is_kept_with_the_first_one():
    def strike(dead, **changes):
        return make_event("strike", "ASSAULT", places=(KYIV,), evidence="A missile hit a market in Kyiv", quantities=(make_quantity(dead),), **changes)  # fmt: skip

    [story] = fold(strike(7), strike(11, publisher="B"))
    assert [(q.value, q.unit) for q in story.quantities] == [(7, "dead"), (11, "dead")]


def test_ten_publishers_within_two_days_are_a_spike_once():
    stories = Stories()
    changes = [
        own(stories, make_meeting(publisher=f"P{n}", first_seen_at=NOW + n * dt.timedelta(hours=1))) for n in range(12)
    ]
    assert [s.occasions.count("spike:10") for s in changes] == [0] * 9 + [1] * 3
    assert changes[9].change == "spike"


def test_ten_publishers_over_a_week_are_no_spike():
    stories = Stories()
    for n in range(12):
        story = own(stories, make_meeting(publisher=f"P{n}", first_seen_at=NOW + n * DAY / 2))
    assert not any(o.startswith("spike") for o in story.occasions)


def test_the_more_telling_kind_names_the_story():
    [story] = fold(make_meeting(), make_meeting(kind="summit", publisher="B"))
    assert story.kind == "summit"
    assert story.headline == "Vladimir Putin and Xi Jinping hold summit in Moscow"


def test_a_story_that_is_full_takes_only_what_moves_its_phase(monkeypatch):
    monkeypatch.setattr("pipeline.track.story.EVENTS_KEPT", 3)
    stories = Stories()
    for n in range(3):
        own(stories, make_meeting(publisher=f"P{n}"))
    assert own(stories, make_meeting(publisher="P9")) is None
    ended = own(stories, make_meeting(publisher="P9", evidence="The talks of Putin and Xi in Moscow ended"))
    assert ended.phase == "ended"
    assert len(ended.event_ids) == 4


# --- time, memory, recovery ------------------------------------------------------------------------------------------


def test_stories_close_by_the_time_of_events_and_what_is_late_then_changes_nothing():
    stories = Stories(Track(open_days=14))
    first = make_meeting()
    own(stories, first)
    own(stories, later(make_sanctions(), 15 * DAY))
    assert len(stories) == 1
    assert own(stories, first) is None
    assert own(stories, make_meeting(publisher="B")) is None


def test_a_story_that_is_still_told_stays_open():
    stories = Stories(Track(open_days=14))
    told = [make_event("clash", "ASSAULT", places=(KYIV,), evidence="Fighting for the bridges of Kyiv", publisher=f"P{n}",
                       first_seen_at=NOW + 2 * n * DAY, date=make_day(NOW.date() + 2 * n * DAY)) for n in range(12)]  # fmt: skip
    assert len({own(stories, event).id for event in told}) == 1


def test_an_earlier_report_that_comes_later_moves_the_beginning_and_not_the_index():
    stories = Stories()
    opened = own(stories, make_meeting())
    story = own(stories, make_meeting(publisher="B", first_seen_at=NOW - DAY))
    assert story.first_seen_at == NOW - DAY
    assert story.opened_at == opened.opened_at == NOW


def test_stories_made_anew_from_their_records_go_on_alike():
    told = [make_meeting(publisher=f"P{n}") for n in range(3)] + [make_sanctions(), make_aid()]
    whole = Stories()
    for event in told:
        own(whole, event)
    half = Stories()
    for event in told[:2]:
        own(half, event)
    taken_over = Stories(Track(), [decode(encode(s), StoryRecord) for s in half])
    for event in told:
        own(taken_over, event)
    assert sorted(taken_over, key=lambda s: s.id) == sorted(whole, key=lambda s: s.id)


def test_taking_over_from_records_forgets_what_had_closed():
    old = make_story(id="old", event_ids=("x",), first_seen_at=NOW - 40 * DAY, last_seen_at=NOW - 40 * DAY)
    stories = Stories(Track(open_days=14), [make_story(), old])
    assert [s.id for s in stories] == [make_story().id]
    assert stories.get("old") is None


def test_merge_is_pure_and_a_known_event_is_no_revision():
    story, event = make_story(), make_meeting(publisher="B")
    grown = merge(story, event)
    assert story == make_story()
    assert merge(grown, event) == grown
    assert grown.revision == story.revision + 1


@given(st.lists(events(), max_size=25).map(unique), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_repeated_events_change_nothing(told, rng):
    """At-least-once delivery: each event comes again, any time after it came first."""
    repeated = list(told)
    for event in told:
        repeated.insert(rng.randint(repeated.index(event) + 1, len(repeated)), event)
    once, twice = Stories(), Stories()
    plain = [story for event in told for story in once.fold(event)]
    doubled = [story for event in repeated for story in twice.fold(event)]
    assert doubled == plain


@given(st.lists(events(), max_size=25).map(unique))
@settings(max_examples=100, deadline=None)
def test_every_story_keeps_its_promises_whatever_is_told(told):
    stories = Stories(Track(reports_kept=4))
    revisions = {}
    for story in (story for event in told for story in stories.fold(event)):
        assert story.revision > revisions.get(story.id, 0)
        revisions[story.id] = story.revision
        assert len(story.event_ids) == len(set(story.event_ids)) <= len(told)
        assert len(story.reports) <= 4
        assert 0 <= story.confidence <= 0.99
        assert 1 <= story.source_count <= len(story.event_ids)
        assert story.headline
        assert "{" not in story.headline
        assert story.first_seen_at <= story.last_seen_at
        assert decode(encode(story), StoryRecord) == story
    for event in told:
        holding = [s for s in stories if event.id in s.event_ids]
        assert len(holding) <= 1
        assert all(stories.told_in(event.article_id, [event.id]) for _ in holding)


@given(st.permutations(range(9)))
@settings(max_examples=60, deadline=None)
def test_clear_happenings_come_out_the_same_in_any_order(order):
    """Three happenings of three reports each, told apart by who and what: any order makes the same three groups."""
    told = [
        *(make_meeting(publisher=f"P{n}") for n in range(3)),
        *(make_sanctions(publisher=f"P{n}") for n in range(3)),
        *(make_aid(publisher=f"P{n}") for n in range(3)),
    ]
    groups = {frozenset(s.event_ids) for s in fold(*(told[n] for n in order))}
    assert groups == {frozenset(e.id for e in told[n : n + 3]) for n in (0, 3, 6)}


@given(st.lists(events(), min_size=1, max_size=20).map(unique))
@settings(max_examples=60, deadline=None)
def test_a_worker_that_dies_anywhere_is_taken_over_without_a_difference(told):
    """Stories are rebuilt from their records after each event; the result is that of one worker that never died."""
    steady, changing = Stories(), Stories()
    for event in told:
        expected = steady.fold(event)
        assert changing.fold(event) == expected
        changing = Stories(Track(), list(changing))
    assert {s.id: s for s in changing} == {s.id: s for s in steady}


def test_fold_stays_fast_with_many_open_stories():
    """Thousands of open stories: the index keeps a fold at a few milliseconds at most."""
    rng = random.Random(7)
    codes = [f"{a}{b}X" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]
    stories = Stories()

    def event(n):
        one, two = rng.sample(codes, 2)
        return make_event(
            "accusation", "ACCUSE", evidence=f"{one} accused {two} of {rng.random()} over matter {n}", publisher=f"P{n % 50}",
            actors=(Party(text=one, country=one),), recipients=(Party(text=two, country=two),),
            first_seen_at=NOW + n * dt.timedelta(seconds=300),
        )  # fmt: skip

    for n in range(3_000):
        own(stories, event(n))
    began = time.perf_counter()
    for n in range(3_000, 3_200):
        own(stories, event(n))
    assert (time.perf_counter() - began) / 200 < 0.02
    assert len(stories) > 1_500
