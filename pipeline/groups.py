"""Countries and the groups they are named in: G7, EU, NATO, regions. Data in groups.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("groups.toml")


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
