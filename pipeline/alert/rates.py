"""A sum in one currency in, about the same in another out, by the rough rates of rates.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("rates.toml")


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rates.toml: the month of the rates, and the value in US dollars by ISO 4217 code."""

    as_of: str
    dollars: dict[str, float]


@cache
def known() -> Rates:
    """Return the rates that ship with Dateline."""
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), Rates)


def in_currency(value: float, currency: str, wanted: str) -> float | None:
    """Return about what a sum is worth in the currency `wanted`; None if a rate is unknown."""
    if currency == wanted:
        return value
    dollars = known().dollars
    if currency not in dollars or wanted not in dollars:
        return None
    return value * dollars[currency] / dollars[wanted]
