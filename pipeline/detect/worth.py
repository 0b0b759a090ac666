"""What help is worth, where a sentence of its own says it: `Norway gave 22 howitzers. The package is valued at ...`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.detect.forms import words
from pipeline.detect.syntax import PASSIVE_SUBJECTS, SUBJECTS, Tree

if TYPE_CHECKING:
    from pipeline.detect.details import Found
    from pipeline.detect.drafts import Draft

NEAR: Final = 2
"""So many sentences behind the help its worth is looked for."""

VALUES: Final = words("value worth cost costs price total amount share sum budget financing funding")
"""What a sum is of, whatever the verb: `the Dutch share is`."""

GIVEN: Final = words(
    "package packages aid assistance support help donation donations delivery deliveries shipment contribution "
    "procurement purchase loan grant guarantee tranche commitment transfer equipment materiel measure measures project "
    "it they this these both all"
)
WORTH: Final = words(
    "worth value valued values cost costs amount amounts amounted total totals totalled totaled estimated priced comes came "
    "financed funded"
)
ADDING_UP: Final = words("bring brings bringing brought raise raises raising")
"""What follows is what all help so far comes to."""


def carry(tree: Tree, sentence: tuple[int, int], made: Sequence[Draft], found: Found) -> None:
    """Give the sums of a sentence that says what something is worth to the help told shortly before it without a sum."""
    number = tree.sentence_of[sentence[0]]
    waiting = [one for one in made[-4:] if _waits(tree, one, number)]
    if not waiting or not _says_worth(tree, sentence, waiting):
        return
    after = next((tree.offsets[i] for i in range(*sentence) if tree.low[i] in ADDING_UP), None)
    sums = tuple(one for one in found.money if after is None or (one.start or 0) < after)
    for one in waiting:
        one.money = sums


def _waits(tree: Tree, one: Draft, number: int) -> bool:
    """Is it help without a sum, told one or two sentences before the sentence of that number."""
    if one.rule.type != "AID" or one.money or one.candidate is None:
        return False
    return 0 < number - tree.sentence_of[one.candidate.index] <= NEAR


def _says_worth(tree: Tree, sentence: tuple[int, int], waiting: Sequence[Draft]) -> bool:
    """Is a value, or what was given, the subject of the sentence: `their value is`, `the system costs`, `Value: 3 million`."""
    start, end = sentence
    if tree.low[start] in VALUES:
        return True
    root = next((i for i in range(start, end) if tree.heads[i] == i), start)
    subject = next(iter(tree.children(root, *SUBJECTS, *PASSIVE_SUBJECTS)), None)
    if subject is None:
        return False
    low = tree.low[subject]
    if low in VALUES:
        return True
    if WORTH.isdisjoint(tree.low[start:end]):
        return False
    return low in GIVEN or any(low in one.evidence.casefold().split() for one in waiting)
