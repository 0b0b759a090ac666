"""Rules and alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import ArticleFile, Json, Since, alerts_app, answer, moment, settings

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

RuleName = Annotated[str | None, typer.Option("--rule", help="This rule only.", metavar="NAME")]


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

    found = desk.rehearse(settings(), file=jsonl, rule=rule, since=moment(since))
    answer(show.alerts(found), {"total": len(found), "alerts": found} if as_json else None)
