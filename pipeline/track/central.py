"""The articles of a story in, its most central one out: the article whose title is the story's headline. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from pipeline.annotate.subject import lead_of
from pipeline.records import StoryArticle

LIVE: Final = re.compile(
    r"\b(?:live(?: updates?| blog)?\s*[:|–-]|as it happened|live updates?|liveblog|live blog|minute by minute|rolling coverage"
    r"|(?:morning|evening|daily|news) briefing|what we know|at a glance|in pictures|photos?\s*:|video\s*:|watch\s*:|podcast"
    r"|newsletter|opinion\s*[:|]|analysis\s*[:|]|explainer|timeline\s*:)",
    re.IGNORECASE,
)
"""Titles of live blogs, round-ups, comments and pictures: they say that there is news and not what it is."""
FEWEST_WORDS: Final = 4
"""A title with fewer words, without those of a date, names a section, a place or a day."""
_DATE: Final = re.compile(
    r"\b(?:(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)\.?\s+\d+(?:st|nd|rd|th)?|\d+(?:st|nd|rd|th)?|[ap]\.?m|[A-Z]{1,3}T|updated|posted|published)\b|[^\w\s]+",
    re.IGNORECASE,
)
"""The parts of a date and time: `September 18th, 2013, 05:31 GMT`."""
MOST_WORDS: Final = 30
"""A title with more words is no title but a sentence of the text."""
TITLES: Final = 50
"""Only the first so many articles are looked at."""


def without_date(title: str) -> str:
    """Return a title without dates, times and signs; of one that is only a date nothing is left."""
    return " ".join(_DATE.sub(" ", title).split())


def central(
    articles: Sequence[StoryArticle],
    lead: Mapping[str, float],
    rarity: Callable[[str], float],
    told: Collection[str] = (),
) -> StoryArticle:
    """Return the article whose title has most of what the titles and leads of the story have in common.

    A live blog, a round-up, a question, a copy, or one that does not tell the main happening (`told` are those that do) is
    taken only where there is nothing else.
    """
    total = sum(weight * rarity(word) for word, weight in lead.items()) or 1.0
    best, rank = articles[0], (True, True, True, True, 1.0, 0)
    for number, one in enumerate(articles[:TITLES]):
        covered = sum(lead.get(word, 0.0) * rarity(word) for word in lead_of(one.title)) / total
        words = len(without_date(one.title).split())
        odd = bool(LIVE.search(one.title)) or not FEWEST_WORDS <= words <= MOST_WORDS
        mine = (
            odd,
            one.title.rstrip("”\"' ").endswith("?"),
            bool(one.copy_of),
            bool(told) and one.id not in told,
            -covered,
            number,
        )
        if number == 0 or mine < rank:
            best, rank = one, mine
    return best
