"""The page in Chromium, on a console that stands in: every view, what is live, what is changed, and what goes wrong."""

import math
import re

import pytest
from playwright.sync_api import expect

from tests.browser.news import ARABIC, HOSTILE, HOSTILE_URL, LONG_WORD
from tests.waiting import wait_until

VIEWS = {
    "today": "/", "story": "/story/story-4", "event": "/event/story-4-event-0", "search": "/search", "table": "/search?show=table&q=the", "map": "/search?show=map", "articles": "/search?of=articles",
    "relations": "/relations", "alerts": "/alerts", "mutes": "/alerts/mutes", "rules": "/alerts/rules", "rule": "/alerts/rules/new?kind=aid_package", "sources": "/sources",
}  # fmt: skip
FIRST_PAINT_MS = 1000


def ready(page):
    """Wait until what the page asked for has come; the stream of what is new never ends, so the network is never idle."""
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator(".bones")).to_have_count(0)
    if page.locator(".map svg").count():
        expect(page.locator(".map .land").first).to_be_attached()
    return page


# --- today -----------------------------------------------------------------------------------------------------------


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


# --- story and event -------------------------------------------------------------------------------------------------


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


def test_text_from_right_to_left_keeps_its_direction(opened, console):
    page = ready(opened(console))
    headline = page.locator(".headline", has_text=ARABIC)
    assert headline.evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    assert page.locator(".headline").first.evaluate("(e) => getComputedStyle(e).direction") == "ltr"


# --- search ----------------------------------------------------------------------------------------------------------


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


def test_a_mark_on_the_map_leads_to_its_events_and_the_map_is_moved_by_key(opened, console):
    page = ready(opened(console, "/search?show=map"))
    before = page.locator(".map svg").get_attribute("viewBox")
    page.locator(".map-frame").focus()
    page.keyboard.press("+")
    expect(page.locator(".map svg")).not_to_have_attribute("viewBox", before)
    page.get_by_role("link", name="Kyiv: 6 events").click()
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


def test_an_export_has_the_conditions_of_the_search(opened, console):
    page = ready(opened(console, "/search?kind=summit&since=7d&show=table"))
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV, for a spreadsheet").click()
    assert waiting.value.suggested_filename == "events.csv"
    assert waiting.value.url.endswith("/events/export?kind=summit&since=7d&format=csv")


# --- rules and alerts ------------------------------------------------------------------------------------------------


def test_a_search_becomes_a_rule_after_its_backtest_was_shown(opened, console):
    page = ready(opened(console, "/search?kind=aid_package&box=1,2,3,4"))
    page.get_by_role("link", name="Save as alert rule").click()
    expect(page.locator("[data-backtest]")).to_contain_text("3 alerts in 30 days")
    expect(page.get_by_text("box: a rule has no such condition")).to_be_visible()
    text = page.locator("textarea")
    text.fill(text.input_value().replace("aid-package", "own-rule"))
    save = page.get_by_role("button", name="Save rule")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Test on the past").click()
    expect(save).to_be_enabled()
    save.click()
    expect(page).to_have_url(re.compile("/alerts/rules/own-rule$"))
    assert [path for _, path, _ in console.posted if path == "rules"] == ["rules"]


def test_a_rule_is_removed_after_a_question(opened, console):
    page = ready(opened(console, "/alerts/rules/leaders-meet"))
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Remove").click()
    assert not [one for one in console.posted if one[0] == "DELETE"]
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page).to_have_url(re.compile("/alerts/rules$"))
    assert [path for method, path, _ in console.posted if method == "DELETE"] == ["rules/leaders-meet"]


def test_of_two_tests_of_a_rule_the_one_asked_for_last_is_shown(opened, console):
    page = ready(opened(console, "/alerts/rules/leaders-meet"))
    expect(page.locator("[data-backtest]")).to_contain_text("in 30 days")
    answers = []
    page.route("**/rules/backtest", lambda route: answers.append(route))  # noqa: PLW0108 (a method of list takes no mark of Playwright)
    page.get_by_role("button", name="90 days").click()
    page.get_by_role("button", name="7 days").click()
    wait_until(lambda: page.evaluate("1") and len(answers) == 2)  # each call lets Playwright take what has come
    for route in reversed(answers):
        late = route is answers[0]
        body = route.fetch().json() | {"total": 900 if late else 7, "held": 0}
        route.fulfill(json=body)
    expect(page.locator("[data-backtest]")).to_contain_text("7 alerts in 7 days")
    page.wait_for_timeout(300)
    expect(page.locator("[data-backtest]")).to_contain_text("7 alerts in 7 days")


def test_a_fault_in_a_rule_is_named_and_it_cannot_be_saved(opened, console):
    page = ready(opened(console, "/alerts/rules/leaders-meet", allowed=("400",)))
    expect(page.locator("[data-backtest]")).to_be_visible()
    page.locator("textarea").fill('[[rule]]\nnonsense = "x"\n')
    page.get_by_role("button", name="Test on the past").click()
    expect(page.get_by_role("alert")).to_contain_text('there is no key "nonsense"')
    expect(page.get_by_role("button", name="Save changes")).to_be_disabled()


def test_an_alert_is_judged_and_its_story_muted(opened, console):
    page = ready(opened(console, "/alerts"))
    first = page.locator(".alert").first
    first.get_by_role("button", name="False alarm").press("Enter")
    expect(first.get_by_role("button", name="False alarm")).to_be_focused()
    expect(first.get_by_role("button", name="False alarm")).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="Mute story").click()
    page.get_by_label("a day").check()
    page.get_by_role("dialog").get_by_role("button", name="Mute").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(first.get_by_role("button", name="Mute story")).to_be_focused()
    assert console.posted == [
        ("POST", "alerts/alert-large-aid-package/false", {"note": ""}),
        ("POST", "mutes", {"name": "story-4", "for": "24h", "note": ""}),
    ]
    page.get_by_role("link", name="Mutes").click()
    page.get_by_role("button", name="End").click()
    expect(page.get_by_text("The mute has ended.")).to_be_visible()


def test_a_pair_is_chosen_in_the_matrix_and_leads_to_its_events(opened, console):
    page = ready(opened(console, "/relations"))
    page.get_by_role("button", name=re.compile("^United States to Ukraine: ")).click()
    expect(page).to_have_url(re.compile("pair=USA%09UKR"))
    expect(page.get_by_label("The chosen pair")).to_contain_text("$425 million")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("button", name=re.compile(r"^United States to Ukraine: [+-]?\d+$"))).to_be_visible()
    page.get_by_role("link", name=re.compile("^See the")).click()
    expect(page).to_have_url(re.compile(r"/search\?since=30d&actor=USA&recipient=UKR"))


# --- sources ---------------------------------------------------------------------------------------------------------


def test_feeds_are_added_refused_removed_and_imported(opened, console):
    page = ready(opened(console, "/sources", allowed=("409",)))
    expect(page.get_by_role("row", name=re.compile("City Inquirer"))).to_contain_text("the server is overloaded")
    page.get_by_label("Address of a feed").fill("https://www.own.example/feed")
    page.get_by_role("button", name="Add feed").click()
    expect(page.get_by_role("row", name=re.compile("www.own.example"))).to_contain_text("not yet read")
    page.get_by_label("Address of a feed").fill("https://www.own.example/feed")
    page.get_by_role("button", name="Add feed").click()
    expect(page.get_by_role("alert")).to_contain_text("is known already")
    page.get_by_role("button", name="Remove added").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("row", name=re.compile("www.own.example"))).to_have_count(0)
    page.get_by_label("Import OPML").set_input_files(
        {"name": "feeds.opml", "mimeType": "text/x-opml", "buffer": b"<opml/>"}
    )
    expect(page.get_by_role("dialog")).to_contain_text("2 feeds added")
    expect(page.get_by_role("dialog")).to_contain_text("only http and https")


def test_the_number_of_failing_feeds_is_beside_the_view(opened, console):
    badge = ready(opened(console)).locator(".nav .badge")
    expect(badge).to_have_text("2 failing")
    console.failing = []
    with (page := opened(console, "/alerts")).expect_response("**/status"):
        page.reload()
    expect(ready(page).locator(".nav .badge")).to_have_count(0)


# --- everywhere ------------------------------------------------------------------------------------------------------


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
    expect(page.get_by_role("button", name="False alarm")).to_have_count(0)
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


def test_what_is_not_there_is_said(opened, console):
    page = opened(console, "/story/none", allowed=("404",))
    expect(page.get_by_role("alert")).to_contain_text("There is no such item among the stories: none.")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_dark_is_remembered(opened, console):
    page = ready(opened(console))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Change between light and dark").click()
    page.reload()
    ready(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_print_has_the_text_and_no_controls(opened, console):
    page = ready(opened(console, "/story/story-4"))
    page.emulate_media(media="print")
    assert not page.locator(".masthead").is_visible()
    expect(page.locator(".printed")).to_contain_text(f"{console.news.now:%Y}")
    expect(page.locator(".printed")).to_contain_text("/story/story-4")
    assert not page.get_by_role("button", name="Mute this story").is_visible()
    assert page.get_by_role("heading", level=1).is_visible()


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

    def paint():
        page.reload()
        return ready(page).evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    painted = min(paint() for _ in range(5))  # of several, as other processes may have the CPU in one of them
    record_property("first_contentful_paint_ms", round(painted))
    assert painted < FIRST_PAINT_MS
