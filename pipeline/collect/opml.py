"""Lists of feeds as other readers keep them: OPML in, feeds out, and the other way round. Pure.

A folder of outlines is a group; a folder in a folder is "outer/inner". Whatever declares entities is refused, as in feeds.
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
from pipeline.collect.entry import FeedError, language, plain
from pipeline.page import urls
from pipeline.records import Feed

DEPTH: Final = 20
"""Folders in folders; beyond that a file is made to hurt."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed as an OPML file lists it."""

    url: str
    title: str = ""
    group: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import comes to: the feeds to add, and those left out with the reason."""

    feeds: tuple[Feed, ...] = ()
    left_out: tuple[tuple[Listed, str], ...] = ()


def read(body: bytes) -> tuple[Listed, ...]:
    """An OPML file's bytes in, the feeds that it lists out, in its order.

    Raises:
        FeedError: it is no OPML file.
    """
    safe_xml.defuse(body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError(f"not OPML: {error}") from error
    if root is None or not isinstance(root.tag, str) or etree.QName(root).localname.lower() != "opml":
        raise FeedError("not OPML: it is another kind of file")
    body_of = next((child for child in root if isinstance(child.tag, str) and child.tag.lower() == "body"), root)
    return tuple(_outlines(body_of, (), 0))


def _outlines(parent: etree._Element, groups: tuple[str, ...], depth: int) -> Iterator[Listed]:
    for outline in parent:
        if not isinstance(outline.tag, str) or outline.tag.lower() != "outline" or depth > DEPTH:
            continue
        said = {str(name).lower(): str(value).strip() for name, value in outline.attrib.items()}
        name = plain(said.get("title") or said.get("text") or "")
        address = said.get("xmlurl") or (said.get("url", "") if said.get("type", "").lower() in ("rss", "atom") else "")
        if address:
            yield Listed(address, name, "/".join(groups), language(said.get("language", "")))
            yield from _outlines(outline, groups, depth + 1)
        else:
            yield from _outlines(outline, (*groups, name.replace("/", "-")) if name else groups, depth + 1)


def take(listed: Iterable[Listed], known: Iterable[Feed]) -> Taken:
    """What a file lists and the feeds that are configured in; the new ones with ids of their own, and what is left out, out."""
    known = list(known)
    addresses = {_address(feed.url): f"is {feed.id!r} in feeds.toml already" for feed in known}
    ids = {feed.id for feed in known}
    feeds: list[Feed] = []
    left_out: list[tuple[Listed, str]] = []
    for one in listed:
        problem = _problem(one.url) or addresses.get(_address(one.url), "")
        if problem:
            left_out.append((one, problem))
            continue
        name = _id(one, ids)
        ids.add(name)
        addresses[_address(one.url)] = f"stands twice in this file: it is {name!r}"
        feeds.append(Feed(id=name, url=one.url, title=one.title, group=one.group, language=one.language))
    return Taken(tuple(feeds), tuple(left_out))


def _problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return "is no web address"
    if not whole:
        return "is no web address"
    return "has a password in its address" if parts.username or parts.password else ""


def _address(url: str) -> str:
    parts = urlsplit(url)
    return urls.host(url).removeprefix("www.") + parts.path.rstrip("/") + "?" + parts.query


def _id(one: Listed, taken: set[str]) -> str:
    """A short name that nobody has: the words of the title, or the host."""
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
    """Feeds in, an OPML 2.0 file out: groups as folders, files of this machine left out."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = "Dateline feeds"
    etree.SubElement(head, "dateCreated").text = now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {"": body}
    for feed in feeds:
        if feed.url.startswith("file:"):
            continue
        said = {"type": "rss", "text": _clean(feed.title or feed.id), "xmlUrl": _clean(feed.url)}
        if feed.language:
            said["language"] = feed.language
        etree.SubElement(_folder(feed.group, folders), "outline", said)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _folder(group: str, folders: dict[str, etree._Element]) -> etree._Element:
    if group not in folders:
        outer, _, name = group.rpartition("/")
        folders[group] = etree.SubElement(_folder(outer, folders), "outline", {"text": _clean(name)})
    return folders[group]


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )
