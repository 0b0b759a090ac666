"""Money, counts and casualties out of plain text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.amounts import find_money, find_quantities
from pipeline.detect.numerals import value


def sums(text, **options):
    return [(money.value, money.currency) for money in find_money(text, **options)]


def counts(text):
    return [(quantity.value, quantity.unit) for quantity in find_quantities(text)]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("its latest military aid package, worth $350 million, including", 350e6, "USD"),
        ("US$1.2bn", 1.2e9, "USD"),
        ("U.S. $100,000,000", 100e6, "USD"),
        ("A$40,000", 40_000, "AUD"),
        ("C$5m", 5e6, "CAD"),
        ("HK$10.05 billion", 10.05e9, "HKD"),
        ("€500m", 500e6, "EUR"),
        ("1,5 million euros", 1.5e6, "EUR"),
        ("€1.500.000", 1.5e6, "EUR"),
        ("£3.5m", 3.5e6, "GBP"),
        ("₹500 crore", 5e9, "INR"),
        ("Rs. 2,000", 2000, "INR"),
        ("35 lakh rupees", 3.5e6, "INR"),
        ("12,34,567.89 rupees", 1234567.89, "INR"),
        ("300 million Pakistani rupees", 300e6, "PKR"),
        ("100 billion yen", 100e9, "JPY"),
        ("50 billion won", 50e9, "KRW"),
        ("2 trillion rubles", 2e12, "RUB"),
        ("1,000 hryvnias", 1000, "UAH"),
        ("half a billion dollars", 500e6, "USD"),
        ("a million euros", 1e6, "EUR"),
        ("quarter million US dollars", 250e3, "USD"),
        ("$350-million", 350e6, "USD"),
        ("five million New Zealand dollars", 5e6, "NZD"),
        ("USD 22.5 million", 22.5e6, "USD"),
        ("75 USD million", 75e6, "USD"),
        ("120 MEUR", 120e6, "EUR"),
        ("EUR 86 mio", 86e6, "EUR"),
        ("NOK 10 mrd", 10e9, "NOK"),
        ("SEK 3 350 million", 3350e6, "SEK"),
        ("EUR 2 500 000", 2.5e6, "EUR"),
        ("CHF 6'500'000", 6.5e6, "CHF"),
        ("CHF115.5", 115.5, "CHF"),
        ("3 dollars 50 cents", 3.5, "USD"),
        ("470 pence", 4.7, "GBP"),
        ("20 million dinars", 20e6, "XXX"),
    ],
)
def test_sums_with_their_currency(text, amount, currency):
    assert sums(text) == [(pytest.approx(amount), currency)]


@pytest.mark.parametrize(
    ("text", "low", "high", "words"),
    [
        ("between $3 and $5 million", 3e6, 5e6, "$3 and $5 million"),
        ("$3-5 million", 3e6, 5e6, "$3-5 million"),
        ("$3 million to $5 million", 3e6, 5e6, "$3 million to $5 million"),
        ("3 to 5 million euros", 3e6, 5e6, "3 to 5 million euros"),
        ("between 800 and 900 million pounds", 800e6, 900e6, "800 and 900 million pounds"),
    ],
)
def test_a_range_has_its_lower_end(text, low, high, words):
    money = find_money(text)[0]
    assert (money.low, money.value, money.text) == (low, high, words)


def test_two_sums_that_are_no_range_stay_two():
    assert sums("fell from $5m to $3m") == [(5e6, "USD"), (3e6, "USD")]
    assert sums("$5 million and $7 million") == [(5e6, "USD"), (7e6, "USD")]
    assert sums("20 million pounds ($25 million)") == [(20e6, "GBP"), (25e6, "USD")]


def test_a_bare_dollar_is_the_publishers():
    assert sums("$5 million and 3 million dollars, or US$2m", dollar="AUD") == [
        (5e6, "AUD"),
        (3e6, "AUD"),
        (2e6, "USD"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "They won 5 games by 20 points.",
        "a 500-pound bomb and 500 pounds of explosives",
        "several million dollars, hundreds of euros",
        "Silica gel and all seventeen tests",
        "a dollar, the euro and the yen",
        "10 percent of 5 real people",
        "$" + "9" * 20,
    ],
)
def test_weights_wins_and_vague_sums_are_no_money(text):
    assert sums(text) == []


def test_a_sentence_that_opens_with_a_is_not_australian():
    assert sums("A $2 billion package")[0] == (2e9, "USD")


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("jointly buy a million rounds of 155-millimetre artillery shells", 1e6, "rounds"),
        ("two dozen tanks", 24, "tanks"),
        ("one hundred and twenty soldiers", 120, "soldiers"),
        ("100 armoured personnel carriers", 100, "carriers"),
        ("12 missile strikes", 12, "strikes"),
        ("31 Abrams tanks", 31, "tanks"),
        ("1.5 million people fled", 1.5e6, "people"),
        ("200,000 barrels of oil", 200_000, "barrels"),
        ("20 of its ships", 20, "ships"),
        ("Six Americans held hostage", 6, "people"),
        ("Around 2000 people protested", 2000, "people"),
        ("two aircraft", 2, "aircraft"),
        ("50 people were arrested", 50, "people"),
        ("27 member states", 27, "states"),
    ],
)
def test_counted_things_with_their_unit(text, amount, unit):
    assert counts(text) == [(amount, unit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A blast killed 12 people.", [(12, "dead")]),
        ("12 dead", [(12, "dead")]),
        ("at least 30 injured", [(30, "injured")]),
        ("The death toll rose to 40.", [(40, "dead")]),
        ("The death toll from the quake has climbed to at least 2,300, officials said", [(2300, "dead")]),
        ("killing five and wounding 20 others", [(5, "dead"), (20, "injured")]),
        ("12 people were killed and 30 injured", [(12, "dead"), (30, "injured")]),
        ("11 killed, 40 wounded in blast", [(11, "dead"), (40, "injured")]),
        ("three Palestinians were shot dead", [(3, "dead")]),
        ("one soldier was killed", [(1, "dead")]),
        ("12 people, including 3 children, were killed", [(12, "dead"), (3, "children")]),
        ("claimed 12 lives", [(12, "dead")]),
        ("leaving 14 people dead", [(14, "dead")]),
        ("four miners are missing", [(4, "missing")]),
        ("killed or injured 200", [(200, "casualties")]),
        ("two airstrikes killed three militants", [(2, "airstrikes"), (3, "dead")]),
        ("destroyed 5 tanks and killed 20", [(5, "tanks"), (20, "dead")]),
        ("40 deaths and 12 injuries", [(40, "dead"), (12, "injured")]),
        ("killed 12 soldiers and 3 civilians", [(12, "dead"), (3, "dead")]),
        ("two Hezbollah militants, three Lebanese civilians killed", [(2, "dead"), (3, "dead")]),
        ("Seven Kurdistan Workers' Party militants are killed", [(7, "dead")]),
        ("The death toll from yesterday's attack at a festival in Vancouver, Canada, rises to eleven", [(11, "dead")]),
        ("Two others are still missing", [(2, "missing")]),
        ("two police stations were hit and one crew member killed", [(2, "stations"), (1, "dead")]),
    ],
)
def test_casualties(text, expected):
    assert counts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "hundreds of people, several dozen tanks, a few hundred soldiers",
        "a 12-year-old boy aged 12, 34 years old",
        "in 2014 people voted on 3 May and May 5",
        "12% and 5 per cent of 3 percentage points",
        "a 10-day visit of 3 weeks and 4½ hours",
        "T-72s, Article 5 members, Resolution 1325, COVID-19 cases, No. 3 seeds",
        "the two leaders of these two countries",
        "at 3 pm, 20 km from the border, 10,000 feet up",
        "$350 million and 20 euros",
        "killed two days ago",
        "won 3-2",
        "a 7.4 magnitude earthquake strikes",
        "a Cessna 310 crashes",
    ],
)
def test_dates_ages_shares_and_names_are_no_counts(text):
    assert counts(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4½", 4.5),
        ("two and a half million", 2.5e6),
        ("three hundred thousand", 300_000),
        ("two hundred thousand five hundred", 200_500),
        ("a quarter of a million", 250_000),
        ("twenty-six", 26),
        ("half a dozen", 6),
        ("1.500.000", 1.5e6),
    ],
)
def test_numbers_in_words_and_figures(text, number):
    assert value(text) == number


PIECES = ["$", "€", "US$", "Rs", "5", "1,000", ".", "million", "bn", "dollars", "pounds", "to", "-", "between", "and", "killed", "people",
          "dead", "half a", "two", "hundred", "½", "%", " ", "\n", "USD", "A ", "won", "٣", "9" * 30]  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
        st.lists(st.sampled_from(PIECES)).map("".join),
    )
)
def test_any_text_gives_amounts_on_exact_slices(text):
    for found in (find_money(text), find_quantities(text)):
        for amount in found:
            assert text[amount.start : amount.end] == amount.text
            assert 0 <= amount.value <= 1e15
        assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(money.low is None or money.low < money.value for money in find_money(text))
