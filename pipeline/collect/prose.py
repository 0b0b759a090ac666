"""What an entry's page says, in a few characters, so that it is known again under a new id and a new address. Pure.

Where every link has a session or a counter in it, all entries of a feed look new at each poll. If the page also has something
new each time (a counter of readers, a saying of the day), a hash of the whole page is never the same, but most sentences are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.collect import seen
from pipeline.page.plain import visible
from pipeline.records import SeenEntry, content_id

SENTENCES: Final = 8
"""Sentences of a page that are remembered: those with the smallest hashes, so that of two like pages most are the same ones."""

DIGITS: Final = 2
"""Digits of a sentence's hash. Two sentences have the same one once in 1300 times, and one alone does not decide."""

LEAST_SHARE: Final = 0.5
"""Share of the sentences that two pages of one article have in common: a new article under an old title has hardly any."""

EDITION_MINUTES: Final = 180
"""What is dated so much later under the same title may be the next edition of a bulletin."""

EDITION_SHARE: Final = 0.75
"""The same share for that."""

SHORTEST: Final = 20
"""Letters of a sentence: shorter ones ("Read more.") stand on every page."""

_END = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+|(?<=[。！？؟।])")


def sketch(body: str) -> str:
    """A page (or text) in, short hashes of at most `SENTENCES` of its sentences out."""
    blocks = seen.blocks(body)
    if len(blocks) == 1:  # perhaps the page has no paragraphs, and this is its whole text
        blocks = seen.blocks(visible(body))
    letters = {seen.letters(text) for block in blocks for text in _END.split(block)}
    numbers = sorted(content_id(text) for text in letters if len(text) >= SHORTEST)
    return "".join(seen.short(number, DIGITS) for number in numbers[:SENTENCES])


class Known:
    """What the articles of a feed say: `contents` has the content hashes of those that were published.

    `present` are the keys that the feed has now. Of the entries that it has no more, the pages are known by title.
    `keeps_ids`: what has a new id is new, unless it says the very same.
    """

    def __init__(
        self,
        entries: Mapping[str, SeenEntry] | None = None,
        present: Iterable[str] | None = None,
        *,
        keeps_ids: bool = False,
    ) -> None:
        entries = entries or {}
        self._keeps_ids = keeps_ids
        published = {key: entry for key, entry in entries.items() if entry.content_hash}
        self.contents = {entry.content_hash for entry in published.values()}
        here = set(entries if present is None else present)
        said_by = {(said, entry.article_id) for entry in published.values() for said in _split(entry.prose)}
        times = Counter(said for said, _ in said_by)
        self._common = frozenset(said for said, count in times.items() if count > 1)
        self._gone: defaultdict[str, list[SeenEntry]] = defaultdict(list)
        for key, entry in published.items():
            if key not in here:
                self._gone[seen.title_of(entry.mark)].append(entry)

    def original(self, content_hash: str, mark: str, prose: str) -> SeenEntry | None:
        """Return the entry, gone from the feed, that had this page's title and said the same, or half of it.

        In a feed that keeps its ids only what says the very same counts: a bulletin is new each day, and an update may come
        under a new id and address. Sentences of several articles do not count. Half is not enough for what is dated hours
        later, such as the weather of the next day, nor for a page that is twice as long.
        """
        same = (
            entry
            for entry in self._gone.get(seen.title_of(mark), ())
            if entry.content_hash == content_hash or (not self._keeps_ids and self._is_like(entry, mark, prose))
        )
        return next(same, None)

    def _is_like(self, entry: SeenEntry, mark: str, prose: str) -> bool:
        own, other = _split(prose) - self._common, _split(entry.prose) - self._common
        minutes = seen.minutes_between(entry.mark, mark)
        share = LEAST_SHARE if minutes is None or minutes < EDITION_MINUTES else EDITION_SHARE
        return len(own & other) >= share * max(len(own), len(other)) > 0


def _split(prose: str) -> frozenset[str]:
    return frozenset(prose[i : i + DIGITS] for i in range(0, len(prose), DIGITS))
