"""What a soak says of growth; `python -m bench.soak` is the measure itself."""

import pytest

from bench.soak import growth


def test_growth_is_the_slope_of_the_second_half():
    read = list(range(100, 1100, 100))
    assert growth([500, 560, 590, 600, 605, 606, 607, 608, 609, 610], read) == pytest.approx(10.0)


def test_what_has_found_its_size_or_falls_does_not_grow():
    assert growth([500, 700, 700, 700], [1, 2, 3, 4]) == 0.0
    assert growth([500, 700, 690, 680], [1000, 2000, 3000, 4000]) < 0


def test_without_articles_nothing_is_said():
    assert growth([500, 600], [10, 10]) == 0.0
