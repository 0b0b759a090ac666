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
    """

    def __init__(self, entries: Mapping[str, SeenEntry] | None = None, present: Iterable[str] | None = None) -> None:
        entries = entries or {}
        self.contents = {entry.content_hash for entry in entries.values() if entry.content_hash}
        here = set(entries if present is None else present)
        times = Counter(said for entry in entries.values() if entry.content_hash for said in _split(entry.prose))
        self._common = frozenset(said for said, count in times.items() if count > 1)
        self._pages: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
        for key, entry in entries.items():
            if entry.prose and key not in here:
                self._pages[seen.title_of(entry.mark)].append(_split(entry.prose) - self._common)

    def has_page(self, mark: str, prose: str) -> bool:
        """Whether a page of the same title said the same, or half of it; sentences of several articles do not count."""
        own = _split(prose) - self._common
        pages = self._pages.get(seen.title_of(mark), ())
        return any(len(own & page) >= LEAST_SHARE * min(len(own), len(page)) > 0 for page in pages)


def _split(prose: str) -> frozenset[str]:
    return frozenset(prose[i : i + DIGITS] for i in range(0, len(prose), DIGITS))
