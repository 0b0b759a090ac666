"""Spans in, parties out: who a phrase names in the light of the names before it. The names are given, as annotation finds them."""

import datetime as dt
import re
from dataclasses import replace

import pytest

from pipeline.annotate.resolve import Resolver
from pipeline.detect.home import apart
from pipeline.detect.parties import SectionNames
from pipeline.detect.persons import lent, settle
from pipeline.detect.referents import Name
from pipeline.records import Party


@pytest.fixture(scope="module")
def resolver():
    return Resolver()


@pytest.fixture
def section(resolver):
    """A text and the labels of its names in, the section out."""

    def make(text, **labels):
        labels = {name.replace("_", " "): label for name, label in labels.items()}
        names = [
            Name(match.start(), match.end(), name, label, resolver.party(name))
            for name, label in labels.items()
            for match in re.finditer(rf"\b{name}\b", text)
        ]
        made = SectionNames(text, sorted(names, key=lambda n: n.start), resolver, None)
        made.settle_home()
        return made

    return make


def parties(section, *phrases):
    """The parties that phrases name, each looked for from the end of the text."""
    starts = [section.text.rindex(phrase) for phrase in phrases]
    found = section.parties([(at, at + len(phrase)) for at, phrase in zip(starts, phrases, strict=True)])
    assert all(section.text[p.start : p.end] == p.text for p in found)
    return found


def who(section, *phrases):
    return [(p.name, p.country) for p in parties(section, *phrases)]


# --- phrases ---------------------------------------------------------------------------------------------------------


def test_a_country_is_named_without_its_article(section):
    (party,) = parties(section("The United Kingdom protested.", United_Kingdom="GPE"), "The United Kingdom")
    assert (party.text, party.country) == ("United Kingdom", "GBR")


def test_the_us_is_a_country_and_us_a_pronoun(section):
    text = "Mali accused us and then the US of meddling."
    assert who(section(text, US="GPE"), "the US") == [("United States", "USA")]
    assert who(section(text, US="GPE"), "US") == [("United States", "USA")]
    assert who(section(text, US="GPE"), "us") == []


def test_what_belongs_to_a_country_acts_for_it(section):
    (party,) = parties(section("Russian forces attacked.", Russian="NORP"), "Russian forces")
    assert (party.country, party.sector) == ("RUS", "MIL")


def test_two_spans_that_a_capital_word_parts_are_one_name(section):
    text = section("Indian Prime Minister Arvind Rao spoke.", Arvind_Rao="PERSON")
    assert [(p.text, p.country) for p in parties(text, "Indian Prime", "Arvind Rao")] == [
        ("Indian Prime Minister Arvind Rao", "IND")
    ]
    text = section("Ghana and Togo spoke.", Ghana="GPE", Togo="GPE")
    assert [p.text for p in parties(text, "Ghana", "Togo")] == ["Ghana", "Togo"]


def test_no_party_ends_with_a_small_word(section):
    text = section("Mayors in the region and Washington and others asked.", Washington="GPE")
    assert [p.text for p in parties(text, "Mayors in the")] == ["Mayors"]
    assert [(p.text, p.country) for p in parties(text, "Washington and")] == [("Washington", "USA")]
    assert text.words(0, len("Mayors in")) == "Mayors"


def test_a_list_is_its_members(section):
    text = "France, Germany and the United Kingdom met."
    made = section(text, France="GPE", Germany="GPE", United_Kingdom="GPE")
    assert [p.country for p in parties(made, "France, Germany and the United Kingdom")] == ["FRA", "DEU", "GBR"]


def test_a_name_with_and_in_it_is_no_list(section):
    made = section("Bosnia and Herzegovina joined.", Bosnia_and_Herzegovina="GPE")
    assert [p.country for p in parties(made, "Bosnia and Herzegovina")] == ["BIH"]


def test_a_list_of_which_a_member_is_nobody_known_stays_whole(section):
    (party,) = parties(section("The army and other forces of Mali met."), "army and other forces")
    assert party.text == "army and other forces"


def test_each_party_is_named_once(section):
    made = section("Ghana accused Togo, and Ghana closed the border.", Ghana="GPE", Togo="GPE")
    first = made.text.index("Ghana")
    assert len(made.parties([(first, first + 5), (made.text.rindex("Ghana"), made.text.rindex("Ghana") + 5)])) == 1


def test_somebody_that_nobody_knows_keeps_the_words(section):
    (party,) = parties(section("The villagers protested."), "The villagers")
    assert (party.text, party.name, party.country, party.sector) == ("villagers", None, None, "CVL")


# --- persons ---------------------------------------------------------------------------------------------------------


def test_the_words_before_a_name_say_whose_minister_it_is(section):
    made = section("Dutch prime minister Jan Visser resigned.", Dutch="NORP", Jan_Visser="PERSON")
    (party,) = parties(made, "Jan Visser")
    assert (party.name, party.country, party.sector) == ("Jan Visser", "NLD", "GOV")


def test_the_words_behind_a_name_say_it_too(section):
    made = section("Amadou Keita, the president of Mali, resigned.", Amadou_Keita="PERSON", Mali="GPE")
    assert who(made, "Amadou Keita") == [("Amadou Keita", "MLI")]


def test_another_clause_before_a_name_says_nothing_of_it(section):
    made = section("In the Dutch capital, Jan Visser resigned.", Dutch="NORP", Jan_Visser="PERSON")
    assert who(made, "Jan Visser") == [("Jan Visser", None)]


def test_a_last_name_is_the_person_named_in_full_before(section):
    text = "Dutch prime minister Jan Visser flew to Oslo. On Monday Visser spoke."
    made = section(text, Dutch="NORP", Jan_Visser="PERSON", Visser="PERSON")
    made.names = [n for n in made.names if n.text != "Visser" or n.start > 40]
    assert who(made, "Jan Visser") == [("Jan Visser", "NLD")]
    assert who(made, "Visser") == [("Jan Visser", "NLD")]


def test_a_person_named_in_full_before_is_known_without_having_been_a_party(section):
    text = "Maria Vos and others dined with Dutch prime minister Jan Visser. Visser spoke. Vos slept."
    names = {"Dutch": "NORP", "Jan_Visser": "PERSON", "Maria_Vos": "PERSON", "Visser": "PERSON", "Vos": "PERSON"}
    made = section(text, **names)
    made.names = [n for n in made.names if " " in n.text or n.text == "Dutch" or n.start > 60]
    made.introduce()
    assert who(made, "Visser", "Vos") == [("Jan Visser", "NLD"), ("Maria Vos", None)]


def test_a_sentence_of_one_country_is_about_it_and_else_the_beginning_says_where_we_are(section):
    text = "Police of Togo spoke. " + "Nothing happened there. " * 20 + "Men of Ghana and Togo left. Nobody saw it."
    made = section(text, Togo="GPE", Ghana="GPE")
    assert made.country_at(0, 21) == "TGO"
    assert section("It was said in Togo.", Togo="GPE").country_at(0, 20) is None, "where somebody speaks"
    assert made.country_at(text.index("Men"), text.index("Nobody")) is None, "two countries"
    assert made.country_at(text.index("Nobody"), len(text)) == "TGO"
    assert section("Nobody saw it.").country_at(0, 14) is None
    talks = section("Mali hosted them. Malian envoys met Togo. Men spoke.", Mali="GPE", Malian="NORP", Togo="GPE")
    alone = talks.country_at(42, 52)
    talks.headline = section("Togo and Chad talk", Togo="GPE", Chad="GPE").names
    talks.settle_home()
    assert (alone, talks.country_at(42, 52)) == ("MLI", None), "the headline names others"


def test_a_leader_of_the_gazetteer_needs_no_words_around(section):
    assert who(section("Putin met Xi.", Putin="PERSON", Xi="PERSON"), "Putin", "Xi") == [
        ("Vladimir Putin", "RUS"),
        ("Xi Jinping", "CHN"),
    ]


# --- pronouns and phrases that lead back -----------------------------------------------------------------------------


def test_he_is_the_person_before_and_no_country(section):
    made = section("Vladimir Putin visited Mali. He spoke.", Vladimir_Putin="PERSON", Mali="GPE")
    (party,) = made.parties([(made.text.index("He"), made.text.index("He") + 2)])
    assert (party.name, party.text) == ("Vladimir Putin", "Vladimir Putin"), "the words are those of the name"
    assert (party.start, party.end) == (0, 14)


def test_it_is_the_country_before_and_no_person(section):
    made = section("Moscow denied it to Antony Blinken. It opened a case.", Moscow="GPE", Antony_Blinken="PERSON")
    assert who(made, "It") == [("Russia", "RUS")]


def test_a_person_whom_words_describe_is_meant_by_he_with_the_country(section):
    made = section("Dutch prime minister Jan Visser fell ill. He resigned.", Dutch="NORP", Jan_Visser="PERSON")
    assert who(made, "He") == [("Jan Visser", "NLD")]


@pytest.mark.parametrize("word", ["we", "I", "us", "our"])
def test_the_speaker_is_nobody(section, word):
    assert who(section(f"Mali met Chad. Then {word} spoke.", Mali="GPE", Chad="GPE"), word) == []


def test_a_pronoun_without_a_name_before_it_is_nobody(section):
    assert who(section("It protested, Mali said.", Mali="GPE"), "It") == []


def test_a_pronoun_does_not_reach_back_over_half_an_article(section):
    assert who(section(f"Mali voted. {'Rain fell. ' * 200}Then it rejoiced.", Mali="GPE"), "it") == []


@pytest.mark.parametrize(
    ("before", "phrase", "name"),
    [
        ("The International Criminal Court", "The court", "International Criminal Court"),
        ("The European Union", "The bloc", "European Union"),
        ("Boko Haram", "The group", "Boko Haram"),
        ("Emmanuel Macron", "The president", "Emmanuel Macron"),
        ("Ghana", "The government", "Ghana"),
    ],
)
def test_a_common_noun_leads_back_to_what_the_article_named(section, before, phrase, name):
    label = {"Emmanuel Macron": "PERSON", "Ghana": "GPE"}.get(before, "ORG")
    bare = before.removeprefix("The ")
    made = section(f"{before} spoke on Monday. {phrase} later fell silent.", **{bare.replace(" ", "_"): label})
    (party,) = parties(made, phrase)
    assert party.name == name
    assert party.text == phrase.removeprefix("The ")


def test_a_court_is_not_led_back_to_a_country(section):
    (party,) = parties(section("Ghana spoke. The court fell silent.", Ghana="GPE"), "The court")
    assert (party.name, party.country, party.sector) == (None, None, "JUD")


# --- the country of nameless sides -----------------------------------------------------------------------------------


def test_who_a_name_was_found_to_mean_is_kept(section):
    found = section("Georgia voted.", Georgia="GPE")
    found.names = [state] = [replace(found.names[0], party=Party(text="Georgia", name="Georgia", country="USA"))]
    found.introduce()
    assert found.names == [state]


def test_a_domestic_side_takes_the_country_of_the_place():
    police, named = Party(text="police", sector="COP"), Party(text="Interpol", name="Interpol", sector="COP")
    assert [p.country for p in settle((police, named), "NGA")] == ["NGA", None]


def test_a_state_lends_its_country_to_nobody_on_the_other_side():
    iran = Party(text="Iran", name="Iran", country="IRN", sector="GOV")
    army = Party(text="Iranian army", name="Iranian army", country="IRN", sector="MIL")
    assert lent((army,), "IRQ", "IRQ") == "IRN"
    assert lent((iran,), "IRN", "IRQ") == "IRQ", "`The new president thanked Iran` in an article on Iraq"
    assert lent((iran,), "IRN", "IRN") is None
    assert lent((iran,), None, "IRQ") is None, "a sentence of several countries"


def test_who_speaks_for_something_without_a_name_is_of_no_country():
    fund, town = Party(text="spokesman for the fund", sector="GOV"), Party(text="officials of the court", sector="GOV")
    assert [p.country for p in settle((fund, town), "KEN")] == [None, "KEN"]


@pytest.mark.parametrize("text", ["ambassador", "two diplomats of the embassy", "consulate"])
def test_an_embassy_and_who_is_sent_are_not_of_the_place(text):
    (found,) = settle((Party(text=text, sector="GOV"),), "KEN")
    assert found.country is None


def test_a_side_of_another_sort_or_country_keeps_it():
    sides = (Party(text="firms", sector="BUS"), Party(text="Chadian police", country="TCD", sector="COP"))
    assert settle(sides, "NGA") == sides
    assert settle((Party(text="police", sector="COP"),), None)[0].country is None
    assert settle((Party(text="the leaders", sector="GOV"),), "PRK")[0].country is None


# --- the subject spoken of --------------------------------------------------------------------------------------------


def test_he_is_the_subject_before_and_not_the_nearest_name(section):
    text = "Amadou Keita met French President Jan Visser and others of Togo. He left."
    assert who(section(text, Amadou_Keita="PERSON", Jan_Visser="PERSON", Togo="GPE"), "He") == [("Amadou Keita", None)]


def test_what_goes_on_about_somebody_leads_back_to_the_same_one(section):
    text = "Amadou Keita resigned. He had lost to Jan Visser in May. He left."
    assert who(section(text, Amadou_Keita="PERSON", Jan_Visser="PERSON"), "He") == [("Amadou Keita", None)]


def test_him_is_another_than_the_subject_of_the_clause(section):
    text = "Amadou Keita dismissed the army chief. Jan Visser told him to go."
    assert who(section(text, Amadou_Keita="PERSON", Jan_Visser="PERSON"), "him") == [("Amadou Keita", None)]


def test_a_queen_is_not_he(section):
    text = "Amadou Keita spoke. Queen Anna Bell listened. He left."
    assert who(section(text, Amadou_Keita="PERSON", Anna_Bell="PERSON"), "He") == [("Amadou Keita", None)]


def test_they_are_a_plural_subject_or_those_that_and_joins(section):
    made = section("Protesters gathered near the court of Togo. They threw stones.", Togo="GPE")
    assert [(p.text, p.sector) for p in made.parties([(made.text.index("They"), made.text.index("They") + 4)])] == [
        ("Protesters", "CVL")
    ]
    made = section("Ghana and Togo signed with Mali. They agreed.", Ghana="GPE", Togo="GPE", Mali="GPE")
    assert [land for _, land in who(made, "They")] == ["GHA", "TGO"]


def test_who_is_quoted_says_we(section):
    text = 'Jan Visser met Amadou Keita. "We urge Togo to stop," Amadou Keita said.'
    assert who(section(text, Jan_Visser="PERSON", Amadou_Keita="PERSON"), "We") == [("Amadou Keita", None)]


def test_its_forces_are_of_the_country_spoken_of(section):
    (party,) = parties(section("Togo closed the border. Its forces fired.", Togo="GPE"), "Its forces")
    assert (party.text, party.country, party.sector) == ("forces", "TGO", "MIL")


def test_the_office_is_whose_it_was_called_before(section):
    text = "Dutch Prime Minister Jan Visser met German minister Max Roth. The prime minister left."
    made = section(text, Dutch="NORP", German="NORP", Jan_Visser="PERSON", Max_Roth="PERSON")
    assert who(made, "prime minister") == [("Jan Visser", "NLD")]


def test_a_spokesman_is_of_the_body_that_he_was_called_of(section):
    text = "An Interpol spokesman denied it to Togo. The spokesman left."
    assert [name for name, _ in who(section(text, Interpol="ORG", Togo="GPE"), "spokesman")] == ["Interpol"]


def test_what_stands_before_the_article_is_no_part_of_the_office(section):
    text = "Dutch minister Jan Visser flew home to Kigali. The minister slept. The minister left."
    made = section(text, Dutch="NORP", Jan_Visser="PERSON", Kigali="GPE")
    assert who(made, "minister") == [("Jan Visser", "NLD")]


def test_an_acronym_is_the_body_named_in_full(section):
    text = "The Keita Relief Union (KRU) spoke. KRU left."
    made = section(text, Keita_Relief_Union="ORG")
    made.introduce()
    assert who(made, "KRU") == [("Keita Relief Union", None)]


def test_a_last_name_that_nobody_saw_as_a_name_is_one(section):
    made = section("Dutch prime minister Jan Visser spoke. He met Max Roth. Visser left.", Dutch="NORP", Jan_Visser="PERSON",
                   Max_Roth="PERSON")  # fmt: skip
    made.introduce()
    assert who(made, "Visser") == [("Jan Visser", "NLD")]


def test_another_of_the_same_last_name_is_another(section):
    text = "Dutch prime minister Jan Visser spoke. The writer Anna Visser listened."
    made = section(text, Dutch="NORP", Jan_Visser="PERSON", Anna_Visser="PERSON")
    made.introduce()
    assert who(made, "Anna Visser") == [("Anna Visser", None)]


def test_those_around_somebody_are_not_that_person(section):
    text = "Putin loyalist Jan Visser and Putin critics spoke."
    made = section(text, Jan_Visser="PERSON", Putin="PERSON")
    assert [name for name, _ in who(made, "Putin loyalist Jan Visser")] == ["Jan Visser"]
    assert [name for name, _ in who(made, "Putin critics")] == [None]


def test_a_people_s_civilians_are_of_the_country_and_not_it(section):
    made = section("Six Mexican nationals died.", Mexican="NORP")
    assert who(made, "Six Mexican nationals") == [(None, "MEX")]


def test_a_span_loses_what_does_not_belong_to_it(section):
    made = section("It said, and over 60 adults (many) and for Togo (the", Togo="GPE")
    assert [p.text for p in parties(made, "and over 60 adults")] == ["over 60 adults"]
    assert [p.text for p in parties(made, "for Togo (the")] == ["Togo"]


def test_the_administration_of_a_president_is_of_the_state(section):
    assert who(section("The Obama Administration spoke.", Obama="PERSON"), "Obama Administration") == [
        ("Barack Obama", "USA")
    ]


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_a_body_of_a_state_is_of_the_land_whose_name_follows_the_span(section):
    made = section("Moscow spoke. The army in Pyongyang fired.", Moscow="GPE", Pyongyang="GPE")
    (party,) = parties(made, "army")
    assert (party.country, party.sector, party.text) == ("PRK", "MIL", "army")
    assert who(section("The unity government in Tripoli spoke.", Tripoli="GPE"), "unity government") == [
        ("Libya", "LBY")
    ]
    (troops,) = parties(section("The troops in Baghdad left.", Baghdad="GPE"), "troops")
    assert troops.country is None, "troops may be of another country than where they are"


def test_two_countries_that_share_a_word_or_a_hyphen_are_two_parties(section):
    assert who(section("North and South Korea talked.", South_Korea="GPE"), "North and South Korea") == [
        ("North Korea", "PRK"), ("South Korea", "KOR"),
    ]  # fmt: skip
    made = section("They held the U.S.-Tajik Annual Bilateral Consultations.", Tajik="NORP")
    assert who(made, "U.S.-Tajik Annual Bilateral Consultations") == [("United States", "USA"), ("Tajikistan", "TJK")]
    (writer,) = parties(
        section("Russian-American writer Jan Roe spoke.", Jan_Roe="PERSON"), "Russian-American writer Jan Roe"
    )
    assert writer.name == "Jan Roe", "a person of two peoples is one party"


def test_a_span_does_not_begin_with_a_dateline_or_a_bracket(section):
    (party,) = parties(
        section("PARIS (Agency) — French officials spoke.", French="NORP"), "PARIS (Agency) — French officials"
    )
    assert (party.text, party.country) == ("French officials", "FRA")
    (party,) = parties(section("(Agency ) - Protesters of Togo met.", Togo="GPE"), ") - Protesters of Togo")
    assert (party.text, party.country) == ("Protesters of Togo", "TGO")


def test_a_state_office_without_a_state_is_of_its_holder_in_a_country_of_the_article(section, resolver):
    text = "Vietnam spoke. She praised Prime Minister Chinh and Prime Minister Roe."
    made = section(text, Vietnam="GPE", Chinh="PERSON", Roe="PERSON")
    made.on = dt.date(2022, 6, 14)
    assert who(made, "Prime Minister Chinh") == [("Pham Minh Chinh", "VNM")]
    assert who(made, "Prime Minister Roe") == [("Roe", None)]


def test_a_minister_who_is_met_in_a_capital_is_of_it(section):
    text = "Wendy Sherman met yesterday in Hanoi with Foreign Minister Bui Thanh Son."
    made = section(text, Hanoi="GPE", Wendy_Sherman="PERSON", Bui_Thanh_Son="PERSON")
    assert who(made, "Foreign Minister Bui Thanh Son") == [("Bui Thanh Son", "VNM")]
    made = section("In Mali, President Ali Roe voted. In Bamako, President Jan Poe spoke.",
                   Mali="GPE", Bamako="GPE", Ali_Roe="PERSON", Jan_Poe="PERSON")  # fmt: skip
    assert who(made, "President Ali Roe", "President Jan Poe") == [("Ali Roe", "MLI"), ("Jan Poe", None)]
    made = section("She spoke in Hanoi about Foreign Minister Bui Thanh Son.", Hanoi="GPE", Bui_Thanh_Son="PERSON")
    assert who(made, "Foreign Minister Bui Thanh Son") == [("Bui Thanh Son", None)]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Amadou Keita, currently the foreign minister of Mali, spoke.", "MLI"),
        ("Amadou Keita resigned as prime minister of Mali.", "MLI"),
        ("They sued the governor of Mali, Amadou Keita, on Monday.", "MLI"),
        ("Mali sued the leader of the Roe Front, Amadou Keita, on Monday.", None),
        ("Malian justice minister and senator Amadou Keita resigned.", "MLI"),
        ("She met her Malian counterpart Amadou Keita.", "MLI"),
        ("The Malian president dismissed Prime Minister Amadou Keita.", "MLI"),
        ("Mali received Prime Minister Amadou Keita.", None),
    ],
)
def test_what_stands_around_a_person_tells_the_country(section, text, country):
    made = section(text, Mali="GPE", Malian="NORP", Amadou_Keita="PERSON")
    assert who(made, "Amadou Keita") == [("Amadou Keita", country)]


ABOUT_MALI = " Mali spoke. Mali did. Malian men did."
"""What makes an article one about Mali, which names no other country half as often."""


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Army chief Amadou Keita spoke.", "MLI"),
        ("Amadou Keita, the defence secretary, spoke.", "MLI"),
        ("The mayor of a town in the north, Amadou Keita, spoke.", "MLI"),
        ("Amadou Keita, a plumber, spoke.", None),
        ("Amadou Keita, a former ambassador to Togo, spoke.", None),
        ("Amadou Keita, the defence minister of Togo, spoke.", "TGO"),
        ("Togo Ambassador to Mali Amadou Keita spoke.", "TGO"),
        ("Ambassador to Mali Amadou Keita spoke.", None),
        ("They met Roe. US Ambassador to Togo Amadou Keita spoke.", "USA"),
        ("Togo's envoy to Mali, Amadou Keita, spoke.", "TGO"),
        ("Togo's special envoy to the Mali Amadou Keita spoke.", "TGO"),
        ("Interpol envoy to Mali Amadou Keita spoke.", None),
        ("Assistant Secretary Amadou Keita spoke.", "MLI"),
        ("Togo's Amadou Keita spoke.", "TGO"),
        ("Interpol chief and police officer Amadou Keita spoke.", None),
        ("Amadou Keita, Minister Jean Roe and others spoke.", None),
        ("Amadou Keita, who met the minister, spoke.", None),
    ],
)
def test_an_office_without_a_state_is_of_the_country_that_the_article_is_about(section, text, country):
    names = {
        "Amadou_Keita": "PERSON",
        "Jean_Roe": "PERSON",
        "Interpol": "ORG",
        "Togo": "GPE",
        "Mali": "GPE",
        "Malian": "NORP",
    }
    assert who(section(text + ABOUT_MALI, **names), "Amadou Keita") == [("Amadou Keita", country)]


def test_bodies_with_a_name_and_those_that_several_states_have_are_of_the_articles_country(section):
    text = "The Electoral Commission and the Senate spoke. The Arab Grain Commission did." + ABOUT_MALI
    made = section(
        text, Electoral_Commission="ORG", Senate="ORG", Arab_Grain_Commission="ORG", Mali="GPE", Malian="NORP"
    )
    found = who(made, "The Electoral Commission", "the Senate", "The Arab Grain Commission")
    assert found == [("Electoral Commission", "MLI"), ("Senate", "MLI"), ("Arab Grain Commission", None)]
    assert who(section("The Senate spoke.", Senate="ORG"), "The Senate") == [("US Senate", "USA")]


@pytest.mark.parametrize(
    ("title", "behind", "country"),
    [
        ("Assistant Secretary", ABOUT_MALI, "MLI"),
        ("Assistant Secretary", ABOUT_MALI + " So did the US.", "USA"),
        ("Assistant Secretary", "", "USA"),
        ("Deputy Secretary of State", ABOUT_MALI, "USA"),
    ],
)
def test_an_office_of_one_state_is_another_s_where_an_article_does_not_name_that_one(section, title, behind, country):
    made = section(f"{title} Jane Roe spoke.{behind}", Jane_Roe="PERSON", Mali="GPE", Malian="NORP", US="GPE")
    assert who(made, "Jane Roe") == [("Jane Roe", country)]


def test_a_country_that_was_guessed_is_not_that_of_the_state_on_the_other_side(section):
    text = (
        "The Senate condemned Mali. So did the Electoral Commission. General Amadou Keita met Malian officials."
        + ABOUT_MALI
    )
    made = section(text, Senate="ORG", Electoral_Commission="ORG", Amadou_Keita="PERSON", Mali="GPE", Malian="NORP")
    bodies, keita = parties(made, "The Senate", "the Electoral Commission"), parties(made, "Amadou Keita")
    assert {p.country for p in (*bodies, *keita)} == {"MLI"}, "told for itself"
    state = parties(made, "Malian officials")
    found = apart((*bodies, *keita), state, made.guessed)
    assert [(p.name, p.country) for p in found] == [
        ("US Senate", "USA"), ("Electoral Commission", None), ("Amadou Keita", None),
    ]  # fmt: skip
    assert apart(state, bodies, made.guessed) == state
    assert apart(bodies, keita, made.guessed) == bodies, "no state is named"


def test_a_person_with_the_name_of_a_town_is_not_of_its_country(section, resolver):
    text = "Juan Manuel Santos won in Colombia. Santos spoke in Santos."
    made = section(text, Juan_Manuel_Santos="PERSON", Colombia="GPE", Santos="GPE")
    made.introduce()
    at = text.index("Santos spoke")
    assert [p.name for p in made.parties([(at, at + 6)])] == ["Juan Manuel Santos"]
    assert made.names[-1].party.country == "BRA", "where something is"
    made = section("The Santos family thanked Egypt.", Santos="PERSON", Egypt="GPE")
    made.names = [replace(n, party=Party(text="Santos")) if n.text == "Santos" else n for n in made.names]
    assert who(made, "The Santos family") == [(None, None)]


def test_a_last_name_means_whom_the_text_named_first(section):
    text = "Andrew Roe was held. His wife, Norine Roe, was freed. Roe was charged."
    made = section(text, Andrew_Roe="PERSON", Norine_Roe="PERSON")
    made.introduce()
    assert [p.name for p in made.parties([(text.rindex("Roe"), text.rindex("Roe") + 3)])] == ["Andrew Roe"]


def test_a_body_and_where_it_is_are_one_party(section):
    text = "The army in Togo warned envoys in Mali."
    made = section(text, Togo="GPE", Mali="GPE")
    assert [p.text for p in made.parties([(4, 8), (12, 16)])] == ["army in Togo"]
    assert len(made.parties([(24, 30), (34, 38)])) == 2


def test_who_is_described_by_a_country_is_it_if_they_act_for_it(section):
    made = section("The leaders of Poland met three Polish groups.", Poland="GPE", Polish="NORP")
    assert who(made, "The leaders of Poland", "three Polish groups") == [("Poland", "POL"), (None, "POL")]


def test_the_commission_is_that_of_the_union_that_the_text_names(section):
    assert who(section("The EU spoke. The Commission did.", EU="ORG"), "The Commission") == [
        ("European Commission", None)
    ]
    assert who(section("The UN spoke. The commission did.", UN="ORG"), "The commission") == [(None, None)]
    made = section(
        "The Roe Truth Commission met. The UN spoke. The commission did.", Roe_Truth_Commission="ORG", UN="ORG"
    )
    assert who(made, "The commission") == [("Roe Truth Commission", None)]


def test_a_new_office_holder_is_not_whom_our_list_has(section):
    for words, name in (("The new prime minister", "Japan"), ("The prime minister", "Shinzo Abe")):
        made = section(f"Japan swore him in. {words} spoke.", Japan="GPE")
        made.on = dt.date(2016, 8, 1)
        assert who(made, words) == [(name, "JPN")]


def test_a_country_of_another_sentence_is_no_president(section):
    assert who(section("Togo: judges to try president", Togo="GPE"), "president") == [("Togo", "TGO")]
    made = section("Togo and Mali spoke. The president did.", Togo="GPE", Mali="GPE")
    assert who(made, "The president") == [(None, None)]


def test_what_is_written_as_a_name_is_one_though_nobody_saw_it(section):
    assert who(section("Police arrested Zora Quill on Monday."), "Zora Quill") == [("Zora Quill", None)]
    assert who(section("The riot police arrested attackers."), "attackers") == [(None, None)]
    assert who(section("Thousands Flee Burning Towns"), "Thousands Flee") == [(None, None)], "a headline in capitals"


def test_they_are_no_sea(section):
    made = section("Migrants of Togo crossed the Red Sea. They protested.", Togo="GPE", Red_Sea="LOC")
    assert "Red Sea" not in [name for name, _ in who(made, "They")]


# --- who somebody is, in more words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Amadou Keita, spokesman for the Malian ministry, spoke.", "MLI"),
        ("Amadou Keita, deputy head of the parliament of Mali, spoke.", "MLI"),
        (
            "Amadou Keita, a Malian activist and founder of a school that teaches girls in the far north to read, spoke.",
            "MLI",
        ),
        ("The U.S. deputy secretary for trade, Amadou Keita, spoke.", "USA"),
        ("Amadou Keita, the U.S. attorney for the district, spoke.", "USA"),
        ("A Malian, Amadou Keita, spoke.", "MLI"),
        ("A Malian truck driver, Amadou Keita, was held.", "MLI"),
        ("Amadou Keita, who served as president of Mali, died.", "MLI"),
        ("Amadou Keita, a banker who served as president of Mali for years, died.", "MLI"),
        ("Amadou Keita, a baker from a town in Mali\nThe night was long", "MLI"),
        ("Amadou Keita, after a visit to the president of Mali, spoke.", None),
        ("Amadou Keita, together with the head of the Malian army, spoke.", None),
    ],
)
def test_a_longer_or_shorter_description_of_a_person_tells_the_country_too(section, text, country):
    made = section(text, Mali="GPE", Malian="NORP", Amadou_Keita="PERSON")
    assert who(made, "Amadou Keita") == [("Amadou Keita", country)]


def test_a_citizen_whom_a_people_s_word_describes_does_not_act_for_the_state(section):
    (party,) = parties(
        section("Amadou Keita, a Malian citizen, fled.", Malian="NORP", Amadou_Keita="PERSON"), "Amadou Keita"
    )
    assert (party.country, party.sector) == ("MLI", "CVL")


def test_whoever_works_for_a_charity_is_not_of_the_country_that_the_work_is_about(section):
    text = "Ann Roe, Kenya director for Amnesty International, spoke."
    made = section(text, Kenya="GPE", Ann_Roe="PERSON", Amnesty_International="ORG")
    assert who(made, "Kenya director for Amnesty International") == [("Amnesty International", None)]
    assert who(made, "Ann Roe") == [("Ann Roe", None)]
    assert who(section("Kenya's director spoke.", Kenya="GPE"), "Kenya's director")[0][1] == "KEN"


def test_who_commands_men_of_an_organisation_need_not_be_of_the_country_that_the_article_is_about(section):
    text = "Observers headed by General Jan Visser came." + ABOUT_MALI
    made = section(text, Mali="GPE", Malian="NORP", Jan_Visser="PERSON")
    assert who(made, "General Jan Visser")[0][1] is None
    made = section("General Jan Visser came." + ABOUT_MALI, Mali="GPE", Malian="NORP", Jan_Visser="PERSON")
    assert who(made, "General Jan Visser")[0][1] == "MLI"


# --- names of bodies --------------------------------------------------------------------------------------------------


def test_initials_are_the_body_whose_words_begin_so(section):
    text = "The Keita Relief Union spoke. KRU lorries left. The KRU stayed."
    made = section(text, Keita_Relief_Union="ORG", KRU="ORG")
    made.introduce()
    assert who(made, "KRU") == [("Keita Relief Union", None)]
    assert who(made, "KRU lorries") == [("Keita Relief Union", None)]
    made = section("Rebels of the Islamic State fled, and IS burned the town.", Islamic_State="ORG")
    made.introduce()
    assert who(made, "IS") == [("Islamic State", None)]


def test_a_body_of_one_word_that_nobody_knows_has_its_name(section):
    made = section("Viewers of Roblex wrote letters. Roblex refused to close.", Roblex="ORG")
    assert who(made, "Roblex") == [("Roblex", None)]
    made = section("Members of the House voted.", House="ORG")
    assert [name for name, _ in who(made, "House")] == [None]
    made = section("Roblex Shut Down Today", Roblex="ORG")
    assert who(made, "Roblex") == [(None, None)], "in a headline every word is written so"


def test_what_a_group_is_for_is_not_what_it_is(section):
    made = section("A march of Doctors for Mali began.", Mali="GPE")
    assert who(made, "Doctors for Mali") == [("Doctors for Mali", "MLI")]
    made = section("The spokesman for the Malian government left.", Malian="NORP")
    assert who(made, "spokesman for the Malian government") == [("Mali", "MLI")]


def test_a_name_loses_its_own_initials_in_brackets(section):
    (party,) = parties(
        section("Men of the Keita Relief Union (KRU) left.", Keita_Relief_Union="ORG"), "Keita Relief Union (KRU)"
    )
    assert party.text == "Keita Relief Union"


def test_prosecutors_are_not_the_person_whose_name_follows(section):
    made = section("Police arrested Prosecutors Roe Poe. Prosecutors left.", Roe_Poe="PERSON")
    made.introduce()
    assert [name for name, _ in who(made, "Prosecutors")] == [None]


@pytest.mark.parametrize(
    ("text", "phrases", "kept"),
    [
        ("Jan Visser, head of the union, left.", ("Jan Visser", "head of the union"), ["Jan Visser"]),
        ("A union spokesman, Jan Visser, left.", ("union spokesman", "Jan Visser"), ["Jan Visser"]),
        (
            "Jan Visser, police chiefs and clerics met.",
            ("Jan Visser", "police chiefs"),
            ["Jan Visser", "police chiefs"],
        ),
        ("Jan Visser, a bishop and clerics met.", ("Jan Visser", "bishop"), ["Jan Visser", "bishop"]),
        ("Men met, Jan Visser, Mali.", ("Jan Visser", "Mali"), ["Jan Visser", "Mali"]),
    ],
)
def test_a_name_and_who_that_is_are_one_party(section, text, phrases, kept):
    made = section(text, Jan_Visser="PERSON", Mali="GPE")
    assert [p.text for p in parties(made, *phrases)] == kept


# --- whom a word leads back to ----------------------------------------------------------------------------------------


def test_she_is_the_one_for_whom_others_speak(section):
    text = "Max Roth left. Ann Roe's campaign said she would stay."
    assert who(section(text, Max_Roth="PERSON", Ann_Roe="PERSON"), "she") == [("Ann Roe", None)]
    text = "Max Roth left. Ann Roe's house burned when he came."
    assert who(section(text, Max_Roth="PERSON", Ann_Roe="PERSON"), "he") == [("Max Roth", None)]


def test_the_caption_of_an_old_picture_is_not_gone_on_about(section):
    text = "Togo accused Mali.\nFILE - Ghana shows its tanks.\nIt denied that."
    assert who(section(text, Togo="GPE", Mali="GPE", Ghana="GPE"), "It") == [("Togo", "TGO")]


def test_the_president_is_of_several_the_one_named_last(section):
    text = "Polish President Jan Visser met French President Max Roth. Visser smiled. The president left."
    made = section(text, Polish="NORP", French="NORP", Jan_Visser="PERSON", Max_Roth="PERSON", Visser="PERSON")
    made.introduce()
    assert who(made, "president") == [("Jan Visser", "POL")]
    made = section(
        text.replace("Visser smiled. ", ""), Polish="NORP", French="NORP", Jan_Visser="PERSON", Max_Roth="PERSON"
    )
    made.introduce()
    assert who(made, "president") == [("Max Roth", "FRA")]


def test_the_campaign_or_the_settlers_of_somebody_are_not_the_state(section):
    made = section("The Trump campaigns spent much. Israeli settlers marched.", Trump="PERSON", Israeli="NORP")
    assert who(made, "Trump campaigns") == [("Donald Trump", "USA")]
    assert who(made, "Israeli settlers") == [(None, "ISR")]
    made = section("African leaders left. Islamic State militants fled.", African="NORP", Islamic_State="ORG")
    assert [name for name, _ in who(made, "Islamic State militants")] == ["Islamic State"]
    assert [name for name, _ in who(made, "African leaders")] == ["Africa"]


def test_the_country_that_somebody_studies_is_not_the_own_one(section):
    text = "Ann Roe, Mali research analyst for a school, spoke."
    assert who(section(text, Ann_Roe="PERSON", Mali="GPE"), "Ann Roe") == [("Ann Roe", None)]
    text = "Ann Roe, Mali police chief, spoke."
    assert who(section(text, Ann_Roe="PERSON", Mali="GPE"), "Ann Roe") == [("Ann Roe", "MLI")]


def test_junior_is_part_of_the_name(section):
    made = section("Judge Jan Visser, Jr., and Roe Goods, Inc. met.", Jan_Visser="PERSON")
    assert len(parties(made, "Jan Visser, Jr.")) == 1


# --- releases ---------------------------------------------------------------------------------------------------------


def test_we_in_a_release_are_its_issuer(section):
    text = 'Antony Blinken, Secretary of State\n\nWe urge Mali to vote. I thank Togo. "We will vote," they said.'
    made = section(text, Antony_Blinken="PERSON", Mali="GPE", Togo="GPE")
    at = text.index("We")
    assert [p.name for p in made.parties([(at, at + 2)])] == ["United States"]
    assert [p.name for p in parties(made, "I")] == ["Antony Blinken"]
    assert parties(made, "We") == (), "they who are quoted are others"


def test_we_are_whoever_issued_the_statement(section):
    text = "French minister Max Roth issued the following statement on Monday on Mali: We urge Mali to vote."
    assert who(section(text, French="NORP", Max_Roth="PERSON", Mali="GPE"), "We") == [("France", "FRA")]
    text = "The minister spoke on Monday in Mali. We saw Max Roth."
    assert who(section(text, Max_Roth="PERSON", Mali="GPE"), "We") == []
    text = "Ned Roe, ministry spokesman\n\nWe urge Mali to vote."
    assert who(section(text, Ned_Roe="PERSON", Mali="GPE"), "We") == [], "he speaks for others"
