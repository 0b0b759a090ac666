"""A happening and its reports: sources, confidence, phases, what is kept."""

import pytest

from pipeline.settings import Track
from tests.folding import Held, fold, own
from tests.make import (
    KYIV,
    make_aid,
    make_event,
    make_meeting,
    make_quantity,
    make_sanctions,
)

# --- which events make a story ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["hypothetical", "denied", "historical"])
def test_hypothetical_denied_and_historical_events_make_no_story_and_change_none(modality):
    stories = Held()
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
def test_one_agency_or_one_publisher_is_one_source(houses):
    [story] = fold(
        *(make_meeting(publisher=p, credit=c, confidence=n) for n, (p, c) in zip((0.6, 0.7), houses, strict=True))
    )
    assert story.source_count == 1


def test_confidence_grows_with_independent_sources_and_stays_below_one():
    stories = Held()
    grown = [own(stories, make_meeting(publisher=f"P{n}")).confidence for n in range(12)]
    assert grown == sorted(grown)
    assert len(set(grown[:8])) == 8
    assert grown[-1] <= 0.99


def test_a_copy_adds_no_confidence():
    stories = Held()
    before = own(stories, make_meeting(credit="AP")).confidence
    assert own(stories, make_meeting(credit="AP", publisher="B")).confidence == before


def test_without_a_publisher_the_host_of_the_address_is_the_publisher():
    [story] = fold(make_meeting(publisher="", article_url="https://www.morning.example/a"))
    assert story.publishers == ("morning.example",)


def test_reports_are_bounded_and_keep_the_first_and_every_source():
    stories = Held(Track(reports_kept=5))
    for n in range(30):
        story = own(
            stories, make_meeting(publisher=f"P{n % 4}", evidence=f"Putin and Xi met in Moscow for the {n}th time")
        )
    assert len(story.reports) == 5
    assert story.reports[0].publisher == "P0"
    assert {r.publisher for r in story.reports} == {"P0", "P1", "P2", "P3"}
    assert story.source_count == 4
    assert story.article_count == len(story.event_ids) == 30


# --- what a story keeps ----------------------------------------------------------------------------------------------


def test_different_sums_are_all_kept_and_are_an_update():
    stories = Held()
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


def test_the_more_specific_kind_is_the_kind_of_the_story():
    [story] = fold(make_meeting(), make_meeting(kind="summit", publisher="B"))
    assert story.kind == "summit"
    assert story.line == "Summit: Vladimir Putin and Xi Jinping · Moscow · 14 May 2024"


def test_a_full_story_takes_only_events_that_change_its_phase(monkeypatch):
    monkeypatch.setattr("pipeline.track.happening.EVENTS_KEPT", 3)
    stories = Held()
    for n in range(3):
        own(stories, make_meeting(publisher=f"P{n}"))
    assert own(stories, make_meeting(publisher="P9")) is None
    ended = own(stories, make_meeting(publisher="P9", evidence="The talks of Putin and Xi in Moscow ended"))
    assert ended.phase == "ended"
    assert len(ended.event_ids) == 4
