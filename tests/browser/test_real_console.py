"""The page on the console and a real Elasticsearch: ten thousand events, and users who log in."""

import datetime as dt
import json
import re
from pathlib import Path

import msgspec
import pytest
from elasticsearch import helpers
from playwright.sync_api import expect

from pipeline.console import users
from pipeline.index import actions, client
from tests.browser.views import log_in, ready
from tests.console_client import served
from tests.integration.test_console import corner
from tests.make import KYIV, MOSCOW, NOW, RUSSIA, UKRAINE, USA, make_aid, make_event
from tests.waiting import wait_until

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
    return settings


@pytest.fixture(scope="module")
def web(many):
    with served(many) as web:
        yield web


@pytest.fixture(scope="module")
def guarded(many, tmp_path_factory):
    """The same console with users: its address, the secret of each, and its audit log."""
    file = tmp_path_factory.mktemp("users") / "users.toml"
    secrets = {role: users.add_user(file, f"{role}.er", role) for role in ("read", "operate")}
    console = msgspec.structs.replace(many.console, users_file=str(file), audit_file=str(file.parent / "audit.jsonl"))
    with served(msgspec.structs.replace(many, console=console)) as web:
        yield web, secrets, file.parent / "audit.jsonl"


def test_the_page_pages_through_ten_thousand_events_without_growing(web, opened, record_property):
    page = ready(opened(web, "/search"))
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


def test_the_page_asks_for_the_secret_and_then_all_of_the_page_works(guarded, opened):
    web, secrets, audit = guarded
    page = opened(web, allowed=("401",))
    log_in(page, "operate.er", secrets["operate"])
    expect(page.get_by_role("button", name="Live")).to_be_visible()  # the stream of what is new has logged in, too
    page.goto("/alerts/rules/new?kind=summit")
    expect(page.locator("[data-backtest]")).to_contain_text("in 30 days")
    wanted = ("operate.er", "/api/v1/rules/backtest", 200)

    def audited():  # a line is written after its answer has been sent
        lines = audit.read_text("utf-8").splitlines() if audit.exists() else ()
        return [(one["user"], one["path"], one["status"]) for one in map(json.loads, lines)]

    wait_until(lambda: wanted in audited())
    reader = opened(web, "/sources", allowed=("401",))
    log_in(reader, "read.er", secrets["read"])
    expect(reader.get_by_role("heading", name="Sources")).to_be_visible()
    expect(reader.get_by_role("button", name="Add feed")).to_have_count(0)


def test_without_a_secret_a_browser_sees_nothing(guarded, opened):
    web, _, _ = guarded
    page = opened(web, allowed=("401",))
    log_in(page, "operate.er", "guessed")
    expect(page.get_by_role("alert")).to_have_text("The name or the secret is wrong.")
    assert page.locator(".card").count() == 0
