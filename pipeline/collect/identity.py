"""Which article a fetched page is: the entry's own or a wall, a new article or one that is known. Pure.

Two addresses are one article only where the pages bear it out. A tidied address (without tracking parameters, fragments, AMP
marks) says which articles to compare, and the mark of each (its page and its title) decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.collect import seen
from pipeline.collect.article import SENTENCE_CHARACTERS, Page, feed_text
from pipeline.collect.fetch import FetchError
from pipeline.collect.seen import EntryCandidate
from pipeline.page import kinship, parts, urls

LISTED: Final = 2
"""A page that has another headline, and so many of the feed's other stories beside this one, is a list of stories."""

LISTED_SHARE: Final = 0.7
"""Share of the words of a title that such a page has."""


def own_page(
    candidate: EntryCandidate, page: Page, view: kinship.PageWords, title_of_page: str, titles: Iterable[str] = ()
) -> Page | FetchError:
    """An entry, its page and the page's words in, the entry's own page out.

    `title_of_page` is the hash of the title under which the feed has brought this page before, or empty. `titles` are those of
    the feed's other entries.

    Of a page that several entries lead to it is the entry's part. Where the page is not the entry's article, it is the error
    that says so: the article is then made of the feed's own text.
    """
    entry = candidate.entry
    said = feed_text(entry)
    headed = kinship.headed_by(view, entry.title)
    others = title_of_page not in ("", seen.title_of(seen.mark(entry, ""))) and headed is False
    if candidate.crowded or others or ("#" in candidate.url and headed is False):
        part = parts.find(page.html, candidate.url.partition("#")[2], entry.title)
        if part is not None and kinship.is_article_of(kinship.read(part), entry.title, said):
            return Page(part, page.url, page.content_type, is_part=True)
        if others or (candidate.crowded and len(said) >= SENTENCE_CHARACTERS and headed is not True):
            return FetchError("wall", "is one page for several entries, and has no part for this one")
    if headed is False and _lists(view, titles, entry.title):
        return FetchError("wall", "is a list of several stories under another headline")
    elsewhere = not urls.same_site(page.url, candidate.url)
    if not kinship.is_article_of(view, entry.title, said, elsewhere=elsewhere):
        return FetchError("wall", "is not the article (consent, log-in, subscription, browser check or error page)")
    return page


def _lists(view: kinship.PageWords, titles: Iterable[str], own: str) -> bool:
    """Whether a page has the words of other stories of the feed."""
    others = [words for words in map(kinship.words, set(titles) - {own}) if len(words) >= kinship.ENTRY_WORDS]
    body = view.body()
    return sum(len(words & body) >= LISTED_SHARE * len(words) for words in others) >= LISTED


def is_same(known: str, mine: str, *, declared: bool, own: bool) -> bool:
    """The marks of two articles with one tidied address in, whether they are one article out.

    `declared`: the page itself says that the address is its own. `own`: the page is the article, no wall and no part of a page.
    """
    if not known:
        return True  # published before marks were kept
    same_page = seen.page_of(known) == seen.page_of(mine)
    if seen.title_of(known) == seen.title_of(mine):
        return same_page or declared
    return own and (same_page or declared)
