"""Articles without a Kafka: trace, explain, and JSON lines in and out."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import File, Json, Jsonl, Published, Url, answer, app, only_jsonl, settings, write

if TYPE_CHECKING:
    from pipeline.records import Article

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

Out = Annotated[Path | None, typer.Option("--out", help="Write the stories here, as JSON lines.", metavar="FILE")]


def read_article(file: Path, published: str | None, url: str | None) -> Article:
    """A file in, the Article that the collector would have made of it out."""
    from pipeline.operate import offline

    return offline.article(file.read_bytes(), name=file, published=published, url=url, now=dt.datetime.now(dt.UTC))


@app.command()
def trace(file: File, published: Published = None, url: Url = None, as_json: Json = False) -> None:
    """One article through the whole path, with evidence.

    Text or HTML in, each record that it leads to out. No Kafka needed.
    """
    from pipeline.cli import show
    from pipeline.operate import offline

    found = settings()
    traced = offline.trace(found, read_article(file, published, url))
    answer(show.trace(traced), offline.trace_table(traced) if as_json else None)


@app.command()
def explain(file: File, published: Published = None, url: Url = None) -> None:
    """One article, sentence by sentence: which rule saw what.

    Below each sentence the events found in it, with the rule, trigger, frame and modality of each, its confidence in parts, and
    the names and arcs that they rest on.
    """
    from pipeline.cli import show_detection
    from pipeline.operate import offline

    answer(show_detection.explanation(offline.explain(settings(), read_article(file, published, url))))


@app.command()
def detect(jsonl: Jsonl = False) -> None:
    """Articles in, their events out, as JSON lines.

    {"id", "text", "published"?, "url"?, "title"?} in; {"id", "events"}, or {"id", "error"}, out.
    """
    only_jsonl(jsonl)
    from pipeline import detect as detect_module

    text = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
    write(line.encode() for line in detect_module.detect_jsonl(text, detect_module.load_models(settings())))


@app.command()
def extract(jsonl: Jsonl = False) -> None:
    """Pages in, their text and facts out, as JSON lines.

    {"id", "url", "html"} in; {"id", "title", "text", "published", "authors", "language"} out.
    """
    only_jsonl(jsonl)
    from pipeline.page import extract as extract_module

    settings()
    write(extract_module.extract_jsonl(sys.stdin.buffer))


@app.command()
def stories(
    jsonl: Jsonl = False,
    out: Out = None,
) -> None:
    """Articles in date order in, their stories out, as JSON lines.

    Lines as for detect in; {"id", "stories": [ids]} out, the story that the article is about first.
    """
    only_jsonl(jsonl)
    from pipeline.operate import offline

    run_ = offline.StoryRun(settings())
    write(run_.lines(sys.stdin.buffer))
    if out is not None:
        out.write_bytes(b"".join(line + b"\n" for line in run_.stories()))
