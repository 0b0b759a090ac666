"""The project's own labelled news is well formed, and its scorer counts what it says."""

import datetime as dt
import re
from collections import Counter
from typing import get_args

import pytest

from pipeline.records import Modality
from tests.golden.own_score import articles, kinds, score, sentences

MODALITIES = set(get_args(Modality))
LABEL = {"kind", "type", "modality", "trigger", "actors", "recipients", "places", "date", "money"}
OPTIONAL = {"minor", "or"}
SENTENCES = sentences()
ARTICLES = articles()


def stands(words, text):
    """Whether whole words stand in a text exactly as written."""
    return bool(words) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def spans(event):
    yield from (*event["actors"], *event["recipients"], *event["places"])
    yield from (event[name] for name in ("date", "money") if event[name] is not None)


def label_faults(event, text):
    """What is wrong with one label, in words."""
    if event["kind"] not in kinds():
        yield f"no kind {event['kind']}"
    elif event["type"] != kinds()[event["kind"]]:
        yield f"{event['kind']} is not {event['type']}"
    if event["modality"] not in MODALITIES:
        yield f"no modality {event['modality']}"
    yield from (f"no kind {kind}" for kind in event.get("or", ()) if kind not in kinds())
    yield from (f"not in the text: {words!r}" for words in (event["trigger"], *spans(event)) if not stands(words, text))


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: row["id"])
def test_a_sentence_is_labelled_in_its_own_words(row):
    assert row.keys() == {"id", "text", "published", "events"}
    assert dt.date.fromisoformat(row["published"])
    for event in row["events"]:
        assert LABEL <= event.keys() <= LABEL | OPTIONAL
        assert not list(label_faults(event, row["text"]))


@pytest.mark.parametrize("row", ARTICLES, ids=lambda row: row["id"])
def test_an_article_is_labelled_in_its_own_words(row):
    assert row.keys() == {"id", "title", "text", "published", "loud", "events"}
    assert dt.date.fromisoformat(row["published"])
    assert 8 <= len(re.findall(r"[.!?]”?\"?(?=\s|$)", row["text"])) <= 20, "8 to 20 sentences"
    assert bool(row["events"]) == row["loud"]
    whole = f"{row['title']}\n{row['text']}"
    for event in row["events"]:
        assert LABEL | {"section", "tellings"} <= event.keys() <= LABEL | OPTIONAL | {"section", "tellings"}
        assert not list(label_faults(event, whole))
        assert stands(event["trigger"], row[event["section"]])
        assert event["tellings"] >= 1


def test_the_set_is_large_enough_and_covers_every_kind():
    assert len(SENTENCES) >= 300
    assert len({row["id"] for row in (*SENTENCES, *ARTICLES)}) == len(SENTENCES) + len(ARTICLES)
    assert len({row["text"] for row in SENTENCES}) == len(SENTENCES)
    assert sum(not row["events"] for row in SENTENCES) >= 80
    assert Counter(row["loud"] for row in ARTICLES) == {True: 5, False: 5}
    told = Counter(e["kind"] for row in SENTENCES for e in row["events"] if not e.get("minor"))
    assert not {kind: told[kind] for kind in kinds() if told[kind] < 3}
    unreal = Counter(e["modality"] for row in SENTENCES for e in row["events"])
    assert all(unreal[modality] >= 10 for modality in MODALITIES)


def wanted(kind, trigger, *, modality="asserted", actors=(), recipients=(), **more):
    return {
        "kind": kind,
        "type": kinds()[kind],
        "modality": modality,
        "trigger": trigger,
        "actors": list(actors),
        "recipients": list(recipients),
        "places": [],
        "date": None,
        "money": None,
        **more,
    }


def got(kind, trigger, *, modality="asserted", actors=(), recipients=(), **more):
    return {
        "event_type": kinds()[kind],
        "kind": kind,
        "modality": modality,
        "trigger": trigger,
        "evidence": trigger,
        "actors": [{"text": side, "name": None} for side in actors],
        "recipients": [{"text": side, "name": None} for side in recipients],
        **more,
    }


def row(*events, name="one", **more):
    return {"id": name, "text": "", "published": "2026-01-01", "events": list(events), **more}


def test_labels_detected_as_they_stand_score_full_marks_and_nothing_detected_scores_none():
    rows = [*SENTENCES, *ARTICLES]
    perfect = {
        one["id"]: [
            got(**{name: e[name] for name in ("kind", "trigger", "modality", "actors", "recipients")})
            for e in one["events"]
        ]
        for one in rows
    }
    figures = score(rows, perfect)
    quiet = {"quiet_sentences", "quiet_articles"}
    assert {name: value for name, value in figures.items() if name not in quiet | {"types"} and value != 1.0} == {}
    assert set(figures["types"]) == set(kinds().values())
    assert set(figures["types"].values()) == {1.0}
    assert {figures[name] for name in quiet} == {0.0}
    nothing = score(rows, {})
    assert {value for name, value in nothing.items() if name != "types"} == {0.0}


def test_events_are_counted_by_type_and_one_to_one():
    rows = [row(wanted("meeting", "met"), wanted("threat", "threatened"))]
    figures = score(rows, {"one": [got("visit", "met"), got("call", "phoned"), got("protest", "marched")]})
    assert figures["precision"] == pytest.approx(1 / 3)
    assert figures["recall"] == pytest.approx(1 / 2)
    assert figures["f1"] == pytest.approx(2 / 5)
    assert figures["kind"] == 0.0
    assert figures["types"] == {"CONSULT": pytest.approx(2 / 3), "THREATEN": 0.0, "PROTEST": 0.0}


def test_of_two_events_of_a_type_each_is_held_against_its_own_label():
    labels = [
        wanted("release", "released", actors=["Israel"]),
        wanted("release", "freed", modality="planned", actors=["Hamas"]),
    ]
    events = [
        got("release", "freed", modality="planned", actors=["Hamas"]),
        got("release", "released", actors=["Israel"]),
    ]
    figures = score([row(*labels)], {"one": events})
    assert (figures["f1"], figures["modality"], figures["actors"]) == (1.0, 1.0, 1.0)


def test_modality_is_a_share_of_the_right_events():
    rows = [row(wanted("meeting", "meet", modality="planned"), wanted("threat", "threatened"), wanted("strike", "hit"))]
    figures = score(rows, {"one": [got("meeting", "meet"), got("threat", "threatened")]})
    assert figures["modality"] == pytest.approx(1 / 2)


def test_a_side_is_right_if_a_word_of_it_or_of_its_resolved_name_is_shared():
    rows = [row(wanted("threat", "warned", actors=["Iran's navy", "the Kremlin"], recipients=["Japan"]))]
    event = got("threat", "warned", actors=["the navy", "the press"], recipients=["Tokyo"])
    figures = score(rows, {"one": [event]})
    assert (figures["actors"], figures["actors_precision"]) == (0.5, 0.5)
    assert (figures["recipients"], figures["recipients_precision"]) == (0.0, 0.0)
    event["recipients"][0]["name"] = "Japan"
    assert score(rows, {"one": [event]})["recipients"] == 1.0


def test_sides_are_not_compared_where_none_is_labelled_or_the_event_is_wrong():
    rows = [row(wanted("threat", "warned", actors=["Iran"]), wanted("strike", "hit"))]
    figures = score(rows, {"one": [got("strike", "hit", actors=["Iran"])]})
    assert (figures["actors"], figures["actors_precision"]) == (0.0, 0.0)
    assert figures["precision"] == 1.0


def test_a_minor_label_is_right_if_found_and_no_loss_if_missed():
    rows = [row(wanted("threat", "warned"), wanted("meeting", "talks", minor=True))]
    warned, talks = got("threat", "warned"), got("meeting", "talks")
    for events in ([warned], [warned, talks]):
        figures = score(rows, {"one": events})
        assert (figures["precision"], figures["recall"]) == (1.0, 1.0)
    assert score(rows, {"one": [talks]})["recall"] == 0.0
    assert score(rows, {"one": [warned, talks, talks]})["precision"] == 0.5


def test_another_kind_that_the_label_allows_is_right():
    label = wanted("mobilization", "flew", **{"or": ["strike"]})
    figures = score([row(label)], {"one": [got("strike", "flew")]})
    assert (figures["f1"], figures["kind"]) == (1.0, 1.0)
    assert figures["types"] == {"MOBILIZE": 1.0}


def test_in_an_article_the_type_alone_is_not_enough():
    label = wanted("accusation", "accused", actors=["Peru"])
    article = row(label, title="Peru and Chile", loud=True)
    other = got("accusation", "blamed", actors=["Kenya"])
    assert score([row(label)], {"one": [other]})["f1"] == 1.0
    assert score([article], {"one": [other]})["f1"] == 0.0
    assert score([article], {"one": [got("accusation", "blamed", actors=["Peru"])]})["f1"] == 1.0
    assert score([article], {"one": [got("accusation", "accused")]})["f1"] == 1.0
    mentions = [{"text": "Peru accused Chile.", "start": 0, "end": 19}]
    assert score([article], {"one": [{**other, "mentions": mentions}]})["f1"] == 1.0


def test_an_alarm_in_a_quiet_sentence_or_article_is_a_share_of_its_own_and_a_false_event():
    rows = [
        row(name="a"),
        row(name="b"),
        row(name="c", title="Derby battle", loud=False),
        row(wanted("threat", "warned"), name="d"),
    ]
    figures = score(rows, {"a": [got("strike", "fired")], "c": [], "d": [got("threat", "warned")]})
    assert figures["quiet_sentences"] == 0.5
    assert figures["quiet_articles"] == 0.0
    assert figures["precision"] == 0.5
