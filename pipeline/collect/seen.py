"""Which entries of a feed are new or changed, and what the feed's state remembers of them. Pure.

A feed's ids cannot be trusted: some feeds give all entries one id, some give an old entry a new id. So the key of an entry is
its id where the id occurs once in the feed, and its URL otherwise. An entry with a new id and a known URL keeps its old key.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.collect.entry import FeedEntry, plain_text
from pipeline.page import urls
from pipeline.records import SeenEntry, content_id

MOST: Final = 5000
"""The most entries a state remembers, whatever is configured: about 800 kB, below Kafka's default limit of 1 MB."""


@dataclass(frozen=True, slots=True)
class EntryCandidate:
    """An entry to process: it is new (`previous` is None), or the feed has changed it."""

    key: str
    entry: FeedEntry
    url: str
    article_id: str
    entry_hash: str
    previous: SeenEntry | None = None

    @property
    def at(self) -> dt.datetime | None:
        """The date of the entry: the later of its two dates."""
        return max((at for at in (self.entry.published_at, self.entry.updated_at) if at is not None), default=None)


def entry_hash(entry: FeedEntry) -> str:
    """An entry in, a hash of its text in the feed out. Spaces, markup and links do not count."""
    updated = entry.updated_at if entry.updated_at != entry.published_at else None
    return content_id(
        _letters(entry.title), _letters(entry.summary), _letters(plain_text(entry.content)), updated, size=16
    )


_PARAGRAPH = re.compile(r"<[pP](?=[\s>])[^>]*>")
_TAG = re.compile(r"<[^<>]*>")


def content_hash(title: str, body: str) -> str:
    """A title and a page (or text) in, a hash of its prose out. Menus, counters and "3 minutes ago" do not count."""
    blocks = (block.partition("</p")[0] for block in _PARAGRAPH.split(body)[1:])
    prose = [text for block in blocks if len(text := _letters(_TAG.sub("", block[:20_000]))) > 60]
    return content_id(_letters(title), *(prose or [_letters(_TAG.sub("", body))]))


def _letters(text: str) -> str:
    """Return the letters and digits of a text in lower case."""
    return "".join(re.findall(r"\w+", text)).casefold()


def candidates(
    entries: Iterable[FeedEntry], seen: Mapping[str, SeenEntry], *, base: str, feed_id: str
) -> tuple[list[EntryCandidate], list[str]]:
    """A feed's entries and the remembered ones in, the entries to process (oldest first) and the keys of all entries out."""
    entries = list(entries)
    repeated = {entry_id for entry_id, count in Counter(e.id for e in entries).items() if count > 1}
    key_of_article = {known.article_id: key for key, known in seen.items()}
    wanted: dict[str, EntryCandidate] = {}
    present: list[str] = []
    for entry in entries:
        url = _url(entry, base)
        article = urls.article_id(url) if url else content_id(feed_id, entry.id)
        key = content_id(url or entry.title if entry.id in repeated else entry.id, size=16)
        if key not in seen:
            key = key_of_article.get(article, key)  # a new id for a known URL
        present.append(key)
        previous = seen.get(key)
        current_hash = entry_hash(entry)
        unpublished = previous is not None and not previous.content_hash
        if key in wanted or unpublished or (previous is not None and previous.entry_hash == current_hash):
            continue
        article_id = previous.article_id if previous else article
        wanted[key] = EntryCandidate(key, entry, url, article_id, current_hash, previous)
    found = _without_false_updates(list(wanted.values()), len(entries))
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda c: c.at or last), present


def _url(entry: FeedEntry, base: str) -> str:
    """Return the canonical URL of an entry, or an empty string."""
    if entry.url.startswith("file:"):
        return entry.url if base.startswith("file:") else ""  # a feed of the web must not lead to local files
    return urls.canonical(entry.url, base) or "" if entry.url else ""


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
    return {key: seen[key] for key in (*others[:room][::-1], *here)}
