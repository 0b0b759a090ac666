"""What an article is about: one main story for articles on one news with different events; merged, split, resumed."""

import datetime as dt
import random
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Party, Place, decode, encode
from pipeline.records import Story as StoryRecord
from pipeline.settings import Track
from pipeline.track import stories as track
from pipeline.track.stories import Stories
from tests.make import KYIV, MOSCOW, NOW, PUTIN, RUSSIA, UKRAINE, XI, make_day, make_event, make_meeting, make_quantity

DAY = dt.timedelta(days=1)
BINDERS = {f"binder{n}": 1.5 for n in range(24)}
TANKERS = {f"tanker{n}": 1.5 for n in range(24)}
ODESA = Place(text="Odesa", name="Odesa", country="UKR", lat=46.48, lon=30.73)
UNION = Party(text="The EU", name="European Union", sector="IGO")


def strike(**changes):
    """A missile hits a printing house in Kyiv."""
    return make_event("strike", "ASSAULT", **{
        "actors": (RUSSIA,), "recipients": (UKRAINE,), "places": (KYIV,), "date": make_day(NOW.date()), "subject": BINDERS,
        "evidence": "Russian missiles hit a printing house in Kyiv and killed seven binders",
    } | changes)  # fmt: skip


def condemned(**changes):
    """A condemnation of it, in an article without other events."""
    return make_event("accusation", "ACCUSE", **{
        "actors": (UNION,), "recipients": (RUSSIA,), "subject": BINDERS, "publisher": "The Post",
        "evidence": "The EU condemned what was done to the binders",
    } | changes)  # fmt: skip


def mains(stories, told):
    return [stories.told_in(event.article_id, [event.id]) for event in told]


def test_articles_on_one_news_with_different_events_have_one_main_story():
    stories = Stories()
    told = [strike(), condemned()]
    changed = [stories.fold(event) for event in told]
    first, second = mains(stories, told)
    assert first == [changed[0][0].id]
    assert second == [first[0], changed[1][-1].id]
    main = stories.get(first[0])
    assert main.subject_ids == tuple(e.article_id for e in told)
    assert main.article_count == 1  # the second tells it in other words, and is no report of the strike
    assert stories.get(second[1]).part_of == main.id


def test_an_event_of_another_kind_keeps_its_own_story_for_its_own_rules():
    stories = Stories()
    stories.fold(strike())
    own = stories.fold(condemned())[-1]
    assert (own.kind, own.occasions) == ("accusation", ("new",))


def test_articles_about_different_things_have_different_main_stories():
    stories = Stories()
    told = [strike(), condemned(subject=TANKERS, evidence="The EU condemned the burning of the tankers")]
    for event in told:
        stories.fold(event)
    first, second = mains(stories, told)
    assert not set(first) & set(second)


def test_a_passing_mention_is_counted_in_its_story_and_not_listed_with_the_article():
    stories = Stories()
    stories.fold(strike())
    about = condemned(subject=TANKERS, article_id="tankers", evidence="The EU condemned the burning of the tankers")
    stories.fold(about)
    mention = strike(subject=TANKERS, article_id="tankers", publisher="The Post")
    grown = stories.fold(mention)[-1]
    assert grown.article_count == 2
    assert grown.id not in stories.told_in("tankers", [about.id, mention.id])


def test_articles_on_one_topic_with_different_events_have_different_main_stories():
    stories = Stories()
    shared = dict(list(BINDERS.items())[:11])
    kyiv = strike(subject=shared | {f"kyiv{n}": 1.5 for n in range(20)})
    odesa = strike(
        subject=shared | {f"odesa{n}": 1.5 for n in range(20)}, places=(ODESA,), evidence="Missiles hit Odesa"
    )
    elsewhere = condemned(subject=odesa.subject)
    for event in (kyiv, odesa):
        stories.fold(event)
    assert mains(stories, [kyiv])[0] != mains(stories, [odesa])[0]
    apart = Stories()
    for event in (kyiv, elsewhere):  # the same words, and nothing in the event that speaks against it
        apart.fold(event)
    assert mains(apart, [kyiv])[0][0] == mains(apart, [elsewhere])[0][0]


def test_two_flashes_that_share_a_name_are_two_news():
    stories = Stories()
    told = [
        strike(subject={"mindoro": 1.5, "ferry": 1.0, "drown": 1.0}),
        condemned(
            subject={"mindoro": 1.5, "mayor": 1.0, "jail": 1.0}, evidence="The mayor of Mindoro blamed his rival"
        ),
    ]
    for event in told:
        stories.fold(event)
    first, second = mains(stories, told)
    assert first[0] != second[0]


def test_without_words_the_event_alone_places_the_article():
    stories = Stories()
    told = [strike(subject={}), strike(subject={}, publisher="B"), condemned(subject={})]
    for event in told:
        stories.fold(event)
    first, second, third = mains(stories, told)
    assert first == second != third


# --- split and merged stories ----------------------------------------------------------------------------------------


def test_a_report_that_contradicts_its_article_opens_a_story_with_split_from():
    stories = Stories()
    [first] = stories.fold(strike())
    changed = stories.fold(strike(places=(ODESA,), evidence="Missiles hit barracks in Odesa", publisher="B"))
    own = changed[-1]
    assert own.split_from == first.id
    assert own.part_of == first.id
    assert own.id != first.id


def bridge():
    """Two stories of one visit, and the report that shows that they are one."""
    china = make_meeting(
        actors=(XI,), places=(MOSCOW,), evidence="Xi was received with a banquet in the Kremlin", publisher="A"
    )
    russia = make_meeting(
        actors=(PUTIN,), places=(), date=None, evidence="Putin spoke of gas with his guest", publisher="B"
    )
    both = make_meeting(
        evidence="Putin spoke of gas with Xi, who was received with a banquet in the Kremlin", publisher="C"
    )
    return china, russia, both


def test_two_stories_that_turn_out_to_be_one_are_merged_into_the_earlier():
    china, russia, both = bridge()
    stories = Stories()
    [first], [second] = stories.fold(china), stories.fold(russia)
    assert first.id != second.id
    grown, gone = stories.fold(both)
    kept = min((first, second), key=lambda s: (s.first_seen_at, s.id))
    assert (grown.id, grown.merged_ids, gone.merged_into) == (kept.id, (gone.id,), kept.id)
    assert set(grown.event_ids) == {china.id, russia.id, both.id}
    assert grown.source_count == len(grown.publishers) == 3
    assert any("one with" in line.what for line in grown.timeline)
    assert any("merged into" in line.what for line in gone.timeline)
    assert [s.id for s in stories] == [kept.id]
    assert stories.fold(russia) == ()
    assert {tuple(ids) for ids in mains(stories, [china, russia, both])} == {(kept.id,)}


def test_a_takeover_knows_the_merger_even_if_only_its_first_revision_was_written():
    china, russia, both = bridge()
    stories = Stories()
    before = [*stories.fold(china), *stories.fold(russia)]
    grown, gone = stories.fold(both)
    other = next(s for s in before if s.id == gone.id)
    for records in ([grown, gone], [grown, other]):
        resumed = Stories(Track(), records)
        assert [s.id for s in resumed] == [grown.id]
        assert resumed.fold(both) == ()


# --- takeover, repeats and order -------------------------------------------------------------------------------------


def test_what_a_crash_left_unwritten_is_written_when_the_event_comes_again():
    whole = Stories()
    [begun] = whole.fold(strike())
    main, own = whole.fold(condemned())
    resumed = Stories(Track(), [begun, main])  # the second of the two was not written
    assert resumed.fold(condemned()) == (own,)
    assert sorted(resumed, key=lambda s: s.id) == sorted(whole, key=lambda s: s.id)


def newsdesk():
    """Three news in eleven events of seven articles: reports, reactions, two events in one article."""
    other = {f"gas{n}": 1.5 for n in range(24)}
    return [
        strike(article_id="a1"), condemned(article_id="a2"), strike(article_id="a3", publisher="C"),
        make_event("appeal", "REQUEST", article_id="a1", subject=BINDERS, actors=(UKRAINE,), evidence="Kyiv asked for help"),
        condemned(article_id="b1", subject=TANKERS, evidence="The EU condemned the burning of tankers"),
        condemned(article_id="b2", subject=TANKERS, evidence="The EU condemned the burning of tankers", publisher="D"),
        make_meeting(article_id="c1", subject=other), make_meeting(article_id="c2", subject=other, publisher="E"),
    ]  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_with_any_repeats_gives_the_same_groups_of_articles_and_of_events(data):
    told = newsdesk()
    order = data.draw(st.permutations(told))
    repeats = data.draw(st.lists(st.sampled_from(told), max_size=12))
    for event in repeats:
        order.insert(data.draw(st.integers(0, len(order))), event)
    stories = Stories()
    written = [story for event in order for story in stories.fold(event)]
    assert {frozenset(s.event_ids) for s in stories} == {
        frozenset({told[0].id, told[2].id}), frozenset({told[1].id}), frozenset({told[3].id}),
        frozenset({told[4].id, told[5].id}), frozenset({told[6].id, told[7].id}),
    }  # fmt: skip
    groups = {}
    for event in told:
        groups.setdefault(stories.told_in(event.article_id, [event.id])[0], set()).add(event.article_id)
    assert sorted(map(sorted, groups.values())) == [["a1", "a2", "a3"], ["b1", "b2"], ["c1", "c2"]]
    assert {(s.id, o) for s in written for o in s.occasions if o == "new"} == {(s.id, "new") for s in stories}
    for story in stories:  # what reports agree on does not depend on their order, either
        assert story.article_count == len({e.article_id for e in told if e.id in story.event_ids})
        assert story.revision == max(w.revision for w in written if w.id == story.id)


@given(st.integers(0, 10_000), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_a_takeover_anywhere_changes_nothing(seed, at):
    told = newsdesk()
    random.Random(seed).shuffle(told)
    steady, before = Stories(), Stories()
    for event in told:
        steady.fold(event)
    for event in told[:at]:
        before.fold(event)
    after = Stories(Track(), [decode(encode(s), StoryRecord) for s in before])
    for event in told:
        after.fold(event)
    assert sorted(after, key=lambda s: s.id) == sorted(steady, key=lambda s: s.id)


# --- bounded memory and time -----------------------------------------------------------------------------------------


def test_closed_stories_leave_nothing_in_memory():
    """After a year of news, a few each day, only the stories of the last days are kept."""
    stories = Stories(Track(open_days=14))
    sizes = []
    for day in range(200):
        words = {f"day{day}-{n}": 1.5 for n in range(24)}
        at = NOW + day * DAY
        evidence = f"Missiles hit depot{day} at quay{day}"
        for n in range(3):
            stories.fold(strike(evidence=evidence, subject=words, first_seen_at=at, date=make_day(at.date()),
                                publisher=f"P{n}", places=()))  # fmt: skip
        sizes.append(sum(len(held) for held in vars(stories).values() if hasattr(held, "__len__")))
    assert max(sizes[60:]) <= 1.1 * max(sizes[20:60])
    assert len(stories) <= 16


def test_beyond_the_limit_the_story_without_a_report_for_longest_is_closed():
    def raid(town, at):
        return strike(evidence=f"Missiles hit depot{town} at quay{town}", places=(), subject={f"{town}-{n}": 1.5 for n in range(24)},
                      first_seen_at=NOW + at * dt.timedelta(hours=1), publisher=f"P{at}")  # fmt: skip

    options = Track(open_stories=3)
    told = [raid(town, at) for at, town in enumerate("abcadaebf")]
    stories = Stories(options)
    latest = {story.id: story for event in told for story in stories.fold(event)}
    named = {story.id: story.reports[0].evidence[18] for story in latest.values()}
    assert sorted(named[story.id] for story in stories) == ["b", "e", "f"]
    resumed = Stories(options, latest.values())
    assert {story.id for story in resumed} == {story.id for story in stories}


def test_a_story_of_thousands_of_reports_costs_no_more_than_one_of_hundreds():
    stories = Stories()
    seconds = []
    for n in range(4000):
        event = make_meeting(
            publisher=f"P{n}",
            first_seen_at=NOW + n * dt.timedelta(seconds=20),
            fingerprint=tuple(range(n, n + 32)),
            subject=BINDERS | {f"word{n}": 1.0},
        )
        began = time.process_time()
        stories.fold(event)
        seconds.append(time.process_time() - began)
    early, late = sorted(seconds[200:1200])[500], sorted(seconds[3000:])[500]
    assert late <= 3 * early
    [story] = stories
    assert len(story.event_ids) == len(story.subject_ids) == 2000
    assert len(encode(story)) < 250_000


# --- as analysts read it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [1, 30])
def test_a_round_of_sanctions_a_month_later_is_new_and_one_of_the_next_day_is_not(gap):
    stories = Stories()
    first = strike(quantities=(make_quantity(7),))
    at = NOW + gap * DAY
    again = strike(first_seen_at=at, publisher="B", quantities=(make_quantity(9),),
                   date=make_day(at.date() if gap > 1 else NOW.date()))  # fmt: skip
    for event in (first, again):
        stories.fold(event)
    same = {ids[0] for ids in mains(stories, [again])} <= {s.id for s in stories if first.id in s.event_ids}
    assert same == (gap == 1)


def test_a_toll_that_falls_on_a_later_day_is_another_attack():
    def raid(dead, day):
        at = NOW + day * DAY
        return make_event("attack", "ASSAULT", recipients=(UKRAINE,), quantities=(make_quantity(dead),), date=None,
                          first_seen_at=at, evidence=f"At least {dead} people were killed in attacks across Ukraine")  # fmt: skip

    rising, falling = Stories(), Stories()
    for stories, tolls in ((rising, (53, 61)), (falling, (61, 53))):
        for day, dead in enumerate(tolls):
            stories.fold(msgspec.structs.replace(raid(dead, day), subject={}))
    assert len(falling) == 2
    assert len(rising) <= len(falling)


def test_an_article_that_only_mentions_another_story_is_listed_with_it_and_not_about_it():
    stories = Stories()
    [main] = stories.fold(strike())
    mention = strike(subject=TANKERS, publisher="The Post")
    [grown] = stories.fold(mention)
    assert grown.subject_ids == main.subject_ids
    assert stories.told_in(mention.article_id, [mention.id]) == [main.id]


def test_a_mention_does_not_merge_stories_of_different_news():
    china, russia, both = bridge()
    stories = Stories()
    stories.fold(strike(article_id="x"))
    stories.fold(msgspec.structs.replace(china, article_id="x"))  # part of what x is about
    stories.fold(russia)
    stories.fold(both)
    assert all(not story.merged_ids for story in stories)


def test_stories_too_large_together_stay_two(monkeypatch):
    monkeypatch.setattr("pipeline.track.story.EVENTS_KEPT", 2)
    stories = Stories()
    for event in bridge():
        stories.fold(event)
    assert all(not story.merged_ids for story in stories)
    assert len(stories) == 2


def test_a_merged_story_closes_like_any_other():
    stories = Stories(Track(open_days=14))
    for event in bridge():
        stories.fold(event)
    at = NOW + 20 * DAY
    stories.fold(strike(first_seen_at=at, date=make_day(at.date())))
    assert len(stories) == 1
    assert sum(len(held) for name, held in vars(stories).items() if name == "_moved") == 0


@pytest.mark.parametrize(("words", "least"), [(3, 0.75), (17, 0.75), (22, 0.15), (30, 0.15), (55, 0.20), (80, 0.25), (200, 0.25)])  # fmt: skip
def test_the_likeness_needed_grows_with_the_length_of_the_text(words, least):
    assert track._needed(words) == pytest.approx(least)


def test_a_merged_story_keeps_no_more_reports_than_others_and_counts_all():
    stories = Stories(Track(reports_kept=2))
    for event in bridge():
        stories.fold(event)
    [story] = stories
    assert len(story.reports) == 2
    assert len(story.event_ids) == story.article_count == 3
