"""Which feed brought which article: across feeds, also those of other collectors, an address is published once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.records import FeedState


class SeenUrls:
    """Who has an article. A claim is open until what it is about is published, and void when that fails."""

    MOST: Final = 500_000

    def __init__(self, states: Iterable[FeedState] = ()) -> None:
        self._owner: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}
        for state in states:
            self.know(state)

    def know(self, state: FeedState) -> None:
        """A feed's state that was published, here or by another collector: its articles are taken."""
        for entry in state.seen.values():
            if entry.content_hash:
                self._owner.setdefault(entry.article_id, state.id)
        self._shorten()

    def take(self, article_id: str, feed_id: str) -> bool:
        """Whether the article is this feed's to publish; from now on it is nobody else's."""
        if article_id in self._owner:
            return False
        self._owner[article_id] = feed_id
        self._open.setdefault(feed_id, set()).add(article_id)
        self._shorten()
        return True

    def release(self, article_id: str, feed_id: str) -> None:
        """It was not published after all."""
        self._owner.pop(article_id, None)
        self._open.get(feed_id, set()).discard(article_id)

    def settle(self, feed_id: str, article_ids: Iterable[str]) -> None:
        """They are published: nothing that happens to the rest of the poll makes them free again."""
        self._open.get(feed_id, set()).difference_update(article_ids)

    def end(self, feed_id: str, *, published: bool) -> None:
        """The poll is over; what it claimed stays taken, or is free again where it could not be published."""
        for article_id in self._open.pop(feed_id, set()):
            if not published:
                self._owner.pop(article_id, None)

    def _shorten(self) -> None:
        while len(self._owner) > self.MOST:
            del self._owner[next(iter(self._owner))]
