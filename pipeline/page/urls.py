"""URLs: the one that is asked for, the canonical form to compare, hosts and sites, ids. Pure. The only importer of courlan.

A canonical form may be wrong: a parameter that only tracks on one site is the article's id on another. So it is never fetched,
and two articles with one canonical form are one article only where their pages agree (see collect/identity.py).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

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


_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_PARTS = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][\w+.-]*):)?(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<place>.*))?",
    re.DOTALL,
)
"""The parts of any URL, after RFC 3986, appendix B."""


def join(base: str, link: str) -> str:
    """The URL of a page and a link on it in, the URL that it leads to out, after RFC 3986, section 5.

    `urllib.parse.urljoin` drops an empty query and a final semicolon ("/story?", "/story;"), which leads to another page.
    """
    to, here = _PARTS.fullmatch(link), _PARTS.fullmatch(base)
    if to is None or here is None or not base or (to["scheme"] and to["host"] is not None):
        return link
    if to["scheme"] and to["scheme"].lower() != (here["scheme"] or "").lower():
        return link
    host, path, query = to["host"], to["path"], to["query"]
    if host is None:
        host = here["host"]
        if not path:
            path, query = here["path"], here["query"] if query is None else query
        else:
            path = _without_dots(path if path.startswith("/") else f"{here['path'].rpartition('/')[0]}/{path}")
    start = (f"{here['scheme']}:" if here["scheme"] else "") + (f"//{host}" if host is not None else "")
    return (
        start
        + path
        + (f"?{query}" if query is not None else "")
        + (f"#{to['place']}" if to["place"] is not None else "")
    )


def _without_dots(path: str) -> str:
    """A path in, the same without its steps "." and ".." out."""
    steps: list[str] = []
    for step in path.split("/")[1:]:
        if step == "..":
            steps = steps[:-1]
        elif step != ".":
            steps.append(step)
    return "/" + "/".join(steps) + ("/" if steps and path.endswith(("/.", "/..")) else "")


def absolute(url: str, base: str = "") -> str | None:
    """A link (and the URL of the page it stands on) in, the URL as it is written there out; None where it is no web page's.

    Only white space at the ends and line breaks are removed, as browsers do. Nothing else of an absolute link is changed.
    """
    url = re.sub(r"[\t\r\n]", "", url.strip())
    try:
        found = join(base, url)
        parts = urlsplit(found)
        good = _ABSOLUTE.match(found) is not None and bool(parts.hostname) and len(found) <= LONGEST
        _ = parts.port
    except ValueError:
        return None
    return found if good else None


def without_fragment(url: str) -> str:
    """A URL in, the address of its page out: without the place on the page, but with a route such as #!/story/7."""
    page, _, fragment = url.partition("#")
    return url if fragment.startswith(("/", "!")) else page


def address(url: str) -> str:
    """A URL in, the form that all spellings of this very address share out: without scheme, "www." and a path's final slash."""
    scheme, found, rest = url.partition("://")
    if not found or scheme.lower() not in ("http", "https"):
        return url
    place = re.match(r"[^/?#]*", rest)
    netloc = place.group() if place is not None else ""
    path = rest[len(netloc) :]
    return re.sub(r"^www\.", "", netloc.lower()) + (path if "?" in path else path.rstrip("/"))


def canonical(url: str, base: str = "") -> str | None:
    """A link (and the URL of the page it stands on) in, its canonical form out; None where it is not the URL of a web page.

    Tracking parameters, default ports, fragments and AMP marks are removed. The canonical form of a canonical form is itself.
    """
    url = "".join(url.split())
    try:
        absolute = _AMP_CACHE.sub(_uncached, join(base, url))
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
    """A URL in, the article's id out: the same for http and https, and with or without "www."."""
    return content_id(address(url))


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
    return sites[0] == sites[1] if all(sites) else host(one) == host(other) != ""


def accepted(claimed: str | None, url: str) -> str:
    """The canonical link of a page and the URL it was found at in, the canonical form of the article's URL out.

    Some sites declare the front page, or one page, for all articles, which would merge them into one. A page that declares
    another site's URL is a copy, and keeps its own.
    """
    found = canonical(url) or url
    declared = canonical(claimed) if claimed else None
    if declared is None or urlsplit(declared).path in ("", "/") or not same_site(declared, found):
        return found
    slugs = slug(declared), slug(found)
    return declared if all(slugs) and (slugs[0] in slugs[1] or slugs[1] in slugs[0]) else found


TELLING_SLUG: Final = 10
"""Characters. The last part of a path that is this long, or has so many digits as below, names one article."""

TELLING_DIGITS: Final = 4


def is_telling(url: str) -> bool:
    """Whether a URL that a page declares as its own can belong to one article only, unlike /view or /index.php."""
    path, _, query = url.partition("#")[0].partition("?")
    last = re.sub(r"\.\w{2,5}$", "", path.rstrip("/").rpartition("/")[2])
    return bool(query) or len(last) >= TELLING_SLUG or len(re.findall(r"\d", last)) >= TELLING_DIGITS
