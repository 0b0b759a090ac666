"""Which features tell that a story and an article are on one piece of news."""

import datetime as dt
import math

import pytest

from pipeline.annotate.subject import about
from pipeline.records import Brief
from pipeline.track import scorer
from pipeline.track.rarity import rarity_of
from pipeline.track.scorer import FLASH, Side, features, side_of, unit


def rarity(name):
    return rarity_of(name, lambda word: {"said": 1.0}.get(word, 3.0))


def side(*articles, years=None):
    words = {}
    for one in articles:
        for key, weight in unit(dict.fromkeys(one.split(), 1.0), rarity).items():
            words[key] = words.get(key, 0.0) + weight
    return Side(words, {}, len(articles), years or {})


def values(ours, theirs, **changes):
    found = features(ours, scorer.scaled(theirs, rarity), **{"days": 0.0} | changes)
    return dict(zip(scorer.FEATURES, found, strict=True))


def read(title, text=""):
    told = about(title, text)
    brief = Brief(
        id="a", url="https://news.example/a", title=title, first_seen_at=dt.datetime(2024, 5, 1, tzinfo=dt.UTC),
        words=told.words, lead=told.lead, names=told.names, lead_names=told.lead_names,
    )  # fmt: skip
    return side_of(brief, rarity)


FERRY = "ferry mindoro drowned gale"


def test_the_same_words_have_cosine_one_however_long_the_article():
    assert values(side(FERRY), side(FERRY))["words"] == pytest.approx(1.0, abs=1e-3)
    assert values(side(f"{FERRY} said"), side(f"{FERRY} said"))["words"] == pytest.approx(1.0, abs=1e-3)
    assert values(side("ferry"), side("gale"))["words"] == 0.0


def test_the_cosine_with_a_story_is_the_mean_over_its_articles():
    other = "ferry batangas owner arrested"
    each = [values(side(one), side("ferry gale"))["words"] for one in (FERRY, other)]
    assert values(side(FERRY, other), side("ferry gale"))["words"] == pytest.approx(sum(each) / 2, abs=1e-3)
    assert values(side("ferry gale"), side(FERRY, other))["words"] == pytest.approx(sum(each) / 2, abs=1e-3)


def test_a_country_is_one_name_in_every_form_and_its_words_stay_apart():
    first, second = read("Sweden expels two diplomats"), read("Stockholm: diplomats must leave")
    other = read("Norway expels two diplomats")
    assert first.names.keys() == {"SWE"}
    assert values(first, second)["names"] == pytest.approx(1.0, abs=1e-3)
    assert values(first, second)["words"] < values(first, other)["words"]
    assert values(first, other)["names"] == 0.0


def test_a_number_in_the_title_is_a_name():
    strong, weak = read("Quake of magnitude 64 near Lima"), read("Quake of magnitude 51 near Lima")
    assert values(strong, strong)["names"] > values(strong, weak)["names"] > 0


def test_a_contradiction_weighs_most_between_flashes():
    flash, long = side(FERRY), side(" ".join(f"word{n}" for n in range(4 * FLASH)))
    assert values(flash, long, contradicts=True)["contradicts"] == 1.0
    assert values(long, long, contradicts=True)["contradicts"] == 0.25
    assert values(flash, flash)["contradicts"] == 0.0


def test_other_years_count_over_all_pairs_of_articles_that_name_one():
    story = side(FERRY, FERRY, years={2008: 1, 2013: 1})
    assert values(story, side(FERRY, years={2013: 1}))["years"] == pytest.approx(math.log(6) / 2)
    assert values(story, side(FERRY))["years"] == values(side(FERRY), side(FERRY))["years"] == 0.0
    told = values(side(FERRY, years={2013: 1}), side(FERRY, years={2012: 1}))["years"]
    assert 0 < told < values(side(FERRY, years={2013: 1}), side(FERRY, years={2008: 1}))["years"]


def test_an_article_without_words_is_like_nothing():
    empty = read("")
    assert set(values(empty, empty, contradicts=True).values()) == {0.0, 1.0}


def test_every_weight_has_its_sign():
    weights = dict(zip(scorer.FEATURES, scorer.model().weights, strict=True))
    assert weights["words"] == 1.0
    assert all(weights[name] >= 0 for name in ("names", "agrees"))
    assert all(weights[name] <= 0 for name in ("days", "years", "contradicts"))
    surer = scorer.score([0.5, 0.0, 0.0, 0.0, 0.0, 0.0], scorer.model())
    assert surer > scorer.score([0.5, 0.0, 0.0, 0.0, 0.0, 1.0], scorer.model())
