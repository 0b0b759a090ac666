"""The path at one's desk, with the real model: what the README shows, stories over lines, a rehearsal of the rules."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
LINES = (
    {"id": "a", "published": "2024-05-14T09:00:00Z", "text": "France expelled two Russian diplomats on Tuesday, the foreign ministry in Paris said."},
    {"id": "b", "published": "2024-05-14T10:00:00Z", "text": "It rained in the valley on Tuesday, and nobody minded."},
    {"id": "c", "published": "2024-05-14T11:00:00Z", "text": "Two Russian diplomats were expelled by France on Tuesday."},
    {"id": "d", "published": "2024-05-14T12:00:00Z", "text": "Norway expelled a Russian diplomat on Tuesday, officials in Oslo said."},
)  # fmt: skip


def dateline(*arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *map(str, arguments)],
        input=stdin, capture_output=True, check=True, cwd=ROOT, text=True, env={**os.environ, "COLUMNS": "100"},
    ).stdout  # fmt: skip


def plain(line):
    """Without what a better detector may change: how sure it is."""
    return re.sub(r"\d+%", "N%", line.rstrip())


def test_the_trace_in_the_readme_is_what_the_command_prints():
    block = re.search(r"```text\n\$ dateline (trace .*)\n([\s\S]*?)```", (ROOT / "README.md").read_text("utf-8"))
    lines = [plain(line) for line in dateline(*block[1].split()).splitlines()]
    shown = [plain(line) for line in block[2].splitlines() if line.strip() != "..."]
    assert shown
    assert [line for line in shown if line not in lines] == []


def test_trace_as_json_has_every_record_and_exact_evidence():
    table = json.loads(dateline("trace", "configs/sample/articles/11-us-aid-ukraine.html", "--json"))
    assert table.keys() == {"article", "document", "events", "stories", "alerts"}
    assert table["events"]
    for event in table["events"]:
        assert table["document"][event["section"]][event["start"] : event["end"]] == event["evidence"]
    assert {report["event_id"] for story in table["stories"] for report in story["reports"]} <= {
        event["id"] for event in table["events"]
    }


def test_explain_shows_each_sentence_and_what_was_seen_in_it():
    text = dateline("explain", "configs/sample/articles/11-us-aid-ukraine.html")
    assert "Analysts noted that the list has no aircraft on it." in text
    assert "aid_package (military) asserted" in text
    assert "shares" in text


def test_reports_of_one_happening_share_a_story_and_bad_lines_are_told(tmp_path):
    lines = [json.dumps(line) for line in LINES]
    out = tmp_path / "stories.jsonl"
    given = "\n".join([*lines[:2], "{", '{"id": "x", "text": "y", "published": "soon"}', "", *lines[2:]])
    answers = [json.loads(line) for line in dateline("stories", "--jsonl", "--out", out, stdin=given).splitlines()]
    assert [answer["id"] for answer in answers] == ["a", "b", None, "x", "c", "d"]
    first, rain, broken, undated, second, other = answers
    assert first["stories"] == second["stories"] != []
    assert len(rain["stories"]) == 1  # no event in it, and a story all the same
    assert "error" in broken
    assert "soon" in undated["error"]
    assert not set(other["stories"]) & set(first["stories"])
    stories = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert {story["id"] for story in stories} == {*first["stories"], *rain["stories"], *other["stories"]}
    [story] = [story for story in stories if story["id"] == first["stories"][0]]
    assert story["article_ids"] == ["a", "c"]


def test_a_rehearsal_over_a_file_rings_once_for_each_story(tmp_path):
    file = tmp_path / "articles.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in (*LINES, *LINES)), "utf-8")
    found = json.loads(dateline("alerts", "test", "--jsonl", file, "--rule", "diplomats-expelled", "--json"))
    assert found["total"] == len({alert["story_id"] for alert in found["alerts"]}) == 2
    assert {alert["rule"] for alert in found["alerts"]} == {"diplomats-expelled"}
    none = json.loads(dateline("alerts", "test", "--jsonl", file, "--since", "2024-06-01", "--json"))
    assert (none["total"], none["alerts"], none["held"]) == (0, [], [])
    told = dateline("alerts", "test", "--jsonl", file, "--explain", found["alerts"][0]["story_id"][:10])
    assert re.search(r"diplomats-expelled +new at 2024-05-14 09:00: rang", told)
    assert re.search(r"new-sanctions +silent: kinds, text did not hold", told)
