"""docs/events.md says what the code does: the kinds, and how to add one."""

import re
from pathlib import Path

import msgspec
import pytest

from pipeline.detect import own_kinds
from pipeline.detect.kinds import built_in
from pipeline.detect.own_kinds import OwnKind
from pipeline.settings import Settings

DOC = (Path(__file__).parents[3] / "docs" / "events.md").read_text("utf-8")
ROW = re.compile(
    r"^\| `(?P<kind>\w+)` \| (?P<type>[A-Z]+) \| (?P<mode>[\w-]*) \| (?P<about>.+?) \| (?P<example>.+?) \|$",
    re.MULTILINE,
)
ADDING = DOC.partition("\n## Adding a kind\n")[2].partition("\n## ")[0]


@pytest.fixture
def kinds(tmp_path):
    """The kinds of the page's example, read as a file that `detect.kinds` names."""
    (tmp_path / "own.toml").write_text(ADDING.partition("```toml\n")[2].partition("```")[0], "utf-8")
    return own_kinds.read([tmp_path / "own.toml"])


def test_the_table_of_kinds_is_the_one_of_the_code():
    told = [(row["kind"], row["type"], row["mode"], row["about"], row["example"]) for row in ROW.finditer(DOC)]
    assert told == [(k.kind, k.type, k.mode or "", k.about, k.example) for k in built_in().values()]


def test_the_example_of_the_page_has_a_kind_of_each_sort(kinds):
    assert [(bool(one.examples), bool(one.patterns)) for one in kinds] == [(True, False), (False, True)]
    assert all(one.yes and one.no for one in kinds)


def test_the_example_of_the_page_does_what_its_sentences_say(kinds):
    own_kinds.try_out(kinds, Settings())


def test_every_key_of_a_kind_is_explained():
    named = {name for row in re.findall(r"^\| (`.+?) \|", ADDING, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == {field.name for field in msgspec.structs.fields(OwnKind)}


def test_the_numbers_of_the_page_are_those_of_the_code():
    assert f"`confidence` is {own_kinds.PATTERN_SHARE}" in ADDING
    assert own_kinds.LEAST_EXAMPLES == 5
    assert "five sentences or more" in ADDING
