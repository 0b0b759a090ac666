"""The views of the page by name, and when one of them is ready to be looked at."""

from playwright.sync_api import expect

VIEWS = {
    "today": "/", "story": "/story/story-4", "event": "/event/story-4-event-0", "search": "/search", "table": "/search?show=table&q=the", "map": "/search?show=map", "articles": "/search?of=articles",
    "relations": "/relations", "alerts": "/alerts", "mutes": "/alerts/mutes", "rules": "/alerts/rules", "rule": "/alerts/rules/new?kind=aid_package", "sources": "/sources",
}  # fmt: skip


def ready(page):
    """Wait until what the page asked for has come; the stream of what is new never ends, so the network is never idle."""
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator(".bones")).to_have_count(0)
    if page.locator(".map svg").count():
        expect(page.locator(".map .land").first).to_be_attached()
    return page


def log_in(page, name, secret):
    """Fill in the form of a page that asks who it is."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Secret").fill(secret)
    page.keyboard.press("Enter")


def first_paint(page, ready):
    """Milliseconds to the first paint: the least of five loads, as other processes may have the CPU in one of them."""

    def paint():
        page.reload()
        return ready(page).evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    return min(paint() for _ in range(5))
