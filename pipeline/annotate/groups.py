"""Countries, the groups they are named in (G7, EU, NATO, regions), and who leads them. Data: groups.toml, the gazetteer."""

from __future__ import annotations

import tomllib
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
"""Offices of the gazetteer whose holder leads a state or its government."""


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Countries that are named together, and how the organisation itself is called."""

    members: str
    names: tuple[str, ...] = ()


class Groups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of groups.toml: the groups by name, the countries' names by ISO 3166 alpha-3 code."""

    group: dict[str, Group]
    country: dict[str, str]


@cache
def known() -> Groups:
    """The groups and country names that ship with Dateline."""
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), Groups)


def country_name(code: str) -> str:
    """RUS in, Russia out; a code that is not known stays as it is."""
    return known().country.get(code, code)


def members(names: Collection[str]) -> frozenset[str]:
    """Country codes and group names in, all the countries that they stand for out."""
    found: set[str] = set()
    for name in names:
        group = known().group.get(name)
        found.update(group.members.split() if group is not None else (name,))
    return frozenset(found)


@cache
def leaders() -> frozenset[str]:
    """The full names of those who lead, or led, a state or government, in lower case."""
    rows = (line.split("\t") for line in HOLDERS_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return frozenset(row[0].lower() for row in rows if len(row) > 2 and row[2] in LEADING)


@cache
def country_words() -> frozenset[str]:
    """Names of countries and the adjectives made of them: Russia, Russian."""
    rows = (line.split("\t") for line in COUNTRIES_FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return frozenset(
        text.strip() for row in rows for cell in (row[1], row[3]) for text in cell.split(";") if text.strip()
    )
