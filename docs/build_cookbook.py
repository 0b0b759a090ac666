"""docs/cookbook.toml in, docs/cookbook.md out: `python docs/build_cookbook.py`. A test compares them and runs each answer."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from pipeline.index import filters
from pipeline.index.filters import Filters

HERE: Final = Path(__file__).parent
FILE: Final = HERE / "cookbook.md"
NOW: Final = dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
HEAD: Final = """# Twenty questions

Each question four times: as an address on the page (with `/api/v1/events` in place of `/search` it gives JSON), as a
command, in Kibana's language (*Discover*, over the data view of `news-events`), and as a query for Elasticsearch
(`GET /news-events/_search`). A question that has no line for a command or for Kibana cannot be asked there. Written by
docs/build_cookbook.py from cookbook.toml.

Sums and charts: add `--group-by country` (or kind, day, actor ...) to a command, or open the facets and the table of the page.
"""


class Question(NamedTuple):
    """A question, and how it is asked."""

    title: str
    ask: dict[str, Any]
    cli: str = ""
    kql: str = ""


def questions() -> list[Question]:
    """Return the questions of the file."""
    table = tomllib.loads((HERE / "cookbook.toml").read_text("utf-8"))
    return [Question(**one) for one in table["question"]]


def asked(question: Question) -> Filters:
    """Return the filters of a question."""
    return msgspec.convert(question.ask, Filters)


def dsl(question: Question) -> dict[str, Any]:
    """Return the body of a search of Elasticsearch. Times that count from now are written as Elasticsearch writes them."""
    found = json.dumps({"query": filters.query("events", asked(question), now=NOW)})
    for name in ("since", "until"):
        if ago := re.fullmatch(r"(\d+)([mhdw])", str(question.ask.get(name, ""))):
            at = filters.parse_since(ago[0], now=NOW).isoformat()
            found = found.replace(at, f"now-{ago[0]}")
    body: dict[str, Any] = json.loads(found)
    for clause in body["query"]["bool"].get("should", ()):
        if "distance_feature" in clause:
            clause["distance_feature"]["origin"] = "now"
    return body


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for number, question in enumerate(questions(), 1):
        parts.append(f"\n## {number}. {question.title}\n\n")
        parts.append(f"- Page: `/search?{urlencode(question.ask, doseq=True)}`\n")
        if question.cli:
            parts.append(f"- Command: `dateline search {question.cli}`\n")
        if question.kql:
            parts.append(f"- Kibana: `{question.kql}`\n")
        parts.append(f"\n```json\n{json.dumps(dsl(question), ensure_ascii=False)}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
