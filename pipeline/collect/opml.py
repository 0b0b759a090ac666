"""OPML, the lists of feeds that other readers import and export: OPML in, feeds out, and the other way round. Pure.

A folder of outlines is a group; a folder in a folder is "outer/inner". Dangerous entities are refused, as in feeds.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from pipeline.collect import safe_xml
from pipeline.collect.entry import FeedError, language
from pipeline.page import urls
from pipeline.page.plain import plain_text
from pipeline.records import Feed

DEPTH: Final = 20
"""The most levels of folders; outlines below them are not read."""


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed as an OPML file lists it."""

    url: str
    title: str = ""
    group: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """The result of an import: the feeds to add, and the listed ones that are left out with the reason."""

    feeds: tuple[Feed, ...] = ()
    left_out: tuple[tuple[ListedFeed, str], ...] = ()


def read(body: bytes) -> tuple[ListedFeed, ...]:
    """An OPML file's bytes in, the feeds that it lists out, in the order of the file.

    Raises:
        FeedError: it is not an OPML file.
    """
    safe_xml.refuse_bombs(body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError(f"not OPML: {error}") from error
    if root is None or not isinstance(root.tag, str) or etree.QName(root).localname.lower() != "opml":
        raise FeedError("not OPML: it is another kind of file")
    body_of = next((child for child in root if isinstance(child.tag, str) and child.tag.lower() == "body"), root)
    return tuple(_outlines(body_of, (), 0))


def _outlines(parent: etree._Element, groups: tuple[str, ...], depth: int) -> Iterator[ListedFeed]:
    """Yield the feeds below an outline; `groups` are the folders that it is in."""
    for outline in parent:
        if not isinstance(outline.tag, str) or outline.tag.lower() != "outline" or depth > DEPTH:
            continue
        values = {str(name).lower(): str(value).strip() for name, value in outline.attrib.items()}
        name = plain_text(values.get("title") or values.get("text") or "")
        is_feed = values.get("type", "").lower() in ("rss", "atom")
        url = values.get("xmlurl") or (values.get("url", "") if is_feed else "")
        if url:
            yield ListedFeed(url, name, "/".join(groups), language(values.get("language", "")))
            yield from _outlines(outline, groups, depth + 1)
        else:
            yield from _outlines(outline, (*groups, name.replace("/", "-")) if name else groups, depth + 1)


def new_feeds(listed: Iterable[ListedFeed], known: Iterable[Feed]) -> Import:
    """The feeds of a file and the configured feeds in; the new ones with unique ids, and those left out, out."""
    known = list(known)
    addresses = {_address(feed.url): f"is {feed.id!r} in feeds.toml already" for feed in known}
    ids = {feed.id for feed in known}
    feeds: list[Feed] = []
    left_out: list[tuple[ListedFeed, str]] = []
    for one in listed:
        problem = _problem(one.url) or addresses.get(_address(one.url), "")
        if problem:
            left_out.append((one, problem))
            continue
        feed_id = _new_id(one, ids)
        ids.add(feed_id)
        addresses[_address(one.url)] = f"is listed twice in this file: it is {feed_id!r}"
        feeds.append(Feed(id=feed_id, url=one.url, title=one.title, group=one.group, language=one.language))
    return Import(tuple(feeds), tuple(left_out))


def _problem(url: str) -> str:
    """A URL in, the reason why it cannot be a feed's out, or an empty string."""
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return "is not a web address"
    if not complete:
        return "is not a web address"
    return "has a password in its URL" if parts.username or parts.password else ""


def _address(url: str) -> str:
    """A URL in, the form out by which two URLs of one feed are equal: without scheme, "www." and a slash at the end."""
    parts = urlsplit(url)
    return urls.host(url).removeprefix("www.") + parts.path.rstrip("/") + "?" + parts.query


def _new_id(one: ListedFeed, taken: set[str]) -> str:
    """A feed and the ids in use in, a new id out: the words of the title, or the host, with a number where it is in use."""
    letters = unicodedata.normalize("NFKD", one.title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:60].strip("-")
    if len(name) < 2:
        name = re.sub(r"[^a-z0-9]+", "-", urls.host(one.url).removeprefix("www.").lower()).strip("-")[:60] or "feed"
    number = 2
    unique = name
    while unique in taken or unique == "drop-folder":
        unique, number = f"{name}-{number}", number + 1
    return unique


def write(feeds: Iterable[Feed], *, now: dt.datetime) -> bytes:
    """Feeds in, an OPML 2.0 file out. Groups become folders; feeds that are local files are left out."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = "Dateline feeds"
    etree.SubElement(head, "dateCreated").text = now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {"": body}
    for feed in feeds:
        if feed.url.startswith("file:"):
            continue
        values = {"type": "rss", "text": _clean(feed.title or feed.id), "xmlUrl": _clean(feed.url)}
        if feed.language:
            values["language"] = feed.language
        etree.SubElement(_folder(feed.group, folders), "outline", values)
    body_bytes: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return body_bytes


def _folder(group: str, folders: dict[str, etree._Element]) -> etree._Element:
    """Return the outline of a group, created with those above it where it is missing."""
    if group not in folders:
        outer, _, name = group.rpartition("/")
        folders[group] = etree.SubElement(_folder(outer, folders), "outline", {"text": _clean(name)})
    return folders[group]


def _clean(text: str) -> str:
    """Return the text without the characters that XML does not allow."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )
