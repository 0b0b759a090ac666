"""An offer to subscribe that stands where the rest of an article would stand is recognised and removed here. Pure.

Such an offer (plans, prices, what is in them) may be far longer than the beginning of the article above it. A list of words
alone would take news about subscriptions for it: so the offer must speak of several things that offers speak of, in most of
what it says, have hardly a word of the headline, and stand below a short text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.page import kinship
from pipeline.page.boilerplate import OFFER_TOPICS

SHORT_CHARACTERS: Final = 1500
"""Below a longer text an offer is furniture: the article is whole."""

TOPICS: Final = 3
"""Things that an offer speaks of, at least; that one subscribes is one of them."""

TOPIC_SHARE: Final = 0.6
"""Share of an offer's characters that stand in paragraphs with such a thing."""


def without_offer(lines: Sequence[str], title: str) -> tuple[list[str], bool]:
    """An article's paragraphs and its title in, those above an offer to subscribe out, and whether there was one."""
    length, start = 0, len(lines)
    for number, line in enumerate(lines):
        if number and _topics(line):
            start = number
            break
        length += len(line)
        if length > SHORT_CHARACTERS:
            return list(lines), False
    offer = lines[start:]
    if not offer or not _is_offer(offer, title):
        return list(lines), False
    return list(lines[:start]), True


def _is_offer(lines: Sequence[str], title: str) -> bool:
    whole = " ".join(lines)
    topics = _topics(whole)
    if 0 not in topics or len(topics) < TOPICS:
        return False
    told = sum(len(line) for line in lines if _topics(line))
    wanted = kinship.words(title)
    return told >= TOPIC_SHARE * sum(map(len, lines)) and len(
        wanted & kinship.words(whole)
    ) < kinship.TITLE_SHARE * max(1, len(wanted))


def _topics(text: str) -> set[int]:
    """Return which of the things that offers speak of a text speaks of; the first is that one subscribes."""
    text = text[: 4 * SHORT_CHARACTERS]
    return {number for number, pattern in enumerate(OFFER_TOPICS) if pattern.search(text) is not None}
