"""Names of countries, groups of countries (G7, EU, NATO, regions) and their leaders, from groups.toml and the gazetteer."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from pipeline.annotate.names import GAZETTEER

FILE: Final = Path(__file__).with_name("groups.toml")
HOLDERS_FILE: Final = GAZETTEER / "holders.tsv"
COUNTRIES_FILE: Final = GAZETTEER / "countries.tsv"
LEADING: Final = frozenset(
    {
        "president",
        "prime minister",
        "chancellor",
        "king",
        "queen",
        "emir",
        "sultan",
        "crown prince",
        "supreme leader",
        "pope",
    }
)
"""Offices in the gazetteer whose holder leads a state or its government."""
CHANGE: Final = 30
"""Days around an office in which news still, or already, has its holder as a leader."""


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The countries of a group, and the names of the organisation itself."""

    members: str
    names: tuple[str, ...] = ()


class Groups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file groups.toml: the groups by name, the countries' names by ISO 3166 alpha-3 code."""

    group: dict[str, Group]
    country: dict[str, str]


@cache
def known() -> Groups:
    """Return the groups and country names that ship with Dateline."""
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), Groups)


def country_name(code: str) -> str:
    """Return the name of a country by its code (RUS: Russia); an unknown code is returned unchanged."""
    return known().country.get(code, code)


def codes(name: str) -> frozenset[str]:
    """Return the country codes that a code (FRA), a country's name (France) or a group's (EU) stands for; else none."""
    if (group := known().group.get(name)) is not None:
        return frozenset(group.members.split())
    if name in known().country:
        return frozenset((name,))
    code = _by_name().get(name.strip().casefold())
    return frozenset((code,)) if code else frozenset()


@cache
def _by_name() -> dict[str, str]:
    """Return the codes by the names of countries, all in lower case: those of groups.toml and of the gazetteer."""
    rows = (line.split("\t") for line in COUNTRIES_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    listed = {
        text.strip().casefold(): row[0]
        for row in rows
        for cell in row[1:3]
        for text in cell.split(";")
        if text.strip() and len(row) > 2
    }
    return listed | {name.casefold(): code for code, name in known().country.items()}


def members(names: Collection[str]) -> frozenset[str]:
    """Return the country codes that codes, names of countries and names of groups stand for; another name stands for itself."""
    return frozenset(code for name in names for code in codes(name) or (name,))


@cache
def _terms() -> dict[str, tuple[tuple[dt.date, dt.date], ...]]:
    """Return when each leader of a state or government, by the full name in lower case, was in office."""
    rows = (line.split("\t") for line in HOLDERS_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    found: dict[str, tuple[tuple[dt.date, dt.date], ...]] = {}
    for row in rows:
        if len(row) > 4 and row[2] in LEADING:
            start, end = (dt.date.fromisoformat(row[3] or "0001-01-01"), dt.date.fromisoformat(row[4] or "9999-12-31"))
            found[row[0].lower()] = (*found.get(row[0].lower(), ()), (start, end))
    return found


def led(name: str, on: dt.date) -> bool:
    """Return whether somebody of this full name led a state or government on a day, or within `CHANGE` days of it."""
    day = on.toordinal()
    return any(
        start.toordinal() - CHANGE <= day <= end.toordinal() + CHANGE for start, end in _terms().get(name.lower(), ())
    )


@cache
def country_words() -> frozenset[str]:
    """Return the names of countries and their adjectives: Russia, Russian."""
    rows = (line.split("\t") for line in COUNTRIES_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return frozenset(
        text.strip() for row in rows for cell in (row[1], row[3]) for text in cell.split(";") if text.strip()
    )


@cache
def country_forms() -> dict[str, frozenset[str]]:
    """Return, by country code, the single words in lower case that mean a country: Sweden, Swedish, Swedes, Stockholm.

    A word of two countries (`Congo`, `Korean`) is left out.
    """
    rows = (line.split("\t") for line in COUNTRIES_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    listed = {
        row[0]: {text.strip().lower() for cell in row[1:6] for text in cell.split(";") if " " not in text.strip()}
        - {""}
        for row in rows
    }
    shared = Counter(word for words in listed.values() for word in words)
    return {code: frozenset(word for word in words if shared[word] == 1) for code, words in listed.items()}
