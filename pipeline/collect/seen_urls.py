"""Which feed brought which article, across all feeds and collectors: one article is published once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pipeline.collect import seen
from pipeline.records import FeedState


class SeenUrls:
    """Article ids, the feed that each belongs to, and the mark of each article, by which two are compared.

    A claim stays open until its article is published, and ends if that fails.
    """

    MOST: Final = 500_000

    def __init__(self, states: Iterable[FeedState] = ()) -> None:
        self._owner: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}
        self._marks: dict[str, str] = {}
        self._titles: dict[tuple[str, str], str] = {}
        for state in states:
            self.add_state(state)

    def add_state(self, state: FeedState) -> None:
        """Add the articles of a feed's state that was published, here or by another collector."""
        for entry in state.seen.values():
            if entry.content_hash:
                self._owner.setdefault(entry.article_id, state.id)
                self._remember(entry.article_id, state.id, entry.mark)
        self._shorten()

    def claim(self, article_id: str, feed_id: str) -> bool:
        """Claim an article for a feed; return False if a feed has it already."""
        if article_id in self._owner:
            return False
        self._owner[article_id] = feed_id
        self._open.setdefault(feed_id, set()).add(article_id)
        self._shorten()
        return True

    def set_mark(self, article_id: str, feed_id: str, mark: str) -> None:
        """Remember the mark of an article that a feed has claimed."""
        self._remember(article_id, feed_id, mark)

    def mark(self, article_id: str) -> str:
        """Return the mark of an article; an empty string where it is not known."""
        return self._marks.get(article_id, "")

    def title_of_page(self, feed_id: str, page: str) -> str:
        """A feed and the hash of a page in, the hash of the title under which the feed brought that page first out."""
        return self._titles.get((feed_id, page), "")

    def _remember(self, article_id: str, feed_id: str, mark: str) -> None:
        if mark:
            self._marks.setdefault(article_id, mark)
            self._titles.setdefault((feed_id, seen.page_of(mark)), seen.title_of(mark))

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
        everything: tuple[dict[Any, str], ...] = (self._owner, self._marks, self._titles)
        for kept in everything:
            while len(kept) > self.MOST:
                del kept[next(iter(kept))]
