"""A table of a file that people write is changed, and nothing else in it."""

import tomllib

import pytest

from pipeline.toml import edit as toml_edit
from pipeline.toml.read import SettingsError

FILE = """# first
[[rule]]
name = "a" # why
text = "[[rule]]"

# about b
[[rule]]
name = "b"
[rule.where]
x = { any = ["y"] }

[[channel]]
name = "t"
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text(FILE, "utf-8")
    return file


def names(file):
    return [table["name"] for table in tomllib.loads(file.read_text("utf-8")).get("rule", ())]


def test_the_blocks_are_the_tables_with_their_own_sub_tables():
    first, second = toml_edit.blocks(FILE, "rule")
    assert first == '[[rule]]\nname = "a" # why\ntext = "[[rule]]"\n'
    assert second.endswith('x = { any = ["y"] }\n')


def test_removing_a_table_keeps_every_other_line(file):
    toml_edit.replace(file, "rule", 1, "", check=lambda _: None)
    assert file.read_text("utf-8") == FILE.replace('[[rule]]\nname = "b"\n[rule.where]\nx = { any = ["y"] }\n', "")


def test_another_text_takes_the_place_of_a_table(file):
    toml_edit.replace(file, "rule", 0, '[[rule]]\nname = "new"', check=lambda _: None)
    assert names(file) == ["new", "b"]
    assert "# first" in file.read_text("utf-8")


def test_a_table_is_added_at_the_end(file):
    toml_edit.append(file, '[[rule]]\nname = "c"', check=lambda _: None)
    assert names(file) == ["a", "b", "c"]
    assert file.read_text("utf-8").startswith(FILE)


def test_a_file_that_a_check_refuses_stays_as_it_is(file):
    def check(draft):
        raise SettingsError(f"{draft}: no")

    with pytest.raises(SettingsError, match="/alerts.toml: no"):
        toml_edit.append(file, "[[rule]]", check=check)
    assert file.read_text("utf-8") == FILE
    assert [one.name for one in file.parent.iterdir()] == ["alerts.toml"]


@pytest.mark.parametrize("text", ['rule = [{ name = "a" }]\n', '[[rule]]\ntext = """\n[[rule]]\n"""\n'])
def test_a_file_that_cannot_be_told_apart_by_lines_is_left_alone(file, text):
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="by hand"):
        toml_edit.replace(file, "rule", 0, "", check=lambda _: None)
    assert file.read_text("utf-8") == text


def test_what_is_not_toml_is_told():
    with pytest.raises(SettingsError, match="not TOML"):
        toml_edit.blocks("[[rule", "rule")
