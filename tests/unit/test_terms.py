"""The words of the index and of queries."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.index.terms import country_words, search_terms, words


def test_case_accents_stop_words_and_possessives_do_not_matter():
    assert (
        search_terms("The Erdoğan's visit to Córdoba")
        == search_terms("ERDOGAN’S VISITS to Cordoba")
        == "erdogan visit cordoba"
    )


def test_numbers_and_other_scripts_are_words_too():
    assert words("350 млн долларов, G7!") == ["350", "млн", "долларов", "g7"]


@given(st.text())
def test_any_text_has_terms_and_each_word_is_taken_alone(text):
    assert search_terms(text).split() == [part for word in words(text) for part in search_terms(word).split()]


def test_a_country_is_known_by_its_names_and_its_people():
    assert {"Russia", "Russian"} <= set(country_words("RUS"))
    assert {"United States", "American"} <= set(country_words("USA"))
    assert country_words("XXX") == ()
