"""Today in Chromium: what is live, what waits, and where a reader is in the list."""

import re

from playwright.sync_api import expect

from tests.browser.views import ready


def test_a_story_arrives_while_the_page_is_open(opened, console):
    page = ready(opened(console))
    expect(page.locator(".card")).to_have_count(9)
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    fresh = {
        **console.news.stories[0],
        "id": "fresh",
        "headline": "Norway and Iceland sign a fisheries agreement",
        "last_seen_at": console.news.ago(0),
    }
    console.publish("story", fresh)
    first = page.locator(".card").first
    expect(first).to_contain_text("Norway and Iceland sign a fisheries agreement")
    expect(first).to_contain_text("new")
    console.publish("story", {**fresh, "headline": "Norway and Iceland sign a fisheries treaty", "revision": 2})
    expect(first).to_contain_text("treaty")
    expect(page.locator(".card")).to_have_count(10)


def test_a_reader_further_down_is_not_pushed_away_and_may_pause(opened, console):
    page = ready(opened(console))
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    page.evaluate("scrollTo(0, 600)")
    console.publish(
        "story",
        {**console.news.stories[0], "id": "fresh", "headline": "A new one", "last_seen_at": console.news.ago(0)},
    )
    page.get_by_role("button", name="Show 1 new story").click()
    expect(page.locator(".card").first).to_contain_text("A new one")
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("button", name="Paused")).to_be_visible()


def test_stories_without_events_are_one_press_away(opened, console):
    page = ready(opened(console))
    cake = page.locator(".card", has_text="Plum cake")
    expect(cake).to_have_count(0)
    console.publish("story", {**console.news.untold(0, "Candidates share the point"), "id": "chess"})
    console.publish("story", {**console.news.stories[0], "id": "fresh", "headline": "A fresh event"})
    expect(page.locator(".card", has_text="A fresh event")).to_be_visible()
    expect(page.locator(".card", has_text="Candidates share")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Other news too 1")).click()
    expect(page).to_have_url(re.compile(r"/\?show=all$"))
    expect(cake).to_be_visible()
    console.publish("story", {**console.news.untold(0, "Candidates share the point"), "id": "chess"})
    expect(page.locator(".card", has_text="Candidates share")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Other news too")).click()
    expect(cake).to_have_count(0)


def test_a_reader_who_comes_back_to_a_list_is_where_they_left_it(opened, console):
    page = ready(opened(console))
    last = page.locator(".card-link").last
    last.scroll_into_view_if_needed()
    down = page.evaluate("scrollY")
    assert down > 300
    last.click()
    expect(page).to_have_url(re.compile("/story/"))
    assert page.evaluate("scrollY") == 0
    page.go_back()
    page.wait_for_function("(down) => Math.abs(scrollY - down) < 5", arg=down)


def test_the_view_is_in_the_address(opened, console):
    page = ready(opened(console))
    page.get_by_role("button", name="7 days").click()
    page.get_by_role("button", name=re.compile("^Sanctions")).click()
    expect(page).to_have_url(re.compile(r"/\?since=7d&type=SANCTION$"))
    expect(page.locator(".card")).to_have_count(1)
    page.go_back()
    expect(page.locator(".card")).to_have_count(9)


def test_what_comes_all_day_does_not_grow_the_page(opened, console):
    page = ready(opened(console))
    alerts = ready(opened(console, "/alerts"))
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    below = page.locator(".card-link").nth(5)
    below.evaluate("(link) => link.focus({ preventScroll: true })")  # who is further down has to ask for what is new
    name = below.inner_text()
    for number in range(900):
        at = console.news.ago(-number / 60)
        console.publish("story", {**console.news.stories[0], "id": f"fresh-{number}", "last_seen_at": at})
        console.publish("alert", {**console.news.alerts[0], "id": f"alert-{number}", "raised_at": at})
        if number in (0, 40):
            expect(page.locator(f'.card[data-id="fresh-{number}"]')).to_be_visible()
            assert page.evaluate("document.activeElement.innerText") == name, "the focus stays on its story"
    expect(page.locator('.card[data-id="fresh-899"]')).to_be_visible()
    assert page.locator(".card").count() <= 400
    expect(alerts.locator('.alert[data-id="alert-899"]')).to_be_visible()
    assert alerts.locator(".alert").count() <= 400


def test_more_is_shown_below_hundreds_of_live_stories(opened, console):
    story = console.news.stories[0]
    console.news.stories = [{**story, "id": f"many-{n}", "last_seen_at": console.news.ago(n)} for n in range(90)]
    page = ready(opened(console))
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    for number in range(380):
        at = console.news.ago(-number / 60)
        console.publish("story", {**story, "id": f"fresh-{number}", "last_seen_at": at})
    expect(page.locator('.card[data-id="fresh-379"]')).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator('.card[data-id="many-59"]')).to_be_visible()
    expect(page.get_by_text("The first 380 have left the page")).to_be_visible()
    page.get_by_role("button", name="Back to the first").click()
    expect(page.locator('.card[data-id="fresh-379"]')).to_be_visible()
