"""A site's page in, the URLs where it may have feeds out: those that it links to, and the usual places. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from pipeline.collect.entry import join_url

USUAL_PATHS: Final = (
    "/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json", "/feeds/", "/rss/", "/index.rdf",
    "/news/feed/", "/news/rss.xml", "/sitemap-news.xml", "/news-sitemap.xml", "/sitemap_news.xml", "/sitemap.xml",
)  # fmt: skip
"""Where common publishing systems have a feed or a news sitemap."""

_FEED_TYPE = re.compile(r"application/(?:rss|atom|feed\+json|rdf|x-rss)|text/(?:xml|rss)", re.IGNORECASE)
_FEED_LINK = re.compile(
    r"(?:^|[/._-])(?:rss|feed|atom|rdf)s?(?:[/._?-]|\.xml|$)|\.(?:rss|atom|rdf)(?:\?|$)", re.IGNORECASE
)
_NO_FEED = re.compile(r"comments?(?:/|[-_.]|$)|feedback|/oembed|\.(?:png|jpe?g|gif|svg|css|js)(?:\?|$)", re.IGNORECASE)


class _Links(HTMLParser):
    """Collects the <link rel="alternate"> of feeds, links that look like feeds, and the base of relative links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.declared: list[str] = []
        self.looking_like: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attrs}
        href = values.get("href", "")
        if not href:
            return
        if tag == "base" and not self.base:
            self.base = href
        rel = values.get("rel", "").lower().split()
        offered = tag in ("link", "a") and "alternate" in rel and _FEED_TYPE.search(values.get("type", ""))
        if offered or (tag == "link" and "feed" in rel):
            self.declared.append(href)
        elif tag == "a" and _FEED_LINK.search(href) and not _NO_FEED.search(href):
            self.looking_like.append(href)


def _read(page: str, url: str) -> tuple[list[str], list[str]]:
    """A page and its URL in, the feeds that it declares and the links that look like feeds out, as absolute URLs."""
    parser = _Links()
    try:
        parser.feed(page)
    except (ValueError, AssertionError, RecursionError):
        return [], []
    base = join_url(url, parser.base) or url
    absolute = ([join_url(base, link) for link in links] for links in (parser.declared, parser.looking_like))
    declared, looking_like = (
        [link for link in links if link.startswith(("http://", "https://"))] for links in absolute
    )
    return declared, looking_like


def discover(page: str, url: str) -> tuple[str, ...]:
    """A page and its URL in, the URLs of the feeds that it declares out, in the order of the page."""
    return tuple(dict.fromkeys(_read(page, url)[0]))


def candidates(page: str, url: str, robots: str = "") -> tuple[str, ...]:
    """A page, its URL and its site's robots.txt in, every URL to try out, the most likely first.

    The feeds that the page declares, the sitemaps that robots.txt lists, links that look like feeds, and the usual places.
    """
    declared, looking_like = _read(page, url)
    listed = re.findall(r"^\s*sitemap\s*:\s*(\S+)", robots, flags=re.IGNORECASE | re.MULTILINE)
    listed.sort(key=lambda link: "news" not in link.lower())
    parts = urlsplit(url)
    usual = [f"{parts.scheme}://{parts.netloc}{path}" for path in USUAL_PATHS]
    return tuple(dict.fromkeys([*declared, *listed[:5], *looking_like[:10], *usual]))
