"""Commands for rules and alerts: test the rules on past events, list alerts, mute and judge them."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import ArticleFile, Json, Since, alerts_app, moment, print_result, settings, write_lines

if TYPE_CHECKING:
    from pipeline.alert.feedback import Marks
    from pipeline.records import Feedback
    from pipeline.settings import Settings

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

RuleName = Annotated[str | None, typer.Option("--rule", help="Only this rule.", metavar="NAME")]
Explain = Annotated[
    str | None,
    typer.Option("--explain", help="Show why each rule did or did not ring for this story.", metavar="STORY"),
]
RuleOrStory = Annotated[str, typer.Argument(metavar="RULE|STORY")]
AlertIds = Annotated[list[str], typer.Argument(metavar="ALERT...")]
Duration = Annotated[
    str | None, typer.Option("--for", help="How long: 30m, 2h, 7d, 2w. Without it: until --off.", metavar="TIME")
]
Off = Annotated[bool, typer.Option("--off", help="End the mute.")]
Note = Annotated[str, typer.Option("--note", help="The reason; kept with the mark.", metavar="TEXT")]
Held = Annotated[bool, typer.Option("--all", help="Also show alerts that were held back.")]


@alerts_app.command("test")
def alerts_test(
    jsonl: ArticleFile = None,
    rule: RuleName = None,
    since: Since = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Test the rules on past events; nothing is sent.

    Reads the events in Elasticsearch, or a file of articles or events, in any order. Shows when and how often each rule
    rings, and what a floor of confidence would cost and save.
    """
    from pipeline.alert import backtest
    from pipeline.cli import show_alerts
    from pipeline.operate import backtest_run

    found, start = settings(), moment(since)
    with _progress("testing the rules") as progress:
        marks = None if jsonl else _read_marks(found)
        run = backtest_run.backtest(found, file=jsonl, rule=rule, since=start, marks=marks, progress=progress)
    if explain is not None:
        explained = backtest.explain(run, explain)
        print_result(show_alerts.explained(explained), [one.table() for one in explained] if as_json else None)
        return
    alerts, often = run.since(start), backtest.frequencies(run, start)
    rang, held = [a for a in alerts if not a.held], [a for a in alerts if a.held]
    floors = backtest.floors(run, start)
    table = {
        "total": len(rang), "alerts": rang, "held": held, "rules": [row.table() for row in often],
        "floors": [row.table() for row in floors],
    }  # fmt: skip
    print_result(show_alerts.backtest(alerts, often, floors), table if as_json else None)


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], object]]:
    """Show a progress bar while the block runs, if standard error is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _read_marks(found: Settings) -> Marks | None:
    """Return mutes and false alarms, or None if Kafka does not answer: a test of the rules works without them."""
    from pipeline import bus
    from pipeline.alert import feedback
    from pipeline.operate import probe

    if probe.listens(found.bootstrap_servers):
        with contextlib.suppress(bus.BusError):
            return feedback.read(found)
    print("Kafka does not answer: without the mutes and false alarms", file=sys.stderr)
    return None


@alerts_app.command("list")
def alerts_list(
    rule: RuleName = None,
    since: Since = None,
    everything: Held = False,
    as_json: Json = False,
) -> None:
    """List alerts, what people said of them, and what is muted.

    Shows the last week unless --since is given.
    """
    from pipeline.alert import feedback
    from pipeline.cli import show_alerts

    found, now = settings(), _now()
    marks = feedback.read(found)
    start = moment(since) or now - dt.timedelta(days=7)
    shown = [
        a
        for a in feedback.alerts(found)
        if a.raised_at >= start and (rule is None or a.rule == rule) and (everything or not a.held)
    ]
    mutes = marks.mutes(now)
    said = {a.id: mark.verdict for a in shown if (mark := marks.of_alert(a.id)) is not None}
    table = {"total": len(shown), "alerts": shown, "said": said, "muted": mutes}
    print_result(show_alerts.alerts(shown, marks, mutes), table if as_json else None)


@alerts_app.command("stats")
def alerts_stats(since: Since = None, as_json: Json = False) -> None:
    """Show how often each rule rang and how often it was right."""
    from pipeline.alert import feedback, rules
    from pipeline.cli import show_alerts

    found, start = settings(), moment(since)
    alerts = [a for a in feedback.alerts(found) if start is None or a.raised_at >= start]
    rows = feedback.stats(alerts, feedback.read(found), [rule.name for rule in rules.load(found).rules])
    print_result(show_alerts.stats(rows), {"rules": [row.table() for row in rows]} if as_json else None)


@alerts_app.command("mute")
def alerts_mute(name: RuleOrStory, time: Duration = None, off: Off = False, note: Note = "") -> None:
    """Mute a rule or a story, for a time or until --off.

    Alerts for articles that arrive from now on are held back. A replay holds back the same alerts.
    """
    from pipeline.alert import feedback, rules

    found, now = settings(), _now()
    if off:
        marks: Sequence[Feedback] = feedback.unmute(name, feedback.read(found), now)
    else:
        known = [rule.name for rule in rules.load(found).rules]
        alerts = () if name in known else feedback.alerts(found)
        marks = [
            feedback.mute(name, rules=known, alerts=alerts, now=now, until=_until(time, now), note=note, by=_user())
        ]
    feedback.write(found, marks)
    for mark in marks:
        until = f" until {mark.until:%Y-%m-%d %H:%M} UTC" if mark.until and not off else ""
        print(f"{mark.target} {mark.name} {'rings again' if off else 'is muted'}{until}")


@alerts_app.command("ack")
def alerts_ack(ids: AlertIds, note: Note = "") -> None:
    """Mark alerts as right.

    The beginning of an id is enough.
    """
    _judge(ids, right=True, note=note)


@alerts_app.command("false")
def alerts_false(ids: AlertIds, note: Note = "") -> None:
    """Mark alerts as false alarms.

    The rule of each no longer rings for that story. The mark counts in `stats`, and `export` writes it as a training example.
    """
    _judge(ids, right=False, note=note)


@alerts_app.command("export")
def alerts_export() -> None:
    """Write judged alerts as JSON lines for training.

    Writes {"id", "text", "evidence", "event", "right", "rule", "at", "note"}.
    """
    import msgspec

    from pipeline.alert import feedback

    write_lines(msgspec.json.encode(one) for one in feedback.examples(feedback.read(settings())))


def _judge(ids: list[str], *, right: bool, note: str) -> None:
    from pipeline.alert import feedback
    from pipeline.index import history
    from pipeline.index.errors import RefusedError, RequestError, UnavailableError

    found, now = settings(), _now()
    alerts = feedback.alerts(found)
    marks = []
    for alert in [feedback.find(alerts, beginning) for beginning in ids]:
        event = None
        try:
            event = history.find(found, alert.event_id) if alert.event_id else None
        except (UnavailableError, RefusedError, RequestError) as error:
            print(f"only the sentence is kept, without the event: {error}", file=sys.stderr)
        marks.append(feedback.judge(alert, right=right, now=now, event=event, note=note, by=_user()))
    feedback.write(found, marks)
    for mark in marks:
        print(f"{mark.name[:12]} was {'right' if right else 'a false alarm'}: {mark.headline}")


def _until(time: str | None, now: dt.datetime) -> dt.datetime | None:
    from pipeline.index import filters

    if time is None:
        return None
    try:
        until = now + (now - filters.parse_since(time, now=now))
    except (filters.SearchError, OverflowError):
        raise typer.BadParameter(f"{time!r} is not like 30m, 2h, 7d or 2w", param_hint="--for") from None
    if until <= now:
        raise typer.BadParameter(f"{time!r} is not a time in the future", param_hint="--for")
    return until


def _user() -> str:
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return ""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
