"""Scores of a window in, tellings out: which pieces are triggers, what kind they tell, and which spans are theirs."""

import pytest

from pipeline.detect import reader
from pipeline.detect.confidence import odds
from pipeline.records import EventType
from tests.unit.detect import stub

EXPELLED = {"expelled": {"expulsion": stub.YES}}


def read(encoder, text, title="", own=()):
    return reader.read(encoder, title, text, stub.sentences(text), own=own)


def kinds(told):
    return [one.kind for one in told]


def words(text, one, role):
    return [text[start:end] for start, end in one.spans[role]]


# --- triggers --------------------------------------------------------------------------------------------------------


def test_a_trigger_stands_where_it_says_with_what_the_scores_say():
    text = "Rain fell. Belgium expelled two envoys."
    (one,) = read(stub.StubEncoder(EXPELLED, modality={"expelled": "planned"}, main={"expelled": 2.0}), text)
    assert text[one.start : one.end] == "expelled"
    assert (one.section, one.sentence, one.kind, one.type) == ("text", 1, "expulsion", "SANCTION")
    assert (one.modality, one.event > 0.9, one.main > 0.8) == ("planned", True, True)


def test_of_two_neighbours_of_one_type_the_surer_is_the_trigger():
    told = {"air": {"strike": 2.0}, "strike": {"strike": 3.0}}
    text = "An air strike hit Idlib."
    (one,) = read(stub.StubEncoder(told), text)
    assert text[one.start : one.end] == "strike"
    told["air"] = {"attack": 4.0}
    (one,) = read(stub.StubEncoder(told), text)
    assert text[one.start : one.end] == "air", "a strike and an attack are of one type"


def test_two_words_that_may_tell_one_event_make_it_surer():
    told = {"imposed": {"sanctions": 0.3}, "curbs": {"sanctions": 0.2}}
    encoder = stub.StubEncoder(told)
    (both,) = read(encoder, "Mali imposed curbs on Togo.")
    (one,) = read(stub.StubEncoder({"imposed": told["imposed"]}), "Mali imposed duties on Togo.")
    assert 0.5 < one.type_share < 0.6 < both.type_share <= 1.0
    assert both.kind_share == both.type_share
    (far,) = read(
        stub.StubEncoder({"imposed": told["imposed"], "curbs": {"sanctions": -0.9}}),
        "Mali imposed them. No curbs.",
    )
    assert far.type_share == one.type_share, "another sentence adds nothing"


def test_neighbours_of_different_types_are_two_triggers():
    told = {"arrested": {"arrest": stub.YES}, "accused": {"accusation": stub.YES}}
    assert kinds(read(stub.StubEncoder(told), "Togo arrested and accused them.")) == ["arrest", "accusation"]


def test_the_same_type_further_on_or_in_another_sentence_is_told_again():
    told = {"arrested": {"arrest": stub.YES}, "detained": {"arrest": stub.YES}}
    near = "Togo arrested and it also detained envoys."
    assert len(read(stub.StubEncoder(told), near)) == 2
    assert len(read(stub.StubEncoder(told), near.replace("it also ", ""))) == 1
    assert len(read(stub.StubEncoder(told), "Two were arrested. Togo detained envoys.")) == 2


def test_what_is_less_sure_than_the_least_is_no_trigger():
    told = {"arrested": {"arrest": -1.5}}
    encoder = stub.StubEncoder(told)
    assert read(encoder, "Togo arrested envoys.") == []
    encoder.facts["event_least"] = 0.1
    assert kinds(read(encoder, "Togo arrested envoys.")) == ["arrest"]


def test_only_the_first_piece_of_a_word_is_a_trigger():
    text = "Belgium deported them."
    assert kinds(read(stub.StubEncoder({"deported": {"deportation": stub.YES}}), text)) == ["deportation"]
    text = "Belgium undeported1 them."
    assert read(stub.StubEncoder({"ed1": {"deportation": stub.YES}}), text) == []


def test_a_trigger_of_two_pieces_is_a_whole_word():
    text = "Belgium assassinated him."
    (one,) = read(stub.StubEncoder({"assassin": {"assassination": stub.YES}}), text)
    assert text[one.start : one.end] == "assassinated"


def test_the_type_is_that_of_all_its_kinds_together_and_the_kind_the_best_of_it():
    told = {"hit": {"strike": 1.0, "attack": 1.2, "clash": 0.5, "protest": 1.5}}
    (one,) = read(stub.StubEncoder(told), "They hit Idlib.")
    assert (one.type, one.kind) == ("ASSAULT", "attack")
    assert one.type_share > one.kind_share


def test_a_headline_is_told_once_however_long_the_text():
    text = f"{'word ' * 150}. " * 4
    encoder = stub.StubEncoder(EXPELLED)
    (one,) = read(encoder, text, title="Belgium expelled envoys")
    assert (one.section, one.sentence) == ("title", -1)
    assert len(encoder.seen) > 1


def test_tellings_come_in_reading_order():
    told = {"expelled": {"expulsion": 1.0}, "met": {"meeting": 4.0}}
    assert kinds(read(stub.StubEncoder(told), "Belgium expelled Ruritanian envoys after ministers met.")) == [
        "expulsion",
        "meeting",
    ]


# --- spans -----------------------------------------------------------------------------------------------------------


def test_spans_are_whole_words_and_runs_of_them():
    text = "Belgium expelled two Ruritanian diplomats and Togo three."
    roles = {"expelled": {"actors": "Belgium", "recipients": "two Ruritani diplomat Togo"}}
    (one,) = read(stub.StubEncoder(EXPELLED, roles=roles), text)
    assert words(text, one, "actors") == ["Belgium"]
    assert words(text, one, "recipients") == ["two Ruritanian diplomats", "Togo"]
    assert one.role_shares["recipients"] > 0.9


def test_the_end_of_a_word_stands_for_the_whole():
    text = "Belgium expelled diplomats."
    (one,) = read(stub.StubEncoder(EXPELLED, roles={"expelled": {"recipients": "s"}}), text)
    assert words(text, one, "recipients") == ["diplomats"]


def test_a_word_whose_middle_is_doubtful_is_one_span():
    text = "Belgium expelled internationalizations."
    assert len(list(stub.Tokenizer().encode("internationalizations", add_special_tokens=False).ids)) == 3
    roles = {"expelled": {"recipients": "internat tions"}}
    (one,) = read(stub.StubEncoder(EXPELLED, roles=roles), text)
    assert words(text, one, "recipients") == ["internationalizations"]


def test_a_part_of_another_sentence_is_no_part_of_a_span():
    text = "Belgium expelled envoys. Chile protested on Sunday."
    roles = {"expelled": {"actors": "Belgium", "recipients": "envoys Chile", "date": "Sunday", "places": "Chile"}}
    (one,) = read(stub.StubEncoder(EXPELLED, roles=roles), text)
    assert words(text, one, "recipients") == ["envoys"]
    assert one.spans["date"] == one.spans["places"] == []


def test_parties_that_a_sentence_lacks_are_those_of_the_sentence_before():
    text = "Chile spoke. Ghana met Togo on Sunday. The talks lasted."
    told = {"talks": {"meeting": stub.YES}}
    roles = {"talks": {"actors": "Chile Ghana Togo", "date": "Sunday", "said_by": "Ghana"}}
    (one,) = read(stub.StubEncoder(told, roles=roles), text)
    assert words(text, one, "actors") == ["Ghana", "Togo"]
    assert one.spans["date"] == one.spans["said_by"] == [], "only parties are looked for further back"


def test_parties_of_the_own_sentence_come_before_those_of_the_one_before():
    text = "Ghana met Togo. The talks helped Chile."
    roles = {"talks": {"actors": "Ghana Chile"}}
    (one,) = read(stub.StubEncoder({"talks": {"meeting": stub.YES}}, roles=roles), text)
    assert words(text, one, "actors") == ["Chile"]


def test_the_first_sentence_does_not_look_back_into_the_headline():
    roles = {"expelled": {"actors": "Belgium"}}
    (one,) = read(stub.StubEncoder(EXPELLED, roles=roles), "They were expelled.", title="Belgium acts")
    assert one.spans["actors"] == []


def test_each_role_has_its_own_least():
    encoder = stub.StubEncoder(EXPELLED, roles={"expelled": {"actors": "Belgium", "recipients": "envoys"}})
    encoder.facts["role_least"] = [stub.YES + 1, *[0.0] * 5]
    (one,) = read(encoder, "Belgium expelled envoys.")
    assert (one.spans["actors"], len(one.spans["recipients"])) == ([], 1)


# --- confidence ------------------------------------------------------------------------------------------------------


def test_confidence_is_the_calibrated_share():
    encoder = stub.StubEncoder(EXPELLED, topic=2.0)
    text = "Belgium expelled envoys."
    (plain,) = read(encoder, text)
    encoder.facts["calibration"] = {"always": -1.0, "type": 1.0}
    (lower,) = read(encoder, text)
    encoder.facts["calibration"] = {"always": -1.0, "type": 1.0, "topic": 0.5}
    (higher,) = read(encoder, text)
    assert lower.confidence < higher.confidence < 1
    assert plain.confidence == pytest.approx(plain.type_share, abs=0.002)


def test_a_whole_article_is_weighed_by_weights_of_its_own():
    encoder = stub.StubEncoder(EXPELLED, topic=-2.0)
    encoder.facts["calibration_whole"] = {"type": 1.0, "topic": 1.0}
    (single,) = read(encoder, "Belgium expelled envoys.")
    (whole,) = read(encoder, "Belgium expelled envoys.", title="A season of comedies")
    assert whole.confidence < 0.9 * single.confidence


def test_a_second_telling_of_a_type_in_a_sentence_is_known_as_such():
    encoder = stub.StubEncoder({"killed": {"attack": 2.0}, "strike": {"strike": 4.0}})
    encoder.facts["calibration"] = {"type": 1.0, "a surer one of its type": -5.0}
    told = {one.kind: one for one in read(encoder, "Ten were killed in the morning by a strike.")}
    assert told["attack"].confidence < 0.1 < 0.9 < told["strike"].confidence
    apart = {one.kind: one for one in read(encoder, "Ten were killed. It was a strike.")}
    assert apart["attack"].confidence > 0.8


def test_a_text_without_words_tells_nothing():
    assert read(stub.StubEncoder(), "") == []


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_share_decides_alone(share):
    assert abs(odds(share)) < 7


# --- kinds of the user's own -----------------------------------------------------------------------------------------


class Own:
    """A kind of the user's that is told at one word."""

    def __init__(self, kind: str, type_: EventType, encoder: stub.StubEncoder, word: str, share: float = 0.8) -> None:
        self.kind, self.type, self.encoder, self.word, self.share = kind, type_, encoder, word, share

    def spots(self, window, scores):
        return [(at, self.share) for at, piece in enumerate(self.encoder.pieces(window)) if piece == self.word]


def test_a_kind_of_the_users_own_wins_at_its_trigger_and_beside_it():
    encoder = stub.StubEncoder({"expelled": {"expulsion": stub.YES}, "envoys": {"accusation": stub.YES}})
    (one,) = read(encoder, "Belgium expelled envoys.", own=[Own("ousting", "COERCE", encoder, "expelled")])
    assert (one.kind, one.type, one.own, one.confidence) == ("ousting", "COERCE", 0.8, 0.8)


def test_of_two_kinds_of_the_users_the_later_wins():
    encoder = stub.StubEncoder()
    own = [Own("one", "COERCE", encoder, "expelled", 0.9), Own("two", "SUPPORT", encoder, "expelled", 0.7)]
    (told,) = read(encoder, "Belgium expelled envoys.", own=own)
    assert (told.kind, told.type, told.confidence) == ("two", "SUPPORT", 0.7)


def test_a_built_in_kind_further_on_is_told_too():
    encoder = stub.StubEncoder({"met": {"meeting": stub.YES}})
    text = "Belgium expelled envoys after its ministers met."
    assert kinds(read(encoder, text, own=[Own("ousting", "COERCE", encoder, "expelled")])) == ["ousting", "meeting"]
