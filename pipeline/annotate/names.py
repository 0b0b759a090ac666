"""A text in, the names of the gazetteer (gazetteer/*.tsv) in it out, with their positions. Pure.

A name is indexed by its words, so `U.S.`, `al-Qaeda` and `Côte d’Ivoire` are found with any punctuation. A look-up walks a trie
over the words of the text: a few megabytes a second, negligible beside parsing.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

GAZETTEER: Final = Path(__file__).parent / "gazetteer"

Kind = Literal["country", "adjective", "people", "capital", "org", "body", "group", "holder", "region", "place", "none"]
WORD: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = re.compile(r"[ \u00a0.,'&/-]{0,3}\Z")

_EXTRA_LETTERS: Final = {
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",
    "ð": "d",
    "Ð": "D",
    "þ": "t",
    "ħ": "h",
}
_LETTERS: Final = {
    code: unicodedata.normalize("NFKD", chr(code))[0]
    for block in (range(0xC0, 0x250), range(0x1E00, 0x1F00))
    for code in block
    if unicodedata.decomposition(chr(code)) and unicodedata.normalize("NFKD", chr(code))[0].isascii()
}
_FOLD: Final = (
    _LETTERS
    | {ord(char): plain for char, plain in _EXTRA_LETTERS.items()}
    | {ord("’"): "'", ord("‘"): "'", ord("ʼ"): "'"}
)
"""Letter by letter, so that offsets stay the same."""


_NOT_AS_PARTY: Final = frozenset(("Amazon", "the Amazon", "Lyman", "Java"))
"""Names of places that usually mean something else."""


class Term(NamedTuple):
    """An office of a person, with its first and last day."""

    country: str | None
    role: str
    since: dt.date | None
    until: dt.date | None


class Entry(NamedTuple):
    """A person, country, organisation or place of the gazetteer."""

    name: str
    kind: Kind
    country: str | None = None
    sector: str | None = None
    identifier: str | None = None
    terms: tuple[Term, ...] = ()
    soft: bool = False


class KnownName(NamedTuple):
    """A name of the gazetteer in a text: `text[start:end]` is its `text`."""

    start: int
    end: int
    text: str
    party_name: str
    country: str | None
    sector: str | None
    kind: Kind
    entry: Entry


SECTOR_OF_ROLE: Final = {
    "general": "MIL", "rebel": "REB", "opposition": "OPP", "igo": "IGO", "civilian": "CVL", "criminal": "CRM",
    "journalist": "MED", "religious": "REL", "pope": "REL", "spy chief": "SPY", "senator": "LEG", "speaker": "LEG",
}  # fmt: skip


def fold(text: str) -> str:
    """Return the text without accents and curly apostrophes, at the same length."""
    return text if text.isascii() else text.translate(_FOLD)


Node = dict[str, Any]
"""A node of the trie: next word -> Node, and "" -> the Entry whose name ends here."""


@dataclass(slots=True)
class Index:
    """The names as a trie of their words, the whole names in lower case, and the data of countries."""

    trie: Node = field(default_factory=dict)
    whole: dict[str, Entry] = field(default_factory=dict)
    country_names: dict[str, str] = field(default_factory=dict)
    country_points: dict[str, tuple[float, float]] = field(default_factory=dict)
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    offices: dict[tuple[str, str], list[tuple[Term, Entry]]] = field(default_factory=dict)
    sectors: dict[str, str] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, entry: Entry) -> None:
        """Add a name, also as it is written in a headline in capitals. If the name is known the earlier entry stays."""
        words = tuple(WORD.findall(fold(name)))
        if not words:
            return
        self._keep(words, entry)
        upper = tuple(word.upper() for word in words)
        if upper != words and len("".join(words)) > 3 and not all(word.islower() for word in words):
            self._keep(upper, entry)
        if words[0] in ("US", "UN", "UK", "EU"):  # also written with full stops
            self._keep((*words[0], *words[1:]), entry)

    def _keep(self, words: tuple[str, ...], entry: Entry) -> None:
        node = self.trie
        for word in words:
            node = node.setdefault(word, {})
        if "" not in node:
            node[""] = entry
            self.whole.setdefault(" ".join(words).lower(), entry)


def rows(name: str) -> Iterator[list[str]]:
    """Yield the rows of a table of the gazetteer, without its comments."""
    for line in (GAZETTEER / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split("\t")


def _cell(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def load_index() -> Index:
    """Return the index of the gazetteer."""
    index = Index()
    _words(index)
    _countries(index)
    _organisations(index)
    _regions(index)
    _holders(index)
    _places(index)
    return index


def _words(index: Index) -> None:
    tables = tomllib.loads((GAZETTEER / "heads.toml").read_text(encoding="utf-8"))
    for sector, cell in tables["sectors"].items():
        for word in cell.split():
            index.sectors.setdefault(word, sector)
    index.words = {name: frozenset(cell.split()) for name, cell in tables["words"].items()}


def _countries(index: Index) -> None:
    for code, name, others, adjectives, peoples, capitals, point in rows("countries.tsv"):
        index.country_names[code] = name
        lat, lon = point.split(",")
        index.country_points[code] = (float(lat), float(lon))
        country = Entry(name, "country", code, "GOV")
        for known in (name, *_cell(others)):
            index.add(known, country)
        adjective = Entry(name, "adjective", code)
        people = Entry(name, "people", code, "CVL")
        own_adjectives = _cell(adjectives)
        own_peoples = _cell(peoples) or [word + "s" for word in own_adjectives if word.endswith(("n", "i"))]
        for known in own_adjectives:
            index.add(known, adjective)
        for known in own_peoples:
            if known != "-":
                index.add(known, people)
        capital = Entry(name, "capital", code, "GOV")
        for known in _cell(capitals):
            if known != "-":
                index.add(known, capital)


def _organisations(index: Index) -> None:
    borrowed: dict[str, str] = {}
    for name, sector, country, identifier, others, members in rows("organisations.tsv"):
        kind: Kind = "org" if sector in ("IGO", "NGO") else "group" if sector in ("REB", "CRM") else "body"
        entry = Entry(name.rstrip("?"), kind, country or None, sector, identifier or None)
        for known in (name, *_cell(others)):
            soft = known.endswith("?")
            index.add(known.rstrip("?"), entry._replace(soft=soft) if soft else entry)
        if members.startswith("="):
            borrowed[name] = members[1:]
        elif members:
            index.members[name] = frozenset(members.split())
    for name, lender in borrowed.items():
        index.members[name] = index.members[lender]


def _regions(index: Index) -> None:
    for name, raw_kind, others in rows("regions.tsv"):
        kind: Kind = "region" if raw_kind == "region" else "people" if raw_kind == "people" else "none"
        entry = Entry(name, kind, None, "CVL" if kind == "people" else None)
        for known in (name, *_cell(others)):
            index.add(known, entry)


def _places(index: Index) -> None:
    """Add provinces and disputed regions, which also imply a country. Last, so that they replace no other name."""
    for name, country, _, _, others in rows("places.tsv"):
        for known in (name, *_cell(others)):
            if country and known not in _NOT_AS_PARTY:
                index.add(known, Entry(name, "place", country))


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _holders(index: Index) -> None:
    people: dict[str, list[Term]] = {}
    identifiers: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    short: dict[str, list[str]] = {}
    for name, country, role, since, until, identifier, alone, others in rows("holders.tsv"):
        people.setdefault(name, []).append(Term(country or None, role.lower(), _day(since), _day(until)))
        if identifier:
            identifiers[name] = identifier
        names.setdefault(name, []).extend(_cell(others))
        short.setdefault(name, []).extend(_cell(alone))
    for name, terms in people.items():
        ordered = tuple(sorted(terms, key=lambda term: term.since or dt.date.min))
        last = ordered[-1]
        entry = Entry(
            name, "holder", last.country, SECTOR_OF_ROLE.get(last.role, "GOV"), identifiers.get(name), ordered
        )
        for known in (name, *names[name], *_family_first(name, last.country)):
            index.add(known, entry)
        for known in short[name]:
            index.add(known, entry._replace(soft=True))
        for term in ordered:
            if term.country:
                index.offices.setdefault((term.country, term.role), []).append((term, entry))


def _family_first(name: str, country: str | None) -> tuple[str, ...]:
    """Return `Kishida Fumio` for `Fumio Kishida`: the Japanese government writes names in this order."""
    words = name.split()
    return (f"{words[1]} {words[0]}",) if country == "JPN" and len(words) == 2 else ()


# --- finding ---------------------------------------------------------------------------------------------------------


_NOT_FOREIGN: Final = frozenset(("anti", "pro", "non", "ex", "post"))
"""Prefixes that negate a name: pro-Russian rebels are not Russia's."""
_COMMON_NAMES: Final = frozenset(
    ("Jordan", "Georgia", "Chad", "Israel", "Washington", "Paris", "London", "Lima", "Sofia", "Victoria",
     "Brittany", "Virginia", "Montana")
)  # fmt: skip
"""Countries and capitals that are also names of people."""


class _Text(NamedTuple):
    """A text without accents, its words, and the offsets of each word."""

    plain: str
    words: list[str]
    bounds: list[tuple[int, int]]


def find(index: Index, text: str) -> tuple[KnownName, ...]:
    """Return the names of the gazetteer in a text, in order; of overlapping names the longest."""
    return tuple(
        KnownName(start, end, text[start:end], entry.name, entry.country, entry.sector, entry.kind, entry)
        for start, end, entry in standing(index, text)
    )


def standing(index: Index, text: str) -> list[tuple[int, int, Entry]]:
    """Return (start, end, entry) of each name of the gazetteer in a text."""
    plain = fold(text)
    words = WORD.findall(plain)
    trie = index.trie
    begins = [position for position, word in enumerate(words) if word in trie]
    if not begins:
        return []
    read = _Text(plain, words, [match.span() for match in WORD.finditer(plain)])
    found: list[tuple[int, int, Entry]] = []
    free = 0
    for position in begins:
        if position < free or (matched := _longest(trie[words[position]], read, position)) is None:
            continue
        entry, last = matched
        if entry.soft and (
            _of_another_state(entry, found, plain, read.bounds[position][0])
            or _of_another_name(index, entry, read, last)
        ):
            continue
        if not _meant(index, entry, read, position, last):
            continue
        free = last + 1
        if entry.kind != "none":
            start, end = read.bounds[position][0], read.bounds[last][1]
            found.append((start, _with_point(plain, words[position], start, end), entry))
    return found


def _longest(node: Node, read: _Text, position: int) -> tuple[Entry, int] | None:
    """Return the longest name that starts at a word, and its last word; None if no name does."""
    best = (node[""], position) if "" in node else None
    words, bounds = read.words, read.bounds
    for last in range(position + 1, len(words)):
        deeper = node.get(words[last])
        if deeper is None or not _BETWEEN.match(read.plain, bounds[last - 1][1], bounds[last][0]):
            break
        node = deeper
        if "" in node:
            best = (node[""], last)
    return best


def _with_point(plain: str, word: str, start: int, end: int) -> int:
    """Return the end of a name, moved by one if it is an abbreviation with a final full stop (`U.S.`)."""
    return end + 1 if len(word) == 1 and plain[start + 1 : start + 2] == "." and plain[end : end + 1] == "." else end


def _meant(index: Index, entry: Entry, read: _Text, first: int, last: int) -> bool:
    """Return whether the words mean the entry: not in `pro-Russian`, Michael Jordan, Melania Trump."""
    plain, words, bounds = read.plain, read.words, read.bounds
    start, end = bounds[first][0], bounds[last][1]
    before = plain[start - 1 : start]
    if before == "-" and first and words[first - 1].lower() in _NOT_FOREIGN:
        return False
    if before in ("@", "#") or (before in ("/", ".") and plain[start - 2 : start - 1].strip()):
        return False
    alone = last == first or entry.kind == "holder"
    if not (alone and (entry.soft or (last == first and words[first] in _COMMON_NAMES))):
        return True
    after = plain[end : end + 3]
    if (after[:1] == "'" and after[1:2].isalpha() and not (after[1:2] == "s" and not after[2:].isalpha())) or (
        after[:1] == "-" and after[1:2].isupper()
    ):
        return False  # Xi'an, Abbas-Ali
    glued = first > 0 and bounds[first - 1][1] == start - 1
    if before == "-" and glued and words[first - 1][:1].isupper():
        return False  # Al-Amal
    follows = last + 1 < len(words) and bounds[last + 1][0] == end + 1 and plain[end] == " "
    if follows and _name_like(index, words[last + 1]):
        return _title_case(plain, start)
    if glued and before == " " and _name_like(index, words[first - 1]):
        return _title_case(plain, start)
    return not (glued and words[first - 1] in ("bin", "bint", "ibn"))  # Ali bin Tamim


def _of_another_state(entry: Entry, found: list[tuple[int, int, Entry]], plain: str, start: int) -> bool:
    """Return whether a body belongs to another state than the entry's: `Peru's Congress`, `Russia's Security Council`."""
    if entry.kind not in ("body", "org") or not found:
        return False
    _, end, owner = found[-1]
    return owner.country not in (None, entry.country) and plain[end:start] in (" ", "'s ", "' ")


def _of_another_name(index: Index, entry: Entry, read: _Text, last: int) -> bool:
    """Return whether a body's name goes on with another: `the House of Councillors`, `the Security Council of Russia`."""
    words = read.words
    at = last + 2 + (words[last + 2 : last + 3] == ["the"])
    if entry.kind not in ("body", "org") or words[last + 1 : last + 2] != ["of"] or not words[at : at + 1]:
        return False
    after = _longest(index.trie.get(words[at], {}), read, at)
    return words[at][:1].isupper() if after is None else after[0].country not in (None, entry.country)


def _name_like(index: Index, word: str) -> bool:
    """Return whether a word beside a name makes it another person's: capitalised, and neither a title nor a state."""
    low = word.lower()
    if not word[:1].isupper() or word.isupper() or low.endswith("ly"):
        return False
    if low in index.words["sentence"] or low in index.words["titles"]:
        return False
    known = index.trie.get(word, {}).get("")
    return known is None or known.kind == "holder"


def _title_case(plain: str, start: int) -> bool:
    """Return whether the line is a headline in title case, where capitals mean nothing."""
    left = plain.rfind("\n", 0, start) + 1
    right = plain.find("\n", start)
    line = plain[left : right if right >= 0 else len(plain)][:200]
    long_words = [word for word in WORD.findall(line) if len(word) > 3]
    return len(long_words) >= 5 and sum(word[0].isupper() for word in long_words) >= 0.8 * len(long_words)
