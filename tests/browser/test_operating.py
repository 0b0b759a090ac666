"""Rules, alerts and sources in Chromium: what an operator changes, and what is tested first."""

import re

from playwright.sync_api import expect

from tests.browser.views import ready
from tests.waiting import wait_until


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
    expect(text).to_have_value(re.compile('name = "own-rule"'))
    assert [path for _, path, _ in console.posted if path == "rules"] == ["rules"]


def test_what_was_typed_by_hand_stays_when_a_condition_changes(opened, console):
    page = ready(opened(console, "/alerts/rules/new?kind=summit"))
    text = page.locator("textarea")
    expect(text).to_have_value(re.compile('kinds = \\["summit"\\]'))
    text.fill(text.input_value() + "throttle_hours = 6\n")
    page.get_by_label(re.compile("^Kind")).select_option("sanctions")
    expect(page.get_by_text("You have changed the rule by hand")).to_be_visible()
    expect(text).to_have_value(re.compile("throttle_hours = 6"))
    page.get_by_role("button", name="Write it anew from the conditions").click()
    expect(text).to_have_value(re.compile('kinds = \\["summit", "sanctions"\\]'))
    expect(text).not_to_have_value(re.compile("throttle_hours"))
    page.get_by_label(re.compile("^Kind")).select_option("threat")
    expect(text).to_have_value(re.compile("threat"))


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
