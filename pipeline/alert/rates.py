"""A sum in one currency -> about the same in another, by the rates of rates.toml: rules ask for a size, not for a price."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("rates.toml")


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of rates.toml: the month that the rates are of, and dollars by ISO 4217 code."""

    as_of: str
    dollars: dict[str, float]


@cache
def known() -> Rates:
    """The rates that ship with Dateline."""
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), Rates)


def in_currency(value: float, currency: str, wanted: str) -> float | None:
    """A sum and the currency that is wanted in, about what it is worth there out; None where no rate is known."""
    if currency == wanted:
        return value
    dollars = known().dollars
    if currency not in dollars or wanted not in dollars:
        return None
    return value * dollars[currency] / dollars[wanted]
