"""Which entries of a feed are new or changed, and what the feed's state remembers of them. Pure.

A feed's ids cannot be trusted: some feeds give all entries one id, some give an old entry a new id. So the key of an entry is
its id where the id occurs once in the feed, and its URL otherwise. An entry with a new id and a known URL keeps its old key.
So does an entry whose id and URL are both new at every poll (a session, a counter), if it says the same at the same date.

Several entries that say different things may link to one page, such as a live page. They are several articles.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.collect.entry import FeedEntry
from pipeline.page import urls
from pipeline.page.plain import plain_text
from pipeline.records import SeenEntry, content_id

MOST: Final = 5000
"""The most entries a state remembers, whatever is configured: about 995 kB, below Kafka's default limit of 1 MB."""

PROSE_ENTRIES: Final = 400
"""Of so many entries it is remembered what their pages say: this needs 30 bytes each."""

PAGE_DIGITS: Final = 6
"""Digits of a page's hash in a mark: among 100 pages, two have the same one once in 400,000 feeds."""

TITLE_DIGITS: Final = 3
"""The same for a title, which counts only together with the page, the address or the date."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

SAYING_CHARACTERS: Final = 40
"""A summary of this length is a sentence; two entries with one title and one such summary say the same."""


@dataclass(frozen=True, slots=True)
class EntryCandidate:
    """An entry to process: it is new (`previous` is None), or the feed has changed it.

    `url` is the feed's own, `article_id` a hash of it. `crowded`: other entries of the feed link to the same page.
    """

    key: str
    entry: FeedEntry
    url: str
    article_id: str
    entry_hash: str
    previous: SeenEntry | None = None
    crowded: bool = False

    @property
    def at(self) -> dt.datetime | None:
        """The date of the entry: the later of its two dates."""
        return max((at for at in (self.entry.published_at, self.entry.updated_at) if at is not None), default=None)


def entry_hash(entry: FeedEntry) -> str:
    """An entry in, a hash of its text in the feed out. Spaces, markup and links do not count."""
    updated = entry.updated_at if entry.updated_at != entry.published_at else None
    return content_id(
        letters(entry.title), letters(entry.summary), letters(plain_text(entry.content)), updated, size=16
    )


_PARAGRAPH = re.compile(r"<[pP](?=[\s>])[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")


def content_hash(title: str, body: str) -> str:
    """A title and a page (or text) in, a hash of its prose out. Menus, counters and "3 minutes ago" do not count."""
    return content_id(letters(title), *map(letters, blocks(body)))


def blocks(body: str) -> list[str]:
    """A page (or text) in, the texts of its longer paragraphs out; all its text where it has none."""
    parts = (block.partition("</p")[0] for block in _PARAGRAPH.split(body)[1:])
    texts = (_TAG.sub("", block[:20_000]) for block in parts)
    return [text for text in texts if len(letters(text)) > 60] or [_TAG.sub("", body)]


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case."""
    return "".join(re.findall(r"\w+", text)).casefold()


def mark(entry: FeedEntry, page: str) -> str:
    """An entry and its page (or text) in, its mark out: hashes of the page's prose and of the title, and the date."""
    return short(content_hash("", page), PAGE_DIGITS) + _title_digits(entry.title) + _date_digits(entry)


def page_of(known: str) -> str:
    """A mark in, the hash of the page's prose out; empty for an empty mark."""
    return known[:PAGE_DIGITS]


def title_of(known: str) -> str:
    """A mark in, the hash of the title out; empty for an empty mark."""
    return known[PAGE_DIGITS : PAGE_DIGITS + TITLE_DIGITS]


def minutes_between(known: str, mine: str) -> int | None:
    """The marks of two entries in, the minutes between their dates out; None where one has no date."""
    first, second = (found[PAGE_DIGITS + TITLE_DIGITS :] for found in (known, mine))
    return abs(int(first, len(_DIGITS)) - int(second, len(_DIGITS))) if first and second else None


def _title_digits(title: str) -> str:
    return short(content_id(letters(title)), TITLE_DIGITS)


def _date_digits(entry: FeedEntry) -> str:
    """Return the date of an entry, as its minute; an empty string where it has none."""
    at = entry.published_at or entry.updated_at
    return short(f"{int(at.timestamp()) // 60:x}", 5) if at is not None and at.timestamp() > 0 else ""


def short(number: str, digits: int) -> str:
    """A hexadecimal number in, its last digits to the base of 36 out: a state of 5000 entries has to be short."""
    value, found = int(number, 16), ""
    for _ in range(digits):
        value, digit = divmod(value, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found


def candidates(
    entries: Iterable[FeedEntry], seen: Mapping[str, SeenEntry], *, base: str, feed_id: str
) -> tuple[list[EntryCandidate], list[str]]:
    """A feed's entries and the remembered ones in, the entries to process (oldest first) and the keys of all entries out."""
    entries = list(entries)
    places = _Places(entries, base)
    keys = [places.key(number) for number in range(len(entries))]
    here = set(keys)
    key_of_article = {known.article_id: key for key, known in seen.items()}
    key_of_saying = {
        (known.entry_hash, known.mark[PAGE_DIGITS:]): key
        for key, known in seen.items()
        if known.mark and key not in here
    }
    wanted: dict[str, EntryCandidate] = {}
    present: list[str] = []
    for number, entry in enumerate(entries):
        key, url, crowded = keys[number], places.urls[number], places.is_crowded(number)
        article = places.article_id(number) if url else content_id(feed_id, entry.id)
        current_hash = entry_hash(entry)
        if key not in seen and not crowded:
            key = key_of_article.get(article, key)  # a new id for a known URL
        if key not in seen and _is_telling(entry):  # a new id and a new URL for what was said before
            key = key_of_saying.get((current_hash, _title_digits(entry.title) + _date_digits(entry)), key)
        present.append(key)
        previous = seen.get(key)
        unpublished = previous is not None and not previous.content_hash
        if key in wanted or unpublished or (previous is not None and previous.entry_hash == current_hash):
            continue
        article_id = previous.article_id if previous else article
        wanted[key] = EntryCandidate(key, entry, url, article_id, current_hash, previous, crowded)
    found = _without_false_updates(list(wanted.values()), len(entries))
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda c: c.at or last), present


def keeps_ids(entries: Iterable[FeedEntry], seen: Mapping[str, SeenEntry], base: str) -> bool:
    """A feed's entries and the remembered ones in, whether a quarter of the entries is known by its ids out.

    In such a feed a new id is a new article, or an update of one. Where every link has a session in it, all entries look new.
    """
    entries = list(entries)
    places = _Places(entries, base)
    known = sum(places.key(number) in seen for number in range(len(entries)))
    return 4 * known >= len(entries) > 0


def _is_telling(entry: FeedEntry) -> bool:
    """Whether an entry says enough to be recognised without its id and URL: a title, with a date or a text."""
    return bool(entry.title) and (bool(_date_digits(entry)) or len(entry.summary) >= SAYING_CHARACTERS)


class _Places:
    """Where the entries of a feed lead to, and which of them share a page and say different things."""

    def __init__(self, entries: Sequence[FeedEntry], base: str) -> None:
        self.urls = [_url(entry, base) for entry in entries]
        self._entries = entries
        self._ids = Counter(entry.id for entry in entries)
        self._times = Counter(self.urls)
        self._spellings = Counter(urls.address(url) for url in set(self.urls) if url)
        sayings: dict[str, set[tuple[str, str]]] = {}
        for entry, url in zip(entries, self.urls, strict=True):
            said = (letters(entry.title), letters(entry.summary or plain_text(entry.content)))
            sayings.setdefault(self._page(url), set()).add(said)
        self._crowded = {page for page, said in sayings.items() if len(said) > 1 and page}

    @staticmethod
    def _page(url: str) -> str:
        return urls.address(urls.without_fragment(url)) if url and not url.startswith("file:") else ""

    def is_crowded(self, number: int) -> bool:
        """Whether other entries, which say something else, lead to the page of this one."""
        return self._page(self.urls[number]) in self._crowded

    def key(self, number: int) -> str:
        """Return the key of an entry: of its id, or of its URL where the id is not its own."""
        entry, url = self._entries[number], self.urls[number]
        if self._ids[entry.id] == 1:
            return content_id(entry.id, size=16)
        if self._times[url] > 1 and self.is_crowded(number):
            return content_id(url, entry.title, size=16)
        return content_id(url or entry.title, size=16)

    def article_id(self, number: int) -> str:
        """Return the id of the article at an entry's URL; where several entries have that URL, of the entry there.

        Of entries that say different things at addresses that differ in a final slash only, it is of the URL to the letter.
        """
        entry, url = self._entries[number], self.urls[number]
        if not self.is_crowded(number) or (self._times[url] == 1 and self._spellings[urls.address(url)] == 1):
            return urls.article_id(url)
        if self._times[url] == 1:
            return content_id(url)
        return content_id(urls.address(url), entry.id if self._ids[entry.id] == 1 else entry.title)


def _url(entry: FeedEntry, base: str) -> str:
    """Return the URL of an entry as the feed gives it, or an empty string."""
    if entry.url.startswith("file:"):
        return entry.url if base.startswith("file:") else ""  # a feed of the web must not lead to local files
    return urls.absolute(entry.url, base) or "" if entry.url else ""


def _without_false_updates(found: list[EntryCandidate], total: int) -> list[EntryCandidate]:
    """Drop the updates where 80% of the entries have one: such a feed writes the time of the answer into every entry."""
    updates = [c for c in found if c.previous is not None]
    if len(updates) < 5 or len(updates) * 5 < total * 4:
        return found
    return [c for c in found if c.previous is None]


def pruned(seen: Mapping[str, SeenEntry], present: Iterable[str], keep: int) -> dict[str, SeenEntry]:
    """The remembered entries and the keys in the feed now in, the entries to remember out, at most about `keep`.

    Entries that are in the feed stay, because otherwise they would be published again. Of the others the newest stay.
    """
    here = [key for key in dict.fromkeys(present) if key in seen][:MOST]
    others = sorted(seen.keys() - set(here), key=lambda key: seen[key].first_seen_at, reverse=True)
    room = max(0, min(keep, MOST) - len(here))
    told = {*here[:PROSE_ENTRIES], *others[: max(0, PROSE_ENTRIES - len(here))]}
    kept = {key: seen[key] for key in (*others[:room][::-1], *here)}
    return {k: e if k in told or not e.prose else msgspec.structs.replace(e, prose="") for k, e in kept.items()}
