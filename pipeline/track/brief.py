"""A document and its events in, the brief of the article that the tracker reads out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.annotate.subject import about, latest_year
from pipeline.records import Brief, Document, Event
from pipeline.track.central import without_date
from pipeline.track.sources import seen_at

TITLE_CHARS: Final = 160
"""A text without a title is shown by its first sentence, cut to so many characters."""

_TITLES: Final = (
    "Mr",
    "Mrs",
    "Ms",
    "Dr",
    "St",
    "Lt",
    "Col",
    "Gen",
    "Gov",
    "Sen",
    "Rep",
    "Sgt",
    "Jr",
    "Inc",
    "No",
    "vs",
)
_SHORT: Final = "".join(rf"(?<!\b{word})" for word in _TITLES)
_SENTENCE: Final = re.compile(rf"(?s)\s*(.+?(?:(?:[!?]|(?<![A-Z]){_SHORT}\.)[”\"’')]*(?=\s)|\n|$))")
"""A first sentence: a full stop behind a capital letter (`U.S.`) or a short title (`Gen.`) ends none."""


def brief(document: Document, events: Sequence[Event]) -> Brief:
    """Return the brief of an article."""
    told = about(document.title, document.text)
    return Brief(
        id=document.id,
        url=document.url,
        title=shown_title(document.title, document.text),
        first_seen_at=document.first_seen_at,
        publisher=document.publisher,
        credit=document.credit,
        language=document.language,
        published_at=document.published_at,
        fingerprint=document.fingerprint,
        words=told.words,
        lead=told.lead,
        names=told.names,
        lead_names=told.lead_names,
        year=None if document.published_at else _year(document),
        events=tuple(events),
    )


def _year(document: Document) -> int | None:
    """Return the latest year that a document names. One with a date needs none: `the worst since 1987` is of today."""
    return latest_year(document.title, document.text, until=document.first_seen_at.year)


def shown_title(title: str, text: str) -> str:
    """Return the title of an article, or the first sentence of its text where it has none or one that is only a date."""
    return title if without_date(title) else first_sentence(text.removeprefix(title)) or title


def briefs_of(events: Iterable[Event]) -> list[Brief]:
    """Return the briefs of the articles that told these events, in order of time: for events whose documents are not at hand.

    The words are those that the events keep of their article; its lead is read from its title and the words of its events.
    """
    told: dict[str, list[Event]] = {}
    for event in events:
        told.setdefault(event.article_id or event.id, []).append(event)
    found = []
    for article_id, own in told.items():
        first = own[0]
        read = about(first.article_title, " ".join(dict.fromkeys(event.evidence for event in own)))
        words = first.subject or read.words
        found.append(
            Brief(
                id=article_id, url=first.article_url, title=shown_title(first.article_title, first.evidence),
                first_seen_at=min(map(seen_at, own)), publisher=first.publisher, credit=first.credit, language=first.language,
                published_at=first.published_at, fingerprint=first.fingerprint, words=words, lead=read.lead,
                names=read.names, lead_names=read.lead_names, events=tuple(own),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.first_seen_at, one.id))


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, cut to `TITLE_CHARS` at a word."""
    found = _SENTENCE.match(text)
    line = " ".join((found.group(1) if found else text[: 2 * TITLE_CHARS]).split())
    return line if len(line) <= TITLE_CHARS else line[:TITLE_CHARS].rsplit(" ", 1)[0] + " …"
