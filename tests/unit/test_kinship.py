"""Whether a page is the article of a feed's entry."""

import pytest

from pipeline.page import kinship


def page(title, text):
    return kinship.read(f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>")


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (
            "How to grow tomatoes on a balcony",
            "A tomato wants sun, a deep pot and regular water; everything else is detail.",
        ),
        ("Minister resigned over leaked letters", "The resignation came a day after the letter was printed."),
        ("Polizisten befragen Zeugen nach Unfall", "Ein Polizist sprach mit einem Zeugen, der alles gesehen hatte."),
    ],
)
def test_a_short_article_has_its_headlines_words_in_other_forms(title, text):
    assert kinship.is_article_of(page(title, text), title, "")


def test_a_short_text_without_a_word_of_the_headline_is_a_wall():
    title = "How to grow tomatoes on a balcony"
    for wall in (
        f"To read “{title}”, become a member of ours for a month.",
        f"No page {title.lower().replace(' ', '-')} is here, try the search.",
    ):
        assert not kinship.is_article_of(page(title, wall), title, "")
    assert kinship.is_article_of(page(title, title), title, "")  # a flash says no more than its headline
    assert not kinship.is_article_of(page(title, "Please log in to go on. Readers get all of our stories."), title, "")


@pytest.mark.parametrize("title", ["!!!!!!!!!!", "🔥" * 10, "__________"])
def test_a_title_without_a_letter_is_nowhere_in_the_text(title):
    text = "The government said on Friday that it would cut taxes for everyone in the country."
    assert kinship.is_article_of(page(title, text), title, text)
