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


@pytest.mark.parametrize(
    ("verb", "preposition"), [("accused", "of"), ("blamed", "for"), ("suspected", "of"), ("thanked", "for")]
)
def test_what_somebody_is_blamed_or_thanked_for_is_not_told_as_a_fact(verb, preposition):
    made = tree(
        f"Peru NNP nsubj 1\n{verb} VBD ROOT 1\nChile NNP dobj 1\n{preposition} IN prep 1\nexpelling VBG pcomp 3\n"
        "it PRP dobj 4\nand CC cc 4\nshelling VBG conj 4\nMali NNP dobj 7"
    )
    assert read(made, "expelling").modality == "hypothetical"
    assert read(made, "shelling").modality == "hypothetical"
    assert read(made, verb).modality == "asserted"


def test_a_finite_verb_joined_to_a_participle_belongs_to_the_main_clause():
    made = tree(
        "Peru NNP nsubj 1\naccuses VBZ ROOT 1\nit PRP dobj 1\nof IN prep 1\nhelping VBG pcomp 3\nand CC cc 4\n"
        "suspends VBZ conj 4\nties NNS dobj 6"
    )
    assert read(made, "suspends").modality == "asserted"


def test_the_first_of_two_main_clauses_is_not_the_content_of_the_second():
    made = tree(
        "Mali NNP nsubj 1\nfired VBD ccomp 6\nmissiles NNS dobj 1\n; : punct 6\nthey PRP nsubj 6\nmay MD aux 6\nmeet VB ROOT 6"
    )
    assert read(made, "fired").modality == "asserted"
    assert read(made, "meet").modality == "hypothetical"


@pytest.mark.parametrize(
    ("form", "tag", "expected"), [("withdraw", "VBP", "hypothetical"), ("withdrew", "VBD", "asserted")]
)
def test_the_bare_form_under_insist_is_a_demand(form, tag, expected):
    made = tree(f"it PRP nsubj 1\ninsisted VBD ROOT 1\nthat IN mark 4\ntroops NNS nsubj 4\n{form} {tag} ccomp 1")
    assert read(made, form).modality == expected


def test_what_is_told_inside_a_relative_clause_is_background():
    made = tree(
        "refugees NNS nsubj 6\nwho WP nsubj 2\nfled VBD relcl 0\nafter IN mark 5\nMali NNP nsubj 5\nattacked VBD advcl 2\n"
        "sang VBD ROOT 6"
    )
    reading = read(made, "attacked")
    assert reading.relative
    assert reading.side == 2


@pytest.mark.parametrize(("adverb", "expected"), [("allegedly", "hypothetical"), ("previously", "historical")])
def test_an_adverb_says_how_real_it_is(adverb, expected):
    made = tree(f"Mali NNP nsubj 2\n{adverb} RB advmod 2\nattacked VBD ROOT 2\nit PRP dobj 2")
    assert read(made, "attacked").modality == expected


@pytest.mark.parametrize(("verb", "arc"), [("recalls", "ccomp"), ("rehearsed", "xcomp")])
def test_what_is_remembered_or_played_is_no_fact(verb, arc):
    made = tree(f"memoir NN nsubj 1\n{verb} VBZ ROOT 1\nrebels NNS nsubj 3\nattacking VBG {arc} 1\nMali NNP dobj 3")
    assert read(made, "attacking").modality == "hypothetical"
