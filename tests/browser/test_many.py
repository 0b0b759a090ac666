"""Ten thousand events in a real Elasticsearch: the page finds, counts, pages, draws and exports them, and stays small."""

import datetime as dt
import re
from pathlib import Path

import pytest
from elasticsearch import helpers
from playwright.sync_api import expect

from pipeline.index import actions, client
from tests.browser.test_page import ready
from tests.console_client import served
from tests.integration.test_console import corner
from tests.make import KYIV, MOSCOW, NOW, RUSSIA, UKRAINE, USA, make_aid, make_event

pytestmark = pytest.mark.integration

EVENTS = 10_000


def events():
    for number in range(EVENTS):
        at = NOW - dt.timedelta(minutes=number)
        if number % 3:
            yield make_aid(id=f"e{number}", first_seen_at=at, published_at=at, evidence=f"Aid of {number} million dollars for Ukraine", places=(KYIV,), actors=(USA,), recipients=(UKRAINE,))  # fmt: skip
        else:
            yield make_event(id=f"e{number}", kind="strike", event_type="ASSAULT", first_seen_at=at, published_at=at, evidence=f"Strike {number} hit a depot", places=(MOSCOW,), actors=(UKRAINE,), recipients=(RUSSIA,))  # fmt: skip


@pytest.fixture(scope="module")
def many(stack, tmp_path_factory):
    settings = corner(stack, tmp_path_factory.mktemp("many"))
    prefix = settings.elasticsearch.index_prefix
    with client.opened(settings) as es:
        found = (actions.action(event, prefix=prefix, now=NOW) for event in events())
        helpers.bulk(es, ({"_index": one.index, "_id": one.id, "_source": one.source} for one in found), refresh=True)
    with served(settings) as web:
        yield web


def test_the_page_pages_through_ten_thousand_events_without_growing(many, opened, record_property):
    page = ready(opened(many, "/search"))
    expect(page.get_by_text("10,000 reports of events")).to_be_visible()
    expect(page.get_by_label("Kind", exact=True).get_by_role("button", name=re.compile("6,666$"))).to_be_visible()
    page.get_by_role("button", name="Show more").focus()
    for shown in range(80, 801, 40):
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{shown} of 10,000 shown")).to_be_visible()
    expect(page.locator(".card")).to_have_count(400)
    expect(page.locator(".card").last).to_have_attribute("data-id", "e799")
    record_property("elements", page.evaluate("document.querySelectorAll('*').length"))
    page.get_by_label("Show as").get_by_role("button", name="Map").click()
    expect(page.get_by_text("10,000 on the map")).to_be_visible()
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV, for a spreadsheet").click()
    assert len(Path(waiting.value.path()).read_text("utf-8-sig").splitlines()) == EVENTS + 1
