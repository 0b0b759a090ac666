"""Past events in (from Elasticsearch, or a file of articles or events), the alerts of today's rules out.

The events are tracked again from the beginning. Alerts that would be held back are included.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import flow
from pipeline.alert import rules
from pipeline.alert.backtest import Backtest, BacktestError, rules_named, with_unfloored
from pipeline.alert.rules import Rule
from pipeline.alert.throttle import KnownMarks
from pipeline.index import history
from pipeline.operate import offline
from pipeline.records import Event, RecordError, decode
from pipeline.settings import Settings
from pipeline.track.brief import briefs_of
from pipeline.track.stories import Stories

Progress = Callable[[int, int], object]


def backtest(
    settings: Settings,
    *,
    file: Path | None = None,
    rule: str | None = None,
    wanted: Sequence[Rule] | None = None,
    since: dt.datetime | None = None,
    marks: KnownMarks | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Backtest:
    """Run the rules (one of them, or `wanted`) over past events since `since`, and over the stories that were open then.

    Raises:
        BacktestError: there is no such rule, or a line of the file is no event.
        SettingsError: alerts.toml is wrong.
        OSError, RefusedError, UnavailableError, RequestError: the file or Elasticsearch cannot be read.
    """
    run = with_unfloored(rules_named(rules.load(settings).rules, rule) if wanted is None else wanted, marks)
    if file is not None:
        lines = [line for line in file.read_bytes().splitlines() if line.strip()]
        if lines and _is_event(lines[0]):
            _fold(settings, run, _counted(_events(lines), len(lines), progress))
        else:
            _articles(settings, run, lines, progress)
    else:
        # A story that began earlier may still have been open, so its events are tracked too. Its earlier alerts are left out.
        begin = since - dt.timedelta(days=settings.track.open_days) if since else None
        _fold(settings, run, history.events(settings, begin, progress=progress))
    run.end()
    return run


def _fold(settings: Settings, run: Backtest, found: Iterable[Event]) -> None:
    for story in flow.follow(Stories(settings.track), briefs_of(found)):
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
