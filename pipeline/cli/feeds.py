"""Feeds: tried, found, taken over from other readers; feed files; and articles of the past."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.common import Json, Since, answer, app, feeds_app, moment, settings, write

if TYPE_CHECKING:
    from pipeline.collect.backfill import Progress

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

Files = Annotated[list[Path], typer.Argument(metavar="FILE...")]
Opml = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE")]
Site = Annotated[str, typer.Argument(metavar="URL")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="These feeds only.")]
Print = Annotated[bool, typer.Option("--print", help="Print the TOML, and leave feeds.toml as it is.")]
Sitemap = Annotated[str | None, typer.Option("--sitemap", metavar="URL", help="A sitemap, or an index of them.")]
Warc = Annotated[
    Path | None, typer.Option("--warc", metavar="FILE", exists=True, dir_okay=False, help="A web archive, .warc or .warc.gz.")
]  # fmt: skip
Jsonl = Annotated[
    Path | None,
    typer.Option("--jsonl", metavar="FILE", exists=True, dir_okay=False, help="Articles as lines of JSON, with html or text."),
]  # fmt: skip


@app.command()
def feed(paths: Files) -> None:
    """Feed files in, their entries out, as JSON lines."""
    from pipeline.collect import files

    settings(logs="error")
    write(line.encode() for line in files.feed_lines([str(path) for path in paths]))


@feeds_app.command("check")
def feeds_check(ids: Ids = None, as_json: Json = False) -> None:
    """Try every configured feed, and say what it is like.

    Status, entries, the newest, full text or not, what is wrong. Exit status 1 when a feed cannot be read.
    """
    import asyncio

    import msgspec

    from pipeline.cli import feeds_table
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import trial
    from pipeline.collect.fetch import Clock

    found = settings(logs="error")
    configured = feeds_module.load(found)
    unknown = set(ids or ()) - {one.id for one in configured}
    if unknown:
        raise typer.BadParameter(f"no such feed: {', '.join(sorted(unknown))}", param_hint="ID")
    wanted = [one for one in configured if not ids or one.id in ids]
    tried = asyncio.run(trial.check(found, wanted, clock=Clock.real(), progress=_counted))
    answer(feeds_table.checked(tried), {"feeds": msgspec.to_builtins(tried)} if as_json else None)
    if not all(one.ok for one in tried):
        raise typer.Exit(1)


@feeds_app.command("discover")
def feeds_discover(url: Site, as_json: Json = False) -> None:
    """Find the feeds that a site offers.

    What its page declares, and where sites usually have them. Exit status 1 when there is none.
    """
    import asyncio

    import msgspec

    from pipeline.cli import feeds_table
    from pipeline.collect import trial
    from pipeline.collect.fetch import Clock

    address = url if "://" in url else f"https://{url}"
    found = asyncio.run(trial.find(settings(logs="error"), address, clock=Clock.real()))
    answer(feeds_table.found(found), {"feeds": msgspec.to_builtins(found)} if as_json else None)
    if not found:
        raise typer.Exit(1)


@feeds_app.command("import")
def feeds_import(file: Opml, only_print: Print = False) -> None:
    """Add the feeds of an OPML file to feeds.toml.

    Folders become groups; what is there already, or twice, is told and left out.
    """
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import opml

    found = settings()
    taken = opml.take(opml.read(file.read_bytes()), feeds_module.load(found, disabled=True))
    for listed, reason in taken.left_out:
        sys.stderr.write(f"left out: {listed.url} {reason}\n")
    if only_print:
        print(feeds_module.as_toml(taken.feeds), end="")
        return
    where = feeds_module.add(found, taken.feeds) if taken.feeds else found.path(found.collector.feeds_file)
    print(f"{len(taken.feeds)} feeds added to {where}, {len(taken.left_out)} left out")


@feeds_app.command("export")
def feeds_export() -> None:
    """The configured feeds as OPML, on standard output."""
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import opml

    sys.stdout.buffer.write(opml.write(feeds_module.load(settings()), now=dt.datetime.now(dt.UTC)))
    sys.stdout.buffer.flush()


@app.command()
def collect(sitemap: Sitemap = None, warc: Warc = None, jsonl: Jsonl = None, since: Since = None) -> None:
    """Articles of the past: sitemaps, web archives, JSON lines.

    Ctrl-C stops it in order; the same command goes on where it was, and publishes nothing twice.
    """
    import asyncio

    given: list[tuple[Literal["sitemap", "warc", "jsonl"], str | Path]] = []
    given += [("sitemap", sitemap)] if sitemap else []
    given += [("warc", warc)] if warc else []
    given += [("jsonl", jsonl)] if jsonl else []
    if len(given) != 1:
        raise typer.BadParameter("give one of --sitemap, --warc and --jsonl", param_hint="--sitemap")
    told, stopped = asyncio.run(_collect(*given[0], moment(since)))
    print(
        f"{told.published} published, {told.known} known from before, {told.rejected} not wanted, "
        f"{told.failed} unreadable, {told.later} to be had later"
    )
    if stopped or told.later:
        sys.stderr.write("run the same command again to go on\n")
    if stopped:
        raise typer.Exit(130)
    if told.failed or told.later:
        raise typer.Exit(1)


async def _collect(
    kind: Literal["sitemap", "warc", "jsonl"], source: str | Path, since: dt.datetime | None
) -> tuple[Progress, bool]:
    import asyncio
    import signal

    from pipeline.cli.screen import progress_bar
    from pipeline.collect import backfill
    from pipeline.collect.fetch import Clock

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with progress_bar(sys.stderr, str(source)) as move:
        told = await backfill.fill(
            settings(),
            source,
            kind,
            clock=Clock.real(),
            since=since,
            stopping=stop.is_set,
            progress=lambda p: move(p.at, p.total, f"{p.published} published"),
        )
    return told, stop.is_set()


def _counted(done: int, total: int) -> None:
    from pipeline.cli.screen import bar

    if total <= 1000 and sys.stderr.isatty():
        bar(sys.stderr, "feeds", done, total)
