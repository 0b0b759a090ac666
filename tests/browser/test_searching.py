"""Search, its map and Relations in Chromium: conditions, pages of results, export, marks and pairs."""

import math
import re

import pytest
from playwright.sync_api import expect

from tests.browser.news import place
from tests.browser.views import ready


def test_words_facets_and_table_are_one_address(opened, console):
    page = ready(opened(console))
    page.keyboard.press("/")
    page.keyboard.type("the")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=the$"))
    page.get_by_label("Kind", exact=True).get_by_role("button", name=re.compile("^Summit")).click()
    expect(page).to_have_url(re.compile("kind=summit"))
    page.get_by_role("button", name="Table").click()
    expect(page.locator("table.wide tbody tr")).to_have_count(3)
    address = page.url
    page.goto("/")
    page.goto(address)
    expect(page.locator("table.wide tbody tr")).to_have_count(3)
    page.get_by_role("button", name=re.compile("^Summit.*take this condition out")).click()
    expect(page).not_to_have_url(re.compile("kind="))


def test_a_span_of_the_histogram_narrows_the_search(opened, console):
    page = ready(opened(console, "/search"))
    plot = page.locator(".u-over").first
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=20.*&until=20"))


def test_ten_thousand_results_come_page_by_page(opened, console):
    console.mood = "many"
    page = ready(opened(console, "/search"))
    expect(page.get_by_text("40 of 10,000 shown")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("80 of 10,000 shown")).to_be_visible()
    expect(page.locator(".card")).to_have_count(80)


def test_a_page_keeps_400_results_and_says_how_to_have_the_others(opened, console):
    console.mood = "many"
    page = ready(opened(console, "/search"))
    more = page.get_by_role("button", name="Show more")
    more.focus()
    for count in range(80, 441, 40):
        page.keyboard.press("Enter")  # the button keeps the focus, so that a reader at the keyboard is not thrown out
        expect(page.get_by_text(f"{count} of 10,000 shown")).to_be_visible()
    expect(page.locator(".card")).to_have_count(400)
    expect(page.locator(".card").first).to_have_attribute("data-id", "many-40")
    expect(page.get_by_text("41 to 440 of 10,000 shown. Narrow the search to see fewer")).to_be_visible()
    expect(page.get_by_text("The first 40 have left the page")).to_have_count(1)
    page.get_by_role("button", name="Back to the first").click()
    expect(page.get_by_text("40 of 10,000 shown")).to_be_visible()
    expect(page.locator(".card").first).to_have_attribute("data-id", "many-0")


def test_a_mark_on_the_map_leads_to_its_events_and_the_map_is_moved_by_key(opened, console):
    page = ready(opened(console, "/search?show=map"))
    before = page.locator(".map svg").get_attribute("viewBox")
    page.locator(".map-frame").focus()
    page.keyboard.press("+")
    expect(page.locator(".map svg")).not_to_have_attribute("viewBox", before)
    page.get_by_role("link", name="Kyiv: 6 reports of events").click()
    expect(page).to_have_url(re.compile("box="))


@pytest.mark.parametrize("phone", [False, True])
def test_a_mark_on_the_map_has_room_for_a_finger_and_is_reached_by_key(opened, console, phone):
    page = ready(opened(console, "/search?show=map", phone=phone))
    page.locator(".map svg").scroll_into_view_if_needed()
    marks = page.locator("a.spot").all()
    boxes = [one.bounding_box() for one in marks]
    at = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    alone = [n for n, spot in enumerate(at) if all(math.dist(spot, other) > 24 for other in at if other != spot)]
    n = min(alone, key=lambda n: boxes[n]["width"])
    assert boxes[n]["width"] < 24, "the mark itself is small"
    mark, (x, y) = marks[n], at[n]
    led = page.evaluate(
        "([x, y]) => [[-11.5, 0], [11.5, 0], [0, -11.5], [0, 11.5]].map(([dx, dy]) => document.elementFromPoint(x + dx, y + dy).closest('a')?.getAttribute('href'))",
        [x, y],
    )
    place = mark.get_attribute("href")
    assert led == [place] * 4
    page.mouse.click(x + 11, y)
    expect(page).to_have_url(console.address + place)
    page.go_back()
    page.locator(".map-frame").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('class')") == "spot"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("box="))


@pytest.mark.parametrize("phone", [False, True])
def test_places_too_near_for_a_finger_are_one_mark_that_lists_them(opened, console, faults_of, phone):
    for event in console.news.events:
        if event["places"] and event["places"][0]["name"] == "Prague":
            event["places"] = [place("Kyiv") | {"name": "Brovary", "lat": 50.51, "lon": 30.79}]
    page = ready(opened(console, "/search?show=map", phone=phone))
    both = page.get_by_role("button", name=re.compile(r"^Kyiv and \d places? near it: \d+ reports of events$"))
    both.press("Enter")
    near = page.get_by_role("group", name="Places close together")
    expect(near.get_by_role("link", name="Kyiv")).to_be_focused()
    expect(near.get_by_role("listitem")).to_have_count(4 if phone else 2)
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    expect(near).to_have_count(0)
    both.click()
    near.get_by_role("button", name="Enlarge the map here").click()
    expect(page.get_by_role("link", name=re.compile("^Yerevan"))).to_be_visible()
    near.get_by_role("link", name="Brovary").click()
    expect(page).to_have_url(re.compile("box=28.79%2C48.51"))


def test_an_export_has_the_conditions_of_the_search(opened, console):
    page = ready(opened(console, "/search?kind=summit&since=7d&show=table"))
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV, for a spreadsheet").click()
    assert waiting.value.suggested_filename == "events.csv"
    assert waiting.value.url.endswith("/events/export?kind=summit&since=7d&format=csv")


def test_a_pair_is_chosen_in_the_matrix_and_leads_to_its_events(opened, console):
    page = ready(opened(console, "/relations"))
    page.get_by_role("button", name=re.compile("^United States to Ukraine: ")).click()
    expect(page).to_have_url(re.compile("pair=USA%09UKR"))
    expect(page.get_by_label("The chosen pair")).to_contain_text("$425 million")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("button", name=re.compile(r"^United States to Ukraine: [+-]?\d+$"))).to_be_visible()
    page.get_by_role("link", name=re.compile("^See the")).click()
    expect(page).to_have_url(re.compile(r"/search\?since=30d&actor=USA&recipient=UKR"))
