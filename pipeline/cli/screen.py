"""Where `dateline run` is shown: a living page on a terminal, plain lines elsewhere. Both write to the console of cli.py.

`page` is pure: a view and a size in, a renderable out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from pipeline.cli import show
from pipeline.operate import service
from pipeline.operate.live import View
from pipeline.records import Alert, Event

SUMMARY_SECONDS: Final = 10.0
NOTES_SHOWN: Final = 4
LEAST_LINES: Final = 3
LARGE: Final = 1000
"""Progress beyond so many steps is bytes, not servers."""


def summary(view: View) -> str:
    """The numbers on one line."""
    count, published = view.count, view.published
    passed = {
        "articles": published.get("news.articles", 0),
        "read": count("detect").ok,
        "events": published.get("news.events", 0),
        "story changes": published.get("news.stories", 0),
        "alerts": published.get("news.alerts", 0),
        "indexed": count("index").ok,
    }
    failed = sum(row.quarantined for row in view.counts)
    told = [f"{number} {what}" for what, number in passed.items()] + ([f"{failed} in quarantine"] if failed else [])
    behind = ", ".join(f"{short(group)} {number}" for group, number in sorted(view.behind.items()) if number)
    unready = [answer.name for answer in view.answers if not answer.ready]
    return f"{', '.join(told)}; behind: {behind or 'nobody'}" + (
        f"; not ready: {', '.join(unready)}" if unready else ""
    )


def short(group: str) -> str:
    """A group's name without ours before it."""
    return group.removeprefix("dateline-")


def duration(seconds: float) -> str:
    """Hours, minutes, seconds."""
    return str(dt.timedelta(seconds=int(seconds)))


def page(view: View, *, height: int, endpoints: Sequence[tuple[str, str]], notes: Sequence[str] = ()) -> RenderableType:
    """The whole screen."""
    behind = {short(group): number for group, number in view.behind.items()}
    processes = show.table("process", "state", "behind", "metrics", right=("behind",))
    for answer in view.answers:
        mine = sum(number for group, number in behind.items() if group.startswith(answer.name))
        processes.add_row(answer.name, show.state(answer), f"{mine:,}", f"http://{answer.address}/metrics")
    path = show.table(
        "stage", "ok", "rejected", "quarantined", "per s", right=("ok", "rejected", "quarantined", "per s")
    )
    for row in view.counts:
        bad = Text(f"{row.quarantined:,}", style="red" if row.quarantined else "")
        path.add_row(row.stage, f"{row.ok:,}", f"{row.rejected:,}", bad, f"{row.per_second:.1f}")
    where = Text("\n").join(_cut(Text.assemble((f"{what:<15}", "dim"), at)) for what, at in endpoints)
    top = Table.grid(padding=(0, 4, 0, 0))
    top.add_row(Group(processes, Text(), _cut(where)), path)
    shown_notes = list(notes)[-NOTES_SHOWN:]
    # the heading and what parts the blocks take five lines, and the cursor stands below the last one
    above = 6 + max(1 + len(view.counts), 2 + len(view.answers) + len(endpoints))
    lines = max(LEAST_LINES, height - above - len(shown_notes))
    shown_alerts = view.alerts[-max(1, min(len(view.alerts), lines // 3)) :]
    shown_events = view.events[-max(1, lines - len(shown_alerts)) :]
    head = Text.assemble(("Dateline", "bold"), f"  {duration(view.seconds)}  ", ("Ctrl-C stops", "dim"))
    parts: list[RenderableType] = [head, Text(), top, Text()]
    parts += [show.heading("Latest alerts"), *map(_cut, map(show.alert_line, reversed(shown_alerts)))]
    parts += [show.heading("Latest events"), *map(_cut, map(show.event_line, reversed(shown_events)))]
    parts += [_cut(Text(note, style="yellow")) for note in shown_notes]
    return Group(*parts)


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def bar(stream: TextIO, what: str, done: int, total: int) -> None:
    """Progress for a command that only waits: a line that changes on a terminal, elsewhere one for each thing done."""
    size = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total > LARGE else f"{done} of {total}"
    if stream.isatty():
        stream.write(f"\r\x1b[K{what}: {size}" + ("\n" if done >= total else ""))
    elif done >= total:
        stream.write(f"{what}: {size}\n")
    stream.flush()


@contextlib.contextmanager
def progress_bar(stream: TextIO, what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar with the time left for as long as the block lasts; where nobody looks, a line every ten seconds."""
    console = Console(file=stream, highlight=False)
    if not stream.isatty():
        last = time.monotonic()

        def tell(done: int, total: int, words: str) -> None:
            nonlocal last
            if time.monotonic() - last >= SUMMARY_SECONDS:
                last = time.monotonic()
                console.print(f"{what}: {100 * done // max(1, total)} %, {words}", markup=False)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, transient=True) as progress:
        task = progress.add_task(what, total=None, words="")
        yield lambda done, total, words: progress.update(task, completed=done, total=total or None, words=words)


class Terminal:
    """A living page. A bar stands in its place while something is downloaded or started."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._endpoints: Sequence[tuple[str, str]] = ()
        self._live = Live(console=console, refresh_per_second=4, screen=False, transient=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._notes: deque[str] = deque(maxlen=NOTES_SHOWN)
        self._drawing = False

    def say(self, text: str) -> None:
        """A line: on the page where there is one, below the last one otherwise."""
        if self._drawing:
            self._notes.append(f"{dt.datetime.now().astimezone():%H:%M:%S}  {text}")
        else:
            self._console.print(text, highlight=False, markup=False)

    def progress(self, what: str, done: int, total: int) -> None:
        """A bar."""
        if what != self._what:
            self.end_progress()
            columns = (DownloadColumn(),) if total > LARGE else (MofNCompleteColumn(),)
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), *columns, console=self._console, transient=True
            )
            self._task = self._bar.add_task(what, total=total)
            self._bar.start()
            self._what = what
        assert self._bar is not None
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self.end_progress()

    def ready(self, endpoints: Sequence[tuple[str, str]]) -> None:
        """The page shows where everything answers; the processes have their own column for it."""
        self._endpoints = [(what, where) for what, where in endpoints if what != service.METRICS]

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._what = None, ""

    def draw(self, view: View) -> None:
        """The page anew."""
        if not self._drawing:
            self.end_progress()
            self._live.start()
            self._drawing = True
        self._live.update(
            page(view, height=self._console.size.height, endpoints=self._endpoints, notes=tuple(self._notes))
        )

    def seen(self, record: Event | Alert) -> None:
        """The page shows it with the rest."""

    def close(self) -> None:
        """Take the page away; what is said from now on stays."""
        self.end_progress()
        if self._drawing:
            self._drawing = False
            self._live.stop()


class Plain:
    """Lines: each event and alert as it comes, and how far everything is every ten seconds while something changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._told_at = time.monotonic()
        self._told = ""
        self._done: dict[str, int] = {}

    def say(self, text: str) -> None:
        """A line with the time."""
        self._line(Text(text))

    def progress(self, what: str, done: int, total: int) -> None:
        """A line at the start, at each tenth and at the end of something."""
        tenth = 10 * done // total if total else 10
        if self._done.get(what) != tenth:
            self._done[what] = tenth
            self._line(
                Text(
                    f"{what}: {f'{done / 1e6:.0f} of {total / 1e6:.0f} MB' if total > LARGE else f'{done} of {total}'}"
                )
            )

    def ready(self, endpoints: Sequence[tuple[str, str]]) -> None:
        """A line for each place where something answers."""
        for what, where in endpoints:
            self._line(Text(f"{what}: {where}"))

    def draw(self, view: View) -> None:
        """A summary, when it is time and there is something new."""
        now = time.monotonic()
        if now - self._told_at < SUMMARY_SECONDS:
            return
        self._told_at = now
        told = summary(view)
        if told != self._told:
            self._told = told
            self._line(Text(told))

    def seen(self, record: Event | Alert) -> None:
        """A line for it."""
        if isinstance(record, Alert):
            self._line(show.alert_line(record))
        else:
            self._line(Text.assemble("event  ", show.event_line(record)))

    def close(self) -> None:
        """Nothing to leave behind."""

    def _line(self, text: Text) -> None:
        with self._lock:
            stamp = f"{dt.datetime.now().astimezone():%H:%M:%S}  "
            self._console.print(Text.assemble((stamp, "dim"), text), soft_wrap=True, highlight=False)
