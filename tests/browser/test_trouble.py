"""What the page says in Chromium about a service with which something is wrong."""

from playwright.sync_api import expect

from tests.browser.views import ready


def test_what_is_wrong_is_said_by_what_it_means_and_ends_by_itself(opened, console, faults_of):
    console.waits_for = {
        "indexer": "Elasticsearch at http://127.0.0.1:9: no answer",
        "collector": "reading the state of the feeds",
    }
    page = ready(opened(console))
    wrong = page.locator(".wrong")
    expect(wrong.get_by_role("status")).to_have_text("No new articles come in at the moment. And 1 more.")
    expect(wrong.get_by_text("no answer")).to_be_hidden()
    wrong.locator("summary").press("Enter")
    expect(wrong.get_by_role("listitem")).to_have_count(2)
    expect(wrong).to_contain_text("indexer: Elasticsearch at http://127.0.0.1:9: no answer.")
    expect(wrong).to_contain_text("dateline status")
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults_of(page, "color-contrast") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    console.waits_for = {}
    expect(wrong).to_have_count(0)


def test_processes_on_other_machines_are_no_problem_of_this_one(opened, console):
    console.waits_for = dict.fromkeys(("collector", "worker", "indexer", "notifier"), "")
    page = opened(console, "/alerts")
    with page.expect_response("**/status"):
        page.reload()
    expect(ready(page).locator(".wrong")).to_have_count(0)


def test_a_process_that_is_gone_is_said_to_a_reader_in_a_readers_words(opened, console):
    console.waits_for, console.role = {"worker": ""}, "read"
    page = ready(opened(console))
    page.locator(".wrong summary").click()
    expect(page.locator(".wrong")).to_contain_text("no new stories appear")
    expect(page.locator(".wrong")).to_contain_text("tell whoever runs this Dateline")
