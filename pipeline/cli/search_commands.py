"""Commands that search the index, and the quarantine."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.cli import search_options as options
from pipeline.cli.common import Json, Since, app, moment, print_result, quarantine_app, settings, write_lines
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.index.filters import Filters
    from pipeline.settings import Settings

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Grouping = Literal["country", "actor", "recipient", "place", "day", "kind", "type", "source"]
ExportForm = Literal["csv", "jsonl", "geojson", "parquet"]
Resources = Literal["events", "stories", "articles", "alerts"]
Words = Annotated[str, typer.Argument(metavar="[TEXT]", help="Words of the events; nothing lists the newest.")]
Limit = Annotated[int, typer.Option("--limit", help="How many events to show.", metavar="N")]
GroupBy = Annotated[
    Grouping | None,
    typer.Option("--group-by", help="Sum up: number of events, money and casualties by group; each event counts once."),
]
CountReports = Annotated[
    bool, typer.Option("--count-reports", help="With --group-by: count each report, as often as an event is reported.")
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV instead of text.")]
StoryId = Annotated[str, typer.Argument(metavar="STORY", help="The id of a story, or its beginning.")]
Form = Annotated[ExportForm, typer.Option("--format", help="The format of the file.")]
Plover = Annotated[bool, typer.Option("--plover", help="Events as a PLOVER table (CSV).")]
Cameo = Annotated[bool, typer.Option("--cameo", help="Events as a CAMEO table of dyads (CSV).")]
Acled = Annotated[bool, typer.Option("--acled", help="Violence and protest as an ACLED-like table (CSV).")]
What = Annotated[Resources, typer.Option("--what", help="What to export.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="The file to write (default: standard output).", metavar="FILE")
]
Stage = Annotated[str | None, typer.Option("--stage", help="Only records that failed in this stage.", metavar="STAGE")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...")]
SomeIds = Annotated[list[str] | None, typer.Argument(metavar="[ID...]")]
Everything = Annotated[bool, typer.Option("--all", help="All records in quarantine.")]


def require_kinds(found: Settings, kinds: list[str] | None) -> None:
    """Check that every kind can be detected.

    Raises:
        SearchError: one cannot; the message names the nearest.
    """
    from pipeline.alert import rules
    from pipeline.index.filters import SearchError

    known = rules.known_kinds([found.path(name) for name in found.detect.kinds])
    for kind in kinds or ():
        if kind not in known:
            raise SearchError(f"kind: {kind!r} is no kind of event{options.suggestion(kind, known)}")


@app.command()
def search(
    text: Words = "",
    *,
    kind: options.Kinds = None,
    event_type: options.Types = None,
    actor: options.Actors = None,
    recipient: options.Recipients = None,
    place: options.Places = None,
    source: options.Sources = None,
    money_at_least: options.Money = None,
    dead_at_least: options.Dead = None,
    since: Since = None,
    until: options.Until = None,
    group_by: GroupBy = None,
    count_reports: CountReports = False,
    limit: Limit = 20,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Find events in the index, or sum them up by group."""
    from pipeline.cli import show_search
    from pipeline.index import search as search_module

    found = settings()
    require_kinds(found, kind)
    asked = options.filters(
        text, kind=kind, type=event_type, actor=actor, recipient=recipient, place=place, source=source,
        money_at_least=money_at_least, dead_at_least=dead_at_least, since=since, until=until,
    )  # fmt: skip
    if group_by is not None:
        counted: search_module.Counted = "reports" if count_reports else "happenings"
        groups = search_module.groups(found, group_by, asked, counted=counted, limit=limit)
        if as_csv:
            write_lines(show_search.groups_csv(group_by, counted, groups))
        else:
            answer = {"counted": counted, "groups": groups} if as_json else None
            print_result(show_search.groups(group_by, counted, groups), answer)
        return
    if count_reports:
        raise typer.BadParameter("is about --group-by; without it each report is listed", param_hint="--count-reports")
    if as_csv:
        write_lines(search_module.as_csv(found, asked, limit=limit))
        return
    result = search_module.search(found, filters_=asked, limit=limit)
    table = {"total": result.total, "hits": result.hits} if as_json else None
    print_result(show_search.hits(result.total, result.hits), table)


@app.command()
def story(story_id: StoryId, as_json: Json = False) -> None:
    """Show a story with its reports and alerts.

    The beginning of an id is enough.
    """
    from pipeline.cli import show_search
    from pipeline.console import item_endpoints
    from pipeline.console.desk import Desk
    from pipeline.settings import console_address

    found = settings()
    desk = Desk(found)
    try:
        page = item_endpoints.story_page(desk, story_id)
    finally:
        desk.close()
    link = f"{console_address(found.console)}/story/{page.id}"
    print_result(show_search.story(page, link), page if as_json else None)


@app.command()
def export(
    text: Words = "",
    *,
    what: What = "events",
    form: Form = "csv",
    plover: Plover = False,
    cameo: Cameo = False,
    acled: Acled = False,
    kind: options.Kinds = None,
    event_type: options.Types = None,
    actor: options.Actors = None,
    recipient: options.Recipients = None,
    place: options.Places = None,
    source: options.Sources = None,
    money_at_least: options.Money = None,
    dead_at_least: options.Dead = None,
    since: Since = None,
    until: options.Until = None,
    out: Out = None,
) -> None:
    """Write all results of a search to a file, without a limit."""
    found = settings()
    require_kinds(found, kind)
    asked = options.filters(
        text, kind=kind, type=event_type, actor=actor, recipient=recipient, place=place, source=source,
        money_at_least=money_at_least, dead_at_least=dead_at_least, since=since, until=until,
    )  # fmt: skip
    codings = [name for name, given in (("plover", plover), ("cameo", cameo), ("acled", acled)) if given]
    if len(codings) > 1:
        raise typer.BadParameter("give one of --plover, --cameo and --acled", param_hint="--plover")
    wanted: Any = codings[0] if codings else form
    if out is None and sys.stdout.isatty() and wanted == "parquet":
        raise typer.BadParameter("Parquet is not text: give --out FILE", param_hint="--out")
    rows = _export(found, what, wanted, asked, out)
    if out is not None:
        print(f"{rows:,} {what} in {out}", file=sys.stderr)


def _export(found: Settings, what: Any, form: Any, asked: Filters, out: Path | None) -> int:
    from pipeline.cli.screen import progress_bar
    from pipeline.index import client, filters
    from pipeline.index import export as export_module

    export_module.require(what, form)
    query = filters.query(what, asked, now=dt.datetime.now(dt.UTC))
    searcher = client.Searcher(found)
    rows = 0
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(searcher.close)
        move = cleanup.enter_context(progress_bar(sys.stderr, str(out or what)))

        def progress(done: int, total: int) -> None:
            nonlocal rows
            rows = done
            move(done, total, f"{done:,} of {total:,}")

        stream = cleanup.enter_context(out.open("wb")) if out is not None else sys.stdout.buffer
        for piece in export_module.exported(searcher, what, query, form, progress):
            stream.write(piece)
        stream.flush()
    return rows


@quarantine_app.command("list")
def quarantine_list(
    stage: Stage = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """List the records that failed, with place and reason."""
    from pipeline.cli import show
    from pipeline.operate import quarantine

    found = quarantine.select(quarantine.read(settings()), stage=stage, since=moment(since))
    print_result(show.failures(found), {"total": len(found), "failures": found} if as_json else None)


@quarantine_app.command("show")
def quarantine_show(ids: Ids, as_json: Json = False) -> None:
    """Show a failed record with its error, traceback and bytes.

    The beginning of an id is enough.
    """
    from pipeline.cli import show
    from pipeline.operate import quarantine

    found = quarantine.select(quarantine.read(settings()), ids)
    print_result(show.failures_in_full(found), found if as_json else None)


@quarantine_app.command("retry")
def quarantine_retry(
    ids: SomeIds = None,
    everything: Everything = False,
    stage: Stage = None,
) -> None:
    """Send failed records back to their topics.

    This is safe for a record that was processed meanwhile.
    """
    from pipeline.operate import quarantine

    if bool(ids) == everything:
        raise typer.BadParameter("give ids, or --all", param_hint="ID")
    found = settings()
    results = quarantine.retry(found, quarantine.select(quarantine.read(found), ids or (), stage=stage))
    for result in results:
        print(f"{result.failure.id}  {result.problem or f'back on {result.failure.topic}'}")
    if any(result.problem for result in results):
        raise typer.Exit(1)
