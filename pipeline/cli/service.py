"""The service and its processes: run, status, check, replay, bench."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import sys
from collections.abc import Callable
from typing import Annotated, Final

import typer

from pipeline import settings as settings_module
from pipeline.cli.common import Chosen, Json, add_checkout, answer, app, settings
from pipeline.version import VERSION

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 when something is wrong.")]
Group = Annotated[str, typer.Option("--group", help="Which group: worker, indexer, or its full name.", metavar="GROUP")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Read its topics again from their start.")]
Number = Annotated[int, typer.Option("--articles", min=10, help="How many articles go through under load.")]


def process(name: str) -> Callable[[], None]:
    """The command of one process of the service: works until it is told to stop."""

    def command() -> None:
        from pipeline.operate import parent

        parent.follow()
        found = settings(logs=None)
        status = importlib.import_module(f"pipeline.{PROCESSES[name]}").run(found)
        if status:
            raise typer.Exit(status)

    return command


PROCESSES: Final = {"collector": "collect.collector", "worker": "app", "indexer": "index", "notifier": "notify"}
"""Each process and the module that is its loop."""


@app.command()
def run() -> None:
    """The whole service on this machine, until Ctrl-C."""
    from rich.console import Console

    from pipeline import logs
    from pipeline.cli import screen
    from pipeline.operate import check, service

    found = settings_module.load(Chosen.config)
    console = Console(highlight=False)
    shown = screen.Terminal(console) if console.is_terminal else screen.Plain(console)
    shown.say(f"Dateline {VERSION}, configuration in {found.directory}, data in {found.data_dir}")
    check.require(found)
    whole = service.Service(found, shown)
    with whole.log_file().open("a", encoding="utf-8") as stream:
        logs.set_up(found.log, stream=stream)
        try:
            whole.run(ready=lambda: shown.ready(service.endpoints(whole.settings)))
        finally:
            shown.close()


@app.command()
def up() -> None:
    """Start the local Kafka and Elasticsearch alone."""
    from pipeline.cli.screen import bar
    from pipeline.local import stack

    running = stack.up(settings(), progress=functools.partial(bar, sys.stderr))
    owner = "`dateline down` stops them" if running.detached else f"of `dateline run` (process {running.process})"
    print(f"Kafka at {running.bootstrap_servers}, Elasticsearch at {running.elasticsearch_url}; {owner}")


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from pipeline.local import stack

    print("stopped" if stack.down(settings()) else "nothing was running")


for _name, _about in (
    ("collector", "One process: feeds to articles."),
    ("worker", "One process: articles to events, stories and alerts."),
    ("indexer", "One process: everything to Elasticsearch."),
    ("notifier", "One process: alerts to their channels."),
):
    app.command(_name, help=_about)(process(_name))


@app.command()
def topics() -> None:
    """Create the topics that are not there yet."""
    from pipeline import bus

    found = settings()
    made = bus.create_topics(found)
    print(f"created {', '.join(made)}" if made else f"all {len(bus.TOPICS)} topics were there")


@app.command()
def status(
    as_json: Json = False,
    strict: Strict = False,
) -> None:
    """How processes, lag, feeds and the index are.

    Each process, lag per topic and group, failing feeds, health of the index, alerts of the last day.
    """
    from pipeline.cli import show
    from pipeline.operate import status as status_module

    found = status_module.gather(settings(), now=dt.datetime.now(dt.UTC))
    answer(show.status(found), found.table() if as_json else None)
    if strict and found.problems:
        raise typer.Exit(1)


@app.command()
def check() -> None:
    """Say what is wrong in the configuration, and where."""
    from pipeline.cli import show
    from pipeline.operate import check as check_module

    wrong = False
    for line in check_module.check(Chosen.config):
        answer(show.checked(line), wrap=False)
        wrong = wrong or bool(line.problem)
    if wrong:
        raise typer.Exit(2)


@app.command()
def replay(
    group: Group,
    from_beginning: FromBeginning = False,
) -> None:
    """Let a stopped group read its topics again.

    Every step can run twice, so only what was missing or has new code changes.
    """
    from pipeline.operate import replay as replay_module

    if not from_beginning:
        raise typer.BadParameter(
            "say --from-beginning: there is no other place to replay from", param_hint="--from-beginning"
        )
    name, read_again, waiting = replay_module.replay(settings(), group)
    print(f"{name} reads {', '.join(read_again)} from the start when it is started again: {waiting} records")


@app.command()
def bench(
    as_json: Json = False,
    articles: Number = 300,
) -> None:
    """Speed, latency and memory, beside spaCy alone.

    From a news site on this machine to the index, on a Kafka and an Elasticsearch of its own, over invented articles.
    """
    from pipeline.cli import show

    add_checkout("bench")
    from bench import measure

    result = measure.bench(settings(logs="error"), articles=articles, tell=lambda text: print(text, file=sys.stderr))
    answer(show.bench(result), result.table() if as_json else None)
