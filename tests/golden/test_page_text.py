"""The text of pages with odd mark-up is found: least values for the saved pages, and for real ones beside the project."""

import gzip
import json

import pytest

from bench import odd_pages


def test_the_saved_pages_are_those_that_the_generator_makes():
    saved = [json.loads(line) for line in odd_pages.SAVED.read_text("utf-8").splitlines()]
    assert saved == list(odd_pages.pages())
    assert len(saved) == odd_pages.PAGES


def test_the_text_and_the_title_of_odd_pages_are_found():
    found = odd_pages.score([json.loads(line) for line in odd_pages.SAVED.read_text("utf-8").splitlines()])
    assert found.f1 >= 0.99
    assert found.titles == odd_pages.PAGES
    assert min(recall for _, _, recall in found.worst) > 0.95


@pytest.mark.skipif(not odd_pages.REAL.exists(), reason="the real pages are not beside this project")
def test_the_text_of_real_pages_is_found():
    with gzip.open(odd_pages.REAL, "rt", encoding="utf-8") as lines:
        assert odd_pages.score([json.loads(line) for line in lines]).f1 >= 0.979
