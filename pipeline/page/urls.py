"""One address for one article: canonical URLs, hosts, and the id that follows from them. Pure. The only importer of courlan."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from courlan import extract_domain, normalize_url

from pipeline.records import content_id

LONGEST: Final = 4000
"""Characters. Longer "links" are data: URIs and accidents."""

_AMP_PATH = re.compile(r"/amp/?$|\.amp(?=\.html?$|$)|^/amp(?=/)", re.IGNORECASE)
_AMP_QUERY = re.compile(r"(?:^|&)(?:amp|outputType|output)=(?:1|true|amp)?(?=&|$)", re.IGNORECASE)


_AMP_CACHE = re.compile(
    r"^https?://(?:(?:www\.)?google\.[a-z.]{2,6}/amp|[\w-]+\.cdn\.ampproject\.org/[a-z])/(s/)?(?=[\w-]+\.[a-z])",
    re.IGNORECASE,
)
"""Where search engines keep copies of AMP pages: the publisher's own address stands behind."""


def _uncached(found: re.Match[str]) -> str:
    return "https://" if found.group(1) else "http://"


def canonical(url: str, base: str = "") -> str | None:
    """A link as it is written (and the page it stands on) in, the one form of it out; None where it leads to no web page.

    Tracking parameters, default ports, fragments and AMP marks are gone; doing it twice changes nothing.
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
        # some parts come out differently the second time (an escaped escape): go on until nothing changes
        for _ in range(4):
            again = normalize_url(once)
            if again == once:
                break
            once = again
        return once if urlsplit(once).hostname else None
    except (ValueError, UnicodeError):
        return None


def article_id(url: str) -> str:
    """A canonical URL in, the article's id out: the same for http and https, with www. and without."""
    return content_id(re.sub(r"^https?://(?:www\.)?", "", url).rstrip("/") if not url.startswith("file:") else url)


def host(url: str) -> str:
    """A URL in, its host and port out, as the politeness limits count them; empty where it has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def site(url: str) -> str:
    """A URL in, the registered domain that its host belongs to out (bbc.co.uk), or the host itself where it has none."""
    try:
        return extract_domain(url, fast=True) or host(url)
    except (ValueError, UnicodeError):
        return host(url)


def slug(url: str) -> str:
    """A URL in, the last part of its path that says something out, letters and digits only."""
    parts = [part for part in urlsplit(url).path.split("/") if part and part.lower() not in ("amp", "index.html")]
    return re.sub(r"\W|_", "", re.sub(r"\.\w{2,5}$", "", parts[-1])).casefold() if parts else ""


def same_site(one: str, other: str) -> bool:
    """Two URLs in, whether they are of one site out: amp.paper.example and www.paper.example are."""
    try:
        sites = [extract_domain(url, fast=True) for url in (one, other)]
    except (ValueError, UnicodeError):
        return False
    return sites[0] is not None and sites[0] == sites[1]


def accepted(claimed: str | None, url: str) -> str:
    """The address a page claims as its own and the one it was found at in, the one to believe out.

    A page that claims to be the front page, or another page of its site, would merge all articles into one; one that
    claims to be another site's is a copy, and stays one.
    """
    found = canonical(url) or url
    wanted = canonical(claimed) if claimed else None
    if wanted is None or urlsplit(wanted).path in ("", "/") or not same_site(wanted, found):
        return found
    one, other = slug(wanted), slug(found)
    return wanted if one and other and (one in other or other in one) else found
