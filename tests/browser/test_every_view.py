"""What holds on every view in Chromium: hostile text, axe, a phone, nothing found, a slow server, keys, dark, long words."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.news import HOSTILE, HOSTILE_URL, LONG_WORD
from tests.browser.views import VIEWS, first_paint, ready

FIRST_PAINT_MS = 1000


def test_active_content_of_a_feed_is_text(opened, console):
    shown = {
        "/": HOSTILE,
        "/story/story-95": HOSTILE,
        "/event/story-95-event-0": HOSTILE,
        "/search?type=SANCTION": HOSTILE,
        "/search?show=table": HOSTILE,
        "/alerts": HOSTILE,
        "/sources": HOSTILE,
    }
    page = opened(console)
    for path, text in shown.items():
        page.goto(path)
        expect(page.get_by_text(text).first).to_be_visible()
        assert page.locator("main img, main script").count() == 0
        assert page.locator(f'a[href^="{HOSTILE_URL[:11]}"]').count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(opened, console, faults_of, view):
    page = ready(opened(console, VIEWS[view]))
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults_of(page, "color-contrast") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_to_do_when_there_is_nothing(opened, console, view):
    console.mood = "empty"
    page = opened(console, VIEWS[view], allowed=("404",))
    expect(page.locator("h1, .notice").first).to_be_visible()
    expect(page.locator(".bones")).to_have_count(0)
    assert page.evaluate("document.querySelector('main').innerText.length") > 60
    assert "undefined" not in page.locator("main").inner_text()
    assert "NaN" not in page.locator("main").inner_text()


def test_who_may_only_read_sees_nothing_to_change(opened, console):
    console.role = "read"
    page = ready(opened(console, "/alerts"))
    expect(page.locator(".alert")).to_have_count(4)
    expect(page.locator(".alert").get_by_role("button", name="False alarm")).to_have_count(0)
    page.goto("/sources")
    expect(page.get_by_role("row", name=re.compile("Harbour Wire"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^(Remove|Add)"))).to_have_count(0)


def test_keys_move_open_and_can_be_switched_off(opened, console):
    page = ready(opened(console))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/story/story-11$"))
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile("/alerts$"))
    page.keyboard.press("?")
    page.get_by_label("Keys of one letter are on").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile("/alerts$"))


def test_a_slow_server_is_waited_for_in_words(opened, console):
    page = ready(opened(console))
    console.mood, console.slow_seconds = "slow", 5.0
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.get_by_text("The server is slow; still waiting.").first).to_be_visible()
    expect(page.locator(".card").first).to_be_visible()


def test_what_is_still_shown_of_the_question_before_is_dimmed(opened, console):
    page = ready(opened(console, "/search"))
    console.mood, console.slow_seconds = "slow", 3.0
    page.get_by_label("Kind", exact=True).get_by_role("button", name=re.compile("^Summit")).click()
    expect(page.locator(".found")).to_have_css("opacity", "0.5")
    expect(page.locator(".found")).to_have_text("3 reports of events")
    expect(page.locator(".found")).to_have_css("opacity", "1")
    page.goto("/search")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.className") == "", (
        "nothing is shown yet that could be of another question"
    )


def test_a_server_that_is_down_is_said_and_the_page_mends_itself(opened, console):
    console.mood = "down"
    page = opened(console, allowed=("503", "text/event-stream", "MIME"))
    expect(page.get_by_text("Elasticsearch does not answer").first).to_be_visible()
    expect(page.locator(".trouble")).to_contain_text("tried again")
    console.mood = ""
    expect(page.locator(".card").first).to_be_visible()


def test_dark_is_remembered(opened, console):
    page = ready(opened(console))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Change between light and dark").click()
    page.reload()
    ready(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_long_word_breaks(opened, console):
    page = ready(opened(console, "/story/story-160", phone=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("heading", level=1)).to_contain_text(LONG_WORD)


@pytest.mark.parametrize("width", [360, 1360])
def test_names_of_three_hundred_letters_leave_room_for_the_rest(opened, console, width):
    word = "Ж" * 150 + "w" * 150
    news = console.news
    news.feeds[0]["title"], news.feeds[0]["last_error"] = word, word
    for item in (*news.stories, *news.events, *news.alerts):
        item["actors"] = [{**one, "name": word} for one in item.get("actors", ())]
        item.update(
            {name: [word] for name in ("publishers",)} | {name: word for name in ("publisher", "rule") if name in item}
        )
    page = opened(console)
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/search?show=table", "/alerts", "/sources", "/relations?by=name", "/story/story-4"):
        page.goto(path)
        ready(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        widths = page.locator("td, tbody th").evaluate_all("all => all.map((one) => one.offsetWidth)")
        assert max(widths, default=0) <= 900, path


def test_the_first_paint_is_within_a_second(opened, console, record_property):
    page = ready(opened(console))
    painted = first_paint(page, ready)
    record_property("first_contentful_paint_ms", round(painted))
    assert painted < FIRST_PAINT_MS
