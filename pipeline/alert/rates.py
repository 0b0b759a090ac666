"""A sum in one currency in, about the same in another out, by the rough rates of a file: rates.toml here, or the user's own.

A user's file (`alerts.rates_file`) is read again when it changes. While it has an error the rates from before stay in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from pipeline.settings import Settings, SettingsError, convert, read_toml

log = structlog.get_logger("rates")

FILE: Final = Path(__file__).with_name("rates.toml")


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of rates: the month of the rates, and the value in US dollars by ISO 4217 code."""

    as_of: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
    dollars: dict[Annotated[str, Meta(pattern=r"^[A-Z]{3}$")], Annotated[float, Meta(gt=0)]]


class _RatesFile:
    """Holds the rates in use, the file that they are from, and when it was last changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = self._file_changed()
        self.rates = read(file)

    def look(self) -> Rates:
        """Return the rates, read again if the file has changed and is right."""
        if self._file != FILE and (changed := self._file_changed()) != self._changed:
            self._changed = changed
            try:
                self.rates = read(self._file)
                log.info("rates_reloaded", as_of=self.rates.as_of)
            except SettingsError as error:
                log.error("rates_not_reloaded", error=str(error))  # noqa: TRY400 - the user's error: our stack is no help
        return self.rates

    def _file_changed(self) -> float:
        try:
            return self._file.stat().st_mtime
        except OSError:
            return 0.0


def read(file: Path) -> Rates:
    """Return the rates of a file.

    Raises:
        SettingsError: the file is absent, not TOML, or has no dollar of value 1; the message names the place.
    """
    found = convert(read_toml(file), Rates, where=str(file))
    if found.dollars.get("USD") != 1:
        raise SettingsError(f"{file}: dollars.USD: is not 1, and the rates are values in US dollars")
    return found


_in_use: Final = [_RatesFile(FILE)]


def use(settings: Settings) -> None:
    """Take the rates of `alerts.rates_file` from now on; without the option those that ship with Dateline.

    Raises:
        SettingsError: the file is wrong.
    """
    name = settings.alerts.rates_file
    _in_use[0] = _RatesFile(settings.path(name) if name else FILE)


def known() -> Rates:
    """Return the rates in use."""
    return _in_use[0].look()


def in_currency(value: float, currency: str, wanted: str) -> float | None:
    """Return about what a sum is worth in the currency `wanted`; None if a rate is unknown."""
    if currency == wanted:
        return value
    dollars = known().dollars
    if currency not in dollars or wanted not in dollars:
        return None
    return value * dollars[currency] / dollars[wanted]
