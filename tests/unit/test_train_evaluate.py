"""How detection is measured on labels, and a second labeller by the same rules. Documents are made here; no corpus is read."""

import pytest

from pipeline.detect.kinds import TYPES
from train.reader import data
from train.reader.evaluate import Tally, told_by, with_both

TEXT = "Ghana expelled two envoys of Mali on Monday. Mali protested. The expulsion angered Bamako."


def label(trigger, kind="expulsion", type_="SANCTION", *, same_as=None, **roles):
    at = TEXT.index(trigger)
    spans = {role: [(TEXT.index(words), TEXT.index(words) + len(words))] for role, words in roles.items()}
    return data.Label(
        type=TYPES.index(type_), kind=data.KIND_NAMES.index(kind), modality=0, main=1, section="text",
        trigger=(at, at + len(trigger)), roles={role: spans.get(role, []) for role in data.ROLES}, same_as=same_as,
    )  # fmt: skip


def document(*labels):
    return data.Doc("one", "news", "", TEXT, "2024-06-12", bool(labels), list(labels))


FIRST = document(
    label("expelled", actors="Ghana", recipients="two envoys", date="Monday"), label("expulsion", same_as=0)
)


@pytest.fixture(scope="module")
def split():
    return data.Splitter()


def counts(doc, events, split):
    tally = Tally()
    tally.add(doc, events, split)
    return tally.n


def test_a_labeller_says_a_happening_once_with_what_each_telling_adds():
    second = document(label("expulsion"), label("expelled", same_as=0, actors="Ghana", date="Monday"))
    (event,) = told_by(second)
    assert (event["trigger"], event["actors"][0]["text"], event["date"]["text"]) == ("expulsion", "Ghana", "Monday")
    assert [one["text"] for one in event["mentions"]] == ["expelled"]


def test_a_labeller_who_says_the_same_is_right_in_every_field(split):
    n = counts(FIRST, told_by(FIRST), split)
    assert (n["events"], n["right"], n["all"], n["main found"], n["false"]) == (1, 1, 1, 1, 0)


def test_what_only_the_second_says_is_false_by_the_first_and_not_by_both(split):
    second = document(*FIRST.labels, label("protested", "accusation", "ACCUSE", actors="Mali"))
    assert counts(FIRST, told_by(second), split)["false"] == 1
    both = counts(with_both(FIRST, second), told_by(second), split)
    assert (both["false"], both["right"]) == (0, 2)
