"""Commands for the service and its processes: run, status, check, replay, bench."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import Annotated, Final, Literal

import typer

from pipeline import settings as settings_module
from pipeline.cli.common import Global, Json, add_checkout, app, is_for_users, print_result, settings
from pipeline.process import VERSION

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 1 for every problem.")]
Group = Annotated[
    str, typer.Option("--group", help="The consumer group: worker, indexer, or its full name.", metavar="GROUP")
]
FromDate = Annotated[
    str | None, typer.Option("--from", help="From when on: a date or time, or 7d ago.", metavar="DATE")
]
ReplayStage = Annotated[
    Literal["detect", "track", "index"],
    typer.Option("--stage", help="From which stage on; index copies what is there into new indices."),
]
Abort = Annotated[bool, typer.Option("--abort", help="Remove what a replay has written that has not ended.")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Read the topics again from their start.")]
Principal = Annotated[
    str,
    typer.Option(
        "--principal", metavar="PATTERN",
        help="Also allow each process what it needs; its user on Kafka is for example User:dateline-{process}.",
    ),
]  # fmt: skip
Number = Annotated[
    int, typer.Option("--articles", min=10, help="The most articles to send under load; a slow machine gets fewer.")
]
Within = Annotated[float, typer.Option("--within", min=60, help="About the most seconds that it takes.")]

UserName = Annotated[str, typer.Argument(metavar="NAME")]
UserRole = Annotated[
    Literal["read", "operate"],
    typer.Option("--role", help="read looks at everything, operate also changes rules and feeds."),
]


PRIVATE: Final = 0o077
"""The umask of everything that runs the service: its data and logs are for its own user alone (600 and 700)."""


def process(name: str) -> Callable[[], None]:
    """Return the command that runs the process `name` of the service until it is stopped."""

    def command() -> None:
        from pipeline import bus, logs
        from pipeline.operate import parent

        os.umask(PRIVATE)
        parent.follow()
        found = settings(logs=None)
        logs.log_uncaught()
        try:
            bus.require_codecs()
            status = importlib.import_module(f"pipeline.{PROCESSES[name]}").run(found)
        except Exception as error:  # noqa: BLE001 - it is logged, and the process ends
            status = failed(name, error)
        if status:
            raise typer.Exit(status)

    return command


def failed(name: str, error: Exception) -> int:
    """Log why a process has ended, as a line like all others, and return its exit status."""
    import structlog

    from pipeline import bus
    from pipeline.index.errors import UnavailableError
    from pipeline.operate.service_process import EXIT_TEMPORARY, EXIT_USER_ERROR

    log = structlog.get_logger(name)
    if isinstance(error, (bus.BusError, UnavailableError)) and not isinstance(error, bus.TopicError):
        log.error("cannot_go_on", error=str(error))
        return EXIT_TEMPORARY
    if is_for_users(error):
        log.error("cannot_run", error=str(error))
        return EXIT_USER_ERROR
    log.critical("uncaught", error=f"{type(error).__name__}: {error}", exc_info=error)
    return 1


PROCESSES: Final = {
    "collector": "collect.collector",
    "worker": "worker.app",
    "indexer": "index.indexer",
    "notifier": "notify.notifier",
    "console": "console.server",
}
"""The name of each process and the module whose function `run` is the process."""


@app.command()
def run() -> None:
    """Run the whole service on this machine, until Ctrl-C."""
    from rich.console import Console

    from pipeline import logs
    from pipeline.cli import screen
    from pipeline.operate import check, service

    os.umask(PRIVATE)
    found = settings_module.load(Global.config)
    console = Console(highlight=False)
    display = screen.TerminalScreen(console) if console.is_terminal else screen.PlainScreen(console)
    display.message(f"Dateline {VERSION}, configuration in {found.directory}, data in {found.data_dir}")
    check.require(found)
    whole = service.Service(found, display)
    with whole.log_file().open("a", encoding="utf-8") as stream:
        logs.set_up(found.log, stream=stream)
        try:
            whole.run(ready=lambda: display.ready(service.addresses(whole.settings)))
        finally:
            display.close()


@app.command()
def up() -> None:
    """Start the local Kafka and Elasticsearch."""
    from pipeline.cli.screen import bar
    from pipeline.local import stack

    os.umask(PRIVATE)
    running = stack.up(settings(), progress=functools.partial(bar, sys.stderr))
    owner = "`dateline down` stops them" if running.detached else f"of `dateline run` (process {running.process})"
    print(f"Kafka at {running.bootstrap_servers}, Elasticsearch at {running.elasticsearch_url}; {owner}")


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from pipeline.local import stack

    print("stopped" if stack.down(settings()) else "nothing was running")


for _name, _help in (
    ("collector", "Run one process: feeds to articles."),
    ("worker", "Run one process: articles to events, stories and alerts."),
    ("indexer", "Run one process: all records to Elasticsearch."),
    ("notifier", "Run one process: alerts to their channels."),
    ("console", "Run one process: the page and the query API."),
):
    app.command(_name, help=_help)(process(_name))


@app.command("user")
def console_user(name: UserName, role: UserRole = "read") -> None:
    """Make a user of the console, and print the secret once.

    Only the hash of the secret is kept, in the file of console.users_file.
    """
    from pipeline.console import users

    found = settings()
    if not found.console.users_file:
        raise typer.BadParameter("set console.users_file in dateline.toml first", param_hint="NAME")
    file = found.path(found.console.users_file)
    secret = users.add_user(file, name, role)
    print(f"user {name} ({role}) added to {file}; the secret, which is shown only now:", file=sys.stderr)
    print(secret)


@app.command()
def topics(principal: Principal = "") -> None:
    """Create the Kafka topics that are missing.

    Existing topics get the retention and the other options of today's settings.
    """
    from pipeline import bus

    found = settings()
    created = bus.create_topics(found)
    print(f"created {', '.join(created)}" if created else f"all {len(bus.TOPICS)} topics were there")
    for change in bus.update_topics(found):
        print(f"changed {change}")
    if principal:
        print(f"{bus.grant(found, principal)} access control lists are there")


@app.command()
def templates() -> None:
    """Create or update the index templates."""
    from pipeline.index import client

    found = settings()
    version = client.prepare(found)
    print(f"Elasticsearch {version}: the templates of {found.elasticsearch.index_prefix}-* are there")


@app.command()
def status(
    as_json: Json = False,
    strict: Strict = False,
) -> None:
    """Show the state of processes, lag, feeds and index.

    Shows each process, the lag per group and topic, failing feeds, the health of the index, and the alerts of the last day.
    Exit status 1 if a process, Kafka or Elasticsearch does not answer.
    """
    from pipeline.cli import show
    from pipeline.operate import status as status_module

    found = status_module.gather(settings(), now=dt.datetime.now(dt.UTC))
    print_result(show.status(found), found.table() if as_json else None)
    if found.down or (strict and found.problems):
        raise typer.Exit(1)


@app.command()
def check() -> None:
    """Check the configuration files and name what is wrong."""
    from pipeline.cli import show
    from pipeline.operate import check as check_module

    wrong = False
    for line in check_module.check(Global.config):
        print_result(show.checked(line), wrap=False)
        wrong = wrong or bool(line.problem)
    if wrong:
        raise typer.Exit(2)


@app.command()
def replay(
    group: Group = "",
    from_beginning: FromBeginning = False,
    from_date: FromDate = None,
    stage: ReplayStage = "detect",
    abort: Abort = False,
) -> None:
    """Read past records again, into new indices or by a group.

    With --from past articles go through today's code into new indices, while the service runs; then the aliases are switched.
    Run it again to go on after a kill. With --group a stopped consumer group reads its topics again, which adds what is
    missing and updates what new code reads differently.
    """
    from pipeline.operate import replay as replay_module

    if abort or from_date:
        _rebuild(from_date, stage, abort=abort)
        return
    if not group:
        raise typer.BadParameter("give --from DATE, or --group GROUP", param_hint="--from")
    if not from_beginning:
        raise typer.BadParameter(
            "give --from-beginning: there is no other place to replay from", param_hint="--from-beginning"
        )
    name, read_again, waiting = replay_module.replay(settings(), group)
    print(f"{name} reads {', '.join(read_again)} from the start when it is started again: {waiting} records")


def _rebuild(from_date: str | None, stage: Literal["detect", "track", "index"], *, abort: bool) -> None:
    """Run a replay into new indices to its end, or remove one that has not ended."""
    from pipeline.cli.common import moment
    from pipeline.cli.screen import bar
    from pipeline.operate import rebuild

    found = settings()
    if abort:
        print("removed what it had written" if rebuild.abort(found) else "no replay has been begun")
        return
    since = moment(from_date)
    assert since is not None
    if from_date and from_date[-1:].isalpha():  # 7d: of a whole day, so that the same command goes on after a kill
        since = since.replace(hour=0, minute=0, second=0, microsecond=0)
    job = rebuild.begin(found, stage, since, now=dt.datetime.now(dt.UTC))
    print(
        f"replay {job.id} from {job.since:%Y-%m-%d %H:%M}, stage {job.stage}, at its step: {job.step}", file=sys.stderr
    )
    counts = rebuild.Rebuild(found, job, report=lambda step, done, total: bar(sys.stderr, step, done, total)).run()
    print(
        f"{counts.articles} articles read, {counts.failed} failed, {counts.skipped} were older; {counts.stories} stories "
        f"written, {counts.copied} items copied. The old indices are out of the search; `dateline indices clean --replaced` "
        "removes them."
    )


@app.command()
def bench(
    as_json: Json = False,
    articles: Number = 300,
    within: Within = 300.0,
) -> None:
    """Measure speed, latency and memory, beside spaCy alone.

    Runs invented articles from a news site on this machine to the index, with its own Kafka and Elasticsearch.
    """
    from pipeline.cli import show

    add_checkout("bench")
    from bench import measure

    result = measure.bench(
        settings(logs="error"), articles=articles, within_seconds=within,
        report=lambda text: print(text, file=sys.stderr),
    )  # fmt: skip
    print_result(show.bench(result), result.table() if as_json else None)
