"""What `dateline explain` tells of an article: each sentence with its names, and what the reader read out of it with its shares."""

import io
import json

import msgspec
import pytest
from rich.console import Console

from pipeline import annotate
from pipeline.cli import show_detection
from pipeline.detect import detect, explain, load_models
from pipeline.detect.examples import Examples
from pipeline.detect.jsonl import read_line
from pipeline.settings import Detect, Settings

TEXT = "Belgium expelled two Russian diplomats on Monday. Rain fell in Oslo."
TITLE = "Ghana's president meets Togo's president in Accra"


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


@pytest.fixture(scope="module")
def parsed(models):
    line = {"id": "a", "title": TITLE, "text": TEXT, "published": "2024-06-14"}
    (one,) = annotate.parse_many([read_line(json.dumps(line))], models)
    return one


@pytest.fixture(scope="module")
def read(parsed, models):
    return explain.explain(parsed, models)


def shown(read):
    out = io.StringIO()
    Console(file=out, width=200).print(show_detection.explanation(read))
    return out.getvalue()


def test_every_sentence_is_there_the_title_first(read):
    assert [one.section for one in read] == ["title", "text", "text"]
    assert [one.text for one in read[1:]] == TEXT.replace(". ", ".\n").split("\n")
    assert all(TEXT[one.start : one.end].strip() == one.text for one in read[1:])


def test_a_telling_has_the_shares_and_the_words_of_its_roles(read):
    (told,) = read[1].told
    assert (told.kind, told.modality, told.trigger, told.kept) == ("expulsion", "asserted", "expelled", True)
    assert [what for what, _ in told.shares] == ["event", "type", "kind", "asserted", "main"]
    assert all(0 <= share <= 1 for _, share in told.shares)
    words = {role: words for role, words, _ in told.spans}
    assert words["actors"] == "Belgium"
    assert "Russian diplomats" in words["recipients"]
    assert all(0 < share <= 1 for _, _, share in told.spans)
    assert [p.country for p in told.actors] == ["BEL"]
    assert ("Belgium", "GPE", "Belgium [BEL] GOV") in read[1].spans


def test_the_most_alike_labelled_examples_stand_beside_a_telling(read, models, tmp_path):
    nearest = read[1].told[0].nearest
    assert [(kind, modality) for kind, modality, _, _ in nearest] == [("expulsion", "asserted")] * 2
    assert 1 >= nearest[0][3] >= nearest[1][3] > 0.5
    assert nearest[0][2] in shown(read)
    assert Examples(tmp_path).nearest(models.encoder.distance[0]) == [], "a model without examples"


def test_what_is_told_is_what_is_detected_before_tellings_are_merged(parsed, models, read):
    kept = {told.kind for one in read for told in one.told if told.kept}
    assert kept >= {event.kind for event in detect(parsed, models)} == {"meeting", "expulsion"}


def test_what_is_not_sure_enough_is_shown_and_said_to_be_left_out(parsed):
    strict = load_models(Settings(detect=Detect(min_confidence=1.0)))
    read = explain.explain(parsed, strict)
    (told,) = read[1].told
    assert not told.kept
    assert detect(parsed, strict) == ()
    assert "below detect.min_confidence" in shown(read)


def test_the_page_shows_shares_words_and_whom_they_mean(read):
    page = shown(read)
    assert "→ expulsion asserted" in page
    assert "below detect.min_confidence" not in page
    assert "from “Belgium”, GOV" in page
    assert "names" in page


def test_a_sentence_without_events_is_shown_without_reasons(read):
    assert read[2].told == ()
    page = shown(read[2:])
    assert page.split() == ["text", f"{read[2].start}-{read[2].end}", "Rain", "fell", "in", "Oslo."]


def test_an_article_in_another_language_has_no_sentences(models):
    document = msgspec.structs.replace(read_line(json.dumps({"id": "a", "text": TEXT})), language="fr")
    (other,) = annotate.parse_many([document], models)
    assert explain.explain(other, models) == ()
