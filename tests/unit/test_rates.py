"""Rough exchange rates."""

import os

import pytest

from pipeline.alert import rates
from pipeline.annotate.names import GAZETTEER
from pipeline.settings import Alerts, Settings, SettingsError

CURRENCIES = GAZETTEER / "currencies.tsv"


def test_a_sum_is_converted_by_its_rate_and_in_its_own_currency_exact():
    assert rates.in_currency(12.34, "EUR", "EUR") == 12.34
    assert rates.in_currency(100.0, "EUR", "USD") == pytest.approx(108)
    assert rates.in_currency(108.0, "USD", "EUR") == pytest.approx(100)
    assert rates.in_currency(1.0, "XXX", "USD") is None
    assert rates.in_currency(1.0, "USD", "XXX") is None


def test_every_rate_is_of_a_known_currency_and_plausible():
    read = {line.split("\t")[0] for line in CURRENCIES.read_text("utf-8").splitlines() if not line.startswith("#")}
    assert set(rates.known().dollars) <= read
    assert all(0 < rate < 10 for rate in rates.known().dollars.values())
    assert rates.known().dollars["USD"] == 1


@pytest.fixture
def own(tmp_path):
    """Settings with a file of rates of one's own; afterwards the shipped ones are in use again."""
    (tmp_path / "mine.toml").write_text('as_of = "2026-11"\n[dollars]\nUSD = 1\nEUR = 2\n', "utf-8")
    yield Settings(directory=str(tmp_path), alerts=Alerts(rates_file="mine.toml"))
    rates.use(Settings())


def change(settings, text, at):
    file = settings.path("mine.toml")
    file.write_text(text, "utf-8")
    os.utime(file, (at, at))


def test_a_file_of_ones_own_is_used_and_read_again_when_it_changes(own):
    rates.use(own)
    assert (rates.known().as_of, rates.in_currency(1.0, "EUR", "USD")) == ("2026-11", 2)
    change(own, 'as_of = "2026-12"\n[dollars]\nUSD = 1\nEUR = 3\n', 1)
    assert rates.in_currency(1.0, "EUR", "USD") == 3
    change(own, "as_of = 3", 2)
    assert rates.in_currency(1.0, "EUR", "USD") == 3, "the rates from before stay in use"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('as_of = "soon"\n[dollars]\nUSD = 1', "as_of"),
        ('as_of = "2026-11"\n[dollars]\nUSD = 2', "dollars.USD"),
        ('as_of = "2026-11"\n[dollars]\nUSD = 1\nEUR = -1', "dollars"),
        ('as_of = "2026-11"\nrates = 1\n[dollars]\nUSD = 1', "rates: unknown key"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(own, text, place):
    change(own, text, 1)
    with pytest.raises(SettingsError, match=place):
        rates.use(own)
