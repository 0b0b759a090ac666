"""A page in, when it was published and updated out. Pure: no clock. The only importer of htmldate.

What the page declares comes first, then the day in its URL, then a day that it shows beside its headline. A year is no
date, and a day to come is not believed.
"""

from __future__ import annotations

import copy
import datetime as dt
import logging
import re
from typing import Final

from htmldate import find_date
from lxml import etree
from lxml.html import HtmlElement

from pipeline.page import date_parsing, facts
from pipeline.page.others import Others
from pipeline.records import Article

logging.getLogger("htmldate").setLevel(logging.CRITICAL)  # a page without a date is an outcome here

_SAME_DAY: Final = dt.timedelta(hours=38)
"""A day without a zone may begin 14 hours before the day in UTC, and it lasts 24 hours."""

Dated = tuple[dt.datetime, bool]


def _declared_date(
    tree: HtmlElement, declared: facts.PageFacts, url: str, locale: str, latest: dt.datetime
) -> Dated | None:
    """Return the date that the page declares; else that of its only <time>, checked by the day in the URL; else that day."""
    for written in (declared.published, facts.only_time(tree)):
        found = date_parsing.parse_declared(written, locale, now=latest - _CLOCK_ERROR)
        if found is not None and found[0] <= latest:
            day = date_parsing.day_in_url(url) if written != declared.published else None
            return found if day is None or abs(day - found[0]) < _SAME_DAY else (day, False)
    day = date_parsing.day_in_url(url)
    return (day, False) if day is not None and day <= latest else None


_YEAR: Final = re.compile(r"(?:19|20)\d\d")
DATED: Final = 100
"""The most <meta> elements of a page with a year that are looked at: to read one as a date takes a millisecond."""

_MONTH: Final = re.compile(r"\s*\d{4}(?:-\d{1,2})?\s*")
"""A year or a month, which is no date."""


def _shown_date(tree: HtmlElement, url: str, locale: str, latest: dt.datetime) -> Dated | None:
    """Return the day that the page shows beside its headline, or the one in the URL if that is of another month.

    Only a whole date that is marked, or stands alone, counts: years (copyright, "founded in 1987") and days within sentences
    are of something else.
    """
    now = latest - _CLOCK_ERROR
    visible = copy.deepcopy(tree)  # without scripts, comments and the page's foot: they hold dates of other things
    etree.strip_elements(visible, "script", "style", etree.Comment, with_tail=False)
    _remove_strange(visible)
    dated = [element for element in visible.iter("meta") if _YEAR.search(element.get("content") or "")]
    for element in dated[:DATED]:  # a year, a month or a day to come, which the library would make a day of
        if (day := _day(element.get("content") or "", locale, now)) is None or day > latest:
            element.drop_tree()
    written = find_date(visible, original_date=True, extensive_search=False, max_date=latest.replace(tzinfo=None))
    shown = next((d for text in facts.lone_dates(tree) if (d := _day(text, locale, now)) and d <= latest), None)
    marked = date_parsing.parse_declared(written)
    found = marked[0] if marked is not None else shown
    if found is not None and shown is not None and (found.day, found.month) == (shown.month, shown.day):
        found = shown  # the library reads three numbers with the day first wherever they are from
    month = date_parsing.date_in_url(url)
    if found is not None and month is not None and (found.year, found.month) != (month.year, month.month):
        return min(month, latest), False
    return None if found is None or found > latest else (found, False)


def _remove_strange(visible: HtmlElement) -> None:
    """Remove what has dates of other things: foot and menu, pictures, and the times of other articles."""
    others = Others(visible)
    strange = list(visible.iter("nav", "img", "picture", "source"))
    strange += visible.xpath("//footer[not(ancestor::article)]|//link[@rel='image_src' or contains(@rel, 'icon')]")
    strange += visible.xpath("//meta[contains(@property, 'image') or contains(@name, 'image')]")
    strange += [
        element
        for element in visible.xpath(
            "//time|//*[@itemprop='datePublished']|//*[contains(@class, 'date') or contains(@class, 'time')]"
        )
        if others.has(element) or _MONTH.fullmatch(element.get("datetime") or "")
    ]
    for element in strange:
        if element.getparent() is not None:
            element.drop_tree()


def _day(text: str, locale: str, now: dt.datetime) -> dt.datetime | None:
    found = date_parsing.parse_declared(text, locale, now=now)
    return found[0] if found is not None else None


_CLOCK_ERROR: Final = dt.timedelta(days=1)
"""How far ahead a date may lie and still be believed: clocks and time zones of sites are often wrong by hours."""


def page_dates(
    tree: HtmlElement, declared: facts.PageFacts, article: Article
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """A parsed page, what it declares and its article in, when it was published and updated out.

    An exact time in the feed goes before the same day on the page, and a feed's moment before a day that the page only shows.
    """
    latest = article.fetched_at + _CLOCK_ERROR
    feed_date = article.published_at
    locale = declared.locale if "-" in declared.locale or not article.locale else article.locale
    # a feed with one date for both (or a sitemap's lastmod) does not say when the article was published
    vague = feed_date is None or feed_date == article.updated_at
    published = _declared_date(tree, declared, article.url, locale, latest)
    if published is None and vague:
        published = _shown_date(tree, article.url, locale, latest)
    updated = date_parsing.parse_declared(declared.updated, locale, now=article.fetched_at)
    moment = None
    if published is not None:
        moment = published[0]
        if not published[1] and feed_date is not None and abs(feed_date - moment) < _SAME_DAY:
            moment = feed_date
    changed = updated[0] if updated is not None and updated[1] and updated[0] <= latest else None
    return moment, changed if changed is None or moment is None or changed > moment else None
