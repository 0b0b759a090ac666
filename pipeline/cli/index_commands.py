"""Commands for the indices of Elasticsearch: list, clean, snapshot, snapshots, restore."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import Json, indices_app, print_result, settings

if TYPE_CHECKING:
    from pipeline.index.lifecycle import Step

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print what would be done.")]
Replaced = Annotated[bool, typer.Option("--replaced", help="Also remove what replays have taken out of the search.")]
Name = Annotated[str, typer.Argument(metavar="[SNAPSHOT]", help="The snapshot; the newest without a name.")]
Replace = Annotated[bool, typer.Option("--replace", help="Remove the index that exists and take that of the snapshot.")]
Check = Annotated[
    bool, typer.Option("--check", help="Try it beside the index, count the documents, and remove it again.")
]


@indices_app.command("list")
def list_indices(as_json: Json = False) -> None:
    """List the indices: from when to when, documents, size, and whether they are searched."""
    import msgspec

    from pipeline.cli import show_indices
    from pipeline.index import lifecycle

    found = lifecycle.inspect(settings())
    print_result(show_indices.indices(found), msgspec.to_builtins(found) if as_json else None)


@indices_app.command()
def clean(dry_run: DryRun = False, replaced: Replaced = False) -> None:
    """Remove old indices and begin new ones, as [retention] says.

    The indexer does this every ten minutes; only --replaced is for this command alone.
    """
    from pipeline.index import lifecycle

    given, now = settings(), dt.datetime.now(dt.UTC)
    found = lifecycle.inspect(given)
    steps: tuple[Step, ...] = lifecycle.plan(found, given, now=now)
    if replaced:
        steps = tuple(dict.fromkeys((*steps, *lifecycle.replaced(found))))
    if not dry_run:
        lifecycle.carry_out(given, steps)
    for step in steps:
        print(f"{'would ' if dry_run else ''}{step.action} {step.index} ({step.reason})")
    if not steps:
        print(f"all {len(found)} indices are within their bounds")


@indices_app.command()
def snapshot() -> None:
    """Take a snapshot of all indices now, and wait until it is complete."""
    from pipeline.index import snapshots

    print(snapshots.take(settings(), now=dt.datetime.now(dt.UTC)))


@indices_app.command("snapshots")
def list_snapshots(as_json: Json = False) -> None:
    """List the snapshots, the oldest first."""
    import msgspec

    from pipeline.cli import show_indices
    from pipeline.index import snapshots

    found = snapshots.listed(settings())
    print_result(show_indices.snapshots(found), msgspec.to_builtins(found) if as_json else None)


@indices_app.command()
def restore(name: Name = "", replace: Replace = False, check: Check = False) -> None:
    """Restore missing indices from a snapshot, or try a restore.

    Stop the indexer before a restore; `dateline replay --group indexer --from-beginning` adds afterwards what is newer.
    """
    from pipeline.cli.screen import bar
    from pipeline.index import snapshots

    progress = functools.partial(bar, sys.stderr, "restored")
    if check:
        chosen, counts = snapshots.check(settings(), name, progress=progress)
        for one in counts:
            live = "not there" if one.live is None else f"{one.live} now"
            print(f"{one.index}: {one.restored} documents in {chosen.name}, {live}")
        print(f"{chosen.name} can be restored: {sum(one.restored for one in counts)} documents were read from it")
        return
    chosen, restored = snapshots.restore(settings(), name, replace=replace, progress=progress)
    for index in restored:
        print(f"restored {index}")
    kept = len(chosen.indices) - len(restored)
    if kept:
        print(f"{kept} indices of {chosen.name} exist and stay as they are; --replace takes those of the snapshot")
