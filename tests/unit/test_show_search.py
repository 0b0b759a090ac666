"""What a search looks like in a terminal when it finds nothing."""

import pytest

from pipeline.cli import show_search


@pytest.mark.parametrize(("by", "said"), [("actor", "has an actor"), ("day", "has a day")])
def test_no_groups_are_said_in_words(by, said):
    assert said in str(show_search.groups(by, "happenings", ()))
