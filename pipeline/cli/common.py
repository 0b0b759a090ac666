"""What the commands share: options, the settings, and how results are printed."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import settings as settings_module
from pipeline.settings import Settings, without_login

if TYPE_CHECKING:
    from rich.console import RenderableType

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

app = typer.Typer(
    name="dateline",
    help="Read news and report events, stories and alerts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
alerts_app = typer.Typer(help="Rules and alerts: test, list, mute, judge.", no_args_is_help=True)
feeds_app = typer.Typer(help="Feeds: add, remove, check, discover, import, export.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Records that could not be processed: list, show, retry.", no_args_is_help=True)
indices_app = typer.Typer(help="Indices: list, clean, snapshot, restore.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts", rich_help_panel=None)
app.add_typer(feeds_app, name="feeds", rich_help_panel=None)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(indices_app, name="indices")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Read and write JSON lines (the only format).")]
Since = Annotated[
    str | None, typer.Option("--since", help="From when on: 30m, 12h, 7d, 2w ago, or a date.", metavar="WHEN")
]
Published = Annotated[
    str | None, typer.Option("--published", help="When the article was published (ISO 8601).", metavar="ISO")
]
Url = Annotated[str | None, typer.Option("--url", help="The address of the article.", metavar="URL")]
ArticleFile = Annotated[
    Path | None,
    typer.Option("--jsonl", help="Read articles or events from this file, not from Elasticsearch.", metavar="FILE"),
]


class CheckoutError(Exception):
    """A command needs a directory of the checkout, but only the package is installed; the message names the directory."""


class Global:
    """The value of --config, kept here because typer does not pass a group's options to its commands."""

    config: Path | None = None


def settings(*, logs: str | None = "warning") -> Settings:
    """Load the settings, and send log lines of level `logs` and above to standard error."""
    from pipeline import logs as logs_module

    found = settings_module.load(Global.config)
    logs_module.set_up(found.log, least=logs)
    if found.alerts.rates_file:
        from pipeline.alert import rates

        rates.use(found)
    return found


def add_checkout(name: str) -> None:
    """Make a top-level directory of the checkout (`bench`, `train`) importable.

    Raises:
        CheckoutError: the package was installed without its checkout.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / name / "__init__.py").is_file():
        raise CheckoutError(
            f"{name}/ is part of the project's checkout, not of the installed package: run this in a clone"
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))


def print_result(page: RenderableType, table: object = None, *, wrap: bool = True) -> None:
    """Print `table` as JSON, or `page` if there is no table; `wrap` breaks long lines of the page."""
    if table is None:
        from rich.console import Console

        console = Console(highlight=False)
        with console.capture() as captured:
            console.print(page, soft_wrap=not wrap)
        sys.stdout.write(without_login(captured.get()))
        sys.stdout.flush()
    else:
        import msgspec

        found = msgspec.json.format(msgspec.json.encode(table), indent=2)
        sys.stdout.buffer.write(without_login(found.decode()).encode() + b"\n")
        sys.stdout.buffer.flush()


def write_lines(lines: Iterable[bytes]) -> None:
    """Write JSON lines and flush after each, because the reader may wait for it."""
    for line in lines:
        sys.stdout.buffer.write(line.rstrip(b"\n") + b"\n")
        sys.stdout.buffer.flush()


def require_jsonl(jsonl: bool) -> None:
    """Check that --jsonl was given.

    Raises:
        typer.BadParameter: it was not.
    """
    if not jsonl:
        raise typer.BadParameter("give --jsonl: JSON lines are read from standard input", param_hint="--jsonl")


def moment(since: str | None) -> dt.datetime | None:
    """Return the time that --since names, or None without the option."""
    from pipeline.index import filters

    return filters.parse_since(since, now=dt.datetime.now(dt.UTC)) if since else None


def is_for_users(error: BaseException) -> bool:
    """Return whether the text of `error` is written for users: our own errors and the system's. The rest are bugs."""
    return type(error).__module__.split(".")[0] == "pipeline" or isinstance(error, OSError)


def explained(error: BaseException) -> str:
    """Return an error's text for a terminal; where a server does not answer, with what to do."""
    unanswered = str(error).endswith("does not answer")
    return f"{error}; is the service running? `make run` starts it" if unanswered else str(error)
