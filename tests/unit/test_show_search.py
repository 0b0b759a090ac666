"""What a search looks like in a terminal when it finds nothing."""

import io

import pytest
from rich.console import Console

from pipeline.cli import show_search


@pytest.mark.parametrize(("by", "said"), [("actor", "has an actor"), ("day", "has a day")])
def test_no_groups_are_said_in_words(by, said):
    assert said in str(show_search.groups(by, "happenings", ()))


def test_no_hits_come_with_what_to_do():
    out = Console(file=io.StringIO())
    out.print(show_search.hits(0, ()))
    assert "Fewer conditions" in out.file.getvalue()
