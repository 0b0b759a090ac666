"""Commands that search the index and the quarantine."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import Json, Since, app, moment, print_result, quarantine_app, settings

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Words = Annotated[str, typer.Argument(metavar="TEXT")]
Kind = Annotated[str | None, typer.Option("--kind", help="Find only events of this kind.", metavar="KIND")]
Limit = Annotated[int, typer.Option("--limit", help="How many events to show.", metavar="N")]
Stage = Annotated[str | None, typer.Option("--stage", help="Only records that failed in this stage.", metavar="STAGE")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...")]
SomeIds = Annotated[list[str] | None, typer.Argument(metavar="[ID...]")]
Everything = Annotated[bool, typer.Option("--all", help="All records in quarantine.")]


@app.command()
def search(
    text: Words,
    kind: Kind = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Find events in the index."""
    from pipeline.cli import show
    from pipeline.index import search as search_module

    found = search_module.search(settings(), text, kind=kind, since=since, limit=limit)
    print_result(show.hits(found.total, found.hits), {"total": found.total, "hits": found.hits} if as_json else None)


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
