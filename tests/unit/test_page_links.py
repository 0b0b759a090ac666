"""Links that are not the article: lists of other headlines, and paragraphs that are only a link."""

import pytest

from pipeline.page import extract
from tests.make import make_article

PROSE = [
    "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said after the talks.",
    "A second paragraph says more about what was agreed, and who was in the room when the papers were signed at last.",
    "A third one tells what neighbours made of it, and what comes next in the parliaments of both of the countries.",
]


def text_of(extra):
    body = f"<p>{PROSE[0]}</p><p>{PROSE[1]}</p>{extra}<p>{PROSE[2]}</p>"
    page = f"<html><head><title>Talks end in the capital</title></head><body><article><h1>Talks end</h1>{body}</article></body></html>"
    return extract.extract(make_article(page, content_type="text/html", url="https://p.example/a")).text


OTHERS = (
    "Farmers protest against new taxes",
    "Minister resigns after long inquiry",
    "Storm closes ports in the north",
    "Court frees three reporters",
)


@pytest.mark.parametrize(
    "extra",
    [
        "<ul>" + "".join(f"<li><a href='/x'>{one}</a></li>" for one in OTHERS[:3]) + "</ul>",
        "<ol>" + "".join(f"<li><a href='/x'>{one}</a> 3 hours ago</li>" for one in OTHERS) + "</ol>",
        "<ul>" + "".join(f"<li><a href='/x'><h4>{one}</h4></a><p>What it is about, told in many more words than the headline itself has.</p></li>" for one in OTHERS) + "</ul>",
        "".join(f"<p><a href='/x'><strong>{one}</strong></a></p>" for one in OTHERS),
    ],
)  # fmt: skip
def test_headlines_of_other_articles_are_not_the_article(extra):
    found = text_of(extra)
    assert all(paragraph in found for paragraph in PROSE)
    assert not any(one in found for one in OTHERS)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("<ul><li>Grain passes through three ports.</li><li>The <a href='/x'>treaty</a> runs for ten years.</li><li>Prices are fixed.</li></ul>", "runs for ten years"),
        ("<p>He said so in <a href='/x'>an interview with this paper on Monday</a>.</p>", "an interview with this paper"),
        ("<p><a href='/x'>More</a></p><p>It goes on.</p>", "It goes on."),
    ],
)  # fmt: skip
def test_links_within_the_reporting_stay(extra, words):
    assert words in text_of(extra)
