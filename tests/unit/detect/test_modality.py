import pytest

from pipeline.detect import modality
from tests.unit.detect.trees import WORDS, tree

PLAIN = "France NNP nsubj 1\n{verb} {tag} ROOT 1\nsanctions NNS dobj 1"


def read(made, word, **kwargs):
    return modality.read(made, made.words.index(word), WORDS, **kwargs)


def test_a_plain_past_is_asserted():
    assert read(tree("France NNP nsubj 1\nimposed VBD ROOT 1\nsanctions NNS dobj 1"), "imposed").modality == "asserted"


@pytest.mark.parametrize(
    ("auxiliary", "expected"),
    [
        ("will", "planned"),
        ("may", "hypothetical"),
        ("could", "hypothetical"),
        ("should", "hypothetical"),
        ("would", "hypothetical"),
    ],
)
def test_an_auxiliary_says_how_real_it_is(auxiliary, expected):
    made = tree(f"France NNP nsubj 2\n{auxiliary} MD aux 2\nimpose VB ROOT 2\nsanctions NNS dobj 2")
    assert read(made, "impose").modality == expected


def test_would_under_a_past_verb_of_saying_is_the_future():
    made = tree(
        "France NNP nsubj 1\nsaid VBD ROOT 1\nit PRP nsubj 4\nwould MD aux 4\nimpose VB ccomp 1\nsanctions NNS dobj 4"
    )
    assert read(made, "impose").modality == "planned"


def test_a_negated_verb_is_denied():
    made = tree("France NNP nsubj 3\ndid VBD aux 3\nnot RB neg 3\nattack VB ROOT 3\nMali NNP dobj 3")
    assert read(made, "attack").modality == "denied"


@pytest.mark.parametrize(
    ("governor", "expected"),
    [
        ("plans", "planned"),
        ("agreed", "planned"),
        ("threatened", "hypothetical"),
        ("urged", "hypothetical"),
        ("refused", "denied"),
        ("began", "asserted"),
    ],
)
def test_the_verb_above_an_infinitive_says_how_real_it_is(governor, expected):
    made = tree(f"France NNP nsubj 1\n{governor} VBD ROOT 1\nto TO aux 3\nattack VB xcomp 1\nMali NNP dobj 3")
    assert read(made, "attack").modality == expected


def test_what_was_agreed_to_is_a_commitment():
    made = tree("France NNP nsubj 1\nagreed VBD ROOT 1\nto TO aux 3\nbuy VB xcomp 1\nshells NNS dobj 3")
    assert read(made, "buy").commitment


def test_the_infinitive_of_the_past_under_a_claim_is_asserted():
    made = tree("rebels NNS nsubj 1\nclaim VBP ROOT 1\nto TO aux 4\nhave VB aux 4\nkilled VBN xcomp 1\nhim PRP dobj 4")
    assert read(made, "killed").modality == "asserted"


def test_a_condition_is_hypothetical():
    made = tree(
        "it PRP nsubj 1\nresponds VBZ ROOT 1\nif IN mark 4\nFrance NNP nsubj 4\nattacks VBZ advcl 1\nMali NNP dobj 4"
    )
    assert read(made, "attacks").modality == "hypothetical"


def test_a_clause_of_purpose_is_no_fact():
    made = tree("they PRP nsubj 1\nmet VBD ROOT 1\nto TO aux 3\nsign VB advcl 1\nit PRP dobj 3")
    assert read(made, "sign").modality == "hypothetical"


def test_a_participle_is_as_real_as_its_main_clause():
    made = tree(
        "planes NNS nsubj 2\nwill MD aux 2\nbomb VB ROOT 2\ntowns NNS dobj 2\nkilling VBG advcl 2\nmany JJ dobj 4"
    )
    assert read(made, "killing").modality == "planned"


def test_a_relative_clause_does_not_inherit_what_is_said_of_the_main_clause():
    made = tree(
        "France NNP nsubj 2\nmay MD aux 2\nhelp VB ROOT 2\nMali NNP dobj 2\nwhich WDT nsubj 5\nattacked VBD relcl 3\nit PRP dobj 5"
    )
    assert read(made, "attacked").modality == "asserted"


@pytest.mark.parametrize(("noun", "expected"), [("plan", "planned"), ("threat", "hypothetical"), ("refusal", "denied")])
def test_the_noun_above_an_infinitive_says_how_real_it_is(noun, expected):
    made = tree(f"a DT det 1\n{noun} NN nsubj 4\nto TO aux 3\nattack VB acl 1\ngrew VBD ROOT 4")
    assert read(made, "attack").modality == expected


def test_who_says_it_is_remembered():
    made = tree("ministry NN nsubj 1\nsaid VBD ROOT 1\nFrance NNP nsubj 3\nattacked VBD ccomp 1\nMali NNP dobj 3")
    reading = read(made, "attacked")
    assert (reading.modality, made.words[reading.by]) == ("asserted", "ministry")


def test_a_headlines_infinitive_is_the_future():
    made = tree("Putin NNP nsubj 2\nto TO aux 2\nvisit VB ROOT 2\nMali NNP dobj 2")
    assert read(made, "visit", title=True).modality == "planned"


def test_words_in_quotation_marks_are_noticed():
    made = tree(
        "He PRP nsubj 1\nsaid VBD ROOT 1\n\" `` punct 4\nFrance NNP nsubj 4\nattacked VBD ccomp 1\n\" '' punct 4"
    )
    assert read(made, "attacked").quoted
