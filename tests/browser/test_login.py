"""Log-in and log-out in Chromium: what a stranger sees, what happens when a log-in ends, and that nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.views import log_in, ready

REFUSED = "401"
SECRET = "a long secret"


@pytest.fixture
def guarded(console):
    """The console with one user, who may read."""
    console.users = {"rita": SECRET}
    console.role = "read"
    return console


def test_a_stranger_is_asked_who_they_are_and_comes_where_they_wanted(opened, guarded, faults_of):
    page = opened(guarded, "/search?kind=summit", allowed=(REFUSED,))
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    expect(page.locator("nav, .card, .find")).to_have_count(0)
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults_of(page, "color-contrast") == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    log_in(page, "rita", "guessed")
    expect(page.get_by_role("alert")).to_have_text("The name or the secret is wrong.")
    log_in(page, "rita", SECRET)
    expect(page.locator(".card").first).to_contain_text("Summit")
    expect(page).to_have_url(re.compile(r"/search\?kind=summit$"))
    assert page.evaluate("document.cookie") == "", "no script can read it"


def test_whoever_logs_out_sees_nothing_any_more(opened, guarded):
    page = opened(guarded, allowed=(REFUSED,))
    log_in(page, "rita", SECRET)
    expect(page.locator(".card").first).to_be_visible()
    page.get_by_role("button", name="Log out rita").click()
    expect(page.get_by_label("Secret")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Secret")).to_be_visible()


def test_a_log_in_that_ends_loses_nothing_of_what_was_typed(opened, guarded, faults_of):
    guarded.role = "operate"
    page = opened(guarded, "/alerts/rules/new?kind=summit", allowed=(REFUSED,))
    log_in(page, "rita", SECRET)
    expect(page.locator("[data-backtest]")).to_contain_text("in 30 days")
    page.locator("textarea").fill('[[rule]]\nname = "typed-by-hand"\n')
    guarded.logins.clear()
    page.get_by_role("button", name="Test on the past").click()
    again = page.get_by_role("dialog", name="Log in again")
    expect(again).to_be_visible()
    assert faults_of(page) == []
    page.keyboard.press("Escape")
    expect(again).to_be_visible()
    log_in(page, "rita", SECRET)
    expect(again).to_be_hidden()
    expect(page.locator("textarea")).to_have_value(re.compile("typed-by-hand"))
    page.get_by_role("button", name="Test on the past").click()
    expect(page.get_by_role("button", name="Save rule")).to_be_enabled()


def test_without_users_nobody_is_asked_and_nobody_can_log_out(opened, console):
    page = ready(opened(console))
    expect(page.get_by_role("button", name=re.compile("Log out"))).to_have_count(0)
