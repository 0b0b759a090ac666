"""The entities are those of spaCy's own recogniser."""

import random
import re
from pathlib import Path

import pytest
import spacy

from pipeline import annotate
from pipeline.annotate import entities
from pipeline.annotate.parse import UNUSED, paragraphs
from pipeline.settings import Settings

SAMPLE = Path(__file__).parents[2] / "configs/sample/articles"
ODD = (
    "", " ", "\n\n", "Ukraine", "Putin", " the  US", "Ukraine\n", "\nUkraine \n Kyiv", "New York", "in New York", "New\nYork.", "$ 3",
    "Vladimir Putin Xi Jinping Joe Biden Emmanuel Macron Olaf Scholz Rishi Sunak", "€5 million. Two days. Three men.", "a" * 300,
)  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return next(name for name in Settings().detect.models if spacy.util.is_package(name))


@pytest.fixture(scope="module")
def own(model):
    """The recogniser of the model itself, behind the same sentences."""
    nlp = spacy.load(model, exclude=list(UNUSED))
    nlp.add_pipe("sentencizer", before="ner")
    return nlp


@pytest.fixture(scope="module")
def ours(model):
    return annotate.load([model])


def found(doc):
    return [(e.start, e.end, e.label_) for e in doc.ents], [token.ent_iob_ for token in doc]


def expected(own, text):
    doc = paragraphs(own.get_pipe("sentencizer")(own.make_doc(text)))
    return own.get_pipe("ner")(doc)


def texts():
    for page in sorted(SAMPLE.glob("*.html"))[:12]:
        yield " ".join(re.sub(r"<[^>]*>", "\n", page.read_text("utf-8")).split(" "))


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_have_the_entities_of_spacy(text, own, ours):
    assert found(ours(text)) == found(expected(own, text))


def test_articles_have_the_entities_of_spacy(own, ours):
    compared = [(found(ours(text)), found(expected(own, text))) for text in texts()]
    assert sum(len(one[0]) for one, _ in compared) > 100
    assert [one for one, _ in compared] == [other for _, other in compared]


def test_words_in_any_order_have_the_entities_of_spacy(own, ours):
    words = " ".join(texts()).split(" ")
    chance = random.Random(3)
    for _ in range(10):
        text = " ".join(chance.sample(words, 120))
        assert found(ours(text)) == found(expected(own, text))


def test_another_recogniser_is_left_as_it_is(own):
    assert entities.suits(own.get_pipe("ner"))
    assert not entities.suits(own.get_pipe("sentencizer"))
    beams = spacy.blank("en").add_pipe("beam_ner")
    beams.add_label("GPE")
    assert not entities.suits(beams)
