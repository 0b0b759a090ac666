"""`The two countries`, `both leaders`: whom the text named before, or nobody."""

import pytest

from pipeline.detect.duals import is_dual, two_named
from tests.unit.detect.test_parties import parties, resolver, section, who

__all__ = ["resolver", "section"]

LANDS = {"Japan": "GPE", "Philippines": "GPE", "China": "GPE", "Malaysia": "GPE"}
JAPAN, PHILIPPINES, CHINA = ("Japan", "JPN"), ("Philippines", "PHL"), ("China", "CHN")


@pytest.mark.parametrize(
    "phrase", ["the two countries", "both sides", "The two", "the two foreign ministers", "both of them"]
)
def test_a_phrase_of_two_is_known(phrase):
    assert is_dual(phrase)


@pytest.mark.parametrize(
    "phrase", ["two countries", "both", "the two Russian diplomats", "the three sides", "two sides of it"]
)
def test_a_phrase_that_leads_back_to_no_two_is_none(phrase):
    assert not is_dual(phrase)


@pytest.mark.parametrize("phrase", ["the two countries", "both sides", "the two"])
def test_the_two_are_the_last_two_states_that_one_sentence_names(section, phrase):
    text = f"Japan and the Philippines sailed together. China told {phrase} to leave."
    assert who(section(text, **LANDS), phrase) == [JAPAN, PHILIPPINES]


@pytest.mark.parametrize(("between", "meant"), [("\n\n", [JAPAN, ("Malaysia", "MYS")]), (" ", [CHINA, PHILIPPINES])])
def test_two_that_another_paragraph_names_are_not_meant_where_the_headline_names_two(section, between, meant):
    text = f"China left the Philippines.{between}In 2010 the two countries signed a pact."
    found = section(text, **LANDS)
    found.headline = section("Japan recalls envoy from Malaysia", **LANDS).names
    assert who(found, "the two countries") == meant
    assert next(p.text for p in parties(found, "the two countries")) in text


def test_of_three_states_those_are_meant_that_and_joins(section):
    text = "Japan and the Philippines met China on Monday. The two countries signed a pact."
    assert who(section(text, **LANDS), "The two countries") == [JAPAN, PHILIPPINES]


def test_where_they_met_is_no_side(section):
    text = "Japan received a delegation of China in Malaysia. Both sides signed a pact."
    assert who(section(text, **LANDS), "Both sides") == [JAPAN, CHINA]


def test_two_persons_stand_for_their_states(section):
    text = "Indian Prime Minister Arvind Rao met Canadian Prime Minister Jane Roe in Malaysia. The two sides had broken off talks."
    found = section(text, Indian="NORP", Canadian="NORP", Arvind_Rao="PERSON", Jane_Roe="PERSON", Malaysia="GPE")
    assert who(found, "The two sides") == [("India", "IND"), ("Canada", "CAN")]


def test_two_persons_of_no_known_country_are_no_states(section):
    text = "Japan and the Philippines signed a pact. Jan Poe and Jane Roe spoke. The two countries met."
    found = section(text, Jan_Poe="PERSON", Jane_Roe="PERSON", **LANDS)
    assert who(found, "The two countries") == [JAPAN, PHILIPPINES]


def test_two_leaders_are_persons(section):
    text = "Arvind Rao of India met Jane Roe of Canada. The two leaders signed a pact."
    found = section(text, India="GPE", Canada="GPE", Arvind_Rao="PERSON", Jane_Roe="PERSON")
    assert who(found, "The two leaders") == [("Arvind Rao", "IND"), ("Jane Roe", "CAN")]


@pytest.mark.parametrize(
    "text", ["The two countries signed a pact.", "China said that the two countries signed a pact."]
)
def test_where_no_two_are_named_the_words_have_no_country(section, text):
    phrase = text[text.lower().index("the two") :].removesuffix(" signed a pact.")
    assert who(section(text, **LANDS), phrase) == [(None, None)]


def test_a_pair_of_persons_is_no_pair_of_states(section):
    text = "Japan expelled an envoy of China and his driver. The pair left."
    assert who(section(text, **LANDS), "The pair") == [(None, None)]


def test_two_that_share_the_noun_behind_them_are_two(resolver):
    def named(phrase):
        return [party.name for party in two_named(phrase, 0, resolver)]

    assert named("Democratic and Republican parties") == ["Democratic Party", "Republican Party"]
    assert named("Obama and Trump administrations") == ["Barack Obama", "Donald Trump"]
    assert named("U.S.-Kenya") == ["United States", "Kenya"]
    assert named("Roe and Poe campaigns") == [], "of whom nobody knows"
    assert named("Trade and Labour parties of the town") == []


def test_two_leaders_of_long_ago_are_the_only_two_that_the_text_joins(section):
    text = "Arvind Rao and Jane Roe spoke." + " China waited. Japan did." * 8 + " The two presidents met."
    found = section(text, Arvind_Rao="PERSON", Jane_Roe="PERSON", **LANDS)
    assert [name for name, _ in who(found, "The two presidents")] == ["Arvind Rao", "Jane Roe"]
    text = "Jan Poe and Jane Roe left. " + text
    found = section(text, Arvind_Rao="PERSON", Jane_Roe="PERSON", Jan_Poe="PERSON", **LANDS)
    assert who(found, "The two presidents") == [(None, None)]
