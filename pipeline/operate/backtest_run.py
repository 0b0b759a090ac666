"""The rules over history: events of Elasticsearch, or a file of articles or events as JSON lines, tracked and alerted anew.

What is shown is what today's rules make of them, held alerts included.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import flow
from pipeline.alert import rules
from pipeline.alert.backtest import Backtest, BacktestError, chosen
from pipeline.alert.throttle import Marks
from pipeline.index import history
from pipeline.operate import offline
from pipeline.records import Event, RecordError, decode
from pipeline.settings import Settings
from pipeline.track.stories import Stories

Progress = Callable[[int, int], object]


def backtest(
    settings: Settings,
    *,
    file: Path | None = None,
    rule: str | None = None,
    since: dt.datetime | None = None,
    marks: Marks | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Backtest:
    """The rules (or one of them) over history, from `since` on and what was open then.

    Raises:
        BacktestError: there is no such rule, or a line of the file is none.
        SettingsError: alerts.toml is wrong.
        OSError, RefusedError, AwayError, RequestError: the file or Elasticsearch cannot be read.
    """
    run = Backtest(chosen(rules.load(settings).rules, rule), marks)
    if file is not None:
        lines = [line for line in file.read_bytes().splitlines() if line.strip()]
        if lines and _is_event(lines[0]):
            _fold(settings, run, _counted(_events(lines), len(lines), progress))
        else:
            _articles(settings, run, lines, progress)
    else:
        # A story that began before may still have been open: its events are tracked too, and what it rang then is left out.
        begin = since - dt.timedelta(days=settings.track.open_days) if since else None
        _fold(settings, run, history.events(settings, begin, progress=progress))
    run.end()
    return run


def _fold(settings: Settings, run: Backtest, told: Iterable[Event]) -> None:
    for story in flow.follow(Stories(settings.track), told):
        run.take(story)


def _articles(settings: Settings, run: Backtest, lines: Sequence[bytes], progress: Progress) -> None:
    for _ in _counted(offline.StoryRun(settings, changed=run.take).lines(lines), len(lines), progress):
        pass


def _is_event(line: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(line, type=dict[str, Any]).get("record") == "event")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            yield decode(line, Event)
        except RecordError as error:
            raise BacktestError(f"line {number}: {error}") from error


def _counted(items: Iterable[Any], total: int, progress: Progress) -> Iterator[Any]:
    for number, item in enumerate(items, 1):
        yield item
        progress(number, total)
