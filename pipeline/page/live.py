"""A live page in, when each part of its text was written out. Pure.

"Today" and "on Friday" in an update are the day of the update, not the day the page began. The dates of updates stand in
JSON-LD (LiveBlogPosting), in <time> elements, or in lines of their own above the paragraphs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lxml.html import HtmlElement

from pipeline.page import date_parsing, weekdays
from pipeline.page.boilerplate import letters_of
from pipeline.page.json_ld import paragraphs_of, text_of

UPDATES: Final = 1000
"""The most updates of one page that are read."""

LONGEST_STAMP: Final = 60
"""Characters of an element that says a moment and nothing else."""

SHORTEST: Final = 30
"""Characters of a paragraph: shorter ones (a clock, "Share") do not tell which update they are of."""

_STAMP: Final = re.compile(
    r"(?:(?:updated|posted|published|[^\W\d]{3,12}),?\s+(?:on\s+|at\s+)?)?"
    r"(?:(?:\d{1,2}[:.h]\d{2}(?:\s?[ap]\.?m\.?)?,?\s+)?(?:[^\W\d]{2,10},?\s+)?)"
    r"(?:\d{1,2}\.?\s+(?:de\s+)?[^\W\d]{3,12}\.?|[^\W\d]{3,12}\.?\s+\d{1,2},?|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})"
    r"(?:,?\s+(?:de\s+)?\d{4})?(?:,?\s*(?:at\s+|-\s*|–\s*|\|\s*)?\d{1,2}[:.h]\d{2}(?:\s?[ap]\.?m\.?)?(?:\s+[A-Z]{2,4})?)?",
    re.IGNORECASE,
)
"""A line that is only a day, with or without year and clock: "Friday 27 November", "25 Nov 06:00", "18:00, 27 November"."""


_PREFIX: Final = re.compile(
    rf"(?P<stamp>{_STAMP.pattern.removesuffix('?')})\s*(?:[-–—:|]\s+)?(?=[^\W\d_]\S*\s+\S)", re.IGNORECASE
)
"""The same at the head of a paragraph, with a clock: a day alone may be a part of the sentence."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update of a page: when it was written, its headline and its paragraphs."""

    at: dt.datetime
    headline: str = ""
    paragraphs: tuple[str, ...] = ()


def declared_updates(linked: dict[str, Any]) -> tuple[Update, ...]:
    """The JSON-LD object of a page in, the updates that it declares out, in its order."""
    listed = linked.get("liveBlogUpdate")
    found = []
    for thing in (listed if isinstance(listed, list) else [listed])[:UPDATES]:
        if not isinstance(thing, dict):
            continue
        dated = date_parsing.parse_declared(text_of(thing.get("datePublished")) or text_of(thing.get("dateCreated")))
        if dated is not None:
            body = tuple(paragraphs_of(thing.get("articleBody") or thing.get("description") or ""))
            found.append(Update(dated[0], text_of(thing.get("headline")), body))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Life:
    """When a page began, was changed last and was fetched, and its locale: by these a day is known that has a name alone."""

    latest: dt.datetime
    locale: str = ""
    begun: dt.datetime | None = None
    changed: dt.datetime | None = None

    def named_days(self, lines: Sequence[str]) -> dict[int, dt.datetime]:
        """Lines in, the moments of those that name a day ("Friday") out, by their place."""
        return weekdays.dates(lines, self.locale, begun=self.begun, changed=self.changed, latest=self.latest)


def shown_updates(tree: HtmlElement, life: Life) -> tuple[Update, ...]:
    """A parsed page in, its blocks with a time of their own out, in the order of the page."""
    marked = tree.xpath(_MARKED)[: UPDATES + 1]
    times = [(element, at) for element in marked if (at := _moment(element)) is not None]
    if len(times) > UPDATES:
        return ()
    if not times:
        named = life.named_days([" ".join(element.text_content().split()) for element in marked])
        times = [(marked[place], at) for place, at in named.items()]
    if len({at for _, at in times}) < 2:
        return ()
    count: dict[HtmlElement, set[dt.datetime]] = {}
    for element, at in times:
        for ancestor in element.iterancestors():
            count.setdefault(ancestor, set()).add(at)
    return tuple(Update(at, "", tuple(_texts_of(element, count))) for element, at in times)


_MARKED: Final = (
    "//time | //body//*[@datetime][not(self::ins or self::del)] | //body//abbr[@title] | //body//*[@data-timestamp]"
    " | //body//*[@itemscope]//meta[@itemprop='datePublished'][@content]"
)
"""The elements that may say when an update was written."""


def _moment(element: HtmlElement) -> dt.datetime | None:
    """Return the moment that an element says, in an attribute or, if it is a <time>, in words."""
    written = [element.get(name) for name in ("datetime", "data-timestamp", "content", "title")]
    if element.tag == "time" and not any(written):
        written = [" ".join(element.text_content().split())]
    found = next((dated for text in written if text and (dated := date_parsing.parse_declared(text)) is not None), None)
    return None if found is None else found[0]


def _texts_of(stamp: HtmlElement, count: dict[HtmlElement, set[dt.datetime]]) -> Iterator[str]:
    """Yield the text of the largest element with no other moment in it; if that is only the stamp, what follows it."""
    block = stamp
    for ancestor in stamp.iterancestors():
        if len(count.get(ancestor, ())) > 1:
            break
        block = ancestor
    own = " ".join(block.text_content().split())
    shown = len(stamp.text_content())
    if len(own) >= SHORTEST + (shown if shown <= LONGEST_STAMP else 0):  # what is longer is the update itself
        yield own
        return
    for sibling in block.itersiblings():
        if sibling in count or sibling.tag == "time":
            break
        if isinstance(sibling.tag, str):
            yield " ".join(sibling.text_content().split())


def written_at(lines: Sequence[str], updates: Sequence[Update], life: Life) -> list[dt.datetime | None]:
    """The paragraphs of a text and a page's updates in, when each paragraph was written out; None where that is not told.

    Without updates the lines are used that are only a day. No update is younger than the page was when it was fetched.
    """
    known = [
        (one.at, letters)
        for one in updates
        for text in (one.headline, *one.paragraphs)
        if one.at <= life.latest and (letters := letters_of(text))
    ]
    found: list[dt.datetime | None] = []
    current: dt.datetime | None = None
    stamps = [None if updates else _stamp(_head(line), life.latest, life.locale) for line in lines]
    if not updates and not any(stamps):
        named = life.named_days(lines)
        stamps = [named.get(place) for place in range(len(lines))]
    for line, stamp in zip(lines, stamps, strict=True):
        current = next(_matching(letters_of(line), known), stamp or current)
        found.append(current)
    return found if len({at.date() for at in found if at is not None}) > 1 else [None] * len(lines)


def _matching(letters: str, known: Sequence[tuple[dt.datetime, str]]) -> Iterator[dt.datetime]:
    """Yield the moments of the updates that a line is of: it is their text, a part of it, or has it."""
    for at, text in known:
        if letters == text or (min(len(letters), len(text)) >= SHORTEST and (letters in text or text in letters)):
            yield at


def _head(line: str) -> str:
    """A line in, the day and clock that it begins with out, as in "27 November, 18:00 - Ukraine and ..."; else the line."""
    found = _PREFIX.match(line)
    return found.group("stamp") if found is not None else line


def is_day(line: str) -> bool:
    """Whether a line is only a day, with or without a year and a clock."""
    return len(line) <= 50 and _STAMP.fullmatch(line.strip(" .:|·–-")) is not None


def _stamp(line: str, latest: dt.datetime, locale: str) -> dt.datetime | None:
    """Return the moment of a line that is only a day, in the last year where it names none."""
    if not is_day(line):
        return None
    text = re.sub(r"(\d)h(\d\d)", r"\1:\2", line.strip(" .:|·–-"))
    if re.search(r"\b(?:19|20)\d{2}\b|[./]\d{2,4}[./]\d{2}\b|[./]\d{2}$", text):
        dated = date_parsing.parse_date(text, locale or None, now=latest)
        return dated if dated is not None and dated <= latest else None
    clock = re.search(r"\d{1,2}[:.]\d{2}(?:\s?[ap]\.?m\.?)?", text, re.IGNORECASE)
    day = text.replace(clock.group(), " ") if clock is not None else text
    for year in (latest.year, latest.year - 1):
        dated = date_parsing.parse_date(
            f"{day.strip(' ,')} {year} {clock.group().replace('.', ':') if clock else ''}", locale or None
        )
        if dated is not None and dated <= latest:
            return dated
    return None
