"""The text of pages with odd mark-up is found: least values for the saved pages, and for real ones beside the project."""

import gzip
import html
import json
from pathlib import Path

import pytest

from bench import odd_pages
from pipeline.page import kinship

NEWSSTAND = Path(__file__).with_name("newsstand.jsonl")


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


def test_hardly_an_article_is_taken_for_a_wall_however_playful_its_headline():
    rows = [json.loads(line) for line in NEWSSTAND.read_text("utf-8").splitlines()]
    pages = []
    for row in rows:
        told = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in row["text"].split("\n\n"))
        title = html.escape(row["title"])
        pages.append(
            kinship.read(f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{told}</body></html>")
        )
    known = [kinship.is_article_of(page, row["title"], "") for page, row in zip(pages, rows, strict=True)]
    other = [
        kinship.is_article_of(page, row["title"], "") for page, row in zip(pages[20:] + pages[:20], rows, strict=True)
    ]
    assert sum(known) >= len(rows) - 1
    assert sum(other) <= 0.1 * len(rows)
