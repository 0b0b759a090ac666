"""The `dateline` command; the only file that prints. What a command does stands in the module that it imports.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 done and something is wrong, 2 it
cannot be done (with one line that says why).
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from pipeline import settings as settings_module
from pipeline.settings import Settings
from pipeline.version import VERSION

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.records import Article

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

app = typer.Typer(
    name="dateline",
    help="News in; events, stories and alerts out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
alerts_app = typer.Typer(help="Rules and alerts.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Records that could not be processed.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts", rich_help_panel=None)
app.add_typer(quarantine_app, name="quarantine")

_config: Path | None = None

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a page for people.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="JSON lines in, JSON lines out: the one format there is.")]
Since = Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, 2w, or a date.", metavar="WHEN")]
Published = Annotated[str | None, typer.Option("--published", help="When it was published (ISO 8601).", metavar="ISO")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 when something is wrong.")]
Group = Annotated[str, typer.Option("--group", help="Which group: worker, indexer, or its full name.", metavar="GROUP")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Read its topics again from their start.")]
Number = Annotated[int, typer.Option("--articles", min=10, help="How many articles go through under load.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the stories here, as JSON lines.", metavar="FILE")]
Words = Annotated[str, typer.Argument(metavar="TEXT")]
Kind = Annotated[str | None, typer.Option("--kind", help="Events of this kind only.", metavar="KIND")]
Limit = Annotated[int, typer.Option("--limit", help="How many to show.", metavar="N")]
ArticleFile = Annotated[
    Path | None,
    typer.Option("--jsonl", help="Articles as for detect, instead of the stories in Kafka.", metavar="FILE"),
]
RuleName = Annotated[str | None, typer.Option("--rule", help="This rule only.", metavar="NAME")]
Stage = Annotated[str | None, typer.Option("--stage", help="This stage only.", metavar="STAGE")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...")]
SomeIds = Annotated[list[str] | None, typer.Argument(metavar="[ID...]")]
Everything = Annotated[bool, typer.Option("--all", help="All that is in quarantine.")]
Url = Annotated[str | None, typer.Option("--url", help="Where it was published.", metavar="URL")]


Config = Annotated[
    Path | None,
    typer.Option(
        "--config", exists=True, file_okay=False, metavar="DIR",
        help="The directory of dateline.toml (default: $DATELINE_CONFIG, else configs).",
    ),
]  # fmt: skip


@app.callback()
def root(config: Config = None) -> None:
    """News in; events, stories and alerts out."""
    global _config  # noqa: PLW0603 - typer hands a group's options to no command
    _config = config


def main() -> NoReturn:
    """The entry point: runs the command, and tells a user's mistake in one line."""
    try:
        app()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _is_told(error) or os.environ.get("DATELINE_LOG_LEVEL", "").lower() == "debug":
            raise
        sys.stderr.write(f"dateline: {error}\n")
        sys.exit(2)


def _is_told(error: BaseException) -> bool:
    """Errors that are made here are written for people, and so are the system's; anything else is a fault of ours."""
    return type(error).__module__.split(".")[0] == "pipeline" or isinstance(error, OSError)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _settings(*, logs: str | None = "warning") -> Settings:
    """The settings, with log lines from `logs` on to standard error."""
    from pipeline import logs as logs_module

    found = settings_module.load(_config)
    logs_module.set_up(found.log, least=logs)
    return found


def _answer(page: RenderableType, table: object = None, *, wrap: bool = True) -> None:
    """A page for people on standard output, or the table as JSON where there is one; `wrap` breaks lines that are too long."""
    if table is None:
        from rich.console import Console

        Console(highlight=False).print(page, soft_wrap=not wrap)
    else:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(table), indent=2) + b"\n")
        sys.stdout.buffer.flush()


def _lines(lines: Iterable[bytes]) -> None:
    """JSON lines, each visible at once: their reader may wait for it."""
    for line in lines:
        sys.stdout.buffer.write(line.rstrip(b"\n") + b"\n")
        sys.stdout.buffer.flush()


def _only_jsonl(jsonl: bool) -> None:
    if not jsonl:
        raise typer.BadParameter("give --jsonl: JSON lines are read from standard input", param_hint="--jsonl")


def _read_article(file: Path, published: str | None, url: str | None) -> Article:
    """A file in, the Article that the collector would have made of it out."""
    from pipeline import desk

    return desk.article(file.read_bytes(), name=file, published=published, url=url, now=dt.datetime.now(dt.UTC))


def _process(name: str) -> Callable[[], None]:
    """The command of one process of the service: works until it is told to stop."""

    def command() -> None:
        from pipeline import parent

        parent.follow()
        found = _settings(logs=None)
        status = importlib.import_module(f"pipeline.{PROCESSES[name]}").run(found)
        if status:
            raise typer.Exit(status)

    return command


PROCESSES: Final = {"collector": "collect.collector", "worker": "app", "indexer": "index", "notifier": "notify"}
"""Each process and the module that is its loop."""

# --- the service -----------------------------------------------------------------------------------------------------


@app.command()
def run() -> None:
    """The whole service on this machine, until Ctrl-C."""
    from rich.console import Console

    from pipeline import check, logs, screen, service

    found = settings_module.load(_config)
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
    from pipeline.local import stack
    from pipeline.screen import bar

    running = stack.up(_settings(), progress=functools.partial(bar, sys.stderr))
    owner = "`dateline down` stops them" if running.detached else f"of `dateline run` (process {running.process})"
    print(f"Kafka at {running.bootstrap_servers}, Elasticsearch at {running.elasticsearch_url}; {owner}")


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from pipeline.local import stack

    print("stopped" if stack.down(_settings()) else "nothing was running")


for _name, _about in (
    ("collector", "One process: feeds to articles."),
    ("worker", "One process: articles to events, stories and alerts."),
    ("indexer", "One process: everything to Elasticsearch."),
    ("notifier", "One process: alerts to their channels."),
):
    app.command(_name, help=_about)(_process(_name))


@app.command()
def topics() -> None:
    """Create the topics that are not there yet."""
    from pipeline import bus

    found = _settings()
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
    from pipeline import show
    from pipeline import status as status_module

    found = status_module.gather(_settings(), now=dt.datetime.now(dt.UTC))
    _answer(show.status(found), found.table() if as_json else None)
    if strict and found.problems:
        raise typer.Exit(1)


@app.command()
def check() -> None:
    """Say what is wrong in the configuration, and where."""
    from pipeline import check as check_module
    from pipeline import show

    wrong = False
    for line in check_module.check(_config):
        _answer(show.checked(line), wrap=False)
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
    from pipeline import replay as replay_module

    if not from_beginning:
        raise typer.BadParameter(
            "say --from-beginning: there is no other place to replay from", param_hint="--from-beginning"
        )
    name, read_again, waiting = replay_module.replay(_settings(), group)
    print(f"{name} reads {', '.join(read_again)} from the start when it is started again: {waiting} records")


@app.command()
def bench(
    as_json: Json = False,
    articles: Number = 300,
) -> None:
    """Speed, latency and memory, beside spaCy alone.

    A real Kafka and Elasticsearch of its own, the worker and the indexer, over invented articles.
    """
    from pipeline import bench as bench_module
    from pipeline import show

    result = bench_module.bench(
        _settings(logs="error"), articles=articles, tell=lambda text: print(text, file=sys.stderr)
    )
    _answer(show.bench(result), result.table() if as_json else None)


# --- one article -----------------------------------------------------------------------------------------------------


@app.command()
def trace(file: File, published: Published = None, url: Url = None, as_json: Json = False) -> None:
    """One article through the whole path, with evidence.

    Text or HTML in, each record that it leads to out. No Kafka needed.
    """
    from pipeline import desk, show

    found = _settings()
    traced = desk.trace(found, _read_article(file, published, url))
    _answer(show.trace(traced), desk.trace_table(traced) if as_json else None)


@app.command()
def explain(file: File, published: Published = None, url: Url = None) -> None:
    """One article, sentence by sentence: which rule saw what.

    Below each sentence the events found in it, with the rule, trigger and roles behind each.
    """
    from pipeline import desk, show

    reading = desk.read(_settings(), _read_article(file, published, url))
    _answer(show.explanation(reading.document, reading.events))


# --- JSON lines ------------------------------------------------------------------------------------------------------


@app.command()
def detect(jsonl: Jsonl = False) -> None:
    """Articles in, their events out, as JSON lines.

    {"id", "text", "published"?, "url"?, "title"?} in; {"id", "events"}, or {"id", "error"}, out.
    """
    _only_jsonl(jsonl)
    from pipeline import detect as detect_module

    text = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
    _lines(line.encode() for line in detect_module.detect_jsonl(text, detect_module.load_mind(_settings())))


@app.command()
def extract(jsonl: Jsonl = False) -> None:
    """Pages in, their text and facts out, as JSON lines.

    {"id", "url", "html"} in; {"id", "title", "text", "published", "authors", "language"} out.
    """
    _only_jsonl(jsonl)
    from pipeline import extract as extract_module

    _settings()
    _lines(extract_module.extract_jsonl(sys.stdin.buffer))


@app.command()
def feed(files: Files) -> None:
    """Feed files in, their entries out, as JSON lines."""
    from pipeline.collect import local

    _settings(logs="error")
    _lines(line.encode() for line in local.feed_lines([str(file) for file in files]))


@app.command()
def stories(
    jsonl: Jsonl = False,
    out: Out = None,
) -> None:
    """Articles in date order in, their stories out, as JSON lines.

    Lines as for detect in; {"id", "stories": [ids]} out.
    """
    _only_jsonl(jsonl)
    from pipeline import desk

    run_ = desk.StoryRun(_settings())
    _lines(run_.lines(sys.stdin.buffer))
    if out is not None:
        out.write_bytes(b"".join(line + b"\n" for line in run_.stories()))


# --- looking ---------------------------------------------------------------------------------------------------------


@app.command()
def search(
    text: Words,
    kind: Kind = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Find events in the index."""
    from pipeline import search as search_module
    from pipeline import show

    found = search_module.search(_settings(), text, kind=kind, since=since, limit=limit)
    _answer(show.hits(found.total, found.hits), {"total": found.total, "hits": found.hits} if as_json else None)


@alerts_app.command("test")
def alerts_test(
    jsonl: ArticleFile = None,
    rule: RuleName = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Say what the rules would ring for; nothing is sent.

    Over the stories in Kafka, or over a file of articles.
    """
    from pipeline import desk, show

    found = desk.rehearse(_settings(), file=jsonl, rule=rule, since=_moment(since))
    _answer(show.alerts(found), {"total": len(found), "alerts": found} if as_json else None)


@quarantine_app.command("list")
def quarantine_list(
    stage: Stage = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """What failed, where and why."""
    from pipeline import quarantine, show

    found = quarantine.select(quarantine.read(_settings()), stage=stage, since=_moment(since))
    _answer(show.failures(found), {"total": len(found), "failures": found} if as_json else None)


@quarantine_app.command("show")
def quarantine_answer(ids: Ids, as_json: Json = False) -> None:
    """A failed record with its error, traceback and bytes.

    The beginning of an id will do.
    """
    from pipeline import quarantine, show

    found = quarantine.select(quarantine.read(_settings()), ids)
    _answer(show.failures_in_full(found), found if as_json else None)


@quarantine_app.command("retry")
def quarantine_retry(
    ids: SomeIds = None,
    everything: Everything = False,
    stage: Stage = None,
) -> None:
    """Send failed records back to their topics.

    It does no harm to one that has succeeded meanwhile.
    """
    from pipeline import quarantine

    if bool(ids) == everything:
        raise typer.BadParameter("give ids, or --all", param_hint="ID")
    found = _settings()
    results = quarantine.retry(found, quarantine.select(quarantine.read(found), ids or (), stage=stage))
    for result in results:
        print(f"{result.failure.id}  {result.problem or f'back on {result.failure.topic}'}")
    if any(result.problem for result in results):
        raise typer.Exit(1)


def _moment(since: str | None) -> dt.datetime | None:
    from pipeline import search as search_module

    return search_module.parse_since(since, now=dt.datetime.now(dt.UTC)) if since else None


@app.command()
def version() -> None:
    """The version."""
    print(VERSION)


if __name__ == "__main__":
    main()
