"""docs/events.md and the lexicon say the same."""

import re
from pathlib import Path

import msgspec

from pipeline.detect import lexicon
from pipeline.detect.lexicon import RuleSpec

DOC = (Path(__file__).parents[3] / "docs" / "events.md").read_text("utf-8")
ROW = re.compile(
    r"^\| `(?P<kind>\w+)` \| (?P<type>[A-Z]+) \| (?P<mode>[\w-]*) \| (?P<about>.+?) \| (?P<example>.+?) \|$",
    re.MULTILINE,
)


def test_the_table_of_kinds_is_the_lexicon():
    told = {row["kind"]: (row["type"], row["mode"], row["about"], row["example"]) for row in ROW.finditer(DOC)}
    kept = {k.kind: (k.type, k.mode or "", k.about, k.yes[0]) for k in lexicon.load().kinds.values()}
    assert told == kept


def test_every_key_of_a_rule_is_explained():
    keys = {f.name for f in msgspec.structs.fields(RuleSpec)}
    assert not {key for key in keys if f"`{key}`" not in DOC}
