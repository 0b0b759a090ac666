"""The text and facts of an article, from its page."""

import datetime as dt
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.page import date_parsing
from pipeline.page.extract import extract, extract_jsonl, from_page, language_of
from pipeline.stage import Rejected
from tests.make import NOW, make_article

SEED = Path(__file__).parents[3] / "shared/seed"
PARAGRAPHS = (
    "The foreign ministers of Peru and Chile met in Lima on Tuesday and agreed to open two border crossings.",
    "Trade between the two countries has grown by a third since the old crossing was closed, officials said.",
    "Fishermen on both sides of the border welcomed the step and asked for longer opening hours in summer.",
)
LINKED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "x"},
        {
            "@type": ["NewsArticle"],
            "headline": "Peru and Chile open crossings",
            "author": [{"@type": "Person", "name": "Ann Lee"}, {"name": "AFP"}],
            "publisher": {"name": "The Paper"},
            "datePublished": "2024-05-13T20:30:00+10:00",
            "dateModified": "2024-05-13T12:00:00Z",
            "image": {"url": "/lead.jpg"},
            "isAccessibleForFree": False,
        },
    ],
}


def make_page(body=PARAGRAPHS, head="", attributes='lang="en"'):
    text = "".join(f"<p>{paragraph}</p>" for paragraph in body)
    return (
        f"<html {attributes}><head><title>Peru and Chile open crossings | The Paper</title>{head}</head><body><nav><a href='/'>Home</a>"
        f"<a href='/w'>World</a></nav><main><article><h1>Peru and Chile open crossings</h1>{text}</article></main>"
        "<footer>About us. Terms of use. Privacy policy.</footer></body></html>"
    )


def of_page(html, **changes):
    return extract(
        make_article(html, content_type="text/html", **{"title": "", "publisher": "", "published_at": None} | changes)
    )


def of_text(text, **changes):
    return extract(make_article(text, content_type="text/plain", **changes))


def test_the_text_is_the_paragraphs_without_title_menu_and_foot():
    got = of_page(make_page())
    assert got.text == "\n\n".join(PARAGRAPHS)
    assert got.title == "Peru and Chile open crossings"
    assert got.language == "en"


def test_what_the_page_declares_is_taken():
    head = f"<link rel='canonical' href='https://www.news.example/peru'><script type='application/ld+json'>{json.dumps(LINKED)}</script>"
    got = of_page(make_page(head=head), url="https://news.example/amp/peru")
    assert (got.authors, got.credit, got.publisher) == (("Ann Lee",), "AFP", "The Paper")
    assert got.published_at == dt.datetime(2024, 5, 13, 10, 30, tzinfo=dt.UTC)
    assert got.updated_at == dt.datetime(2024, 5, 13, 12, 0, tzinfo=dt.UTC)
    assert got.image_url == "https://news.example/lead.jpg"
    assert got.canonical_url == "https://www.news.example/peru"
    assert got.truncated


def test_open_graph_and_meta_tags_do_where_there_is_no_more():
    head = """<meta property="og:title" content="Crossings opened"><meta name="author" content="By Bo Ek and Ann Lee">
    <meta property="article:published_time" content="2024-05-13T08:00:00Z"><meta property="og:site_name" content="Paper">"""
    got = of_page(make_page(head=head))
    assert (got.title, got.authors, got.publisher) == ("Crossings opened", ("Bo Ek", "Ann Lee"), "Paper")
    assert got.published_at == dt.datetime(2024, 5, 13, 8, tzinfo=dt.UTC)


def test_what_the_feed_says_fills_the_gaps_and_its_exact_moment_beats_a_mere_day():
    head = '<meta name="date" content="2024-05-14">'
    moment = NOW - dt.timedelta(hours=3)
    got = of_page(make_page(head=head), published_at=moment, authors=("Zoe",), publisher="Feed")
    assert (got.published_at, got.authors, got.publisher) == (moment, ("Zoe",), "Feed")
    assert of_page(make_page(head=head)).published_at == dt.datetime(2024, 5, 14, tzinfo=dt.UTC)


def test_a_date_in_the_future_is_not_believed():
    head = '<meta property="article:published_time" content="2034-05-13T08:00:00Z">'
    assert of_page(make_page(head=head)).published_at is None


@pytest.mark.parametrize(
    "html", ["", "  \n", "<html></html>", "<html><head><title></title></head><body></body></html>"]
)
def test_an_empty_article_is_rejected_as_empty(html):
    with pytest.raises(Rejected) as caught:
        of_page(html)
    assert caught.value.reason == "empty"


@pytest.mark.parametrize("html", ["%PDF-1.7 ...", "\x00\x01\x02\x03" * 50, "\ufffd" * 300])
def test_what_is_no_text_is_rejected_as_such(html):
    with pytest.raises(Rejected) as caught:
        of_page(html)
    assert caught.value.reason == "not_text"


def test_a_wall_is_rejected_unless_the_feed_told_something():
    wall = make_page(body=["Please enable JavaScript and cookies to continue reading this page on our site."])
    with pytest.raises(Rejected) as caught:
        of_page(wall)
    assert caught.value.reason in ("wall", "too_short")
    got = of_page(
        wall, summary="Peru and Chile agreed to open two border crossings, officials said.", title="Crossings"
    )
    assert got.text.startswith("Peru and Chile agreed")
    assert got.truncated


def test_hidden_parts_and_named_furniture_are_not_text_and_the_article_is_whatever_it_is_called():
    furniture = "<div class='newsletterSignUp'><p>The morning letter brings you all that counts, every day of the week.</p></div>"
    hidden = "<div style='display: none'><p>An error came up while the form was sent to the server.</p></div>"
    html = (
        make_page()
        .replace("<main>", f"<main class='social-share'>{furniture}{hidden}")
        .replace("</article>", f"{furniture}</article>")
    )
    assert of_page(html).text == "\n\n".join(PARAGRAPHS)


def test_a_body_in_several_pieces_is_put_together():
    pieces = "".join(
        f"<div class='chunk'><div class='col'><p>{PARAGRAPHS[n % 3]} {n}</p></div><div><b>x</b></div></div>"
        for n in range(12)
    )
    text = of_page(make_page(body=[]).replace("</article>", f"{pieces}</article>")).text
    assert all(f"{PARAGRAPHS[n % 3]} {n}" in text for n in range(12))


def test_a_text_that_breaks_off_is_truncated():
    assert of_page(
        make_page(body=[*PARAGRAPHS[:2], "Fishermen on both sides of the border welcomed the ..."])
    ).truncated
    assert not of_page(make_page()).truncated


def test_plain_text_without_a_title_has_its_first_line_where_that_looks_like_one():
    got = of_text("Ministers meet in Lima\n\nPorts were discussed\n\n" + "\n\n".join(PARAGRAPHS), title="")
    assert got.title == "Ministers meet in Lima"
    assert got.text.startswith("Ports were discussed\n\nThe foreign ministers")


@pytest.mark.parametrize("first", ["Ports were discussed", PARAGRAPHS[0]])
def test_plain_text_keeps_the_title_it_was_given_whatever_its_first_line_is(first):
    got = of_text("\n\n".join((first, *PARAGRAPHS[1:])), title="From the feed")
    assert got.title == "From the feed"
    assert got.text == "\n\n".join((first, *PARAGRAPHS[1:]))


@pytest.mark.parametrize("first", ["Thursday, August 29, 2019", "KYIV, June 2 (Reuters) -", "LIMA (AP)", "12 May 2020"])
def test_a_day_or_dateline_is_no_title(first):
    assert of_text("\n\n".join((first, *PARAGRAPHS)), title="").title == ""


def test_a_file_without_any_title_is_called_by_its_name():
    assert of_text(PARAGRAPHS[0], title="", url="file:drop/lima_talks-2.txt").title == "lima talks 2"


def test_lines_broken_at_a_fixed_width_are_joined():
    wrapped = "Title of this\n\nThe foreign ministers of Peru and Chile met in Lima on\nTuesday and agreed to open two more border crossings and\nto keep the third one closed.\n\nEnd of it all."
    assert "Lima on Tuesday and agreed to open two more border crossings and to keep" in of_text(wrapped).text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Außenminister von Peru und Chile haben sich am Dienstag in Lima auf neue Grenzübergänge geeinigt.", "de"),
        (
            "Les ministres des affaires étrangères du Pérou et du Chili se sont réunis mardi à Lima pour en parler.",
            "fr",
        ),
        ("Президент России прибыл во вторник в Пекин с официальным визитом и провёл переговоры.", "ru"),
        (PARAGRAPHS[0], "en"),
        ("OK.", None),
    ],
)
def test_the_language_is_told_where_there_is_enough_to_tell_it(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("written", "moment", "exact"),
    [
        ("2024-05-13T20:30:00+10:00", "2024-05-13T10:30:00+00:00", True),
        ("2024-05-13T20:30:00.123+1000", "2024-05-13T10:30:00+00:00", True),
        ("2024-05-13 08:00:00Z", "2024-05-13T08:00:00+00:00", True),
        ("2024-05-13", "2024-05-13T00:00:00+00:00", False),
        ("2024-05-13T08:00", "2024-05-13T08:00:00+00:00", False),
        ("Mon, 13 May 2024 08:00:00 -0500", "2024-05-13T13:00:00+00:00", True),
        ("1715587200", "2024-05-13T08:00:00+00:00", True),
        ("2024-13-45", None, None),
        ("tomorrow", None, None),
        ("", None, None),
    ],
)
def test_dates_are_read_with_their_zone(written, moment, exact):
    got = date_parsing.parse_declared(written)
    assert got == (None if moment is None else (dt.datetime.fromisoformat(moment), exact))


def test_the_command_gives_a_line_for_each_page_and_goes_on_after_a_bad_one():
    good = json.dumps({"id": 7, "url": "https://news.example/x", "html": make_page()})
    lines = [
        json.loads(line)
        for line in extract_jsonl([good, "{", '{"id": 8}', json.dumps({"id": 9, "html": ""}), "", good], now=NOW)
    ]
    assert [line.get("id") for line in lines] == [7, None, 8, 9, 7]
    assert [("error" in line) for line in lines] == [False, True, True, True, False]
    assert set(lines[0]) == {"id", "title", "text", "published", "authors", "language"}


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                ["<p>", "</p>", "<div>", "<table><tr><td>", "<script type='application/ld+json'>", '{"@type": "NewsArticle", "headline": [1]}',
                 "</script>", "<meta property='og:title'>", "<h1>", "words of a sentence that goes on for a while. ", "&#0;", "<!--", "\x0b", "<a href='http://[x'>",
                 "<link rel=canonical href='http://[x'>", "<time datetime='9999-99-99'>", "<!DOCTYPE html>", "]]>"]
            ),
            max_size=30,
        ).map("".join),
    )
)  # fmt: skip
def test_any_page_gives_an_article_or_is_rejected(html):
    try:
        got = of_page(html)
    except Rejected:
        return
    assert got.text.strip() == got.text


def test_a_deeply_nested_page_costs_no_stack():
    html = make_page(body=["<div>" * 5000 + PARAGRAPHS[0] + "</div>" * 5000])
    with pytest.raises(Rejected) as caught:  # the parser stops at a depth that no page needs
        of_page(html)
    assert caught.value.reason in ("empty", "too_short")


@pytest.mark.skipif(not SEED.exists(), reason="the seed article is not part of the project")
def test_the_seed_article_has_title_and_credit_and_no_boilerplate():
    golden = json.loads((SEED / "golden.json").read_text())
    got = of_text((SEED / "article.txt").read_text(), title="")
    assert got.title == golden["title"]
    assert got.credit == golden["credit"]
    assert not [line for line in golden["boilerplate"] if line in got.text]
    assert not got.text.startswith(golden["title"])
    assert got.text.endswith("Black Sea fleet.")
    assert all(event["evidence"] in got.text for event in golden["must"])


def test_pages_pass_fast_enough_to_never_be_what_others_wait_for():
    html = make_page(body=PARAGRAPHS * 10)
    of_page(html)
    began = time.process_time()
    for number in range(20):
        extract(from_page(html, f"https://news.example/{number}", now=NOW))
    assert (time.process_time() - began) / 20 < 0.2
