from pipeline.detect import lexicon, roles, triggers
from tests.unit.detect.trees import reader, tree

LEXICON = lexicon.load()


def kinds(made):
    who = reader(made)
    return [c.rule.kind for c in triggers.find(made, 0, len(made.words), LEXICON, who.test)]


def cast(made, labels=None):
    who = reader(made, labels)
    (candidate,) = triggers.find(made, 0, len(made.words), LEXICON, who.test)
    actors, recipients = roles.fill(who, candidate)
    return candidate.rule.kind, [p.name for p in actors], [p.name for p in recipients]


def test_a_verb_needs_the_object_that_its_rule_names():
    assert kinds(tree("France NNP nsubj 1\nimposed VBD ROOT 1\nsanctions NNS dobj 1")) == ["sanctions"]
    assert kinds(tree("France NNP nsubj 1\nimposed VBD ROOT 1\norder NN dobj 1")) == []


def test_a_package_of_sanctions_is_sanctions():
    assert kinds(
        tree("France NNP nsubj 1\nimposed VBD ROOT 1\npackage NN dobj 1\nof IN prep 2\nsanctions NNS pobj 3")
    ) == ["sanctions"]


def test_the_possibility_of_sanctions_is_none():
    assert "sanctions" not in kinds(
        tree("France NNP nsubj 1\nannounced VBD ROOT 1\npossibility NN dobj 1\nof IN prep 2\nsanctions NNS pobj 3")
    )


def test_an_object_that_the_arcs_lost_is_found_among_the_words():
    made = tree(
        "France NNP nsubj 1\nimposed VBD ROOT 1\nnew JJ amod 3\nsanctions NNS dep 1\non IN prep 3\nMali NNP pobj 4"
    )
    assert kinds(made) == ["sanctions"]


def test_lifting_wins_over_imposing():
    made = tree("France NNP nsubj 1\nlifted VBD ROOT 1\nsanctions NNS dobj 1\non IN prep 2\nMali NNP pobj 3")
    assert kinds(made) == ["sanctions_relief"]


def test_an_aid_worker_is_no_aid():
    assert kinds(tree("Mali NNP nsubj 1\nreleased VBD ROOT 1\naid NN compound 3\nworker NN dobj 1")) == ["release"]


def test_a_word_inside_a_name_is_no_trigger():
    made = tree("the DT det 3\nUnity NNP compound 3\nProtest NNP compound 3\nparty NN nsubj 4\ngrew VBD ROOT 4")
    assert kinds(made) == []


def test_the_recipient_stands_behind_the_preposition():
    made = tree("France NNP nsubj 1\nimposed VBD ROOT 1\nsanctions NNS dobj 1\non IN prep 2\nMali NNP pobj 3")
    assert cast(made) == ("sanctions", ["France"], ["Mali"])


def test_a_passive_keeps_the_roles():
    made = tree("Mali NNP nsubjpass 2\nwas VBD auxpass 2\naccused VBN ROOT 2\nby IN agent 2\nFrance NNP pobj 3")
    assert cast(made) == ("accusation", ["France"], ["Mali"])


def test_all_who_meet_are_actors():
    made = tree("Putin NNP nsubj 1\nmet VBD ROOT 1\nwith IN prep 1\nXi NNP pobj 2")
    assert cast(made, {"Putin": "PERSON", "Xi": "PERSON"}) == ("meeting", ["Vladimir Putin", "Xi Jinping"], [])


def test_whom_a_visit_is_denounced_of_is_its_owner():
    made = tree("France NNP nsubj 1\ndenounced VBD ROOT 1\nXi NNP poss 4\n's POS case 2\nvisit NN dobj 1")
    assert cast(made, {"Xi": "PERSON"}) == ("accusation", ["France"], ["Xi Jinping"])
