"""What the commands share: options, the settings, how an answer is written."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import settings as settings_module
from pipeline.settings import Settings

if TYPE_CHECKING:
    from rich.console import RenderableType

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
feeds_app = typer.Typer(help="The configured feeds, and those of others.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Records that could not be processed.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts", rich_help_panel=None)
app.add_typer(feeds_app, name="feeds", rich_help_panel=None)
app.add_typer(quarantine_app, name="quarantine")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a page for people.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="JSON lines in, JSON lines out: the one format there is.")]
Since = Annotated[str | None, typer.Option("--since", help="30m, 12h, 7d, 2w, or a date.", metavar="WHEN")]
Published = Annotated[str | None, typer.Option("--published", help="When it was published (ISO 8601).", metavar="ISO")]
Url = Annotated[str | None, typer.Option("--url", help="Where it was published.", metavar="URL")]
ArticleFile = Annotated[
    Path | None,
    typer.Option("--jsonl", help="Articles as for detect, instead of the stories in Kafka.", metavar="FILE"),
]


class CheckoutError(Exception):
    """A command needs a directory of the checkout, and this is an installed package; the message names the directory."""


class Chosen:
    """The directory of --config: typer hands a group's options to no command."""

    config: Path | None = None


def settings(*, logs: str | None = "warning") -> Settings:
    """The settings, with log lines from `logs` on to standard error."""
    from pipeline import logs as logs_module

    found = settings_module.load(Chosen.config)
    logs_module.set_up(found.log, least=logs)
    return found


def add_checkout(name: str) -> None:
    """Make a top-level directory of the checkout (`bench`, `train`) importable.

    Raises:
        CheckoutError: the package was installed without its checkout.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / name / "__init__.py").is_file():
        raise CheckoutError(
            f"{name}/ is a part of the project's checkout, not of the installed package: run this in a clone"
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))


def answer(page: RenderableType, table: object = None, *, wrap: bool = True) -> None:
    """A page for people on standard output, or the table as JSON where there is one; `wrap` breaks lines that are too long."""
    if table is None:
        from rich.console import Console

        Console(highlight=False).print(page, soft_wrap=not wrap)
    else:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(table), indent=2) + b"\n")
        sys.stdout.buffer.flush()


def write(lines: Iterable[bytes]) -> None:
    """JSON lines, each visible at once: their reader may wait for it."""
    for line in lines:
        sys.stdout.buffer.write(line.rstrip(b"\n") + b"\n")
        sys.stdout.buffer.flush()


def only_jsonl(jsonl: bool) -> None:
    """Without --jsonl it is a mistake."""
    if not jsonl:
        raise typer.BadParameter("give --jsonl: JSON lines are read from standard input", param_hint="--jsonl")


def moment(since: str | None) -> dt.datetime | None:
    """What --since says, as a moment."""
    from pipeline.index import search as search_module

    return search_module.parse_since(since, now=dt.datetime.now(dt.UTC)) if since else None
