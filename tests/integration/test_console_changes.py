"""Exports, marks, rules, feeds and live records of the console on a real stack; who may do what; its description holds."""

import csv
import io
import json
import shutil
import threading
import time
from pathlib import Path

import arro3.io
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline import bus
from pipeline.console import app, users
from pipeline.records import encode
from tests.console_client import served
from tests.integration.test_console import AID, ALERT, DOCUMENT, EURO, OTHER, SANCTIONS, STORY, STRIKE, corner, put
from tests.make import NOW, make_aid
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
CONFIGS = Path(__file__).parents[2] / "configs"
EVIL = make_aid(
    id="evil", evidence='=HYPERLINK("http://x") <script>alert(1)</script>', article_title="@SUM(1)", first_seen_at=NOW
)
RULE = '[[rule]]\nname = "mine"\nabout = "For this"\nkinds = ["aid_package"]\nhappened_within_days = 100\n'


@pytest.fixture(scope="module")
def settings(stack, tmp_path_factory):
    directory = tmp_path_factory.mktemp("desk")
    shutil.copy(CONFIGS / "alerts.toml", directory)
    (directory / "feeds.toml").write_text('[[feed]]\nid = "sample"\nurl = "file:sample/feed.xml"\n', "utf-8")
    mine = msgspec.structs.replace(corner(stack, directory), directory=str(directory))
    bus.create_topics(mine)
    put(mine, DOCUMENT, AID, EURO, STRIKE, SANCTIONS, STORY, OTHER, ALERT, EVIL)
    return mine


@pytest.fixture(scope="module")
def web(settings):
    with served(settings) as found:
        yield found


def rows(web, form, resource="events", **query):
    answer = web.get(f"{web.address}/api/v1/{resource}/export", params={"format": form, **query})
    assert answer.status_code == 200, answer.text
    assert f"dateline-{resource}-" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# --- exports ---------------------------------------------------------------------------------------------------------


def test_csv_has_every_event_and_no_cell_is_a_formula(web):
    found = {row["id"]: row for row in rows(web, "csv")}
    assert set(found) == {"aid", "euro", "strike", "sanctions", "evil"}
    assert found["euro"]["amount_usd"] == "108000000.0"
    assert found["evil"]["evidence"].startswith("'=HYPERLINK")
    assert found["evil"]["title"] == "'@SUM(1)"
    assert found["aid"]["latitude"] == "50.45"


def test_an_export_has_the_filters_of_a_search(web):
    assert {row["id"] for row in rows(web, "csv", actor="Germany")} == {"euro"}
    assert len(rows(web, "csv", resource="articles")) == 1
    assert len(rows(web, "csv", resource="stories", q="China")) == 1
    assert rows(web, "csv", resource="alerts")[0]["rule"] == "large-aid"


def test_jsonl_has_the_items_of_the_list(web):
    lines = web.get(f"{web.address}/api/v1/events/export", params={"format": "jsonl"}).text.splitlines()
    listed = {one["id"]: one for one in web.ask("GET", "/events")["items"]}
    assert {one["id"]: one for one in map(json.loads, lines)} == listed


def test_geojson_is_a_collection_of_features(web):
    found = web.get(f"{web.address}/api/v1/events/export", params={"format": "geojson"}).json()
    by_id = {one["id"]: one for one in found["features"]}
    assert by_id["aid"]["geometry"] == {"type": "Point", "coordinates": [30.52, 50.45]}
    assert by_id["euro"]["geometry"] is None


def test_parquet_has_the_columns_of_csv_with_their_types(web):
    body = web.get(f"{web.address}/api/v1/events/export", params={"format": "parquet"}).content
    table = arro3.io.read_parquet(io.BytesIO(body)).read_all()
    assert table.num_rows == 5
    assert table.column_names == list(rows(web, "csv")[0])
    assert {str(table.schema.field(name).type) for name in ("reported_at", "amount_usd", "dead", "id")} == {
        str(table.schema.field(n).type) for n in ("published_at", "confidence", "injured", "kind")
    }
    assert dict(zip(table["id"].to_pylist(), table["dead"].to_pylist(), strict=True))["strike"] == 12


def test_files_are_compressed_on_their_way_unless_they_are_already(web):
    gzip = {"Accept-Encoding": "gzip"}
    answers = {
        form: web.get(f"{web.address}/api/v1/events/export", params={"format": form}, headers=gzip).headers
        for form in ("csv", "parquet")
    }
    assert answers["csv"]["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in answers["parquet"]


def test_other_codings_have_their_columns(web):
    plover = {row["event_id"]: row for row in rows(web, "plover")}
    assert (plover["aid"]["event_type"], plover["aid"]["quad_code"]) == ("AID", "M-COOP")
    cameo = {row["event_id"]: row for row in rows(web, "cameo")}
    assert (cameo["strike"]["source_code"], cameo["strike"]["target_code"]) == ("RUSGOV", "UKRGOV")
    acled = {row["event_id"]: row for row in rows(web, "acled")}
    assert set(acled) == {"strike"}, "of these events one is of a kind that ACLED records"


def test_a_format_that_makes_no_sense_is_refused(web):
    assert "format" in web.ask("GET", "/stories/export", 400, params={"format": "cameo"})["error"]["message"]
    web.ask("GET", "/alerts/export", 400, params={"format": "geojson"})
    web.ask("GET", "/events/export", 400, params={"format": "xls"})


# --- marks, rules, feeds ---------------------------------------------------------------------------------------------


def test_an_alert_is_marked_and_a_rule_muted(web):
    assert web.ask("POST", "/alerts/alert/ack", json={"note": "good"}) == {"mark": "ack"}
    assert web.ask("POST", "/alerts/alert/false", json={}) == {"mark": "false"}
    web.ask("POST", "/alerts/none/ack", 404, json={})
    web.ask("POST", "/mutes", 201, json={"name": "leaders-meet", "for": "2h"})
    assert [one["name"] for one in web.ask("GET", "/mutes")["mutes"]] == ["leaders-meet"]
    web.ask("DELETE", "/mutes/leaders-meet", 204)
    assert web.ask("GET", "/mutes")["mutes"] == []
    web.ask("POST", "/mutes", 404, json={"name": "nothing"})
    web.ask("POST", "/mutes", 400, json={"name": "leaders-meet", "for": "soon"})


def test_a_saved_search_becomes_a_rule_after_its_test(web, settings):
    draft = web.ask(
        "GET", "/rules/draft",
        params={"name": "big-aid", "about": "Aid", "kind": "aid_package", "money_at_least": 4e8, "actor": "USA", "domain": "x"},
    )  # fmt: skip
    assert draft["not_taken"] == ["domain: a rule cannot ask this"]
    toml = draft["toml"] + "happened_within_days = 3650\ntold_within_hours = 100000\n"
    tested = web.ask("POST", "/rules/backtest", json={"toml": toml, "since": "2024-01-01"})
    assert tested["total"] == 1
    assert "aid" in tested["alerts"][0]["headline"].lower()
    assert web.ask("POST", "/rules", 201, json={"toml": toml}) == {"name": "big-aid"}
    assert "big-aid" in [one["name"] for one in web.ask("GET", "/rules")["rules"]]
    web.ask("POST", "/rules", 409, json={"toml": toml})
    web.ask("PUT", "/rules/big-aid", json={"toml": toml.replace('"Aid"', '"More aid"')})
    assert "More aid" in settings.path("alerts.toml").read_text("utf-8")
    web.ask("DELETE", "/rules/big-aid", 204)
    web.ask("DELETE", "/rules/big-aid", 404)


def test_a_wrong_rule_is_refused_with_its_place(web):
    answer = web.ask("POST", "/rules/backtest", 400, json={"toml": RULE.replace("aid_package", "aid_pakage")})
    assert "did you mean 'aid_package'" in answer["error"]["message"]


def test_feeds_are_added_imported_and_removed(web, settings):
    assert web.ask("POST", "/feeds", 201, json={"url": "https://paper.example/rss", "title": "<b>Paper</b>"}) == {
        "id": "b-paper-b"
    }
    web.ask("POST", "/feeds", 409, json={"url": "https://paper.example/rss"})
    web.ask("POST", "/feeds", 400, json={"url": "file:/etc/passwd"})
    body = '<opml><body><outline xmlUrl="https://two.example/rss" text="Two"/><outline xmlUrl="ftp://x" text="X"/></body></opml>'
    found = web.ask("POST", "/feeds/import", data=body, headers={"Content-Type": "application/xml"})
    assert (found["added"], len(found["left_out"])) == (["two"], 1)
    assert [one["id"] for one in web.ask("GET", "/feeds")["feeds"]] == ["sample", "b-paper-b", "two"]
    web.ask("POST", "/feeds/import", 400, data="<html/>")
    for name in ("b-paper-b", "two"):
        web.ask("DELETE", f"/feeds/{name}", 204)
    web.ask("DELETE", "/feeds/two", 404)
    assert [one["id"] for one in web.ask("GET", "/feeds")["feeds"]] == ["sample"]


def test_new_records_arrive_as_server_sent_events(web, settings):
    found = []

    def listen():
        with web.get(
            f"{web.address}/api/v1/live", params={"resource": ["events", "stories"]}, stream=True, timeout=20
        ) as answer:
            name = ""
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                name = line.removeprefix("event: ") if line.startswith("event: ") else name
                if line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    deadline = time.monotonic() + 15
    publisher = bus.Publisher(settings)
    while not found and time.monotonic() < deadline:
        publisher.send(bus.STORIES, b"story", encode(STORY))
        publisher.flush()
        time.sleep(0.3)
    publisher.close()
    thread.join(10)
    [(name, story)] = found
    assert (name, story["id"], story["headline"]) == ("story", "story", STORY.headline)
    assert story["kind_name"] == "aid package"


# --- access ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(settings):
    """The address of a console with users, and the secrets of one who reads and one who operates."""
    reader, first = users.new_user("rita", "read")
    operator, second = users.new_user("otto", "operate")
    settings.path("users.toml").write_text(f"{first}\n{second}", "utf-8")
    console = msgspec.structs.replace(settings.console, users_file="users.toml")
    with served(msgspec.structs.replace(settings, console=console)) as found:
        yield found, reader, operator


def test_without_a_secret_nothing_is_answered(guarded):
    web, _, _ = guarded
    answer = web.get(f"{web.address}/api/v1/events")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert web.get(f"{web.address}/").status_code == 200, "the page itself, which asks who it is"
    assert web.get(f"{web.address}/healthz").status_code == 200


def test_a_reader_reads_and_an_operator_operates(guarded, settings):
    web, reader, operator = guarded
    assert web.ask("GET", "/me", auth=("rita", reader))["role"] == "read"
    assert web.ask("GET", "/me", headers={"Authorization": f"Bearer {operator}"})["name"] == "otto"
    web.ask("GET", "/me", 401, auth=("otto", reader))
    web.ask("POST", "/alerts/alert/ack", 403, json={}, auth=("rita", reader))
    web.ask("POST", "/alerts/alert/ack", json={}, auth=("otto", operator))
    wanted = [("rita", "/api/v1/alerts/alert/ack", 403), ("otto", "/api/v1/alerts/alert/ack", 200)]

    def audited():
        return [json.loads(line) for line in app._audit_file(settings).read_text("utf-8").splitlines()]

    # a line is written after its answer has been sent
    wait_until(lambda: [(one["user"], one["path"], one["status"]) for one in audited()[-2:]] == wanted)
    lines = audited()
    assert operator not in json.dumps(lines)


def test_wrong_secrets_are_slowed_down_and_in_the_audit_log(settings, guarded, tmp_path):
    file = tmp_path / "audit.jsonl"
    console = msgspec.structs.replace(settings.console, users_file="users.toml", audit_file=str(file))
    with served(msgspec.structs.replace(settings, console=console)) as web:
        statuses = [web.get(f"{web.address}/api/v1/me", auth=("otto", "wrong")).status_code for _ in range(15)]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        wait_until(lambda: len(file.read_text("utf-8").splitlines()) == statuses.count(401))
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {(one["user"], one["path"], one["status"]) for one in lines} == {("", "/api/v1/me", 401)}


def test_too_many_requests_are_told_when_to_come_again(settings):
    console = msgspec.structs.replace(settings.console, requests_per_minute=5)
    with served(msgspec.structs.replace(settings, console=console)) as web:
        answers = [web.get(f"{web.address}/api/v1/me") for _ in range(8)]
        assert [one.status_code for one in answers].count(200) == 5
        assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Dateline": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
def test_another_site_cannot_change_anything(web, headers):
    web.ask("POST", "/mutes", 403, json={"name": "leaders-meet"}, headers=headers)


def test_another_host_name_gets_nothing_at_all(web):
    assert web.get(f"{web.address}/api/v1/events", headers={"Host": "evil.example"}).status_code == 403


def test_every_answer_has_the_strict_headers(web):
    for path in ("/api/v1/me", "/api/v1/none", "/healthz", "/static/none.js"):
        headers = web.get(f"{web.address}{path}").headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


# --- the description -------------------------------------------------------------------------------------------------

schema = schemathesis.openapi.from_dict(json.loads(app.description()))


@schema.include(method="GET").exclude(path_regex="/live$").parametrize()
@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_the_description_says(case, web):
    answer = case.call(base_url=web.address, timeout=120)  # its own ten seconds are not enough on a busy machine
    case.validate_response(
        answer,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
