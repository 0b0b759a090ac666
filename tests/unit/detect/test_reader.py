from tests.unit.detect.trees import reader, tree


def names(parties):
    return [p.name for p in parties]


def test_coordinated_names_are_all_found():
    made = tree("France NNP nsubj 3\nand CC cc 0\nMali NNP conj 0\nmet VBD ROOT 3")
    assert names(reader(made).parties(0)) == ["France", "Mali"]


def test_what_belongs_to_a_country_acts_for_it():
    made = tree("Russian JJ amod 1\nforces NNS nsubj 2\nattacked VBD ROOT 2")
    (party,) = reader(made).parties(1)
    assert (party.text, party.country, party.sector) == ("Russian forces", "RUS", "MIL")


def test_forces_of_a_country_are_its_own():
    made = tree("forces NNS nsubj 3\nof IN prep 0\nMali NNP pobj 1\nattacked VBD ROOT 3")
    (party,) = reader(made).parties(0)
    assert (party.country, party.sector) == ("MLI", "MIL")


def test_it_is_the_country_of_the_sentence_before():
    made = tree(
        "Moscow NNP nsubj 1\ndenied VBD ROOT 1\nit PRP dobj 1",
        "It PRP nsubj 1\nopened VBD ROOT 1\na DT det 3\ncase NN dobj 1",
    )
    assert names(reader(made).parties(3)) == ["Russia"]


def test_it_under_a_verb_of_saying_is_who_says():
    made = tree("Mali NNP nsubj 1\nsaid VBD ROOT 1\nit PRP nsubj 3\nattacked VBD ccomp 1\nFrance NNP dobj 3")
    assert names(reader(made).parties(2)) == ["Mali"]


def test_he_is_a_person_not_a_country():
    made = tree("Putin NNP nsubj 1\nvisited VBD ROOT 1\nMali NNP dobj 1", "He PRP nsubj 1\nspoke VBD ROOT 1")
    assert names(reader(made, {"Putin": "PERSON"}).parties(3)) == ["Vladimir Putin"]


def test_us_in_capitals_is_a_country_and_no_pronoun():
    made = tree("France NNP nsubj 1\nhelped VBD ROOT 1\nUS NNP dobj 1")
    assert names(reader(made).parties(2)) == ["United States"]


def test_the_two_leaders_are_those_who_met():
    made = tree(
        "Putin NNP nsubj 1\nspoke VBD ROOT 1\nwith IN prep 1\nXi NNP pobj 2",
        "The DT det 2\ntwo CD nummod 2\nleaders NNS nsubj 3\nagreed VBD ROOT 3",
    )
    assert names(reader(made, {"Putin": "PERSON", "Xi": "PERSON"}).parties(6)) == ["Vladimir Putin", "Xi Jinping"]


def test_a_month_is_nobody():
    made = tree("March NNP nsubj 1\nbegan VBD ROOT 1")
    assert reader(made).parties(0) == ()


def test_a_name_that_nobody_knows_is_still_somebody_written_like_a_name():
    made = tree("Gondor NNP nsubj 1\nattacked VBD ROOT 1")
    (party,) = reader(made).parties(0)
    assert (party.text, party.name, party.country) == ("Gondor", None, None)


def test_two_peoples_that_nobody_knows_before_one_noun_are_two_parties():
    made = tree("Ruritanian NNP nmod 3\nand CC cc 0\nBordurian NNP conj 0\ntroops NNS nsubj 4\nmet VBD ROOT 4")
    assert [p.text for p in reader(made).parties(3)] == ["Ruritanian troops", "Bordurian troops"]


def test_they_in_a_report_of_an_agency_are_those_it_tells_of():
    made = tree(
        "Putin NNP nsubj 1\nmet VBD ROOT 1\nXi NNP dobj 1",
        "Russian JJ amod 1\nagencies NNS nsubj 2\nreported VBD ROOT 2\nthey PRP nsubj 4\nspoke VBD ccomp 2",
    )
    assert names(reader(made, {"Putin": "PERSON", "Xi": "PERSON"}).parties(6)) == ["Vladimir Putin", "Xi Jinping"]
