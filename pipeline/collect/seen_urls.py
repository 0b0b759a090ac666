"""Which feed brought which article, across all feeds and collectors: one URL is published once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.records import FeedState


class SeenUrls:
    """Article ids and the feed each belongs to. A claim stays open until its article is published, and ends if that fails."""

    MOST: Final = 500_000

    def __init__(self, states: Iterable[FeedState] = ()) -> None:
        self._owner: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}
        for state in states:
            self.add_state(state)

    def add_state(self, state: FeedState) -> None:
        """Add the articles of a feed's state that was published, here or by another collector."""
        for entry in state.seen.values():
            if entry.content_hash:
                self._owner.setdefault(entry.article_id, state.id)
        self._shorten()

    def claim(self, article_id: str, feed_id: str) -> bool:
        """Claim an article for a feed; return False if a feed has it already."""
        if article_id in self._owner:
            return False
        self._owner[article_id] = feed_id
        self._open.setdefault(feed_id, set()).add(article_id)
        self._shorten()
        return True

    def release(self, article_id: str, feed_id: str) -> None:
        """End the claim to an article that was not published."""
        self._owner.pop(article_id, None)
        self._open.get(feed_id, set()).discard(article_id)

    def confirm(self, feed_id: str, article_ids: Iterable[str]) -> None:
        """Make claims final: these articles are published, whatever happens to the rest of the poll."""
        self._open.get(feed_id, set()).difference_update(article_ids)

    def end_poll(self, feed_id: str, *, published: bool) -> None:
        """End a poll: its open claims become final, or are released where they could not be published."""
        for article_id in self._open.pop(feed_id, set()):
            if not published:
                self._owner.pop(article_id, None)

    def _shorten(self) -> None:
        """Forget the oldest articles above `MOST`."""
        while len(self._owner) > self.MOST:
            del self._owner[next(iter(self._owner))]
