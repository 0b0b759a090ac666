"""Tellings in, drafts out: whose sides, place and date they are. Parses are made by hand, so no model is loaded."""

import datetime as dt

import pytest

from pipeline.annotate.resolve import Resolver
from pipeline.detect import drafts as drafting
from pipeline.detect.home import met
from pipeline.detect.kinds import built_in
from pipeline.detect.models import Models
from pipeline.records import Party
from tests.unit.detect import stub
from tests.unit.detect.stub import telling


@pytest.fixture(scope="module")
def models():
    return Models(nlp=None, encoder=stub.StubEncoder(), names=Resolver())


def draft(models, text, *tellings, title="", labels=None):
    return drafting.drafts(stub.parsed(models.names, text, title=title, labels=labels), tellings, models)


def countries(parties):
    return [p.country for p in parties]


def test_a_draft_has_the_sides_the_place_and_the_date_of_its_telling(models):
    text = "Rain fell. Ghana expelled three Togolese diplomats in Accra on Tuesday."
    one = telling(
        text, "expelled", "expulsion", "SANCTION", sentence=1, actors="Ghana", recipients="three Togolese diplomats",
        places="Accra", date="Tuesday",
    )  # fmt: skip
    (made,) = draft(models, text, one, labels={"Ghana": "GPE", "Togolese": "NORP", "Accra": "GPE"})
    assert (countries(made.actors), countries(made.recipients)) == (["GHA"], ["TGO"])
    assert [(p.name, p.country) for p in made.places] == [("Accra", "GHA")]
    assert made.date.start == dt.date(2024, 6, 11)
    assert text[made.start : made.end] == made.evidence == text[11:]
    assert (made.trigger, made.rule, made.confidence) == ("expelled", "reader", 0.9)


@pytest.mark.parametrize(("label", "places"), [("ORG", []), ("GPE", ["Accra"])])
def test_a_place_inside_the_name_of_an_organisation_is_none(models, label, places):
    text = "Ghana arrested a reporter of Accra TV."
    one = telling(text, "arrested", "arrest", "COERCE", actors="Ghana", recipients="a reporter", places="Accra")
    (made,) = draft(models, text, one, labels={"Ghana": "GPE", "Accra TV" if label == "ORG" else "Accra": label})
    assert [p.name for p in made.places] == places


def test_the_title_comes_first_though_the_text_is_read_first(models):
    title, text = "Visser quits", "Dutch prime minister Jan Visser resigned."
    tellings = (
        telling(title, "quits", "resignation", "CONCEDE", section="title", sentence=-1, actors="Visser"),
        telling(text, "resigned", "resignation", "CONCEDE", actors="Jan Visser"),
    )
    labels = {"Jan Visser": "PERSON", "Visser": "PERSON", "Dutch": "NORP"}
    made = draft(models, text, *tellings, title=title, labels=labels)
    assert [(one.section, one.evidence) for one in made] == [("title", title), ("text", text)]
    assert [one.actors[0].country for one in made] == ["NLD", "NLD"], "the text says who it is that the title names"


def test_a_word_with_a_hyphen_is_one_trigger(models):
    text = "The cease-fire of Mali and a cease-and-desist order took effect."
    made = draft(
        models, text, telling(text, "cease", "ceasefire", "RETREAT"), telling(text, "order", "appeal", "REQUEST")
    )
    assert [one.trigger for one in made] == ["cease-fire", "order"]


def test_of_a_joint_kind_all_sides_act(models):
    text = "The talks of Ghana and Togo ended."
    one = telling(text, "talks", "meeting", "CONSULT", recipients="Ghana and Togo")
    (made,) = draft(models, text, one, labels={"Ghana": "GPE", "Togo": "GPE"})
    assert (countries(made.actors), made.recipients) == (["GHA", "TGO"], ())


def test_nobody_acts_on_himself(models):
    text = "Ghana accused Togo."
    one = telling(text, "accused", "accusation", "ACCUSE", actors="Ghana", recipients=("Togo", "Ghana"))
    (made,) = draft(models, text, one, labels={"Ghana": "GPE", "Togo": "GPE"})
    assert (countries(made.actors), countries(made.recipients)) == (["GHA"], ["TGO"])


def test_who_is_named_twice_stands_on_the_side_that_is_nearer_to_the_trigger(models):
    text = "Mali recalled its envoy from Niger a day after Nigerien police stormed its embassy."
    one = telling(text, "recalled", "rupture", "SANCTION", actors=("Mali", "Nigerien"), recipients="Niger")
    (made,) = draft(models, text, one, labels={"Mali": "GPE", "Niger": "GPE", "Nigerien": "NORP"})
    assert (countries(made.actors), countries(made.recipients)) == (["MLI"], ["NER"])


def test_what_is_hit_where_it_stands_is_nobody_that_is_attacked(models):
    text = "Russia struck a power plant and three Ukrainian soldiers in Kharkiv."
    one = telling(
        text, "struck", "strike", "ASSAULT", actors="Russia", recipients=("a power plant", "three Ukrainian soldiers")
    )
    (made,) = draft(models, text, one, labels={"Russia": "GPE", "Ukrainian": "NORP"})
    assert [p.text for p in made.recipients] == ["three Ukrainian soldiers"]


@pytest.mark.parametrize(("words", "told"), [("to comment", 0), ("to give further details", 0), ("to leave Mali", 1)])
def test_who_declines_to_comment_rejects_nothing(models, words, told):
    text = f"Ghana declined {words}."
    assert len(draft(models, text, telling(text, "declined", "rejection", "REJECT", actors="Ghana"))) == told


def test_a_dateline_is_no_part_of_a_name(models):
    text = "GOMA, Democratic Republic of Congo - M23 rebels captured Uvira."
    one = telling(text, "captured", "offensive", "ASSAULT", actors="Democratic Republic of Congo - M23 rebels")
    (made,) = draft(models, text, one, labels={"M23": "ORG", "Democratic Republic of Congo": "GPE"})
    assert [p.text for p in made.actors] == ["M23 rebels"]


def test_a_parliament_is_no_place_abroad(models):
    text = "People clashed outside the Congress in Lima."
    (made,) = draft(models, text, telling(text, "clashed", "clash", "ASSAULT", places=("Congress", "Lima")))
    assert [(p.name, p.country) for p in made.places] == [("Congress", None), ("Lima", "PER")]


def test_from_a_weekday_is_to_come(models):
    text = "Machinists voted to strike from Monday."
    (made,) = draft(models, text, telling(text, "strike", "protest", "PROTEST", actors="Machinists", date="Monday"))
    assert (made.date.start, made.modality) == (dt.date(2024, 6, 17), "planned")


def test_arms_that_are_ordered_are_no_gift(models):
    text = "Poland ordered 32 attack helicopters from Boeing."
    (made,) = draft(models, text, telling(text, "ordered", "aid_package", "AID", actors="Poland"))
    assert made.kind.kind == "arms_procurement"


def test_a_title_means_who_holds_the_office_in_the_text_not_in_our_list(models):
    title, text = "Kenyan president meets Japanese envoy", "Kenyan President Daniel Otieno met an envoy in Nairobi."
    one = telling(title, "meets", "meeting", "CONSULT", section="title", sentence=-1, actors="Kenyan president")
    labels = {"Daniel Otieno": "PERSON", "Kenyan": "NORP", "Nairobi": "GPE"}
    (made,) = draft(models, text, one, title=title, labels=labels)
    assert [(p.name, p.country) for p in made.actors] == [("Daniel Otieno", "KEN")]


def test_countries_that_are_found_as_one_name_are_several_parties(models):
    text = "Mali, Burkina Faso and Niger quit the bloc."
    one = telling(text, "quit", "rupture", "SANCTION", actors="Mali, Burkina Faso and Niger")
    (made,) = draft(models, text, one, labels={"Mali, Burkina Faso": "GPE", "Niger": "GPE"})
    assert countries(made.actors) == ["MLI", "BFA", "NER"]


def test_places_are_the_towns_of_a_list_and_the_name_behind_their_sort(models):
    text = "Police searched flats in Dortmund, Bremen after a fire in the German port of Hamburg, near its border with Poland."
    spans = ("Dortmund, Bremen", "the German port of Hamburg", "Poland")
    (made,) = draft(models, text, telling(text, "searched", "legal_action", "ACCUSE", places=spans))
    assert [p.name for p in made.places] == ["Dortmund", "Bremen", "Hamburg"]


def test_a_town_is_no_hint_of_its_own_country(models):
    text = "Gunmen struck San Fernando, Trinidad said."
    one = telling(text, "struck", "attack", "ASSAULT", actors="Gunmen", places="San Fernando")
    (made,) = draft(models, text, one, labels={"San Fernando": "GPE", "Trinidad": "GPE"})
    assert [p.country for p in made.places] == ["TTO"]
    (made,) = draft(models, text.replace(", Trinidad said", ""), one, labels={"San Fernando": "GPE"})
    assert [(p.country, p.reason) for p in made.places] == [("PHL", "largest by population")]


def test_who_sells_arms_is_the_other_side_of_their_purchase(models):
    text = "Poland ordered 96 tanks from South Korea, two diplomats said."
    (made,) = draft(models, text, telling(text, "ordered", "arms_procurement", "AID", actors="Poland"))
    assert (countries(made.recipients), [q.text for q in made.quantities]) == (["KOR"], ["96 tanks"])


def test_nameless_police_are_of_the_country_of_the_place_else_of_the_other_side(models):
    text = "Police arrested twelve men in Lagos."
    one = telling(text, "arrested", "arrest", "COERCE", actors="Police", recipients="twelve men", places="Lagos")
    (made,) = draft(models, text, one, labels={"Lagos": "GPE"})
    assert (countries(made.actors), countries(made.recipients)) == (["NGA"], ["NGA"])
    text = "Police arrested Nigerian students."
    one = telling(text, "arrested", "arrest", "COERCE", actors="Police", recipients="Nigerian students")
    (made,) = draft(models, text, one, labels={"Nigerian": "NORP"})
    assert countries(made.actors) == ["NGA"]
    text = "Police arrested twelve men. Nigeria was silent."
    one = telling(text, "arrested", "arrest", "COERCE", actors="Police", recipients="twelve men")
    (made,) = draft(models, text, one, labels={"Nigeria": "GPE"})
    assert (countries(made.actors), countries(made.recipients)) == (["NGA"], ["NGA"]), (
        "the only country of the sentence"
    )


def test_the_nameless_who_are_attacked_are_not_of_the_attackers_country(models):
    text = "Russian jets bombed civilians."
    one = telling(text, "bombed", "strike", "ASSAULT", actors="Russian jets", recipients="civilians")
    (made,) = draft(models, text, one, labels={"Russian": "NORP"})
    assert (countries(made.actors), countries(made.recipients)) == (["RUS"], [None])
    text = "Russian jets bombed civilians in Lagos."
    one = telling(text, "bombed", "strike", "ASSAULT", actors="Russian jets", recipients="civilians", places="Lagos")
    (made,) = draft(models, text, one, labels={"Russian": "NORP", "Lagos": "GPE"})
    assert countries(made.recipients) == ["NGA"]


def test_a_date_to_come_makes_a_meeting_planned(models):
    text = "Ghana meets Togo on 20 June 2024."
    (made,) = draft(models, text, telling(text, "meets", "meeting", "CONSULT", date="20 June 2024"))
    assert made.modality == "planned"


def test_sums_of_a_sentence_with_two_packages_are_not_guessed(models):
    text = "Japan gave Nepal aid and sent Bhutan tents worth $3 million."
    gave = telling(text, "gave", "aid_package", "AID", actors="Japan")
    sent = telling(text, "sent", "aid_package", "AID", actors="Japan", money="$3 million")
    assert [[m.value for m in one.money] for one in draft(models, text, gave, sent)] == [[], [3e6]]
    (alone,) = draft(models, text, gave)
    assert [m.value for m in alone.money] == [3e6]


def test_only_kinds_that_have_sums_get_one(models):
    text = "Ghana met Togo over $3 million."
    (made,) = draft(models, text, telling(text, "met", "meeting", "CONSULT", money="$3 million"))
    assert made.money == ()


def test_who_says_it_is_kept_in_the_words_of_the_text_without_the_article(models):
    text = "Ghana expelled envoys, the ministry said."
    (made,) = draft(models, text, telling(text, "expelled", "expulsion", "SANCTION", said_by="the ministry"))
    assert made.attributed_to == "ministry"


def test_of_an_overlong_sentence_the_part_around_the_trigger_is_the_evidence(models):
    text = f"{'word ' * 300}expelled {'word ' * 300}"
    (made,) = draft(models, text, telling(text, "expelled", "expulsion", "SANCTION"))
    assert 0 < len(made.evidence) <= drafting.LONGEST_EVIDENCE
    assert "expelled" in made.evidence
    assert text[made.start : made.end] == made.evidence == made.evidence.strip()


def test_a_kind_of_the_users_own_is_named_as_the_rule(models):
    text = "Ghana opened a corridor."
    one = telling(text, "opened", "corridor", "RETREAT")
    one.own = 0.8
    own = Models(
        nlp=None, encoder=models.encoder, names=models.names, kinds={**built_in(), "corridor": built_in()["release"]}
    )
    (made,) = draft(own, text, one)
    assert made.rule == "corridor"


def test_nameless_sides_of_a_clash_are_of_the_country_of_the_sentence_unless_one_is_known(models):
    text = "Protesters clashed with police, Ghana said."
    one = telling(text, "clashed", "clash", "ASSAULT", actors="Protesters", recipients="police")
    (made,) = draft(models, text, one, labels={"Ghana": "GPE"})
    assert countries(made.actors) == ["GHA"]


def test_a_judge_is_of_the_country_where_he_judges(models):
    text = "In Accra Judge Jan Visser jailed two men, and Jan Roe accused them."
    labels = {"Jan Visser": "PERSON", "Jan Roe": "PERSON", "Accra": "GPE"}
    jailed = telling(text, "jailed", "legal_action", "ACCUSE", actors="Jan Visser", places="Accra")
    accused = telling(text, "accused", "accusation", "ACCUSE", actors="Jan Roe", places="Accra")
    made = draft(models, text, jailed, accused, labels=labels)
    assert [countries(one.actors) for one in made] == [["GHA"], [None]]


def test_who_meets_stands_for_the_country_beside_it():
    land = Party(text="Kenyan", name="Kenya", country="KEN")
    president = Party(text="Samuel Otieno", name="Samuel Otieno", country="KEN", sector="GOV")
    japan = Party(text="Japan", name="Japan", country="JPN")
    assert met((president, land, japan), ()) == (president, japan)
    assert met((land,), (president,)) == ()
    assert met((land, japan), ()) == (land, japan)
