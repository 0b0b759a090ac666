import pytest

from pipeline.detect.forms import noun_forms, verb_forms


@pytest.mark.parametrize(
    ("lemma", "form"),
    [
        ("impose", "imposing"), ("impose", "imposed"), ("ban", "banned"), ("ban", "banning"), ("visit", "visited"),
        ("deny", "denies"), ("deny", "denied"), ("strike", "struck"), ("withdraw", "withdrew"), ("withdraw", "withdrawn"),
        ("cancel", "cancelled"), ("cancel", "canceled"), ("agree", "agreeing"), ("accuse", "accuses"), ("expel", "expelled"),
        ("launch", "launches"), ("re-impose", "re-imposed"), ("veto", "vetoes"), ("flee", "fleeing"), ("free", "freeing"),
    ],
)  # fmt: skip
def test_a_verb_has_its_inflected_forms(lemma, form):
    assert form in verb_forms(lemma)


def test_a_verb_has_no_wrong_forms():
    assert "visitted" not in verb_forms("visit")
    assert "imposeing" not in verb_forms("impose")
    assert "striked" not in verb_forms("strike")


@pytest.mark.parametrize(
    ("lemma", "plural"),
    [("strike", "strikes"), ("ally", "allies"), ("man", "men"), ("crisis", "crises"), ("clash", "clashes")],
)
def test_a_noun_has_its_plural(lemma, plural):
    assert noun_forms(lemma) == {lemma, plural}
