"""Pages that have an entry's headline and say nothing of it: an article under a playful headline, or a wall. Pure.

Such a wall (subscription, log-in, consent) says the same to all readers. So where two such pages of a feed have different
headlines and the same text, neither is an article.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from pipeline.collect import seen
from pipeline.collect.article import Page, feed_text
from pipeline.collect.entry import FeedEntry
from pipeline.collect.fetch import FetchError
from pipeline.collect.seen import EntryCandidate
from pipeline.page import kinship, script_body, urls
from pipeline.records import content_id

PAGES: Final = 8
"""Pages of a feed that are remembered. Hardly any feed has one."""

WORDS: Final = 48
"""Words of a page that are remembered: those with the smallest hashes, so that of like pages most are the same ones."""

DIGITS: Final = 4
"""Digits of a word's hash: among a hundred words two have the same one once in 300 pages."""

SAME_SHARE: Final = 0.9
"""Share of the words of two pages that both have if they are one wall; a counter or a date may differ."""

TEXT_CHARACTERS: Final = 20_000
"""Characters of a page that are compared; of an article of this length hardly a second one begins so."""


def read(entry: FeedEntry, page: str) -> tuple[kinship.PageWords, bool]:
    """An entry and its page in, the page's words and whether it is doubtful out; not if a script of it holds the article."""
    view = kinship.read(page)
    if not kinship.is_doubtful(view, entry.title, feed_text(entry)) or (tree := kinship.parse(page)) is None:
        return view, False
    told = script_body.paragraphs(tree, (entry.title,))
    return view, not told or not kinship.shares_words(entry.title, " ".join(told))


class _Doubtful(NamedTuple):
    """A doubtful page, in hashes: the address in the feed, the words of the headline, and some words of the text."""

    address: str
    title: str
    text: frozenset[str]

    def encoded(self) -> str:
        return self.address + self.title + "".join(sorted(self.text))

    @staticmethod
    def decoded(text: str) -> _Doubtful:
        words = text[2 * DIGITS :]
        kept = frozenset(words[i : i + DIGITS] for i in range(0, len(words), DIGITS))
        return _Doubtful(text[:DIGITS], text[DIGITS : 2 * DIGITS], kept)


class Doubts:
    """The doubtful pages of each feed. They last longer than the process, in the feed's state."""

    def __init__(self) -> None:
        self._pages: dict[str, deque[_Doubtful]] = {}

    def remember(self, feed_id: str, doubts: Iterable[str]) -> None:
        """Take over what a feed's state knows, where this process knows nothing yet."""
        if doubts and feed_id not in self._pages:
            self._pages[feed_id] = deque(map(_Doubtful.decoded, doubts), maxlen=PAGES)

    def of(self, feed_id: str) -> tuple[str, ...]:
        """Return a feed's doubtful pages, for its state."""
        return tuple(page.encoded() for page in self._pages.get(feed_id, ()))

    def add(self, feed_id: str, candidate: EntryCandidate, view: kinship.PageWords) -> None:
        """Remember the doubtful page of an entry."""
        self._pages.setdefault(feed_id, deque(maxlen=PAGES)).append(_doubtful(candidate, view))

    def checked(
        self, feed_id: str, candidate: EntryCandidate, view: kinship.PageWords, page: Page
    ) -> Page | FetchError:
        """A doubtful page in, the same out, or the error that says that it is a wall.

        A page is not compared with itself: its headline may have changed, and several entries may lead to it.
        """
        mine = _doubtful(candidate, view)
        for other in self._pages.get(feed_id, ()):
            is_another = other.address != mine.address and other.title != mine.title
            if is_another and _alike(mine.text, other.text):
                return FetchError("wall", "says the same as the page of another entry, and nothing of its headline")
        return page


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two texts have the same words, by the smallest hashes of both together."""
    smallest = sorted(one | other)[:WORDS]
    return len(one & other & set(smallest)) >= SAME_SHARE * len(smallest)


def _doubtful(candidate: EntryCandidate, view: kinship.PageWords) -> _Doubtful:
    title = candidate.entry.title
    words = kinship.words(title)
    beginning = replace(view, text=view.text[:TEXT_CHARACTERS])
    text = sorted(map(_short, beginning.body(title) - words))
    address = urls.address(urls.without_fragment(candidate.url))
    return _Doubtful(_short(address), _short(" ".join(sorted(words))), frozenset(text[:WORDS]))


def _short(text: str) -> str:
    return seen.short(content_id(text), DIGITS)
