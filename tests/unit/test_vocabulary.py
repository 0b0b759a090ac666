"""The stemmer and the stop lists."""

import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.annotate import vocabulary
from pipeline.annotate.vocabulary import FUNCTION_WORDS, stem


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
def test_the_forms_of_a_word_have_one_stem(forms):
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "pair",
    [
        "russia russian",
        "iran iraq",
        "us use",
        "crisis cris",
        "press pre",
        "kill kiln",
        "wing wind",
        "need new",
        "plan plane",
        "state stat",
        "car care",
        "made mad",
    ],
)
def test_different_words_have_different_stems(pair):
    one, other = pair.split()
    assert stem(one) != stem(other)


def test_numbers_and_other_scripts_are_their_own_stems():
    assert [stem(word) for word in ("350", "g7", "млн", "us")] == ["350", "g7", "млн", "us"]


def test_the_stemmer_is_safe_for_threads():
    words = [
        f"{word}{ending}" for word in ("sanction", "visit", "attack", "report") for ending in ("s", "ed", "ing", "er")
    ] * 50
    stem.cache_clear()
    alone = [stem(word) for word in words]
    start = threading.Barrier(4)

    def run():
        start.wait()
        found = []
        for word in words:
            stem.cache_clear()
            found.append(stem(word))
        return found

    with ThreadPoolExecutor(4) as pool:
        assert [one.result() for one in [pool.submit(run) for _ in range(4)]] == [alone] * 4


@pytest.mark.parametrize("word", ["us", "may", "mine", "well", "others", "several", "call", "strike"])
def test_function_words_with_another_sense_are_not_in_the_base_list(word):
    assert word not in FUNCTION_WORDS


def test_the_base_list_is_in_no_other_list():
    lists = tomllib.loads((Path(vocabulary.__file__).with_name("stop_words.toml")).read_text("utf-8"))
    words = {name: set(cell.split()) for name, cell in lists.items()}
    assert {"the", "against", "before"} <= words["function"] == FUNCTION_WORDS
    assert not words["function"] & (words["family"] | words["prose"])
