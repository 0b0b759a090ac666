"""Arcs that a small parser gets wrong in one way only, written by hand as it would."""

from pipeline.detect import lexicon
from pipeline.detect.repair import repair
from pipeline.detect.syntax import object_of, subject_of
from tests.unit.detect.trees import tree

PRESENT = lexicon.load().present_forms


def sides(made, verb):
    """The subject and the object of a verb, as words."""
    at = made.words.index(verb)
    return tuple(None if i is None else made.words[i] for i in (subject_of(made, at), object_of(made, at)))


def test_a_count_with_a_participle_behind_it_is_a_second_verb():
    made = tree(
        "Nine CD nsubjpass 2\nwere VBD auxpass 2\nkilled VBN ROOT 2\nand CC cc 2\n54 CD conj 2\ninjured VBN acl 4\n"
        "after IN mark 8\nrebels NNS nsubj 8\nattacked VBD advcl 5"
    )
    repair(made, PRESENT)
    assert (made.deps[5], made.heads[5], made.deps[4]) == ("conj", 2, "nsubjpass")
    assert made.passive(5)


def test_a_noun_behind_as_is_the_verb_of_a_clause():
    made = tree(
        "Five CD nsubj 1\ndied VBD ROOT 1\nas IN prep 1\nthe DT det 5\narmy NN compound 5\nbombards NNS pobj 2\n"
        "the DT det 7\ntown NN appos 5"
    )
    repair(made, PRESENT)
    assert sides(made, "bombards") == ("army", "town")


def test_a_name_in_the_plural_acts_on_what_stands_behind_an_article():
    made = tree("The DT det 2\nHouthis NNP compound 2\nstorm NN ROOT 2\nthe DT det 4\noffice NN dobj 2\n. . punct 2")
    repair(made, PRESENT, {1})
    assert sides(made, "storm") == ("Houthis", "office")


def test_the_first_of_two_verbs_is_one_as_well():
    made = tree(
        "Kenya NNP compound 1\ndeports NNS ROOT 1\nand CC cc 1\nexpels VBZ conj 1\na DT det 5\npreacher NN dobj 3\n. . punct 1"
    )
    repair(made, PRESENT, {0})
    assert sides(made, "deports")[0] == "Kenya"


def test_a_participle_at_the_end_is_not_the_verb_of_the_sentence():
    made = tree(
        "Soldiers NNS nsubj 1\nfire NN nsubj 6\ntear NN compound 3\ngas NN dobj 1\nat IN prep 1\nrallies NNS pobj 4\nheld VBD ROOT 6\n"
        "in IN prep 6\nNablus NNP pobj 7\n. . punct 6"
    )
    repair(made, PRESENT)
    assert sides(made, "fire") == ("Soldiers", "gas")


def test_an_attack_that_killed_stays_a_noun():
    made = tree(
        "Taliban NNP compound 1\nattacks NNS nsubj 2\nkilled VBD ROOT 2\nnine CD nummod 4\nofficers NNS dobj 2\n. . punct 2"
    )
    repair(made, PRESENT, {0})
    assert sides(made, "killed") == ("attacks", "officers")


def test_what_a_headline_says_without_an_object_was_suffered():
    made = tree("Two CD nummod 1\nrebels NNS nsubj 2\nkilled VBD ROOT 2\nin IN prep 2\nMali NNP pobj 3\n. . punct 2")
    repair(made, PRESENT, {4})
    assert (made.deps[1], made.tags[2]) == ("nsubjpass", "VBN")


def test_of_two_verbs_the_one_with_auxiliaries_is_the_main_one():
    made = tree(
        "33 CD nummod 1\nsoldiers NNS nsubj 2\ndetained VBN ROOT 2\nfor IN prep 2\ndays NNS pobj 3\nhave VBP aux 7\n"
        "been VBN auxpass 7\nreleased VBN conj 2\n. . punct 7"
    )
    repair(made, PRESENT)
    assert (made.heads[7], made.heads[1], made.deps[2]) == (7, 7, "acl")


def test_a_participle_may_only_describe_the_object():
    made = tree(
        "A DT det 2\nnavy NN compound 2\nfires NNS nsubj 3\nwarning VBG ROOT 3\nshots NNS dobj 3\nat IN prep 3\n"
        "ships NNS pobj 5\n. . punct 3"
    )
    repair(made, PRESENT)
    assert sides(made, "fires") == ("navy", "shots")
