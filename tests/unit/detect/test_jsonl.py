import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import annotate
from pipeline.detect import detect_jsonl, jsonl, load_models
from pipeline.settings import Settings

TEXT = "The Kenyan president visited Uganda on Tuesday. Police in Lagos arrested twelve men."


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


def detect(models, *lines):
    return [
        json.loads(line)
        for line in detect_jsonl([line if isinstance(line, str) else json.dumps(line) for line in lines], models)
    ]


def test_every_line_gives_one_line_in_order(models):
    out = detect(models, {"id": "a", "text": TEXT}, {"id": "b", "text": "Nothing."}, {"id": 3, "text": ""})
    assert [one["id"] for one in out] == ["a", "b", 3]
    assert [bool(one["events"]) for one in out] == [True, False, False]


def test_a_bad_line_gives_an_error_and_the_rest_goes_on(models):
    out = detect(
        models,
        "{broken",
        {"id": "no text"},
        {"id": "when", "text": TEXT, "published": "soon"},
        {"id": "good", "text": TEXT},
    )
    assert [("error" in one) for one in out] == [True, True, True, False]
    assert [one["id"] for one in out] == [None, "no text", "when", "good"]


def test_evidence_stands_in_the_given_text_where_it_says(models):
    text = f"  {TEXT}\n\nRead more here."
    (one,) = detect(models, {"id": "a", "text": text, "title": "Kenya's president visits Uganda"})
    for event in one["events"]:
        where = text if event["section"] == "text" else "Kenya's president visits Uganda"
        assert where[event["start"] : event["end"]] == event["evidence"]
        for mention in event["mentions"]:
            told = text if mention["section"] == "text" else "Kenya's president visits Uganda"
            assert told[mention["start"] : mention["end"]] == mention["text"]


def test_the_same_lines_give_the_same_events(models):
    line = {"id": "a", "text": TEXT, "published": "2024-06-14"}
    assert detect(models, line) == detect(models, line)


def test_the_publication_day_dates_the_event(models):
    (one,) = detect(models, {"id": "a", "text": TEXT, "published": "2024-06-14T12:00:00+00:00"})
    visit = next(e for e in one["events"] if e["kind"] == "visit")
    assert (visit["date"]["start"], visit["date"]["end"]) == ("2024-06-11", "2024-06-11")


def test_two_events_of_an_article_never_share_an_id(models):
    (one,) = detect(
        models, {"id": "a", "text": TEXT + " Police in Abuja arrested two men and police in Kano arrested nine."}
    )
    ids = [event["id"] for event in one["events"]]
    assert len(ids) == len(set(ids))


def test_a_fault_in_detection_costs_only_its_own_line(models, monkeypatch):
    told = jsonl.detect

    def faulty(parsed, models):
        if "boom" in parsed.document.text:
            raise RecursionError("too deep")
        return told(parsed, models)

    monkeypatch.setattr(jsonl, "detect", faulty)
    out = detect(models, {"id": 1, "text": TEXT}, {"id": 2, "text": "boom"}, {"id": 3, "text": TEXT})
    assert out[1] == {"id": 2, "error": "RecursionError: too deep"}
    assert out[0]["events"]
    assert [e["kind"] for e in out[2]["events"]] == [e["kind"] for e in out[0]["events"]]


def test_a_fault_in_the_parse_costs_only_its_own_line(models, monkeypatch):
    parse = annotate.parse_many

    def faulty(documents, models):
        for document in documents:
            if "boom" in document.text:
                raise ValueError("cannot parse")
            yield from parse([document], models)

    monkeypatch.setattr(annotate, "parse_many", faulty)
    out = detect(models, {"id": 1, "text": TEXT}, {"id": 2, "text": "boom"}, {"id": 3, "text": TEXT})
    assert out[1] == {"id": 2, "error": "ValueError: cannot parse"}
    assert [bool(one.get("events")) for one in out] == [True, False, True]


WORDS = """Russia Ukraine China the and , . with of to by President Putin Xi met meets attacked sanctions on said that it will
not troops killed 12 $5 million Monday " “ ” ( ) - U.S. 's 2024 if aid talks between"""
NEWS = st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join)


def test_no_text_is_too_odd_to_read(models):
    """The models are no argument of the inner test: Hypothesis would print them."""

    @settings(max_examples=40, deadline=None)
    @given(text=st.one_of(st.text(max_size=120), NEWS), title=st.one_of(st.text(max_size=40), NEWS))
    @example(text="\x00\ud83d", title="\u202e")
    @example(text="\n \n", title=" ")
    @example(text="and and and and", title="of of of")
    @example(text="( " * 300, title="")
    def holds(text, title):
        text, title = text.encode("utf-8", "replace").decode(), title.encode("utf-8", "replace").decode()
        (one,) = detect(models, {"id": "a", "text": text, "title": title, "published": "2024-06-14T12:00:00+00:00"})
        assert "error" not in one
        for event in one["events"]:
            where = title if event["section"] == "title" else text
            assert where[event["start"] : event["end"]] == event["evidence"]

    holds()
