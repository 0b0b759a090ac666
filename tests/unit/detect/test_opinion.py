"""The second opinion: what it sees, how it weighs, how it is kept in a file, and how it is trained."""

import dataclasses
import json

import numpy as np
import pytest

from pipeline.detect import detect_jsonl, load_models, opinion
from pipeline.detect.opinion import features, model, train
from pipeline.detect.opinion.features import Site, stem
from pipeline.detect.opinion.model import CLASSES, Opinion, OpinionError, Vectors
from pipeline.detect.opinion.samples import Drafted, Sample
from pipeline.records import Party
from pipeline.settings import Settings
from tests.unit.detect.trees import reader, tree

BLAMED = """
France NNP nsubj 1
lambasted VBD ROOT 1
Mali NNP dobj 1
over IN prep 1
raids NNS pobj 3
"""
JUDGE = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Only the share of the own type counts."""


def blamed():
    return reader(tree(BLAMED), {"France": "GPE", "Mali": "GPE"})


def seeing(weights, judge=JUDGE):
    """An opinion that knows a few features: {name: {class: weight}}."""
    names = {name: row for row, name in enumerate(weights)}
    table = np.zeros((len(names) + 1, len(CLASSES)), dtype=np.float32)
    for name, of in weights.items():
        for class_, weight in of.items():
            table[names[name], CLASSES.index(class_)] = weight
    return Opinion(names, table, Vectors({}, np.zeros((0, 0), dtype=np.float32)), judge, {})


@pytest.fixture(scope="module")
def models():
    return dataclasses.replace(load_models(Settings()), opinion=None)


def events(models, text):
    (line,) = detect_jsonl([json.dumps({"id": "a", "text": text})], models)
    return json.loads(line)["events"]


def test_a_site_names_no_person_and_no_country():
    seen = opinion.site(blamed(), 1)
    assert {"t=lambasted", "v+obj=lambast+GOV+", "subj=GOV+", "p=over", "pobj:raid"} <= set(seen.names)
    assert not [name for name in seen.names if "france" in name.casefold() or "mali" in name.casefold()]
    assert "mali" not in seen.around
    assert "raids" in seen.around


@pytest.mark.parametrize(
    "forms",
    [("accuse", "accuses", "accused", "accusing"), ("ban", "bans", "banned", "banning"), ("deny", "denies", "denied")],
)
def test_the_forms_of_a_verb_have_one_stem(forms):
    assert len({stem(form) for form in forms}) == 1


def test_only_verbs_of_somebody_known_are_asked_about_where_the_rules_are_silent():
    assert list(opinion.sites(blamed(), (0, 5), frozenset())) == [1]
    assert list(opinion.sites(blamed(), (0, 5), frozenset((1,)))) == []
    nobody = reader(tree(BLAMED.replace("France", "Rain")), {"Mali": "GPE"})
    assert list(opinion.sites(nobody, (0, 5), frozenset())) == []


def test_a_sure_model_proposes_what_the_rules_do_not_see():
    (found,) = opinion.propose(seeing({"t=lambasted": {"ACCUSE": 9.0}}), blamed(), (0, 5), [])
    assert (found.rule.id, found.rule.type, found.index) == ("opinion/accusation", "ACCUSE", 1)
    assert opinion.propose(seeing({"t=lambasted": {"NONE": 9.0}}), blamed(), (0, 5), []) == []
    assert opinion.propose(None, blamed(), (0, 5), []) == []


def test_a_proposed_event_is_read_as_any_other(models):
    text = "Belgium will sue-and-shame Rwanda next week, its minister said."
    assert events(models, text.replace("sue-and-shame", "badmouth")) == []
    models.opinion = seeing({"t=badmouth": {"ACCUSE": 9.0}})
    try:
        (event,) = events(models, text.replace("sue-and-shame", "badmouth"))
    finally:
        models.opinion = None
    assert (event["kind"], event["modality"], event["rule"]) == ("accusation", "planned", "opinion/accusation")
    assert [p["country"] for p in event["actors"]] == ["BEL"]
    assert [p["country"] for p in event["recipients"]] == ["RWA"]


def test_an_unlikely_event_is_left_out_and_a_likely_one_says_why(models):
    text = "Ghana accused Togo of smuggling on Monday."
    (alone,) = events(models, text)
    assert alone["confidence"] == alone["rule_confidence"]
    assert alone["opinion"] is None
    models.opinion = seeing({"t=accused": {"ACCUSE": 6.0}})
    try:
        (event,) = events(models, text)
        models.opinion = seeing({"t=accused": {"NONE": 6.0}})
        assert events(models, text) == []
    finally:
        models.opinion = None
    assert event["rule_confidence"] == alone["rule_confidence"]
    assert event["opinion"] > 0.9
    assert event["confidence"] == pytest.approx(event["opinion"], abs=0.01), "this judge goes by the share alone"


# --- its file -------------------------------------------------------------------------------------------------------------


def write(file, **changed):
    names, vectors = ["t=met", "t=won"], model.load_vectors()
    weights = np.arange((len(names) + 3 * vectors.size + 1) * len(CLASSES), dtype=np.float64) % 7
    given = {"names": names, "weights": weights.reshape(-1, len(CLASSES)), "judge": JUDGE, "made_of": {"by": "a test"}}
    model.save(file, **{**given, **changed})


def test_a_model_comes_back_from_its_file_and_the_same_one_is_the_same_bytes(tmp_path):
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    write(one)
    write(two)
    assert one.read_bytes() == two.read_bytes()
    loaded = model.load(one)
    assert list(loaded.names) == ["t=met", "t=won"]
    assert loaded.judge == JUDGE
    assert loaded.made_of["by"] == "a test"
    assert sum(loaded.shares(Site(("t=met",), "met", "", ()))) == pytest.approx(1.0, abs=1e-5)


def test_a_file_that_does_not_fit_is_refused_by_name(tmp_path):
    file = tmp_path / "mine.npz"
    with pytest.raises(OpinionError, match="mine.npz"):
        model.load(file)
    file.write_bytes(b"no archive")
    with pytest.raises(OpinionError, match="mine.npz"):
        model.load(file)
    write(file, weights=np.zeros((3, len(CLASSES))))
    with pytest.raises(OpinionError, match="other vectors"):
        model.load(file)
    write(file, made_of={"by": "a test", "format": "0"})
    with pytest.raises(OpinionError, match="train it anew"):
        model.load(file)


def test_without_the_file_that_ships_the_rules_decide_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(model, "BUILT_IN", tmp_path / "absent.npz")
    assert model.load(model.BUILT_IN) is None


def test_the_model_that_ships_is_small_and_fits_this_version():
    loaded = opinion.load()
    assert loaded is not None
    assert model.BUILT_IN.stat().st_size + model.VECTORS.stat().st_size < 4_000_000
    assert "samples.written" in loaded.made_of


def test_a_word_unknown_to_the_vectors_is_all_zeros():
    vectors = model.load_vectors()
    assert not vectors.get("xqzzy").any()
    assert np.linalg.norm(vectors.get("accused")) == pytest.approx(1.0, abs=1e-3)
    near = {w: float(vectors.get("accused") @ vectors.get(w)) for w in ("blamed", "banana")}
    assert near["blamed"] > near["banana"]


# --- training -------------------------------------------------------------------------------------------------------------


def sample(number, verb, label, *, confidence=0.7, source="written"):
    names = (f"t={verb}", f"w:{number % 7}", "tag=VBD")
    made = Drafted("ACCUSE", confidence, unreal=False, actor=True, recipient=True)
    return Sample(source, f"w:{number}", Site(names, verb, "", ()), CLASSES.index(label), 1.0, made)


LEARNT = [
    sample(n, "accused" if n % 3 else "charged", "ACCUSE" if n % 3 else ("NONE", "REJECT")[n % 2]) for n in range(120)
]


NO_VECTORS = Vectors({}, np.zeros((0, 0), dtype=np.float32))


def test_training_learns_which_verb_is_wrong_and_twice_gives_the_same_file(tmp_path):
    made = [train.train(LEARNT, NO_VECTORS, {"by": "a test"}) for _ in range(2)]
    for number, one in enumerate(made):
        one.write(tmp_path / f"{number}.npz")
    assert (tmp_path / "0.npz").read_bytes() == (tmp_path / "1.npz").read_bytes()
    figures = made[0].figures
    assert figures.auc_rules == 0.5, "the rules are as sure of the wrong ones"
    assert figures.auc_opinion > 0.95
    assert figures.calibration_error < 0.15
    loaded = model.load(tmp_path / "0.npz", vectors=tmp_path / "absent.npz")
    right, wrong = (loaded.shares(one.site)[CLASSES.index("ACCUSE")] for one in (LEARNT[1], LEARNT[0]))
    assert right > 0.8 > 0.3 > wrong


def test_too_little_to_learn_from_is_said():
    with pytest.raises(OpinionError, match="too few"):
        train.train(LEARNT[:3], NO_VECTORS, {})


def test_a_group_is_never_split():
    assert len({train.fold_of("d:2024-05-01") for _ in range(3)}) == 1
    assert {train.fold_of(f"w:{n}") for n in range(60)} == set(range(train.FOLDS))


def test_marks_of_users_are_samples(models, tmp_path):
    file = tmp_path / "marks.jsonl"
    text = "Ghana accused Togo of smuggling on Monday."
    rows = [
        {"text": text, "event": {"event_type": "ACCUSE", "trigger": "accused"}, "right": False},
        {"evidence": text, "event": "ACCUSE", "right": True},
        {"event": {"event_type": "ACCUSE", "evidence": text, "trigger": "accused"}, "right": True},
        {"text": text, "event": "AID", "right": True},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [s for s in train.gather(models, marks=[file]) if s.source == "marked"]
    assert [CLASSES[s.label] for s in found] == ["NONE", "ACCUSE", "ACCUSE"], (
        "a type that the rules do not find says nothing"
    )
    assert len({s.group for s in found}) == 1


def test_what_a_reader_found_is_joined_with_its_texts(models, tmp_path):
    text = "Peru accused Chile of espionage, and Chile blamed Peru for the delay."
    again = text.rindex("blamed")
    sets, readings = tmp_path / "sets", tmp_path / "readings"
    (sets / "daily").mkdir(parents=True)
    readings.mkdir()
    for name in ("hand_wce", "challenge_wce", "plover_gsr", "wce_category"):
        (sets / name).mkdir()
        (sets / name / "dev.jsonl").write_text("")
    (sets / "daily" / "dev.jsonl").write_text(json.dumps({"id": "a", "date": "2024-05-01", "text": text}))
    told = {"root": "ACCUSE", "trigger": "accused", "at": text.index("accused")}
    rows = [
        {"id": "a", "events": [told], "open": [{"trigger": "blamed", "at": again}]},
        {"id": "not there", "events": []},
    ]
    (readings / "daily.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [s for s in train.gather(models, shared=sets, readings=readings) if s.source == "readings"]
    assert [(CLASSES[s.label], s.site.trigger, s.group) for s in found] == [("ACCUSE", "accused", "d:2024-05-01")]
    del rows[0]["open"], rows[0]["events"][0]
    (readings / "daily.jsonl").write_text(json.dumps(rows[0]))
    found = [s for s in train.gather(models, shared=sets, readings=readings) if s.source == "readings"]
    assert {CLASSES[s.label] for s in found} == {"NONE"}, "what the reader did not find is wrong"


def test_the_page_of_figures_has_a_line_for_each_tenth(tmp_path):
    figures = train.train(LEARNT, NO_VECTORS, {}).figures
    page = train.page(figures, tmp_path / "m.npz")
    assert page.count("\n") == 5 + len(figures.reliability)


def test_features_know_sorts_of_things():
    made = blamed()
    assert [features.sort(made, i) for i in (0, 1, 4)] == ["GOV+", "clause", "thing"]
    assert features.sort(made, None) == "none"


def test_what_courts_do_is_left_to_the_rules():
    court = Party(text="court", name="the court", sector="JUD")
    asked = blamed()
    asked._memo[0] = (court,)
    assert opinion.propose(seeing({"t=lambasted": {"ACCUSE": 9.0}}), asked, (0, 5), []) == []
