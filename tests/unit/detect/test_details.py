"""When, where and how much a telling is: its spans in a sentence are given, as the reader finds them."""

import datetime as dt
from dataclasses import replace

import pytest

from pipeline.annotate.resolve import Resolver
from pipeline.detect import details
from pipeline.detect.details import Found
from pipeline.records import Party, When
from tests.unit.detect.stub import PUBLISHED, telling


def date_of(text, words, modality="asserted", kind="meeting", type_="CONSULT"):
    one = telling(text, "met", kind, type_, date=words)
    return details.date_of(one, Found(text, published=PUBLISHED), modality)


# --- dates -----------------------------------------------------------------------------------------------------------


def test_the_date_is_the_one_at_the_telling_s_span():
    text = "Ministers who were sworn in on 3 May met on Tuesday."
    assert date_of(text, "Tuesday").start == dt.date(2024, 6, 11)
    assert date_of(text, "3 May").start == dt.date(2024, 5, 3)


def test_a_telling_without_a_date_span_has_no_date_though_its_sentence_has():
    text = "They met after the vote of Tuesday."
    assert (
        details.date_of(telling(text, "met", "meeting", "CONSULT"), Found(text, published=PUBLISHED), "asserted")
        is None
    )


def test_a_span_that_is_no_date_is_none():
    assert date_of("They met on the eve of the vote of Tuesday.", "the eve") is None


def test_of_a_weekday_what_happened_takes_the_past_one_and_a_plan_the_coming_one():
    text = "They met on Monday."
    assert date_of(text, "Monday").start == dt.date(2024, 6, 10)
    assert date_of(text, "Monday", "planned").start == dt.date(2024, 6, 17)
    assert date_of(text, "Monday", "hypothetical").start == dt.date(2024, 6, 17)


def test_what_will_not_happen_has_the_coming_weekday_and_what_did_not_happen_the_past_one():
    assert date_of("They will not have met on Monday.", "Monday", "denied").start == dt.date(2024, 6, 17)
    assert date_of("They have not met on Monday.", "Monday", "denied").start == dt.date(2024, 6, 10)


def test_a_span_that_the_reader_takes_for_a_date_may_be_a_bare_month():
    assert date_of("They met for a March dinner.", "March").start == dt.date(2024, 3, 1)


def test_a_span_counts_in_the_section_and_the_date_in_its_sentence():
    text = "Rain fell on Sunday. They met on Tuesday."
    one = telling(text, "met", "meeting", "CONSULT", sentence=1, date="Tuesday")
    found = Found(text[21:], 21, PUBLISHED)
    assert details.date_of(one, found, "asserted").start == dt.date(2024, 6, 11)


def day(text):
    start = dt.date.fromisoformat(text)
    return When(text=text, start=start, end=start)


@pytest.mark.parametrize(
    ("kind", "type_", "date", "modality"),
    [
        ("meeting", "CONSULT", "2024-06-20", "planned"),
        ("meeting", "CONSULT", "2024-06-14", "asserted"),
        ("meeting", "CONSULT", "2024-06-11", "asserted"),
        ("protest", "PROTEST", "2024-06-20", "planned"),
        ("election", "AGREE", "2024-06-20", "planned"),
        ("accusation", "ACCUSE", "2024-06-20", "asserted"),
        ("sanctions", "SANCTION", "2024-06-20", "asserted"),
        ("strike", "ASSAULT", "2024-05-01", "asserted"),
        ("strike", "ASSAULT", "2024-04-29", "historical"),
        ("strike", "ASSAULT", "2014-04-30", "historical"),
    ],
)
def test_a_date_to_come_plans_a_meeting_and_one_long_past_is_history(kind, type_, date, modality):
    one = telling("They met.", "met", kind, type_)
    assert details.timed("asserted", one, day(date), PUBLISHED) == modality


@pytest.mark.parametrize("modality", ["planned", "hypothetical", "denied", "historical"])
def test_an_old_date_changes_only_what_is_asserted(modality):
    one = telling("They met.", "met", "meeting", "CONSULT")
    assert details.timed(modality, one, day("2014-04-30"), PUBLISHED) == modality


@pytest.mark.parametrize("modality", ["planned", "hypothetical", "denied"])
def test_a_recent_date_changes_only_what_is_history(modality):
    one = telling("They met.", "met", "meeting", "CONSULT")
    assert details.timed(modality, one, day("2024-06-11"), PUBLISHED) == modality
    assert details.timed("historical", one, day("2024-06-11"), PUBLISHED) == "asserted"


def test_history_stays_history_where_its_time_only_ends_in_these_weeks():
    one = telling("They met.", "met", "meeting", "CONSULT")
    since = When(text="since 2014", start=dt.date(2014, 1, 1), end=PUBLISHED.date())
    year = When(text="this year", start=dt.date(2024, 6, 1), end=PUBLISHED.date(), precision="year")
    assert details.timed("historical", one, since, PUBLISHED) == "historical"
    assert details.timed("historical", one, year, PUBLISHED) == "historical"


def test_an_unsure_fact_with_a_date_to_come_is_a_plan_of_any_type():
    one = telling("They met.", "met", "restriction", "COERCE")
    one.modality_share = 0.7
    assert details.timed("asserted", one, day("2024-06-20"), PUBLISHED) == "planned"
    assert details.timed("asserted", one, day("2024-06-11"), PUBLISHED) == "asserted"


def test_without_a_date_or_a_day_of_publication_nothing_changes():
    one = telling("They met.", "met", "meeting", "CONSULT")
    assert details.timed("asserted", one, None, PUBLISHED) == "asserted"
    assert details.timed("asserted", one, day("2014-04-30"), None) == "asserted"


# --- sums and counts -------------------------------------------------------------------------------------------------

AID = "Japan gave Nepal $20 million, a tenth of the $200 million that it spends a year."


def sums(text, *, alone=True, trigger="gave", kind="aid_package", type_="AID", **spans):
    found = details.money_of(telling(text, trigger, kind, type_, **spans), Found(text), alone=alone)
    assert all(text[one.start : one.end] == one.text for one in found)
    return [one.value for one in found]


def test_a_sum_is_the_one_at_the_telling_s_span():
    assert sums(AID, money="$20 million") == [20e6]
    assert sums(AID, money="$200 million") == [200e6]
    assert sums(AID, money=("$20 million", "$200 million")) == [20e6, 200e6]


def test_aid_without_a_span_takes_the_sums_of_its_sentence_when_it_is_alone_there():
    assert sums(AID) == [20e6, 200e6]
    assert sums(AID, alone=False) == []
    assert sums(AID, kind="sanctions", type_="SANCTION") == []


def test_a_span_without_a_sum_gives_none():
    assert sums(AID, money="spends") == []


def test_sums_and_counts_of_a_later_sentence_have_offsets_of_the_text():
    text = "Rain fell. Japan gave Nepal 300 tents and $5 million."
    found = Found(text[11:], 11, PUBLISHED)
    assert [text[m.start : m.end] for m in found.money] == ["$5 million"]
    assert [(q.value, q.unit, text[q.start : q.end]) for q in found.quantities] == [(300, "tents", "300 tents")]


def test_counts_belong_to_a_telling_that_counts_and_is_alone():
    text = "A strike killed 12 people."
    for kind, type_, alone, wanted in (
        ("strike", "ASSAULT", True, [12]),
        ("strike", "ASSAULT", False, []),
        ("meeting", "CONSULT", True, []),
    ):
        found = details.quantities_of(telling(text, "strike", kind, type_), Found(text), alone=alone)
        assert [q.value for q in found] == wanted


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def resolver():
    return Resolver()


def told_at(text, *places):
    """The spans of places as a telling has them."""
    return telling(text, "met", "meeting", "CONSULT", places=places).spans["places"]


def test_places_are_those_of_the_spans_where_they_stand(resolver):
    text = "They met in Moscow and the Kremlin."
    (place,) = details.places_of(told_at(text, "Moscow"), text, resolver, [])
    assert (place.name, place.country, text[place.start : place.end]) == ("Moscow", "RUS", "Moscow")


def test_an_article_is_no_part_of_a_place_and_a_place_is_named_once(resolver):
    text = "They met in the Netherlands, in Netherlands towns."
    (place,) = details.places_of(told_at(text, "the Netherlands", "Netherlands"), text, resolver, [])
    assert text[place.start : place.end] == place.text == "Netherlands"


def test_a_country_of_the_sentence_tells_towns_of_one_name_apart(resolver):
    text = "They met in Tripoli."
    assert [
        details.places_of(told_at(text, "Tripoli"), text, resolver, [hint])[0].country for hint in ("LBY", "LBN")
    ] == ["LBY", "LBN"]


def test_a_place_that_is_not_on_the_map_is_the_country_in_its_words_else_its_name_alone(resolver):
    text = "They met in northwest Pakistan, in Afghanistan's Zuzabul Province and in Zuzabul."
    spans = ("northwest Pakistan", "Afghanistan's Zuzabul Province", "Zuzabul")
    found = details.places_of(told_at(text, *spans), text, resolver, [])
    assert [(p.name, p.country, p.lat is None) for p in found[:2]] == [
        ("Pakistan", "PAK", False),
        ("Afghanistan", "AFG", False),
    ]
    alone = "They met in Zuzabul."
    (place,) = details.places_of(told_at(alone, "Zuzabul"), alone, resolver, [])
    assert (place.name, place.text, place.country, place.lat) == ("Zuzabul", "Zuzabul", None, None)


def test_what_is_no_place_is_left_out(resolver):
    text = "They met in earnest."
    assert details.places_of(told_at(text, "earnest"), text, resolver, []) == ()


# --- aid -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "money", "subtype"),
    [
        ("aid_package", "Norway gave Ukraine artillery and ammunition.", False, "military"),
        ("aid_package", "Norway gave Nepal tents and blankets.", False, "humanitarian"),
        ("aid_package", "Norway gave Nepal 3 million dollars for its budget.", True, "financial"),
        ("aid_package", "Soldiers gave Nepal food.", False, "humanitarian"),
        ("arms_deal", "Norway sold frigates.", False, "military"),
        ("sanctions", "Norway banned arms.", False, None),
    ],
)
def test_aid_is_military_humanitarian_or_financial_by_its_words(kind, text, money, subtype):
    type_ = "SANCTION" if kind == "sanctions" else "AID"
    assert details.subtype_of(telling(text, text.split()[1], kind, type_), text, money=money) == subtype


def test_the_items_of_a_package_are_listed():
    text = "Norway gave a package including 12 howitzers, shells and two radars, its minister said."
    assert details.items(text) == ("12 howitzers", "shells", "two radars")
    assert details.items("Norway gave a package.") == ()


@pytest.mark.parametrize(
    ("text", "trigger", "promised"),
    [
        ("Norway pledged to give aid.", "aid", True),
        ("Norway will send tents.", "send", True),
        ("Norway sent tents.", "sent", False),
    ],
)
def test_help_that_is_only_promised_is_known_by_the_words_before(text, trigger, promised):
    assert details.only_promised(text, (0, len(text)), telling(text, trigger, "aid_package", "AID")) is promised


def test_a_promise_of_the_sentence_before_promises_nothing():
    text = "Norway pledged peace. Oslo sent tents."
    assert not details.only_promised(text, (22, len(text)), telling(text, "sent", "aid_package", "AID"))


def test_the_country_of_parties_is_the_only_one_there_is():
    mali, chad, nobody = Party(text="a", country="MLI"), Party(text="b", country="TCD"), Party(text="c")
    assert details.country_of((mali, nobody, mali)) == "MLI"
    assert details.country_of((mali, chad)) is None
    assert details.country_of((nobody,)) is None


def test_an_agreement_to_buy_arms_is_the_purchase_and_the_seller_its_recipient():
    text = "Poland signed a deal to buy 96 tanks from South Korea."
    one = telling(text, "signed", "agreement", "AGREE")
    one.spans["actors"] = [(0, 6), (text.index("South"), len(text) - 1)]
    made = details.settled(one, text, (0, len(text)))
    assert (made.kind, made.type) == ("arms_procurement", "AID")
    assert made.spans["actors"] == [(0, 6)]
    assert made.spans["recipients"] == [(text.index("South"), len(text) - 1)]


@pytest.mark.parametrize(
    "text", ["Peru and Chile signed a deal to sell copper.", "Iran and Iraq signed a note on tanks in the border zone."]
)
def test_other_agreements_stay_what_they_are(text):
    one = telling(text, "signed", "agreement", "AGREE")
    assert details.settled(one, text, (0, len(text))).kind == "agreement"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Washington approves the sale of 600 Patriot missiles to Germany.", "arms_deal"),
        ("Washington approves $20 billion in weapon sales to Israel.", "arms_deal"),
        ("Washington approves a gift of 600 missiles to Germany.", "aid_package"),
        ("Washington approves the sale of grain to Egypt.", "aid_package"),
    ],
)
def test_a_sale_of_arms_is_no_aid(text, kind):
    one = replace(telling(text, "approves", "aid_package", "AID"), kind_share=0.5)
    made = details.settled(one, text, (0, len(text)))
    assert made.kind == kind
    assert made.kind_share == (one.type_share if kind == "arms_deal" else 0.5)  # the words say the kind


def test_a_place_off_the_map_is_in_the_country_of_its_words_or_of_the_article(resolver):
    text = "Shots fell at Paris police headquarters, in Zuzabul, in the Zuza Sea and at al-Zuza."
    names = ("Paris police headquarters", "Zuzabul", "Zuza Sea", "al-Zuza")
    spans = [(text.index(name), text.index(name) + len(name)) for name in names]
    found = [place for span in spans for place in details.places_of([span], text, resolver, ["USA"], "MLI")]
    assert [(p.name, p.country, p.lat) for p in found] == [
        ("Paris police headquarters", "FRA", None), ("Zuzabul", "MLI", None), ("Zuza Sea", None, None), ("al-Zuza", "MLI", None),
    ]  # fmt: skip


def test_a_date_leans_on_the_nearest_one_before_it():
    text = "He left on Monday and spoke the next day. He had come in May."
    one = replace(
        telling(text, "spoke", "meeting", "CONSULT"),
        spans={"date": [(text.index("the next"), text.index("the next") + 12)]},
    )
    found = Found(text, published=PUBLISHED)
    assert details.date_of(one, found, "asserted").start == dt.date(2024, 6, 11)
    alone = Found("He spoke the next day.", base=0, published=PUBLISHED)
    one = replace(one, spans={"date": [(9, 21)]})
    assert details.date_of(one, alone, "asserted") is None
    before = [
        Found("Nobody came.", published=PUBLISHED),
        Found("They met on 3 June over the May 27 pact.", published=PUBLISHED),
    ]
    assert details.date_of(one, alone, "asserted", before).start == dt.date(2024, 6, 4)


def test_a_quarter_is_in_the_country_of_the_town_that_it_is_of(resolver):
    text = "the Miramar quarter of Havana"
    (place,) = details.places_of([(0, len(text))], text, resolver, ["CUB"], "USA")
    assert place.country == "CUB"


def test_a_fact_does_not_lean_on_the_day_of_what_is_to_come():
    text = "The court sits on 5 July. He was shot the same day."
    at = text.index("the same day")
    one = replace(telling(text, "shot", "attack", "ASSAULT"), spans={"date": [(at, at + 12)]})
    assert details.date_of(one, Found(text, published=PUBLISHED), "asserted") is None
    text = text.replace("5 July", "5 June")
    assert details.date_of(one, Found(text, published=PUBLISHED), "asserted").start == dt.date(2024, 6, 5)
