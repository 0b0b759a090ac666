"""Each question of docs/cookbook.md finds the same on the page's API, by the command and by the query for Elasticsearch."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import bus, cli
from pipeline.index import client, templates
from tests.console_client import served
from tests.integration.test_console import AID, DOCUMENT, EURO, SANCTIONS, STRIKE, corner, put

pytestmark = pytest.mark.integration
DOCS = Path(__file__).parents[2] / "docs"
spec = importlib.util.spec_from_file_location("build_cookbook", DOCS / "build_cookbook.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)
QUESTIONS = {question.title: question for question in build.questions()}


@pytest.fixture(scope="module")
def settings(stack, tmp_path_factory):
    mine = corner(stack, tmp_path_factory.mktemp("cookbook"))
    bus.create_topics(mine)
    put(mine, DOCUMENT, AID, EURO, STRIKE, SANCTIONS)
    return mine


@pytest.fixture(scope="module")
def web(settings):
    with served(settings) as found:
        yield found


@pytest.fixture(scope="module")
def directory(settings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("configs")
    lines = [
        "[elasticsearch]",
        f'url = "{settings.elasticsearch_url}"',
        f'index_prefix = "{settings.elasticsearch.index_prefix}"',
    ]
    (directory / "dateline.toml").write_text("\n".join(lines), "utf-8")
    return directory


def test_the_page_is_what_its_script_writes_and_has_twenty_questions():
    assert build.FILE.read_text("utf-8") == build.text(), "run python docs/build_cookbook.py"
    assert len(QUESTIONS) == 20


@pytest.mark.parametrize("title", QUESTIONS)
def test_page_command_and_query_find_the_same(title, web, settings, directory):
    question = QUESTIONS[title]
    found = {one["id"] for one in web.ask("GET", "/events", params=question.ask)["items"]}
    body = build.dsl(question)
    hits = client.query(settings, "events", size=100, **body)["hits"]["hits"]
    assert {hit["_id"] for hit in hits} == found
    if question.cli:
        words = ["--config", str(directory), "search", *shlex.split(question.cli), "--json"]
        result = CliRunner().invoke(cli.app, words)
        assert result.exit_code == 0, result.output
        assert {hit["id"] for hit in json.loads(result.stdout)["hits"]} == found


def test_some_of_the_questions_find_something_and_none_finds_everything(web):
    totals = [web.ask("GET", "/events", params=question.ask)["total"] for question in QUESTIONS.values()]
    assert sum(total > 0 for total in totals) >= 12
    assert max(totals) < 4


def test_the_fields_of_kibanas_queries_exist():
    def fields(properties, path=""):
        for name, declared in properties.items():
            yield f"{path}{name}"
            yield from fields(declared.get("properties", {}), f"{path}{name}.")
            yield from fields(declared.get("fields", {}), f"{path}{name}.")

    known = set(fields(templates.mapping("events")["properties"]))
    for question in QUESTIONS.values():
        named = set(re.findall(r"([\w.@]+)\s*(?::|>=|<=)", re.sub(r'"[^"]*"', '""', question.kql)))
        assert named <= known, question.title
        assert bool(named) == bool(question.kql)
