"""Words as they are searched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index.words import country_words, folded, stem, words


@pytest.mark.parametrize(
    "forms",
    [
        "sanction sanctions sanctioned sanctioning",
        "impose imposes imposed imposing",
        "announce announces announced announcing",
        "country countries",
        "carry carries carried carrying",
        "strike strikes striking",
        "kill kills killed killing",
        "agree agrees agreed agreeing",
        "plan plans planned planning",
        "attack attacks attacked attacking",
        "meet meets meeting meetings",
        "embassy embassies",
        "launch launches launched launching",
        "missile missiles",
        "ban bans banned banning",
    ],
)
def test_the_forms_of_a_word_fold_to_one(forms):
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "pair", ["russia russian", "iran iraq", "us use", "crisis cris", "press pre", "kill kiln", "wing wind", "need new"]
)
def test_different_words_stay_different(pair):
    one, other = pair.split()
    assert stem(one) != stem(other)


def test_case_accents_stop_words_and_possessives_do_not_matter():
    assert folded("The Erdoğan's visit to Córdoba") == folded("ERDOGAN’S VISITS to Cordoba") == "erdogan visit cordoba"


def test_numbers_and_other_scripts_are_words_too():
    assert words("350 млн долларов, G7!") == ["350", "млн", "долларов", "g7"]


@given(st.text())
def test_folding_takes_any_text_and_folds_every_word_alone(text):
    assert folded(text).split() == [part for word in words(text) for part in folded(word).split()]


def test_a_country_is_known_by_its_names_and_its_people():
    assert {"Russia", "Russian"} <= set(country_words("RUS"))
    assert {"United States", "American"} <= set(country_words("USA"))
    assert country_words("XXX") == ()
