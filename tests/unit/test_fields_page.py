"""docs/fields.md has every field of the mappings, with what it holds."""

import importlib.util
from pathlib import Path

from pipeline.index import actions, templates

DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("build_fields", DOCS / "build_fields.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def test_the_page_is_what_its_script_writes():
    assert build.FILE.read_text("utf-8") == build.text(), "run python docs/build_fields.py"


def test_the_words_are_about_fields_that_exist_and_each_is_a_sentence():
    known = {path for name in actions.INDICES for path, _ in build.fields(templates.mapping(name)["properties"])}
    assert set(build.words()) == known
    assert [path for path, (about, _) in build.words().items() if not about.endswith(".")] == []
