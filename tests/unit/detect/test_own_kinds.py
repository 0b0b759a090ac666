"""Kinds of the user's own: what is wrong in a file is told, and a handful of examples or a pattern is enough."""

import json
from pathlib import Path

import msgspec
import pytest
import spacy

from pipeline import annotate
from pipeline.annotate.plain import Plain, plain
from pipeline.detect import detect_jsonl, load_models, own_kinds
from pipeline.detect.kinds import KINDS
from pipeline.detect.own_kinds import KindError, OwnKind
from pipeline.settings import Detect, Settings
from tests.unit.detect import stub

NOTHING = Plain("", [], [], [], [])
EXAMPLES = (
    "Turkey *opened* a grain corridor for Ukrainian ships.",
    "Kenya *opened* a humanitarian corridor for Somali refugees.",
    "Israel *reopened* an aid corridor for Gaza on Tuesday.",
    "Armenia and Georgia *opened* a corridor for relief convoys.",
    "The army *opened* a safe corridor for civilians fleeing the town.",
    "Sudan *reopened* a humanitarian corridor from Chad.",
)
CORRIDOR = OwnKind(
    kind="corridor",
    type="RETREAT",
    about="A corridor for grain or aid is opened.",
    examples=EXAMPLES,
    yes=("Egypt reopened an aid corridor for Gaza.",),
    no=("The school opened a library.", "Egypt opened its embassy in Libya.", "Ghana expelled two Togolese diplomats."),
)
LOCKS = OwnKind(
    kind="bank_run",
    type="COERCE",
    patterns=(({"LOWER": "queues"}, {"LOWER": {"IN": ["outside", "before"]}}, {"LOWER": "banks"}), ({"TEXT": "BANK"},)),
    yes=("There were queues outside banks in Lagos.",),
    no=("There were queues outside shops in Lagos.",),
)


def written(*kinds):
    """Kinds in, the file that tells them out."""
    lines = []
    for kind in kinds:
        table = {name: value for name, value in msgspec.to_builtins(kind).items() if value not in ("", (), [], False)}
        lines += ["[[kinds]]", *(f"{name} = {toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list | tuple) else json.dumps(value)


@pytest.fixture
def file(tmp_path):
    """A file's text, or a kind with changes, in; its path out."""

    def write(text="", **changes):
        path = tmp_path / "own.toml"
        path.write_text(text or written(msgspec.structs.replace(CORRIDOR, **changes)), "utf-8")
        return path

    return write


# --- the file --------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(file):
    assert own_kinds.read([file(written(CORRIDOR, LOCKS))]) == (CORRIDOR, LOCKS)


def test_a_later_file_replaces_a_kind_of_an_earlier_one(file, tmp_path):
    (tmp_path / "more.toml").write_text(written(msgspec.structs.replace(LOCKS, kind="corridor")), "utf-8")
    (found,) = own_kinds.read([file(), tmp_path / "more.toml"])
    assert found.patterns
    assert own_kinds.read([]) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[kinds", "Expected"),
        ("x = 1", "unknown field"),
        ('[[kinds]]\nkind = "a"\n', "missing required field `type`"),
        ('[[kinds]]\nkind = "a"\ntype = "ATTACK"\n', "Invalid enum value 'ATTACK'"),
        ('[[kinds]]\nkind = "a"\ntype = "AID"\nrules = []\n', "unknown field `rules`"),
        ('[[kinds]]\nkind = "a"\ntype = "AID"\npatterns = [["opened"]]\n', "Expected `object`, got `str`"),
    ],
)
def test_a_file_of_another_form_is_told_with_what_is_wrong(file, text, message):
    path = file(text)
    with pytest.raises(KindError) as caught:
        own_kinds.read([path])
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes('[[kinds]]\nabout = "Zürich"\n'.encode("latin-1"))
    for name, message in (("nowhere.toml", "No such file"), ("latin.toml", "utf-8")):
        with pytest.raises(KindError, match=rf"{name}: .*{message}"):
            own_kinds.read([tmp_path / name])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "Bank Run"}, "kind 'Bank Run': a kind is written in small letters, digits and underscores"),
        ({"examples": ()}, "kind 'corridor': give either examples or patterns"),
        ({"patterns": LOCKS.patterns}, "kind 'corridor': give either examples or patterns"),
        ({"examples": EXAMPLES[:3]}, "kind 'corridor': 3 examples, at least 5 are needed"),
        (
            {"examples": (*EXAMPLES[:4], "Chad opened it.")},
            "put the trigger between asterisks, once: 'Chad opened it.'",
        ),
        ({"examples": (*EXAMPLES[:4], "*Chad* *opened* it.")}, "put the trigger between asterisks, once"),
    ],
)
def test_a_wrong_kind_is_told_with_its_file(file, changes, message):
    path = file(**changes)
    with pytest.raises(KindError) as caught:
        own_kinds.read([path])
    assert str(caught.value).startswith(f"{path}: kind ")
    assert message in str(caught.value)


# --- with the models -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    path = tmp_path_factory.mktemp("kinds") / "own.toml"
    path.write_text(written(CORRIDOR, LOCKS), "utf-8")
    return load_models(Settings(detect=Detect(kinds=(str(path),)), directory=str(Path(path).parent)))


def events(models, text):
    (line,) = detect_jsonl([json.dumps({"id": "a", "text": text, "published": "2024-06-14"})], models)
    return json.loads(line)["events"]


def test_a_few_examples_teach_a_kind(models):
    (event,) = events(models, "Egypt reopened an aid corridor for Gaza.")
    assert (event["kind"], event["event_type"], event["rule"]) == ("corridor", "RETREAT", "corridor")
    assert event["trigger"] == "reopened"
    assert event["export"]["plover"] == "RETREAT"
    assert 0.6 <= event["confidence"] <= 0.95


@pytest.mark.parametrize("text", CORRIDOR.no)
def test_other_sentences_do_not_tell_it(models, text):
    assert "corridor" not in [event["kind"] for event in events(models, text)]


def test_a_pattern_tells_its_kind_at_its_first_word(models):
    (event,) = events(models, "Rain fell. There were Queues before banks in Lagos on Friday.")
    assert (event["kind"], event["trigger"], event["confidence"]) == ("bank_run", "Queues", own_kinds.PATTERN_SHARE)
    assert "bank_run" in [event["kind"] for event in events(models, "A BANK was closed.")]
    assert "bank_run" not in [event["kind"] for event in events(models, "A bank was closed.")]


def test_the_built_in_kinds_are_told_beside_it(models):
    told = events(models, "Egypt reopened an aid corridor for Gaza. Ghana expelled two Togolese diplomats.")
    assert [event["kind"] for event in told] == ["corridor", "expulsion"]


def test_an_own_kind_may_stand_in_a_headline(models):
    (line,) = detect_jsonl(
        [json.dumps({"id": "a", "title": "Queues outside banks in Lagos", "text": "Rain fell."})], models
    )
    (event,) = json.loads(line)["events"]
    assert (event["kind"], event["section"], event["start"]) == ("bank_run", "title", 0)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (({"LOWR": "opened"},), "LOWR"),
        (({"LEMMA": "open"},), "lemmatizer"),
        (({"POS": "VERB"},), "tagger"),
        ((), "zero tokens"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_told(models, pattern, message):
    spec = msgspec.structs.replace(LOCKS, patterns=(pattern,))
    with pytest.raises(KindError, match=rf"(?s)kind 'bank_run': patterns: .*{message}"):
        own_kinds.learn(spec, models.encoder, models.nlp)


@pytest.mark.parametrize(
    ("example", "why"),
    [
        ("Chad re*opened* it.", "the trigger has to be a word of a sentence: 'Chad re*opened* it.'"),
        ("Chad * opened* it.", "the trigger has to be a word of a sentence"),
        ("*Opened*", "the trigger has to be a word of a sentence"),
    ],
)
def test_an_example_whose_trigger_is_no_word_is_told(example, why):
    spec = msgspec.structs.replace(CORRIDOR, examples=(*EXAMPLES, example))
    with pytest.raises(KindError) as caught:
        own_kinds.learn(spec, stub.StubEncoder(), None)
    assert f"kind 'corridor': examples: {why}" in str(caught.value)


def test_examples_whose_triggers_are_like_any_word_are_told():
    with pytest.raises(KindError, match="their triggers are no more alike than other words"):
        own_kinds.learn(CORRIDOR, stub.StubEncoder(), None)


def test_examples_that_the_reader_tells_apart_are_learnt():
    encoder = stub.StubEncoder(same={"opened": 1, "reopened": 1})
    learnt = own_kinds.learn(msgspec.structs.replace(CORRIDOR, no=()), encoder, None)
    text = "Chad opened a road. Mali closed one. Togo reopened two."
    (window,) = encoder.windows.cut("", text, stub.sentences(text))
    scores = encoder.scores(window)
    spots = list(own_kinds.in_article([learnt], None, NOTHING, NOTHING)[0].spots(window, scores))
    assert [(text[window.starts[at] :].split(maxsplit=1)[0], share) for at, share in spots] == [
        ("opened", 0.95),
        ("reopened", 0.95),
    ]


@pytest.mark.parametrize(
    "text", ["", " ", " A  bank's\n\nqueue. ", "x ", "One\u00a0day, U.S. troops left.", "Mr. Li isn't\there"]
)
def test_the_words_of_an_article_make_the_doc_that_the_tokenizer_made(text):
    nlp = spacy.blank("en")
    doc = nlp.make_doc(text)
    made = own_kinds.doc_of(plain(doc, text), nlp)
    assert [(t.text, t.idx, t.whitespace_) for t in made] == [(t.text, t.idx, t.whitespace_) for t in doc]


# --- what `dateline check` tries -------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """The models as `try_out` loads them, made by hand: what the trained ones say is tested above."""
    encoder = stub.StubEncoder(same={"opened": 1, "reopened": 1})
    monkeypatch.setattr(own_kinds, "Encoder", lambda _directory: encoder)
    monkeypatch.setattr(annotate, "load", lambda _models: spacy.blank("en"))


@pytest.mark.usefixtures("small")
def test_the_sentences_of_a_kind_are_tried():
    right = msgspec.structs.replace(CORRIDOR, yes=("Egypt reopened it.",), no=("Mali closed it.",))
    own_kinds.try_out([right], Settings())
    with pytest.raises(KindError, match=r"kind 'corridor': yes: it is not told in 'Mali closed it\.'"):
        own_kinds.try_out([msgspec.structs.replace(right, yes=right.no)], Settings())
    right = msgspec.structs.replace(LOCKS, yes=(), no=("The BANK closed.",))
    with pytest.raises(KindError, match=r"kind 'bank_run': no: it is told in 'The BANK closed\.'"):
        own_kinds.try_out([right], Settings())


def test_the_shipped_models_agree_with_the_sentences_above():
    own_kinds.try_out([CORRIDOR, LOCKS], Settings())


def test_the_formulas_of_official_documents_tell_their_kinds():
    formulas = own_kinds.read([own_kinds.FORMULAS])
    assert all(spec.type == KINDS[spec.kind] and spec.yes and spec.no for spec in formulas)
    own_kinds.try_out(formulas, Settings())
