"""One URL for one article: canonical URLs, hosts and sites, and the article's id. Pure. The only importer of courlan."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from courlan import extract_domain, normalize_url

from pipeline.records import content_id

LONGEST: Final = 4000
"""Characters. Longer links are data: URIs or broken markup."""

_AMP_PATH = re.compile(r"/amp/?$|\.amp(?=\.html?$|$)|^/amp(?=/)", re.IGNORECASE)
_AMP_QUERY = re.compile(r"(?:^|&)(?:amp|outputType|output)=(?:1|true|amp)?(?=&|$)", re.IGNORECASE)


_AMP_CACHE = re.compile(
    r"^https?://(?:(?:www\.)?google\.[a-z.]{2,6}/amp|[\w-]+\.cdn\.ampproject\.org/[a-z])/(s/)?(?=[\w-]+\.[a-z])",
    re.IGNORECASE,
)
"""Where search engines keep copies of AMP pages; the publisher's own URL follows this prefix."""


def _uncached(found: re.Match[str]) -> str:
    return "https://" if found.group(1) else "http://"


def canonical(url: str, base: str = "") -> str | None:
    """A link (and the URL of the page it stands on) in, its canonical form out; None where it is not the URL of a web page.

    Tracking parameters, default ports, fragments and AMP marks are removed. The canonical form of a canonical form is itself.
    """
    url = "".join(url.split())
    try:
        absolute = _AMP_CACHE.sub(_uncached, urljoin(base, url) if base else url)
        parts = urlsplit(absolute)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname or len(absolute) > LONGEST:
            return None
        netloc = parts.hostname + (f":{parts.port}" if parts.port else "")
        if ":" in parts.hostname:
            netloc = f"[{parts.hostname}]" + (f":{parts.port}" if parts.port else "")
        path = _AMP_PATH.sub("", parts.path) or "/"
        query = _AMP_QUERY.sub("", parts.query).lstrip("&")
        once = normalize_url(urlunsplit((parts.scheme.lower(), netloc, path, query, "")))
        # some URLs change again the second time (an escaped escape): repeat until nothing changes
        for _ in range(4):
            again = normalize_url(once)
            if again == once:
                break
            once = again
        return once if urlsplit(once).hostname else None
    except (ValueError, UnicodeError):
        return None


def article_id(url: str) -> str:
    """A canonical URL in, the article's id out: the same for http and https, and with or without "www."."""
    return content_id(re.sub(r"^https?://(?:www\.)?", "", url).rstrip("/") if not url.startswith("file:") else url)


def host(url: str) -> str:
    """A URL in, its host and port out, in lower case; empty where it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def site(url: str) -> str:
    """A URL in, its registered domain (bbc.co.uk) out, or its host where that has none."""
    try:
        return extract_domain(url, fast=True) or host(url)
    except (ValueError, UnicodeError):
        return host(url)


def slug(url: str) -> str:
    """A URL in, the letters and digits of the last part of its path out; parts such as "amp" do not count."""
    parts = [part for part in urlsplit(url).path.split("/") if part and part.lower() not in ("amp", "index.html")]
    return re.sub(r"\W|_", "", re.sub(r"\.\w{2,5}$", "", parts[-1])).casefold() if parts else ""


def same_site(one: str, other: str) -> bool:
    """Two URLs in, whether they are of one site out, as amp.paper.example and www.paper.example are."""
    try:
        sites = [extract_domain(url, fast=True) for url in (one, other)]
    except (ValueError, UnicodeError):
        return False
    return sites[0] is not None and sites[0] == sites[1]


def accepted(claimed: str | None, url: str) -> str:
    """The canonical link of a page and the URL it was found at in, the URL to take for the article out.

    Some sites declare the front page, or one page, for all articles, which would merge them into one. A page that declares
    another site's URL is a copy, and keeps its own.
    """
    found = canonical(url) or url
    declared = canonical(claimed) if claimed else None
    if declared is None or urlsplit(declared).path in ("", "/") or not same_site(declared, found):
        return found
    slugs = slug(declared), slug(found)
    return declared if all(slugs) and (slugs[0] in slugs[1] or slugs[1] in slugs[0]) else found
