"""Chromium without a window, and a page that notices every error, every foreign host and every script of a feed that ran."""

import os
import shutil
import urllib.parse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.browser.fake_api import FakeConsole

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
expect.set_options(timeout=30_000)  # ms; a machine that is busy


@pytest.fixture(scope="module")
def browser():
    """One browser for a file. While it is open its thread has a running event loop, in which no other test could run."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium; .ci/run installs Debian's chromium-headless-shell")
        pytest.skip("no Chromium on the path (Debian: apt install chromium-headless-shell)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def console():
    with FakeConsole() as console:
        yield console


class Watch:
    """What a page did that it may not do."""

    def __init__(self, page, allowed=()):
        self.faults = []
        self.allowed = allowed
        page.on("console", lambda message: self.note(message.type == "error", message.text))
        page.on("pageerror", lambda error: self.note(True, str(error)))
        page.on(
            "request",
            lambda request: self.note(
                urllib.parse.urlsplit(request.url).hostname not in {"127.0.0.1", None}, f"request to {request.url}"
            ),
        )
        page.on("dialog", lambda dialog: self.note(True, f"a dialog: {dialog.message}"))

    def note(self, wrong, text):
        if wrong and not any(one in text for one in self.allowed):
            self.faults.append(text)


@pytest.fixture
def opened(browser):
    """Opens pages: `opened(console, "/path", phone=..., dark=...)`. At the end none may have met an error or asked a foreign host."""
    contexts, watches = [], []

    def open_page(console, path="/", *, phone=False, dark=False, allowed=()):
        size = {"width": 390, "height": 844} if phone else {"width": 1360, "height": 900}
        context = browser.new_context(
            viewport=size,
            color_scheme="dark" if dark else "light",
            base_url=console.address,
            locale="en-GB",
            timezone_id="UTC",
            accept_downloads=True,
        )
        page = context.new_page()
        contexts.append(context)
        watches.append((page, Watch(page, allowed)))
        page.goto(path)
        return page

    yield open_page
    hits = [page.evaluate("window.hit ?? null") for page, _ in watches]
    for context in contexts:
        context.close()
    assert not [hit for hit in hits if hit], "a feed's script ran"
    assert not [fault for _, watch in watches for fault in watch.faults]


@pytest.fixture
def faults_of():
    """A page in, what axe finds wrong in it out: rule and the first place of each. `rule`: only this one."""

    def found(page, rule=None):
        only = {"type": "rule", "values": [rule]} if rule else {"type": "tag", "values": TAGS}
        result = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"], "preload": False}).response
        return [
            f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:200]}"
            for one in result["violations"]
        ]

    return found
