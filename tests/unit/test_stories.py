"""Articles become stories: with and without events, in any order, merged, bounded, taken over."""

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
from pipeline.track.brief import brief, first_sentence
from pipeline.track.lead import is_about
from pipeline.track.stories import Stories
from tests.folding import fold, make_brief
from tests.make import KYIV, NOW, RUSSIA, UKRAINE, make_day, make_document, make_event, make_quantity

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ODESA = Place(text="Odesa", name="Odesa", country="UKR", lat=46.48, lon=30.73)
UNION = Party(text="The EU", name="European Union", sector="IGO")
FERRY = (
    "A ferry capsized off Mindoro and 23 passengers drowned, the coast guard said. The Santa Luwisa had left Batangas in a gale.",
    "Divers searched the Santa Luwisa off Mindoro for passengers. The coast guard counted 23 drowned after the ferry left Batangas.",
    "The owner of the ferry Santa Luwisa, which sank off Mindoro with 23 passengers, was arrested in Batangas by the coast guard.",
)
BINDERS = (
    "Russian missiles hit the Vivat printing house in Kyiv and killed seven binders. Schoolbooks burned for hours, rescuers said.",
    "The European Union condemned the missiles that killed seven binders at the Vivat printing house in Kyiv, where schoolbooks burned.",
    "Kyiv buried the seven binders of the Vivat printing house. Missiles had burned its schoolbooks, and colleagues read the names.",
)
VOTE = (
    "Jana Holla won the runoff for president of Slovakia with 53 percent and beat Ivan Novak, the election office in Bratislava said.",
    "Slovakia elected Jana Holla president. In the runoff she got 53 percent, Ivan Novak the rest; Bratislava celebrated until morning.",
)


def article(text, number, **changes):
    """An article without events."""
    title = text.split(".")[0]
    return make_brief(text=text, **{"id": f"{title[:9]}-{number}", "title": title, "publisher": f"P{number}"} | changes)


def strike(**changes):
    return make_event("strike", "ASSAULT", **{
        "actors": (RUSSIA,), "recipients": (UKRAINE,), "places": (KYIV,), "date": make_day(NOW.date()), "evidence": BINDERS[0].split(".")[0],
    } | changes)  # fmt: skip


def newsdesk():
    """Three news in eight articles, three of them with events."""
    condemned = make_event(
        "accusation", "ACCUSE", actors=(UNION,), recipients=(RUSSIA,), evidence=BINDERS[1].split(".")[0]
    )
    return [
        *(article(text, n) for n, text in enumerate(FERRY)),
        make_brief(strike(), text=BINDERS[0], id="b0", title="Missiles kill binders of the Vivat printing house in Kyiv"),
        make_brief(condemned, text=BINDERS[1], id="b1", title="EU condemns missiles on Vivat printing house", publisher="The Post"),
        article(BINDERS[2], 2, id="b2"),
        *(article(text, n) for n, text in enumerate(VOTE)),
    ]  # fmt: skip


def groups(stories):
    return {frozenset(story.article_ids) for story in stories}


WANTED = {
    frozenset({"A ferry c-0", "Divers se-1", "The owner-2"}), frozenset({"b0", "b1", "b2"}), frozenset({"Jana Holl-0", "Slovakia -1"}),
}  # fmt: skip


def folded(briefs, options=None):
    stories = Stories(options)
    for one in briefs:
        stories.fold(one)
    return stories


# --- which articles are one story ------------------------------------------------------------------------------------


def test_an_article_without_an_event_has_a_story():
    [story] = folded([article(FERRY[0], 0)])
    assert (story.kind, story.event_type, story.happenings) == ("", None, ())
    assert story.headline.startswith("A ferry capsized off Mindoro")


@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=8))
@settings(max_examples=30, deadline=None)
def test_any_order_with_any_repeats_gives_the_same_groups_of_articles(order, repeats):
    told = newsdesk()
    assert groups(folded(told[n] for n in [*order, *repeats])) == WANTED


def test_articles_that_tell_one_news_by_other_kinds_of_events_are_one_story_with_two_happenings():
    story = folded(newsdesk()).story_of("b1")
    assert [one.kind for one in story.happenings] == ["strike", "accusation"]
    assert story.kind == "strike"


def test_an_event_below_the_lead_is_background_and_not_what_the_story_is():
    vote = make_event("election", "COOPERATE", evidence=VOTE[0], start=0)
    aside = strike(start=900)
    story = folded([make_brief(vote, aside, text=VOTE[0] * 8, id="v")]).story_of("v")
    assert [(one.kind, one.background) for one in story.happenings] == [("election", False), ("strike", True)]
    assert story.kind == "election"


def test_what_was_background_is_told_once_a_lead_tells_it():
    aside = make_brief(strike(start=900), text=BINDERS[0], id="a")
    lead = make_brief(strike(publisher="B"), text=BINDERS[0], id="b")
    [happening] = folded([aside, lead]).story_of("a").happenings
    assert not happening.background


@pytest.mark.parametrize(
    ("title", "about"),
    [
        ("Russian tanker hit near Kyiv", True),  # the country
        ("Night of drones over Kyiv", True),  # the place
        ("A strike and its aftermath", True),  # the act
        ("Ferry sinks off Cebu", False),
        ("", True),
    ],
)
def test_what_the_lead_mentions_and_the_title_is_not_on_is_background(title, about):
    told = make_event("strike", "ASSAULT", actors=(RUSSIA,), places=(KYIV,), trigger="struck", article_title=title)
    assert is_about(told) is about
    assert not is_about(msgspec.structs.replace(told, start=900))


@pytest.mark.parametrize(
    ("evidence", "trigger", "title", "about"),
    [
        (
            "Both agreed to a truce after four nights of shelling across the border.",
            "shelling",
            "Guns fall silent",
            False,
        ),
        ("Both agreed to a truce after four nights of shelling across the border.", "shelling", "Shelling ends", True),
        ("Oil exports stop in a move against European Union sanctions.", "sanctions", "", False),
        ("Iran vows revenge after Israel struck Tehran.", "struck", "Iran vows revenge", True),
        ("Ministers imposed sanctions on Iran.", "sanctions", "", True),
        ("Twenty people were killed following an airstrike in Kyiv.", "airstrike", "Twenty dead", True),
        (
            "Two were killed, and both agreed to talks after the airstrike in Kyiv.",
            "airstrike",
            "Guns fall silent",
            False,
        ),
    ],
)
def test_what_a_sentence_names_only_as_the_cause_of_something_is_background(evidence, trigger, title, about):
    assert is_about(make_event("strike", "ASSAULT", evidence=evidence, trigger=trigger, article_title=title)) is about


def test_a_meeting_named_on_the_way_is_what_the_article_is_about():
    told = make_event("meeting", "CONSULT", evidence="After a meeting with Xi, Putin left.", trigger="meeting")
    assert is_about(told)


@pytest.mark.parametrize(
    ("evidence", "trigger", "kind", "type_"),
    [
        ("Israel releases 450 prisoners ahead of the summit.", "summit", "summit", "CONSULT"),
        ("Sudan's president is to boycott an African summit.", "summit", "summit", "CONSULT"),
        ("Pyongyang says the new sanctions against it are illegal.", "sanctions", "sanctions", "SANCTION"),
    ],
)
def test_talks_to_come_and_what_is_only_judged_are_background(evidence, trigger, kind, type_):
    assert not is_about(make_event(kind, type_, evidence=evidence, trigger=trigger))


def test_sanctions_that_are_imposed_are_what_the_article_is_about():
    evidence = "New sanctions against Iran were imposed on Monday."
    assert is_about(make_event("sanctions", "SANCTION", evidence=evidence, trigger="sanctions"))


def test_background_of_nobody_known_opens_no_happening():
    dinner = make_event("meeting", "CONSULT", actors=(Party(text="the leaders"),), recipients=(), places=(), start=900)
    assert fold(dinner) == []
    assert [one.background for one in fold(msgspec.structs.replace(dinner, actors=(RUSSIA,)))] == [True]


def test_a_story_knows_the_latest_years_of_its_articles():
    first = article(FERRY[0], 0)
    told = [msgspec.structs.replace(article(FERRY[n], n), year=year) for n, year in ((0, 2013), (1, None), (2, 2013))]
    assert folded(told).story_of(first.id).years == {2013: 2}


def test_only_an_article_without_a_date_is_of_the_latest_year_that_it_names():
    told = make_document("A ferry sank. It was the worst wreck since 1987.", published_at=None)
    assert brief(told, ()).year == 1987
    assert brief(msgspec.structs.replace(told, published_at=NOW), ()).year is None


def test_the_same_news_a_month_later_is_another_story():
    first, later = article(FERRY[0], 0), article(FERRY[1], 1, first_seen_at=NOW + 30 * DAY)
    assert len({folded([first]).story_of(first.id).id, folded([later]).story_of(later.id).id}) == 2
    assert [s.article_ids for s in folded([first, later])] == [(later.id,)]


# --- the headline and the page ---------------------------------------------------------------------------------------


def test_the_headline_is_the_title_of_the_most_central_article_with_its_publisher():
    titles = (
        "LIVE: Mindoro ferry updates",
        "Who let the Santa Luwisa sail?",
        "Mindoro ferry Santa Luwisa sinks, 23 drowned",
    )
    told = [article(text, n, title=title) for n, (text, title) in enumerate(zip(FERRY, titles, strict=True))]
    [story] = folded(told)
    assert (story.headline, story.publisher, story.central_article) == (titles[2], "P2", told[2].id)


def test_a_date_is_no_headline():
    titles = ("September 18th, 2013, 05:31 GMT", "Mindoro ferry Santa Luwisa sinks", "Aug. 17, 2011")
    told = [article(text, n, title=title) for n, (text, title) in enumerate(zip(FERRY, titles, strict=True))]
    assert [one.headline for one in folded(told)] == [titles[1]]
    document = make_document(title="August 17, 2011", text="August 17, 2011\nA ferry sank off Mindoro. Divers came.")
    assert brief(document, ()).title == "A ferry sank off Mindoro."


def test_the_headline_is_of_an_article_that_tells_the_main_happening():
    told = make_brief(
        strike(article_id="a", article_title="Drone strike on Kyiv"),
        title="Drone strike on Kyiv",
        text=BINDERS[0],
        id="a",
    )
    after = [make_brief(title=BINDERS[0][:60], text=BINDERS[0], id=name) for name in "bc"]
    story = folded([told, *after]).story_of("a")
    assert (len(story.article_ids), story.headline) == (3, "Drone strike on Kyiv")


def test_the_headline_is_of_no_article_that_only_mentions_the_main_happening():
    told = make_brief(strike(article_id="a"), title="Drone strike on Kyiv", text=BINDERS[0], id="a")
    mention = strike(article_id="b", start=900)
    aside = make_brief(mention, title=f"{BINDERS[0][:60]}", text=BINDERS[0], id="b")
    [story] = folded([told, aside])
    assert (story.happenings[0].article_count, story.headline) == (2, "Drone strike on Kyiv")


def test_a_wire_copy_stands_under_its_original_and_is_no_source_of_its_own():
    print_ = tuple(range(32))
    told = [
        article(FERRY[0], 0, fingerprint=print_),
        article(FERRY[0], 1, id="copy", fingerprint=print_),
        article(FERRY[1], 2),
    ]
    [story] = folded(told)
    assert [one.copy_of for one in story.articles] == ["", told[0].id, ""]
    assert (story.article_count, story.source_count) == (3, 2)


def test_tolls_that_differ_are_shown():
    told = [
        make_brief(strike(quantities=(make_quantity(n),), publisher=f"P{n}"), text=BINDERS[0], id=f"a{n}")
        for n in (7, 9)
    ]
    [story] = folded(told)
    assert [(one.unit, one.values) for one in story.differences] == [("dead", (7.0, 9.0))]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The U.S. Treasury blacklists two firms. They fly.", "The U.S. Treasury blacklists two firms."),
        ("Gen. Mark Milley met Lt. Smith. Then he left.", "Gen. Mark Milley met Lt. Smith."),
        ("It ended! Nobody knew.", "It ended!"),
        ("no stop here\nanother line", "no stop here"),
    ],
)
def test_a_short_form_does_not_end_the_first_sentence(text, first):
    assert first_sentence(text) == first


def test_ten_publishers_within_two_days_are_a_spike_once():
    stories = Stories()
    changes = [stories.fold(article(FERRY[n % 3], n, first_seen_at=NOW + n * HOUR))[0] for n in range(12)]
    assert [s.occasions.count("spike:10") for s in changes] == [0] * 9 + [1] * 3
    assert changes[9].change == "spike"


def test_ten_publishers_over_a_week_are_no_spike():
    [story] = folded(article(FERRY[n % 3], n, first_seen_at=NOW + n * DAY / 2) for n in range(12))
    assert story.occasions == ("new",)


def test_alike_deeds_of_two_states_on_one_day_are_two_stories():
    france, norway = (
        Party(text=name, name=name, country=code) for name, code in (("France", "FRA"), ("Norway", "NOR"))
    )

    def flash(text, *actors):
        event = make_event(
            "expulsion", "COERCE", id=text[:9], actors=actors, recipients=(RUSSIA,), places=(), date=make_day(NOW.date()), evidence=text
        )  # fmt: skip
        return make_brief(event, text=text, id=text[:9], title=text)

    stories = folded(
        [
            flash("France expelled two Russian diplomats on Tuesday, the ministry in Paris said.", france),
            make_brief(
                text="It rained in the valley on Tuesday, and nobody minded.", id="rain", title="Rain on Tuesday"
            ),
            flash("Two Russian diplomats were expelled by France on Tuesday.", france),
            flash("Norway expelled a Russian diplomat on Tuesday, officials in Oslo said.", norway),
        ]
    )
    assert groups(stories) == {frozenset({"France ex", "Two Russi"}), frozenset({"rain"}), frozenset({"Norway ex"})}


# --- merged, closed, taken over --------------------------------------------------------------------------------------


def test_two_stories_that_turn_out_to_be_one_are_merged_into_the_earlier(monkeypatch):
    stories = Stories()
    monkeypatch.setattr("pipeline.track.scorer.score", lambda *_: -1.0)
    [first], [second] = stories.fold(article(FERRY[0], 0)), stories.fold(article(FERRY[1], 1, first_seen_at=NOW + HOUR))
    monkeypatch.undo()
    grown, gone = stories.fold(article(FERRY[2], 2, first_seen_at=NOW + 2 * HOUR))
    assert (grown.id, grown.merged_ids, gone.id, gone.merged_into) == (first.id, (second.id,), second.id, first.id)
    assert groups(stories) == {frozenset({*first.article_ids, *second.article_ids, "The owner-2"})}
    assert any("one with" in line.what for line in grown.timeline)
    owing = [(gone.id, grown.id)]
    for records, owed in (
        ([first, second, grown, gone], []),
        ([grown, second], owing),
        ([first, second, grown], owing),
    ):
        resumed = Stories(Track(), records)  # also if only the first of the two was written
        assert [s.id for s in resumed] == [grown.id]
        assert resumed.fold(article(FERRY[2], 2)) == ()
        assert [(one.id, one.merged_into) for one in resumed.take_unwritten()] == owed
        assert resumed.take_unwritten() == (), "once"


@pytest.mark.parametrize("seed", range(20))
def test_a_worker_that_dies_between_two_records_leaves_no_article_in_two_stories(seed, monkeypatch):
    """Stories are merged often here, and each worker dies after some of the records that it owes."""
    rng, told, topic = random.Random(seed), [article(FERRY[n % 3], n) for n in range(12)], []
    monkeypatch.setattr("pipeline.track.scorer.score", lambda *_: rng.choice([-1.0, -1.0, 1.0]))
    at = 0
    while at < len(told):
        stories = Stories(Track(), [decode(encode(one), StoryRecord) for one in topic])
        for one in told[at : at + 3]:
            owed = [*stories.take_unwritten(), *stories.fold(one)]
            written = owed[: rng.randint(0, len(owed))] if rng.random() < 0.4 else owed
            topic += written
            if len(written) < len(owed):
                break  # it dies: the next one reads the same article again
            at += 1
    monkeypatch.undo()
    topic += Stories(Track(), topic).take_unwritten()
    latest = {story.id: story for story in sorted(topic, key=lambda one: one.revision)}
    listed = [one for story in latest.values() if not story.merged_into for one in story.article_ids]
    assert sorted(listed) == sorted(one.id for one in told)


@given(st.integers(0, 10_000), st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_a_takeover_anywhere_changes_nothing(seed, at):
    told = newsdesk()
    random.Random(seed).shuffle(told)
    steady, before = folded(told), folded(told[:at])
    after = Stories(Track(), [decode(encode(s), StoryRecord) for s in before])
    for one in told:
        after.fold(one)
    assert sorted(after, key=lambda s: s.id) == sorted(steady, key=lambda s: s.id)


def test_a_story_of_an_earlier_version_is_left_alone():
    old = msgspec.structs.replace(next(iter(folded([article(FERRY[0], 0)]))), articles=())
    assert list(Stories(Track(), [old])) == []


def test_an_article_whose_story_would_be_closed_changes_nothing():
    stories = folded([article(FERRY[0], 0), article(VOTE[0], 0, first_seen_at=NOW + 15 * DAY)], Track(open_days=14))
    assert stories.fold(article(FERRY[1], 1)) == ()
    assert [s.article_ids for s in stories] == [("Jana Holl-0",)]


def test_closed_stories_leave_nothing_in_memory():
    """After a year of news, a few each day, only the stories of the last days are kept."""
    stories = Stories(Track(open_days=14))
    sizes = []
    for day in range(90):
        for n in range(2):
            text = f"The town of Quay{day} lost its depot{day} to a fire{day}, mayor Smith{day} said in Harbour{day}."
            stories.fold(article(text, n, id=f"{day}-{n}", first_seen_at=NOW + day * DAY))
        sizes.append(sum(len(held) for held in vars(stories).values() if hasattr(held, "__len__")))
    assert max(sizes[45:]) <= 1.1 * max(sizes[20:45])
    assert len(stories) <= 16


def test_beyond_the_limit_the_story_without_an_article_for_longest_is_closed():
    def news(town, at):
        text = f"The town of Quay{town} lost its depot{town} to a fire{town}, mayor Smith{town} said in Harbour{town}."
        return article(text, at, id=f"{town}{at}", first_seen_at=NOW + at * HOUR)

    stories = folded([news(town, at) for at, town in enumerate("abcadaebf")], Track(open_stories=3))
    assert sorted(story.article_ids[0][0] for story in stories) == ["b", "e", "f"]


def test_a_story_of_thousands_of_articles_costs_no_more_than_one_of_hundreds(monkeypatch):
    monkeypatch.setattr("pipeline.track.stories.IDS_KEPT", 500)
    stories = Stories()
    seconds = []
    for n in range(600):
        one = article(FERRY[n % 3], n, id=f"a{n}", first_seen_at=NOW + n * dt.timedelta(seconds=20))
        began = time.process_time()
        stories.fold(one)
        seconds.append(time.process_time() - began)
    assert sorted(seconds[350:500])[75] <= 3 * sorted(seconds[60:210])[75]
    [story] = stories
    assert len(story.article_ids) == 500
    assert len(encode(story)) < 250_000


@pytest.mark.parametrize("gap", [1, 30])
def test_a_strike_of_a_month_later_is_new_and_one_of_the_next_day_is_not(gap):
    first = make_brief(strike(quantities=(make_quantity(7),)), text=BINDERS[0], id="a")
    again = make_brief(strike(publisher="B", quantities=(make_quantity(9),)), text=BINDERS[0], id="b",
                       first_seen_at=NOW + gap * DAY)  # fmt: skip
    assert ("a" in folded([first, again]).story_of("b").article_ids) == (gap == 1)
