"""The open stories kept small: what is packed comes back as it was, and a takeover reads revisions in any order."""

import itertools

import msgspec
import pytest

from pipeline.records import Story, decode, encode
from pipeline.settings import Track
from pipeline.track import shelf
from pipeline.track.shelf import Shelf
from pipeline.track.stories import Stories
from tests.folding import make_brief
from tests.make import make_aid, make_event, make_meeting, make_sanctions

TOLD = [
    make_brief(make_meeting(), id="a", title="Putin receives Xi in Moscow"),
    make_brief(make_aid(), id="b", title="Pentagon sends Kyiv more shells"),
    make_brief(make_meeting(publisher="The Post"), id="c", title="Xi arrives in Moscow to see Putin"),
    make_brief(make_sanctions(), id="d", title="Washington blacklists a Russian bank"),
    make_brief(make_event("strike", "ASSAULT"), id="e", title="Missile hits printing house in Kharkiv"),
    make_brief(text="Nothing but the weather: it rains in Bergen.", id="f", title="Rain in Bergen"),
]


def folded():
    """Return the stories of all articles, at their last revision."""
    stories = Stories()
    for one in TOLD:
        stories.fold(one)
    return list(stories)


def test_stories_are_the_same_packed_and_unpacked(monkeypatch):
    usual = folded()
    monkeypatch.setattr(shelf, "HOT", 1)
    assert folded() == usual
    assert len(usual) > 2


def test_a_packed_story_comes_back_as_it_was(monkeypatch):
    monkeypatch.setattr(shelf, "HOT", 1)
    kept = Shelf()
    for story in folded():
        kept.keep(story)
    for story in folded():
        assert kept[story.id] == story
        assert kept.card(story.id).articles == len(story.article_ids)
        assert dict(kept.card(story.id).words.items()) == pytest.approx(story.subject)
    assert list(kept) == folded()


def test_a_dropped_story_leaves_nothing():
    kept = Shelf()
    story = folded()[0]
    kept.keep(story)
    assert kept.drop(story.id) == story
    assert story.id not in kept
    assert kept.get(story.id) is None
    assert list(kept) == []


def test_a_takeover_takes_the_last_revision_in_any_order_and_no_absorbed_story():
    first, second, *_ = folded()
    whole = msgspec.structs.replace(
        first, revision=9, merged_ids=(second.id,), article_ids=(*first.article_ids, *second.article_ids)
    )
    for order in itertools.permutations((first, second, whole)):
        stories = Stories(Track(), [decode(encode(one), Story) for one in order])
        assert [one.revision for one in stories] == [9]
        assert {stories.story_of(one).id for one in whole.article_ids} == {first.id}
