"""Pages that have an entry's headline and say nothing of it: an article under a playful headline, or a wall. Pure.

Such a wall (subscription, log-in, consent) says the same to all readers. So where two such pages of a feed have different
headlines and the same text, neither is an article.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from pipeline.collect.article import Page, feed_text
from pipeline.collect.entry import FeedEntry
from pipeline.collect.fetch import FetchError
from pipeline.page import kinship

PAGES: Final = 8
"""Pages of a feed that are remembered, as long as the process runs. Hardly any feed has one."""

SAME_SHARE: Final = 0.9
"""Share of the words of two pages that both have if they are one wall; a counter or a date may differ."""


class Doubts:
    """The doubtful pages of each feed: the words of their headline and of their text."""

    def __init__(self) -> None:
        self._pages: dict[str, deque[tuple[frozenset[str], frozenset[str]]]] = {}

    def add(self, feed_id: str, entry: FeedEntry, view: kinship.PageWords) -> bool:
        """Look at an entry's page; return whether it is doubtful, and is remembered."""
        if not kinship.is_doubtful(view, entry.title, feed_text(entry)):
            return False
        words = kinship.words(entry.title)
        self._pages.setdefault(feed_id, deque(maxlen=PAGES)).append((words, view.body(entry.title) - words))
        return True

    def checked(self, feed_id: str, entry: FeedEntry, view: kinship.PageWords, page: Page) -> Page | FetchError:
        """A doubtful page in, the same out, or the error that says that it is a wall."""
        title = kinship.words(entry.title)
        body = view.body(entry.title) - title
        for other, text in self._pages.get(feed_id, ()):
            if other != title and len(body & text) >= SAME_SHARE * len(body | text):
                return FetchError("wall", "says the same as the page of another entry, and nothing of its headline")
        return page
