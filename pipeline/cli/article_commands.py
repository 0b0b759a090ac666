"""Commands for articles without Kafka: trace, explain, and those that read and write JSON lines."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import (
    File,
    Json,
    Jsonl,
    Published,
    Url,
    app,
    print_result,
    require_jsonl,
    settings,
    write_lines,
)

if TYPE_CHECKING:
    from pipeline.records import Article

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Out = Annotated[
    Path | None, typer.Option("--out", help="Write the stories to this file, as JSON lines.", metavar="FILE")
]


def read_article(file: Path, published: str | None, url: str | None) -> Article:
    """Return the Article that the collector would make of `file`."""
    from pipeline.operate import offline

    return offline.article(file.read_bytes(), name=file, published=published, url=url, now=dt.datetime.now(dt.UTC))


@app.command()
def trace(file: File, published: Published = None, url: Url = None, as_json: Json = False) -> None:
    """Run one article through the whole path, with evidence.

    Reads text or HTML and shows each record that is made from it. Needs no Kafka.
    """
    from pipeline.cli import show
    from pipeline.operate import offline

    found = settings()
    traced = offline.trace(found, read_article(file, published, url))
    print_result(show.trace(traced), offline.trace_table(traced) if as_json else None)


@app.command()
def explain(file: File, published: Published = None, url: Url = None) -> None:
    """Show sentence by sentence what the reader found.

    Below each sentence stand its events, before they are merged and with those that are not sure enough: trigger, modality,
    confidence, the shares that the reader gives, the words of each role and whom they mean; then the names of the sentence.
    """
    from pipeline.cli import show_detection
    from pipeline.operate import offline

    print_result(show_detection.explanation(offline.explain(settings(), read_article(file, published, url))))


@app.command()
def detect(jsonl: Jsonl = False) -> None:
    """Read articles, write their events (JSON lines).

    Reads {"id", "text", "published"?, "url"?, "title"?}; writes {"id", "events"} or {"id", "error"}.
    """
    require_jsonl(jsonl)
    from pipeline import detect as detect_module

    text = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
    write_lines(line.encode() for line in detect_module.detect_jsonl(text, detect_module.load_models(settings())))


@app.command()
def extract(jsonl: Jsonl = False) -> None:
    """Read pages, write their text and facts (JSON lines).

    Reads {"id", "url", "html"}; writes {"id", "title", "text", "published", "authors", "language"}.
    """
    require_jsonl(jsonl)
    from pipeline.page import extract as extract_module

    settings()
    write_lines(extract_module.extract_jsonl(sys.stdin.buffer))


@app.command()
def stories(
    jsonl: Jsonl = False,
    out: Out = None,
) -> None:
    """Read articles in date order, write their stories (JSON lines).

    Reads lines as `detect` does; writes {"id", "stories": [ids]}, with the story that the article is mainly about first.
    """
    require_jsonl(jsonl)
    from pipeline.operate import offline

    stories_run = offline.StoryRun(settings())
    write_lines(stories_run.lines(sys.stdin.buffer))
    if out is not None:
        out.write_bytes(b"".join(line + b"\n" for line in stories_run.stories()))
