"""An event in, whether its article is about it out: by the title and the first sentences. Pure."""

from __future__ import annotations

import re
from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.annotate.subject import LEAD_CHARS
from pipeline.annotate.vocabulary import FUNCTION_WORDS, WORD
from pipeline.records import Event, Party, Place

BEGINNING: Final = 4
"""Letters of a word that are compared: adjectives and plurals are longer than the name."""

_BEFORE: Final = re.compile(
    r"\b(?:after|following|amid(?:st)?|despite|over|since|against|because of|due to|in response to|in (?:retaliation|protest) "
    r"\w+|result\w* from|in the wake of|in connection with|under|from)\s+(?:[^\s,;:]+\s+){0,5}$",
    re.IGNORECASE,
)
"""The words before a trigger that is only what something else came of: `after four nights of shelling`."""
_BEHIND: Final = re.compile(
    r"\s*(?:$|[^\w\s]|(?:across|against|along|around|as|at|between|by|due|during|earlier|for|from|had|has|have|in|is|last|near|of|on"
    r"|over|that|this|to|was|were|where|which|who|with)\b)"
)
"""What stands behind such a noun; a verb has whom it befell there."""


_BESIDE: Final = re.compile(
    r"\b(?:ahead of|before|prior to|in preparation for|in the run-up to"
    r"|(?:boycott|skip)(?:s|p?ed|p?ing)?)\s+"
    r"(?:[^\s,;:]+\s+){0,6}$",
    re.IGNORECASE,
)
"""The words before talks that are not the news: `releases prisoners ahead of a summit`, `is to boycott the summit`."""
_JUDGED: Final = re.compile(
    r"[^,;.]{0,40}?\b(?:is|are|was|were)\s+(?:(?:a|against|an|illegal|in|no|not|the|unjust\w*|unlawful|wrong)\b|[\"“'‘])",
    re.IGNORECASE,
)
"""Behind sanctions of which somebody only says what they are: `the sanctions are illegal`."""
_TOLL: Final = re.compile(r"\b(?:die[ds]?|dead|deaths?|killed|injured|wounded|hurt|destroyed)\b[^,;:]*$", re.IGNORECASE)
"""Words before it that say what it did: `twenty people were killed following an airstrike` is news of the airstrike."""


def in_lead(event: Event) -> bool:
    """Return whether an article tells an event in its title or first sentences: what it is about, and no background."""
    places = ((event.section, event.start), *((m.section, m.start) for m in event.mentions))
    return any(section == "title" or start < LEAD_CHARS for section, start in places)


def is_about(event: Event) -> bool:
    """Return whether an article is about an event: it tells it in its lead, and its title names a side, the place or the act.

    An event without a known side or place, and one of an article without a title, is judged by the lead alone. What the
    sentence names only as the cause of something (`a truce after nights of shelling`) is none, unless the title has its word.
    """
    if not in_lead(event):
        return False
    if "title" in {event.section, *(m.section for m in event.mentions)}:
        return True
    if _is_context(event) and beginnings(event.article_title).isdisjoint(beginnings(event.trigger)):
        return False
    named: tuple[Party | Place, ...] = (*event.actors, *event.recipients, *event.places)
    if not named or not event.article_title:
        return True
    told = {event.trigger, event.kind.replace("_", " ")}
    told |= {text for one in named for text in (one.text, one.name or "", country_name(one.country or ""))}
    return not beginnings(event.article_title).isdisjoint(key for text in told for key in beginnings(text))


def _is_context(event: Event) -> bool:
    """Return whether the sentence names an event only as the cause, time, occasion or subject of something else.

    Talks are told so themselves (`during a call with Xi, Putin ...`), unless they are still to come.
    """
    before, found, behind = event.evidence.partition(event.trigger)
    if event.event_type == "CONSULT":
        return bool(found and _BESIDE.search(before))
    if event.event_type == "SANCTION" and event.trigger.endswith("s") and _JUDGED.match(behind):
        return True
    return bool(found and _BEFORE.search(before) and not _TOLL.search(before) and _BEHIND.match(behind))


def beginnings(text: str) -> set[str]:
    """Return the first letters of the words of a text and the initials of a name: `Turkish` and `Turkey` have one beginning."""
    words = [word for word in WORD.findall(text.replace(".", "")) if word.lower() not in FUNCTION_WORDS]
    initials = "".join(word[0] for word in words if word[0].isupper()).lower()
    return {word.lower()[:BEGINNING] for word in words} | ({initials} if len(initials) > 1 else set())
