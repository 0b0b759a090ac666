import json

import pytest

from pipeline.detect import detect_jsonl, lexicon, load_models
from pipeline.settings import Detect, Settings

CORRIDOR = """
[classes]
corridor = "corridor passage"

[[kinds]]
kind = "corridor"
type = "RETREAT"
mode = "access"
cameo = "08"
about = "A corridor for grain or aid is opened."
rules = [ { verb = "open reopen", object = "@corridor", to = "for from", weight = 0.9 } ]
yes = ["Turkey opened a grain corridor for Ukrainian ships."]
no = ["The school opened a corridor between two classrooms."]
"""


def write(tmp_path, text, name="own.toml"):
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return file


def test_a_new_kind_is_added_by_data_alone(tmp_path):
    file = write(tmp_path, CORRIDOR)
    models = load_models(Settings(detect=Detect(lexicons=(str(file),))))
    sentence = lexicon.read(file).kinds[0].yes[0]
    (line,) = detect_jsonl([json.dumps({"id": "1", "text": sentence})], models)
    (event,) = json.loads(line)["events"]
    assert (event["kind"], event["event_type"], [p["country"] for p in event["actors"]]) == (
        "corridor",
        "RETREAT",
        ["TUR"],
    )


def test_a_users_rules_add_to_a_known_kind(tmp_path):
    file = write(tmp_path, '[[kinds]]\nkind = "sanctions"\nrules = [ { verb = "punish", to = "obj" } ]\n')
    known, grown = lexicon.load(), lexicon.load([file])
    assert len(grown.kinds["sanctions"].rules) == len(known.kinds["sanctions"].rules) + 1
    assert grown.kinds["sanctions"].type == "SANCTION"


def test_a_user_may_replace_a_kind(tmp_path):
    file = write(
        tmp_path, '[[kinds]]\nkind = "sanctions"\ntype = "COERCE"\nreplace = true\nrules = [ { verb = "punish" } ]\n'
    )
    assert [r.verb for r in lexicon.load([file]).kinds["sanctions"].rules] == ["punish"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[[kinds]]\nkind = "x"\ntype = "SANCTION"\nrules = [ { verb = "a", noun = "b" } ]',
            "one of verb, noun and phrase",
        ),
        ('[[kinds]]\nkind = "x"\nrules = [ { verb = "a" } ]', "no type"),
        (
            '[[kinds]]\nkind = "x"\ntype = "SANCTION"\nrules = [ { verb = "a", object = "@nowhere" } ]',
            "unknown word class @nowhere",
        ),
        (
            '[[kinds]]\nkind = "x"\ntype = "SANCTION"\nrules = [ { verb = "a", object = "$nobody" } ]',
            "unknown test \\$nobody",
        ),
        ('[[kinds]]\nkind = "x"\ntype = "NOTHING"', "NOTHING"),
        ('[[kinds]]\nkind = "x"\ncolour = "red"', "colour"),
        ("not toml", "own.toml"),
    ],
)
def test_a_wrong_lexicon_says_what_is_wrong(tmp_path, text, problem):
    with pytest.raises(lexicon.LexiconError, match=problem):
        lexicon.load([write(tmp_path, text)])


def test_a_lexicon_that_is_not_there_is_named(tmp_path):
    with pytest.raises(lexicon.LexiconError, match="gone.toml"):
        lexicon.load([tmp_path / "gone.toml"])


def test_all_sixteen_plover_types_are_covered():
    types = {kind.type for kind in lexicon.load().kinds.values()}
    assert len(types) == 16
