"""Rough exchange rates."""

import pytest

from pipeline.alert import rates
from pipeline.annotate.names import GAZETTEER

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
