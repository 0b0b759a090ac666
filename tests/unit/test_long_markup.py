"""Markup that a pattern could look at again from every place of it: a page of three megabytes must not take hours."""

import datetime as dt
import time

import pytest
from lxml import html

from pipeline.collect import prose, seen
from pipeline.page import facts, kinship, markup, page_dates, plain, script_body

TITLE = "Ministers agree on a treaty"


def tree(head="", body=""):
    return html.document_fromstring(f"<html><head><title>{TITLE}</title>{head}</head><body>{body}</body></html>")


def by_title():
    parts = " | ".join(f"alpha{n} beta{n} gamma{n}" for n in range(20_000))
    headings = "".join(f"<h2>delta{n} epsilon{n} zeta{n}</h2>" for n in range(5000))
    return facts._by_title(tree(body=headings), [], parts)


def one_headline():
    stories = ",".join(f'"k{n}":{{"title":"{TITLE}"}}' for n in range(20_000))
    return script_body.paragraphs(tree(body=f"<script>window.x={{{stories}}}</script>"), (TITLE,))


def years():
    metas = "".join(f"<meta name=a{n} content='some words of 2026 and {n} more'>" for n in range(20_000))
    return page_dates._shown_date(tree(metas), "https://a.example/", "en", dt.datetime(2026, 11, 29, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (lambda: plain.plain_text("<s>" * 200_000), ""),
        (lambda: plain.plain_text("x <a " + "line-through " * 60_000), "x <a" + " line-through" * 60_000),
        (lambda: plain.plain_text("a<sup>" + " " * 300_000), "a"),
        (lambda: plain.plain_text("a<sup>1" + " " * 300_000), "a1"),
        (lambda: len(prose.sketch("<script " * 100_000)), prose.DIGITS),
        (lambda: seen.blocks("<p " * 300_000), ["<p " * 300_000]),
        (lambda: kinship.read("<script type='application/json'>" + '\\"' * 150_000).headlines, ()),
        (lambda: len(kinship.PageWords((), "It is said that the minister said no.", 37).body("word " * 300_000)), 3),
        (lambda: markup.settle(tree(body="<p>" + "x<sup>1</sup>" * 30_000)), None),
        (by_title, []),
        (one_headline, []),
        (years, None),
    ],
)  # fmt: skip
def test_the_time_grows_as_the_text_does(read, wanted):
    begun = time.process_time()
    assert read() == wanted
    assert time.process_time() - begun < 15  # of CPU; each of these took minutes to hours


def test_what_is_not_seen_is_left_out_whatever_stands_open_beside_it():
    for shown, text in (
        ("It costs <s>10</s> 12 crowns", "It costs 12 crowns"),
        ("It <s>costs <del>10</del> 12 crowns", "It costs 12 crowns"),
        ("It <SCRIPT>if (a<b) { x }</script >costs", "It costs"),
        ("It </s> costs <strike class='x'>ten<s>eleven</strike> 12", "It costs 12"),
        ("It costs <span class='y line-through'>10</span> 12<sup> <a href='#1'> [1] </a> </sup>.", "It costs 12 ."),
    ):
        assert plain.plain_text(shown) == text
