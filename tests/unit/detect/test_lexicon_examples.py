"""Every kind's own examples: a `yes` sentence yields the kind as something that happened, a `no` sentence does not.

This is how a lexicon entry is tested, a user's own as well as the built-in ones.
"""

import json

import pytest

from pipeline.detect import detect_jsonl, lexicon, load_models
from pipeline.settings import Settings

KINDS = lexicon.load().kinds
YES = [(kind.kind, sentence) for kind in KINDS.values() for sentence in kind.yes]
NO = [(kind.kind, sentence) for kind in KINDS.values() for sentence in kind.no]
FACT = ("asserted", "historical")


@pytest.fixture(scope="module")
def told():
    """All example sentences, read once: sentence -> kinds that it tells as facts."""
    models = load_models(Settings())
    sentences = sorted({sentence for _, sentence in YES + NO})
    lines = (
        json.dumps({"id": sentence, "text": sentence, "published": "2024-06-14T12:00:00+00:00"})
        for sentence in sentences
    )
    records = map(json.loads, detect_jsonl(lines, models))
    return {record["id"]: [e["kind"] for e in record["events"] if e["modality"] in FACT] for record in records}


@pytest.mark.parametrize(("kind", "sentence"), YES)
def test_an_example_of_a_kind_yields_it(told, kind, sentence):
    assert kind in told[sentence]


@pytest.mark.parametrize(("kind", "sentence"), NO)
def test_a_counterexample_of_a_kind_does_not_yield_it(told, kind, sentence):
    assert kind not in told[sentence]


def test_every_kind_has_an_example_and_a_counterexample():
    assert not [kind.kind for kind in KINDS.values() if not kind.yes or not kind.no]
