"""The output of `dateline run`: a page that is redrawn on a terminal, plain lines elsewhere.

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
MESSAGES_SHOWN: Final = 4
MIN_LINES: Final = 3
BYTES_FROM: Final = 1000
"""A progress total above this counts bytes; one below counts servers or feeds."""


def summary(view: View) -> str:
    """Return the numbers of a view on one line."""
    count, published = view.count, view.published
    numbers = {
        "articles": published.get("news.articles", 0),
        "read": count("detect").ok,
        "events": published.get("news.events", 0),
        "story changes": published.get("news.stories", 0),
        "alerts": published.get("news.alerts", 0),
        "indexed": count("index").ok,
    }
    failed = sum(row.quarantined for row in view.counts)
    parts = [f"{number} {what}" for what, number in numbers.items()] + ([f"{failed} in quarantine"] if failed else [])
    behind = ", ".join(f"{short(group)} {number}" for group, number in sorted(view.lag.items()) if number)
    unready = [process.name for process in view.processes if not process.ready]
    return f"{', '.join(parts)}; behind: {behind or 'none'}" + (f"; not ready: {', '.join(unready)}" if unready else "")


def feeds_line(view: View, addresses: Sequence[tuple[str, str]]) -> Text:
    """Return how many feeds fail, and where to see which; an empty line if all is well."""
    failing = [(p.detail or {}).get("failing", 0) for p in view.processes if p.name == "collector"]
    wrong = [(p.detail or {}).get("feeds_problem", "") for p in view.processes if p.name == "collector"]
    if any(wrong):
        return Text(f"feeds.toml has an error, so the old feeds go on: {wrong[0]}", style="red")
    if not any(failing):
        return Text()
    pages = [at for what, at in addresses if what == service.PAGE]
    where = f"{pages[0]}/sources or `dateline feeds check`" if pages else "`dateline feeds check`"
    number = failing[0]
    return Text(f"{number} feed{'s' if number != 1 else ''} cannot be read: see {where}", style="yellow")


WORDS: Final = (
    "behind: records not read yet. ok: done. rejected: not wanted (old, seen, no text). quarantined: failed, kept."
)
"""What the numbers of the page mean."""


def short(group: str) -> str:
    """Return the name of a consumer group without the prefix `dateline-`."""
    return group.removeprefix("dateline-")


def duration(seconds: float) -> str:
    """Return seconds as hours:minutes:seconds."""
    return str(dt.timedelta(seconds=int(seconds)))


def page(
    view: View, *, height: int, addresses: Sequence[tuple[str, str]], messages: Sequence[str] = ()
) -> RenderableType:
    """Return the whole page for a terminal of `height` lines."""
    behind = {short(group): number for group, number in view.lag.items()}
    processes = show.table("process", "state", "behind", "metrics", right=("behind",))
    for process in view.processes:
        lag = sum(number for group, number in behind.items() if group.startswith(process.name))
        processes.add_row(process.name, show.state(process), f"{lag:,}", f"http://{process.address}/metrics")
    path = show.table(
        "stage", "ok", "rejected", "quarantined", "per s", right=("ok", "rejected", "quarantined", "per s")
    )
    for row in view.counts:
        bad = Text(f"{row.quarantined:,}", style="red" if row.quarantined else "")
        path.add_row(row.stage, f"{row.ok:,}", f"{row.rejected:,}", bad, f"{row.per_second:.1f}")
    where = Text("\n").join(_cut(Text.assemble((f"{what:<15}", "dim"), at)) for what, at in addresses)
    top = Table.grid(padding=(0, 4, 0, 0))
    top.add_row(Group(processes, Text(), _cut(where)), path)
    shown_messages = list(messages)[-MESSAGES_SHOWN:]
    # The heading and the gaps between the blocks take five lines, and the cursor is below the last line.
    above = 7 + max(1 + len(view.counts), 2 + len(view.processes) + len(addresses))
    lines = max(MIN_LINES, height - above - len(shown_messages))
    shown_alerts = view.alerts[-max(1, min(len(view.alerts), lines // 3)) :]
    shown_events = view.events[-max(1, lines - len(shown_alerts)) :]
    head = Text.assemble(("Dateline", "bold"), f"  {duration(view.seconds)}  ", ("Ctrl-C stops", "dim"))
    parts: list[RenderableType] = [head, Text(), top, _cut(Text(WORDS, style="dim"))]
    parts.append(_cut(feeds_line(view, addresses)))
    parts += [show.heading("Latest alerts"), *map(_cut, map(show.alert_line, reversed(shown_alerts)))]
    parts += [show.heading("Latest events"), *map(_cut, map(show.event_line, reversed(shown_events)))]
    parts += [_cut(Text(message, style="yellow")) for message in shown_messages]
    return Group(*parts)


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def bar(stream: TextIO, what: str, done: int, total: int) -> None:
    """Show progress on one line: updated in place on a terminal, written once at the end elsewhere."""
    size = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total > BYTES_FROM else f"{done} of {total}"
    if stream.isatty():
        stream.write(f"\r\x1b[K{what}: {size}" + ("\n" if done >= total else ""))
    elif done >= total:
        stream.write(f"{what}: {size}\n")
    stream.flush()


@contextlib.contextmanager
def progress_bar(stream: TextIO, what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar with the time left while the block runs; if `stream` is no terminal, a line every ten seconds."""
    console = Console(file=stream, highlight=False)
    if not stream.isatty():
        last = time.monotonic()

        def print_line(done: int, total: int, words: str) -> None:
            nonlocal last
            if time.monotonic() - last >= SUMMARY_SECONDS:
                last = time.monotonic()
                console.print(f"{what}: {100 * done // max(1, total)} %, {words}", markup=False)

        yield print_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, transient=True) as progress:
        task = progress.add_task(what, total=None, words="")
        yield lambda done, total, words: progress.update(task, completed=done, total=total or None, words=words)


class TerminalScreen:
    """A page that is redrawn in place. While something is downloaded or started, a progress bar is shown instead."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._addresses: Sequence[tuple[str, str]] = ()
        self._live = Live(console=console, refresh_per_second=4, screen=False, transient=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._messages: deque[str] = deque(maxlen=MESSAGES_SHOWN)
        self._drawing = False

    def message(self, text: str) -> None:
        """Show a line: on the page if it is drawn, otherwise below the last line."""
        if self._drawing:
            self._messages.append(f"{dt.datetime.now().astimezone():%H:%M:%S}  {text}")
        else:
            self._console.print(text, highlight=False, markup=False)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show or move the progress bar of `what`."""
        if what != self._what:
            self.end_progress()
            columns = (DownloadColumn(),) if total > BYTES_FROM else (MofNCompleteColumn(),)
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

    def ready(self, addresses: Sequence[tuple[str, str]]) -> None:
        """Show these addresses on the page; those of the metrics have their own column."""
        self._addresses = [(what, where) for what, where in addresses if what != service.METRICS]

    def end_progress(self) -> None:
        """Remove the progress bar."""
        if self._bar is not None:
            self._bar.stop()
        self._bar, self._what = None, ""

    def draw(self, view: View) -> None:
        """Draw the page with the numbers of `view`."""
        if not self._drawing:
            self.end_progress()
            self._live.start()
            self._drawing = True
        self._live.update(
            page(view, height=self._console.size.height, addresses=self._addresses, messages=tuple(self._messages))
        )

    def record(self, record: Event | Alert) -> None:
        """Do nothing: the page shows the latest records of the view."""

    def close(self) -> None:
        """Remove the page. Later messages are printed as lines."""
        self.end_progress()
        if self._drawing:
            self._drawing = False
            self._live.stop()


class PlainScreen:
    """Lines: each event and alert as it arrives, and a summary every ten seconds if something changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._summary_at = time.monotonic()
        self._summary = ""
        self._tenths: dict[str, int] = {}

    def message(self, text: str) -> None:
        """Print a line with the time."""
        self._line(Text(text))

    def progress(self, what: str, done: int, total: int) -> None:
        """Print a line at the start, at each tenth and at the end."""
        tenth = 10 * done // total if total else 10
        if self._tenths.get(what) != tenth:
            self._tenths[what] = tenth
            self._line(
                Text(
                    f"{what}: {f'{done / 1e6:.0f} of {total / 1e6:.0f} MB' if total > BYTES_FROM else f'{done} of {total}'}"
                )
            )

    def ready(self, addresses: Sequence[tuple[str, str]]) -> None:
        """Print a line for each address."""
        for what, where in addresses:
            self._line(Text(f"{what}: {where}"))

    def draw(self, view: View) -> None:
        """Print a summary if ten seconds have passed and something changed."""
        now = time.monotonic()
        if now - self._summary_at < SUMMARY_SECONDS:
            return
        self._summary_at = now
        text = summary(view)
        if text != self._summary:
            self._summary = text
            self._line(Text(text))

    def record(self, record: Event | Alert) -> None:
        """Print a line for the record."""
        if isinstance(record, Alert):
            self._line(show.alert_line(record))
        else:
            self._line(Text.assemble("event  ", show.event_line(record)))

    def close(self) -> None:
        """Do nothing: lines stay."""

    def _line(self, text: Text) -> None:
        with self._lock:
            stamp = f"{dt.datetime.now().astimezone():%H:%M:%S}  "
            self._console.print(Text.assemble((stamp, "dim"), text), soft_wrap=True, highlight=False)
