"""Subjects of articles: which words are telling, and which open story they find."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.annotate.subject import TERMS_KEPT, latest_year, subject
from pipeline.track.scorer import alike
from pipeline.track.subjects import COMPARED, WORDS_KEPT, Subjects, added

FERRY = "A ferry capsized off Mindoro and 23 passengers drowned, the coast guard said. The ferry had left Batangas."
BINDERS = "Missiles hit a printing house in Kharkiv and killed seven binders. Schoolbooks burned."


def test_the_latest_year_is_that_of_the_text_and_no_plan():
    assert (
        latest_year("Quake of 2008", "In 2013, as in 1999, and 12013 again; a dam is due by 2030.", until=2014) == 2013
    )
    assert latest_year("Quake", "Nobody says when.", until=2014) is None


def test_names_numbers_and_repeated_words_tell_more_than_words_of_any_strike_or_page():
    told = subject("Ferry capsizes off Mindoro", FERRY)
    assert told["mindoro"] > told["drown"]
    assert told["ferri"] > told["capsiz"]
    assert told["23"] > told["drown"]
    assert "said" not in told
    assert subject("", "Subscribe to our newsletter and share on Facebook") == {}


def test_words_of_the_title_count_more():
    assert subject("Binders mourned", "nothing else")["binder"] > subject("", "nothing else of binders")["binder"]


def test_shortened_verbs_and_single_digits_are_no_subject():
    assert not {"don’t", "they’re", "7"} & subject("", "They’re 7 and don’t swim to Batangas").keys()


def test_of_a_long_article_the_most_telling_words_are_kept():
    text = " ".join(f"filler{n}x" for n in range(300)) + " Mindoro Mindoro"
    told = subject("", text)
    assert len(told) == TERMS_KEPT
    assert "mindoro" in told


def test_a_story_of_many_articles_stays_bounded():
    total = {}
    for n in range(30):
        total = added(total, {f"word{n}-{m}": 1.0 for m in range(20)} | {"mindoro": 2.0})
    assert len(total) <= 1.5 * WORDS_KEPT + 21
    assert total["mindoro"] == 60.0


def test_the_story_with_the_same_rare_words_is_found_first():
    open_ = Subjects()
    open_.keep("ferry", subject("Ferry capsizes off Mindoro", FERRY))
    open_.keep("kharkiv", subject("Missile hits printing house", BINDERS))
    assert open_.candidates(subject("Owner of the Mindoro ferry arrested", "It had left Batangas overloaded.")) == [
        "ferry"
    ]


def test_a_word_that_many_stories_have_weighs_less():
    few, many = Subjects(), Subjects()
    for stories in (few, many):
        stories.keep("a", {"gaza": 1.0, "nuseirat": 1.0})
    for n in range(50):
        many.keep(f"s{n}", {"gaza": 1.0, f"town{n}": 1.0})
    words = {"gaza": 1.0, "jabalia": 1.0}
    ours = {"gaza": 1.0, "nuseirat": 1.0}
    assert alike(ours, words, many.rarity) < alike(ours, words, few.rarity)


def test_a_dropped_story_is_not_found_and_leaves_nothing_behind():
    open_ = Subjects()
    open_.keep("a", {"mindoro": 1.0})
    open_.keep("a", {"batangas": 1.0})
    assert open_.candidates({"mindoro": 1.0}) == []
    assert open_.candidates({"batangas": 1.0}) == ["a"]
    open_.drop("a")
    open_.drop("never kept")
    assert len(open_) == 0
    assert open_.candidates({"batangas": 1.0}) == []


def test_only_the_stories_that_share_most_are_compared():
    open_ = Subjects()
    for n in range(40):
        open_.keep(f"s{n:02}", {"ferry": 1.0, f"town{n}": 1.0})
    open_.keep("best", {"ferry": 1.0, "mindoro": 1.0})
    found = open_.candidates({"ferry": 1.0, "mindoro": 1.0})
    assert len(found) == COMPARED
    assert found[0] == "best"


words = st.dictionaries(st.sampled_from("abcdefghij"), st.floats(0.1, 5).map(lambda v: round(v, 3)), max_size=8)


@given(st.lists(st.tuples(st.sampled_from(("x", "y", "z")), words), max_size=12), words)
def test_the_state_depends_on_the_open_stories_only(steps, asked):
    once, anew = Subjects(), Subjects()
    held = {}
    for story, told in steps:
        once.keep(story, told)
        held[story] = told
    for story, told in held.items():
        anew.keep(story, told)
    assert once.candidates(asked) == anew.candidates(asked)
    assert all(0 <= alike(told, asked, once.rarity) <= 1.0000001 for told in held.values())
