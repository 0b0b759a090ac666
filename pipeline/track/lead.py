"""An event in, whether its article is about it out: by the title and the first sentences. Pure."""

from __future__ import annotations

from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.subject import LEAD_CHARS
from pipeline.annotate.vocabulary import FUNCTION_WORDS, WORD
from pipeline.records import Event, Party, Place

BEGINNING: Final = 4
"""Letters of a word that are compared: adjectives and plurals are longer than the name."""


def in_lead(event: Event) -> bool:
    """Return whether an article tells an event in its title or first sentences: what it is about, and no background."""
    places = ((event.section, event.start), *((m.section, m.start) for m in event.mentions))
    return any(section == "title" or start < LEAD_CHARS for section, start in places)


def is_about(event: Event) -> bool:
    """Return whether an article is about an event: it tells it in its lead, and its title names a side, the place or the act.

    An event without a known side or place, and one of an article without a title, is judged by the lead alone.
    """
    if not in_lead(event):
        return False
    named: tuple[Party | Place, ...] = (*event.actors, *event.recipients, *event.places)
    if not named or not event.article_title or "title" in {event.section, *(m.section for m in event.mentions)}:
        return True
    told = {event.trigger, event.kind.replace("_", " ")}
    told |= {text for one in named for text in (one.text, one.name or "", country_name(one.country or ""))}
    return not beginnings(event.article_title).isdisjoint(key for text in told for key in beginnings(text))


def beginnings(text: str) -> set[str]:
    """Return the first letters of the words of a text and the initials of a name: `Turkish` and `Turkey` have one beginning."""
    words = [word for word in WORD.findall(text.replace(".", "")) if word.lower() not in FUNCTION_WORDS]
    initials = "".join(word[0] for word in words if word[0].isupper()).lower()
    return {word.lower()[:BEGINNING] for word in words} | ({initials} if len(initials) > 1 else set())
