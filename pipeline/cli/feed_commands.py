"""Commands for feeds: check, discover, import and export them, read feed files, collect articles of the past."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.common import Json, Since, app, feeds_app, moment, print_result, settings, write_lines

if TYPE_CHECKING:
    from pipeline.collect.backfill import BackfillProgress

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Files = Annotated[list[Path], typer.Argument(metavar="FILE...")]
Opml = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE")]
Site = Annotated[str, typer.Argument(metavar="URL")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Check these feeds only.")]
FeedName = Annotated[str, typer.Argument(metavar="ID|URL")]
FeedTitle = Annotated[str, typer.Option("--title", help="The name of the feed.", metavar="TEXT")]
Publisher = Annotated[str, typer.Option("--publisher", help="The publisher of its articles.", metavar="NAME")]
FeedGroup = Annotated[str, typer.Option("--group", help="A folder, outer/inner.", metavar="NAME")]
Language = Annotated[str | None, typer.Option("--language", help="ISO 639-1 code of its articles.", metavar="CODE")]
Print = Annotated[bool, typer.Option("--print", help="Print the TOML and do not change feeds.toml.")]
Sitemap = Annotated[str | None, typer.Option("--sitemap", metavar="URL", help="A sitemap or a sitemap index.")]
Warc = Annotated[
    Path | None, typer.Option("--warc", metavar="FILE", exists=True, dir_okay=False, help="A web archive (.warc, .warc.gz).")
]  # fmt: skip
Jsonl = Annotated[
    Path | None,
    typer.Option("--jsonl", metavar="FILE", exists=True, dir_okay=False, help="Articles as JSON lines, with html or text."),
]  # fmt: skip


@app.command()
def feed(paths: Files) -> None:
    """Read feed files, write their entries (JSON lines)."""
    from pipeline.collect import files

    settings(logs="error")
    now = dt.datetime.now(dt.UTC)
    write_lines(line.encode() for line in files.feed_lines([str(path) for path in paths], now=now))


@feeds_app.command("check")
def feeds_check(ids: Ids = None, as_json: Json = False) -> None:
    """Try every configured feed and report its state.

    Shows status, number of entries, the newest entry, full text or not, and problems. Exit status 1 if a feed cannot be read.
    """
    import asyncio

    import msgspec

    from pipeline.cli import show_feeds
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import trial
    from pipeline.collect.fetch import Clock

    found = settings(logs="error")
    configured = feeds_module.load(found)
    unknown = set(ids or ()) - {one.id for one in configured}
    if unknown:
        raise typer.BadParameter(f"no such feed: {', '.join(sorted(unknown))}", param_hint="ID")
    wanted = [one for one in configured if not ids or one.id in ids]
    tried = asyncio.run(trial.check(found, wanted, clock=Clock.real(), progress=_show_progress))
    print_result(show_feeds.checked(tried), {"feeds": msgspec.to_builtins(tried)} if as_json else None)
    if not all(one.ok for one in tried):
        raise typer.Exit(1)


@feeds_app.command("discover")
def feeds_discover(url: Site, as_json: Json = False) -> None:
    """Find the feeds of a site.

    Looks at what the page declares and at the usual addresses. Exit status 1 if there is none.
    """
    import asyncio

    import msgspec

    from pipeline.cli import show_feeds
    from pipeline.collect import trial
    from pipeline.collect.fetch import Clock

    address = url if "://" in url else f"https://{url}"
    found = asyncio.run(trial.find(settings(logs="error"), address, clock=Clock.real()))
    print_result(show_feeds.found(found), {"feeds": msgspec.to_builtins(found)} if as_json else None)
    if not found:
        raise typer.Exit(1)


@feeds_app.command("import")
def feeds_import(file: Opml, only_print: Print = False) -> None:
    """Add the feeds of an OPML file to feeds.toml.

    Folders become groups. Feeds that are known already, or listed twice, are reported and left out.
    """
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import opml

    found = settings()
    result = opml.new_feeds(opml.read(file.read_bytes()), feeds_module.load(found, disabled=True))
    for listed, reason in result.left_out:
        sys.stderr.write(f"left out: {listed.url} {reason}\n")
    if only_print:
        print(feeds_module.as_toml(result.feeds), end="")
        return
    where = feeds_module.add(found, result.feeds) if result.feeds else found.path(found.collector.feeds_file)
    print(f"{len(result.feeds)} feeds added to {where}, {len(result.left_out)} left out")


@feeds_app.command("add")
def feeds_add(
    url: Site, title: FeedTitle = "", publisher: Publisher = "", group: FeedGroup = "", language: Language = None
) -> None:
    """Add a feed to feeds.toml.

    A running collector polls it within seconds. For a site whose feed you do not know, see `dateline feeds discover`.
    """
    import msgspec

    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import opml

    found = settings()
    listed = opml.ListedFeed(url if "://" in url else f"https://{url}", title, group, language)
    result = opml.new_feeds([listed], feeds_module.load(found, disabled=True))
    for one, reason in result.left_out:
        raise typer.BadParameter(f"{one.url} {reason}", param_hint="URL")
    [feed] = result.feeds
    where = feeds_module.add(found, [msgspec.structs.replace(feed, publisher=publisher)])
    print(f"feed {feed.id} added to {where}")


@feeds_app.command("remove")
def feeds_remove(name: FeedName) -> None:
    """Remove a feed from feeds.toml.

    A running collector ends it within seconds. What it has published stays.
    """
    from pipeline.collect import feeds as feeds_module

    found = settings()
    removed = feeds_module.remove(found, name)
    print(f"feed {removed.id} ({removed.url}) removed from {found.path(found.collector.feeds_file)}")


@feeds_app.command("export")
def feeds_export() -> None:
    """Write the configured feeds as OPML to standard output."""
    from pipeline.collect import feeds as feeds_module
    from pipeline.collect import opml

    sys.stdout.buffer.write(opml.write(feeds_module.load(settings()), now=dt.datetime.now(dt.UTC)))
    sys.stdout.buffer.flush()


@app.command()
def collect(sitemap: Sitemap = None, warc: Warc = None, jsonl: Jsonl = None, since: Since = None) -> None:
    """Collect articles of the past: sitemap, WARC, JSON lines.

    Ctrl-C stops it cleanly; the same command continues where it stopped and publishes nothing twice.
    """
    import asyncio

    given: list[tuple[Literal["sitemap", "warc", "jsonl"], str | Path]] = []
    given += [("sitemap", sitemap)] if sitemap else []
    given += [("warc", warc)] if warc else []
    given += [("jsonl", jsonl)] if jsonl else []
    if len(given) != 1:
        raise typer.BadParameter("give one of --sitemap, --warc and --jsonl", param_hint="--sitemap")
    result, stopped = asyncio.run(_collect(*given[0], moment(since)))
    print(
        f"{result.published} published, {result.known} known from before, {result.rejected} not wanted, "
        f"{result.failed} unreadable, {result.later} to try again later"
    )
    if stopped or result.later:
        sys.stderr.write("run the same command again to continue\n")
    if stopped:
        raise typer.Exit(130)
    if result.failed or result.later:
        raise typer.Exit(1)


async def _collect(
    kind: Literal["sitemap", "warc", "jsonl"], source: str | Path, since: dt.datetime | None
) -> tuple[BackfillProgress, bool]:
    import asyncio
    import signal

    from pipeline.cli.screen import progress_bar
    from pipeline.collect import backfill
    from pipeline.collect.fetch import Clock

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with progress_bar(sys.stderr, str(source)) as move:
        result = await backfill.fill(
            settings(),
            source,
            kind,
            clock=Clock.real(),
            since=since,
            stopping=stop.is_set,
            report=lambda p: move(p.at, p.total, f"{p.published} published"),
        )
    return result, stop.is_set()


def _show_progress(done: int, total: int) -> None:
    from pipeline.cli.screen import bar

    if total <= 1000 and sys.stderr.isatty():
        bar(sys.stderr, "feeds", done, total)
