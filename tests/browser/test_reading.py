"""What a reader sees at first sight: what leads the day, how much there is, where the proof is, and nothing that is not so."""

import pytest
from playwright.sync_api import expect

from tests.browser.views import ready


def test_the_most_reported_stories_lead_the_day(opened, console):
    page = ready(opened(console))
    leading = page.get_by_label("Most reported").locator("ol > li")
    expect(leading).to_have_count(3)
    expect(leading.nth(0)).to_contain_text("6 sources")
    expect(leading.nth(1)).to_contain_text("Armenia and Azerbaijan")
    extremes = page.get_by_label("Largest of the span")
    expect(extremes).to_contain_text("Largest sum: $425 million, United States announces")
    expect(extremes).to_contain_text("Most dead: 14, Drone strike")
    leading.nth(1).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Armenia and Azerbaijan")
    page.goto("/?sort=sources")
    expect(ready(page).get_by_label("Most reported")).to_have_count(0)


def test_a_story_leads_to_its_proof_at_once(opened, console):
    page = ready(opened(console, "/story/story-4"))
    proof = page.locator(".proof")
    expect(proof).to_contain_text("Harbour Wire")
    proof.get_by_role("link", name="See it in the article").click()
    expect(page.locator(".text .said-so.evidence").first).to_be_visible()


@pytest.mark.parametrize(("mood", "said"), [("", "21 reports of events"), ("empty", "No events yet")])
def test_a_search_says_first_how_much_it_found(opened, console, mood, said):
    console.mood = mood
    page = ready(opened(console, "/search"))
    expect(page.get_by_text(said, exact=True).first).to_be_visible()


def test_what_is_not_known_is_not_said_to_be_nothing(opened, console):
    console.mood = "down"
    page = opened(console, allowed=("503", "text/event-stream", "MIME"))
    expect(page.get_by_text("Elasticsearch does not answer.").first).to_be_visible()
    expect(page.get_by_text("None in this span")).to_have_count(0)
    expect(page.get_by_text("Loading…")).to_have_count(0)
    console.mood = "empty"
    expect(page.get_by_text("None in this span")).to_be_visible()


def test_an_alert_says_in_words_why_it_was_raised_and_why_it_was_not_sent(opened, console):
    console.news.alerts[0]["occasion"] = "spike:10"
    page = ready(opened(console, "/alerts"))
    expect(page.locator(".alert").nth(0)).to_contain_text("10 publishers report it")
    expect(page.locator(".alert").nth(1)).to_contain_text("new story")
    expect(page.locator(".alert").nth(2)).to_contain_text("too many at once: not sent")
