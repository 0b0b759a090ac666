from pipeline.detect import lexicon
from pipeline.detect.repair import repair
from pipeline.detect.syntax import object_of, prep_objects, subject_of
from tests.unit.detect.trees import tree

PRESENT = lexicon.load().present_forms
PAST = lexicon.load().past_forms


def word(made, index):
    return None if index is None else made.words[index]


def at(made, text):
    return made.words.index(text)


def test_active_and_passive_have_the_same_subject_and_object():
    active = tree("France NNP nsubj 1\nattacked VBD ROOT 1\nMali NNP dobj 1")
    passive = tree("Mali NNP nsubjpass 2\nwas VBD auxpass 2\nattacked VBN ROOT 2\nby IN agent 2\nFrance NNP pobj 3")
    for made in (active, passive):
        verb = at(made, "attacked")
        assert (word(made, subject_of(made, verb)), word(made, object_of(made, verb))) == ("France", "Mali")


def test_a_passive_without_a_doer_has_no_subject():
    made = tree("Mali NNP nsubjpass 2\nwas VBD auxpass 2\nattacked VBN ROOT 2")
    assert subject_of(made, 2) is None


def test_an_infinitive_shares_the_subject_of_its_verb():
    made = tree("France NNP nsubj 1\nagreed VBD ROOT 1\nto TO aux 3\nbuy VB xcomp 1\nshells NNS dobj 3")
    assert word(made, subject_of(made, at(made, "buy"))) == "France"


def test_who_is_urged_is_to_do_it():
    made = tree("France NNP nsubj 1\nurged VBD ROOT 1\nMali NNP dobj 1\nto TO aux 4\nstop VB xcomp 1")
    assert word(made, subject_of(made, at(made, "stop"))) == "Mali"


def test_which_stands_for_the_noun_before_it():
    made = tree("Mali NNP nsubj 4\nwhich WDT nsubj 2\nattacked VBD relcl 0\nFrance NNP dobj 2\ndenied VBD ROOT 4")
    assert word(made, subject_of(made, at(made, "attacked"))) == "Mali"


def test_the_second_verb_shares_the_subject():
    made = tree("France NNP nsubj 1\nmet VBD ROOT 1\nand CC cc 1\nsigned VBD conj 1\nit PRP dobj 3")
    assert word(made, subject_of(made, at(made, "signed"))) == "France"


def test_who_is_let_do_something_is_the_object():
    made = tree("France NNP nsubj 1\nallows VBZ ROOT 1\ntrucks NNS nsubj 4\nto TO aux 4\nenter VB ccomp 1")
    assert word(made, object_of(made, 1)) == "trucks"


def test_a_person_behind_with_is_found_where_the_parser_made_him_a_subject():
    made = tree(
        "Putin NNP nsubj 1\nspoke VBD ROOT 1\nwith IN prep 1\nXi NNP nsubj 5\nto TO aux 5\ndiscuss VB pcomp 2\ntrade NN dobj 5"
    )
    assert [word(made, i) for i in prep_objects(made, 1, "with")] == ["Xi"]


def test_a_preposition_without_an_object_takes_the_noun_behind_it():
    made = tree("Putin NNP nsubj 1\nmet VBD ROOT 1\nwith IN prep 1\nXi NNP nsubj 5\nto TO aux 5\ntalk VB advcl 1")
    assert [word(made, i) for i in prep_objects(made, 1, "with")] == ["Xi"]


def test_a_headline_without_a_verb_gets_the_one_that_was_read_as_a_noun():
    made = tree(
        "court NN ROOT 0\nin IN prep 0\nMali NNP compound 3\nsentences NNS pobj 1\nspy NN appos 0\nto IN prep 0\ndeath NN pobj 5"
    )
    repair(made, PRESENT)
    verb = at(made, "sentences")
    assert made.tags[verb] == "VBZ"
    assert (word(made, subject_of(made, verb)), word(made, object_of(made, verb))) == ("court", "spy")


def test_a_sentence_with_a_verb_is_left_alone():
    lines = "court NN compound 1\nsentences NNS nsubj 2\nrose VBD ROOT 2"
    made, untouched = tree(lines), tree(lines)
    repair(made, PRESENT)
    assert (made.tags, made.deps, made.heads) == (untouched.tags, untouched.deps, untouched.heads)


def test_of_two_words_that_may_be_the_verb_the_first_is_taken_where_the_parser_took_the_second():
    made = tree("Putin NNP compound 1\nrejects NNS nsubj 2\ncalls VBZ ROOT 2\nfrom IN prep 2\nMali NNP pobj 3")
    repair(made, PRESENT)
    assert made.heads[at(made, "rejects")] == at(made, "rejects")
    assert word(made, subject_of(made, at(made, "rejects"))) == "Putin"


def test_no_repair_makes_a_word_hang_on_itself():
    """The noun that stood above a preposition before it is not put below it."""
    made = tree(
        "in IN prep 1\nDelhi NNP compound 3\ncourt NN compound 3\nsentences NNS ROOT 3\nspy NN compound 3\ncase NN appos 3"
    )
    repair(made, PRESENT)
    for index in range(len(made.words)):
        assert made.heads[[index, *made.ancestors(index)][-1]] == [index, *made.ancestors(index)][-1]


def test_a_name_is_never_broken_for_a_verb():
    lines = "United NNP compound 1\nStates NNP nsubj 2\nrejects VBZ ROOT 2\nplan NN dobj 2"
    made, whole = tree(lines), tree(lines)
    repair(made, PRESENT | {"states"}, {0, 1})
    assert (made.tags, made.heads) == (whole.tags, whole.heads)


def test_a_noun_read_as_an_auxiliary_is_the_subject():
    made = tree("rebels NNS aux 1\nattack VB ROOT 1\nbuses NNS dobj 1")
    repair(made, PRESENT)
    assert word(made, subject_of(made, at(made, "attack"))) == "rebels"


def test_the_subject_of_a_verb_given_back_is_the_head_of_its_phrase():
    lines = "court NN nsubj 5\nof IN prep 0\nRights NNPS pobj 1\nsentences NNS pobj 1\nto TO aux 5\npay VB ROOT 5\nfine NN dobj 5"
    made = tree(lines)
    repair(made, PRESENT)
    assert word(made, subject_of(made, at(made, "sentences"))) == "court"
    assert made.deps[at(made, "pay")] == "xcomp"


def test_a_verb_of_the_past_that_was_read_as_a_noun_or_modifier_is_found():
    noun = tree(
        "The DT det 2\narmy NN compound 2\nretook NN ROOT 2\nElephant NNP compound 4\nPass NNP appos 2\n. . punct 2"
    )
    modifier = tree(
        "Norway NNP npadvmod 1\nfunded VBD amod 2\nclinics NNS ROOT 2\nin IN prep 2\nLaos NNP pobj 3\n. . punct 2"
    )
    repair(noun, PRESENT, {3, 4}, PAST)
    repair(modifier, PRESENT, {0, 4}, PAST)
    assert (noun.tags[2], word(noun, subject_of(noun, 2)), word(noun, object_of(noun, 2))) == ("VBD", "army", "Pass")
    assert (modifier.tags[1], word(modifier, subject_of(modifier, 1))) == ("VBD", "Norway")


def test_a_participle_that_is_no_verb_stays_a_modifier():
    made = tree("Iran NNP npadvmod 1\nbacked VBN amod 2\nrebels NNS ROOT 2\nin IN prep 2\nYemen NNP pobj 3")
    repair(made, PRESENT, {0, 4}, PAST)
    assert made.tags[1] == "VBN"


def test_what_a_modal_leads_to_is_a_verb():
    made = tree("Qatar NNP nsubj 2\nwill MD aux 2\nmediate JJ nsubj 4\n, , punct 4\nsaid VBD ROOT 4")
    repair(made, PRESENT)
    assert (made.tags[2], word(made, subject_of(made, 2))) == ("VB", "Qatar")
