"""What is new in a feed, and what its state remembers: pure.

A feed's ids cannot be trusted: some give all entries one id, some a new id to an old entry. So an entry is known by its id
where the feed's ids are good, by its address otherwise, and in any case by the article that its address leads to.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.collect.feed import Entry, plain
from pipeline.page import urls
from pipeline.records import SeenEntry, content_id

MOST: Final = 5000
"""Entries that a state remembers at the most, whatever is configured: about 800 kB, below Kafka's usual limit of 1 MB."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that has to be looked at: new (no `previous`), or told differently than before."""

    key: str
    entry: Entry
    url: str
    article_id: str
    entry_hash: str
    previous: SeenEntry | None = None

    @property
    def at(self) -> dt.datetime | None:
        """When the entry is from: the later of its dates."""
        return max((at for at in (self.entry.published_at, self.entry.updated_at) if at is not None), default=None)


def entry_hash(entry: Entry) -> str:
    """An entry in, a fingerprint of what the feed says of it out; spaces, markup and links in it do not count."""
    updated = entry.updated_at if entry.updated_at != entry.published_at else None
    return content_id(_letters(entry.title), _letters(entry.summary), _letters(plain(entry.content)), updated, size=16)


_PARAGRAPH = re.compile(r"<[pP](?=[\s>])[^>]*>")
_TAG = re.compile(r"<[^<>]*>")


def content_hash(title: str, body: str) -> str:
    """A title and a page (or text) in, a fingerprint of its prose out: menus, counters and "3 minutes ago" do not count."""
    blocks = (block.partition("</p")[0] for block in _PARAGRAPH.split(body)[1:])
    prose = [text for block in blocks if len(text := _letters(_TAG.sub("", block[:20_000]))) > 60]
    return content_id(_letters(title), *(prose or [_letters(_TAG.sub("", body))]))


def _letters(text: str) -> str:
    return "".join(re.findall(r"\w+", text)).casefold()


def candidates(
    entries: Iterable[Entry], seen: Mapping[str, SeenEntry], *, base: str, feed_id: str
) -> tuple[list[Candidate], list[str]]:
    """A feed's entries and what is remembered of it in, those to look at (oldest first) and the keys of all of them out."""
    entries = list(entries)
    repeated = {entry_id for entry_id, count in Counter(e.id for e in entries).items() if count > 1}
    by_article = {remembered.article_id: key for key, remembered in seen.items()}
    wanted: dict[str, Candidate] = {}
    present: list[str] = []
    for entry in entries:
        url = _url(entry, base)
        article = urls.article_id(url) if url else content_id(feed_id, entry.id)
        key = content_id(url or entry.title if entry.id in repeated else entry.id, size=16)
        if key not in seen:
            key = by_article.get(article, key)  # a new id for an address that is known
        present.append(key)
        previous = seen.get(key)
        told = entry_hash(entry)
        unpublished = previous is not None and not previous.content_hash
        if key in wanted or unpublished or (previous is not None and previous.entry_hash == told):
            continue
        wanted[key] = Candidate(key, entry, url, previous.article_id if previous else article, told, previous)
    found = _without_lying_dates(list(wanted.values()), len(entries))
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda c: c.at or last), present


def _url(entry: Entry, base: str) -> str:
    if entry.url.startswith("file:"):
        return entry.url if base.startswith("file:") else ""  # a feed of the web may not name files of this machine
    return urls.canonical(entry.url, base) or "" if entry.url else ""


def _without_lying_dates(found: list[Candidate], total: int) -> list[Candidate]:
    """Drop the updates where nearly all entries claim one at once: such a feed stamps them with the time of the answer."""
    updates = [c for c in found if c.previous is not None]
    if len(updates) < 5 or len(updates) * 5 < total * 4:
        return found
    return [c for c in found if c.previous is None]


def pruned(seen: Mapping[str, SeenEntry], present: Iterable[str], keep: int) -> dict[str, SeenEntry]:
    """What is remembered and what is in the feed now in, what to go on remembering out.

    What is in the feed stays, or it would be published again; of the rest, the `keep` most recent.
    """
    here = [key for key in dict.fromkeys(present) if key in seen][:MOST]
    others = sorted(seen.keys() - set(here), key=lambda key: seen[key].first_seen_at, reverse=True)
    room = max(0, min(keep, MOST) - len(here))
    return {key: seen[key] for key in (*others[:room][::-1], *here)}
