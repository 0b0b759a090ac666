"""A story and an event in Chromium: how it became known, who disagrees, and where it stands in the article."""

import re

from playwright.sync_api import expect

from tests.browser.news import ARABIC
from tests.browser.views import ready


def test_a_story_shows_how_it_became_known_and_where_the_sources_disagree(opened, console):
    page = ready(opened(console))
    page.get_by_role("link", name="United States announces $425 million military aid for Ukraine").first.click()
    expect(page).to_have_url(re.compile("/story/story-4$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "United States announces $425 million military aid for Ukraine"
    )
    expect(page.get_by_text("second independent source")).to_be_visible()
    expect(page.get_by_text("Both sides had met in spring.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("400 million"))).to_contain_text("Evening Post")
    expect(page.locator(".publishers section")).to_have_count(6)
    page.get_by_role("link", name="See it in the article").first.click()
    expect(page).to_have_url(re.compile("/event/story-4-event-0$"))


def test_an_event_is_highlighted_where_it_stands_in_the_article(opened, console):
    page = ready(opened(console, "/event/story-4-event-0"))
    marked = page.evaluate(
        "[...document.querySelectorAll('.text .said-so.evidence')].map((e) => [...e.childNodes].map(n => n.nodeName === 'MARK' ? n.firstChild.data : n.data).join('')).join('')"
    )
    assert marked == console.news.stories[0]["evidence"], (
        "offsets count code points, and a flag stands before the sentence"
    )
    for role, words in {
        "actor": "United States",
        "recipient": "Ukraine",
        "money": "$425 million",
        "trigger": "announced",
        "date": "Tuesday",
    }.items():
        assert page.locator(f".text mark.{role}").first.evaluate("(mark) => mark.firstChild.data") == words
    expect(page.get_by_label("About this event")).to_contain_text("the trained reader")


def test_a_range_of_sums_has_its_word_once(opened, console):
    console.news.stories[0]["money"] = [{**console.news.stories[0]["money"][0], "low": 400_000_000}]
    page = ready(opened(console, "/story/story-4"))
    expect(page.get_by_text("$400–425 million").first).to_be_visible()


def test_text_from_right_to_left_keeps_its_direction(opened, console):
    page = ready(opened(console))
    headline = page.locator(".headline", has_text=ARABIC)
    assert headline.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    assert page.locator(".headline").first.evaluate("(e) => getComputedStyle(e).direction") == "ltr"


def test_what_is_not_there_is_said(opened, console):
    page = opened(console, "/story/none", allowed=("404",))
    expect(page.get_by_role("alert")).to_contain_text("There is no such item among the stories: none.")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_print_has_the_text_and_no_controls(opened, console):
    page = ready(opened(console, "/story/story-4"))
    page.emulate_media(media="print")
    assert not page.locator(".masthead").is_visible()
    expect(page.locator(".printed")).to_contain_text(f"{console.news.now:%Y}")
    expect(page.locator(".printed")).to_contain_text("/story/story-4")
    assert not page.get_by_role("button", name="Mute this story").is_visible()
    assert page.get_by_role("heading", level=1).is_visible()
