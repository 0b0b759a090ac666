"""Events placed among the happenings of one story, and articles folded into stories, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.annotate.subject import about
from pipeline.records import Brief, Event, Happening
from pipeline.settings import Track
from pipeline.track import happenings
from tests.make import NOW


class Held:
    """The happenings of one story; each event is placed among them as the tracker does."""

    def __init__(self, options: Track | None = None, known: tuple[Happening, ...] = ()) -> None:
        """Start with no happening, or with these."""
        self.options = options or Track()
        self.known = known

    def __len__(self) -> int:
        """Return the number of happenings."""
        return len(self.known)

    def __iter__(self) -> Iterator[Happening]:
        """Iterate over the happenings."""
        return iter(self.known)

    def fold(self, event: Event) -> tuple[Happening, ...]:
        """Place an event and return the happening that changed."""
        kept = self.options.reports_kept
        self.known, changed = happenings.place(self.known, event, floor=self.options.floor, reports_kept=kept)
        return tuple(one for one in self.known if one.id == changed)


def own(held: Held, event: Event) -> Any:
    """Place an event and return its own happening; None if nothing changed."""
    return next(iter(held.fold(event)), None)


def fold(*told: Event) -> list[Happening]:
    """Return the happenings that these events of one story make, placed in this order."""
    held = Held()
    for event in told:
        held.fold(event)
    return list(held)


def later(event: Event, delta: Any, **changes: Any) -> Event:
    """Return the same report, fetched later."""
    return msgspec.structs.replace(
        event, id=event.id + str(delta), first_seen_at=NOW + delta, published_at=NOW + delta, **changes
    )


def make_brief(*events: Event, text: str = "", **changes: Any) -> Brief:
    """The brief of an article that tells these events; its words are those of the events, or of `text`."""
    first = events[0] if events else None
    title = changes.pop("title", None) or (first.article_title if first else "")
    read = about(title, text or " ".join(event.evidence for event in events))
    fields: dict[str, Any] = {
        "id": first.article_id if first else "a1",
        "url": first.article_url if first else "https://news.example/a1",
        "title": title or (first.evidence if first else text[:80]),
        "first_seen_at": (first.first_seen_at if first else None) or NOW,
        "publisher": first.publisher if first else "The Paper",
        "credit": first.credit if first else None,
        "fingerprint": first.fingerprint if first else (),
        "words": read.words, "lead": read.lead, "names": read.names, "lead_names": read.lead_names, "events": events,
    }  # fmt: skip
    return Brief(**fields | changes)
