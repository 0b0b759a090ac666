"""A record or a result in, a rich renderable for the terminal out. Nothing is printed here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.operate import probe
from pipeline.operate.check import Checked
from pipeline.operate.status import Status
from pipeline.records import Alert, Document, Event, Failure, Money, Party, Place, Quantity, Story, When

if TYPE_CHECKING:
    from bench.measure import Result
    from pipeline import flow  # loads spaCy, which takes seconds

MODALITY_STYLES: Final = {
    "asserted": "green",
    "planned": "cyan",
    "hypothetical": "yellow",
    "denied": "red",
    "historical": "dim",
}
CELL_CHARACTERS: Final = 90
"""The most characters of a text in a table cell."""


# --- parts -----------------------------------------------------------------------------------------------------------


def heading(title: str, detail: str = "") -> Text:
    """Return a heading with a dim detail beside it."""
    text = Text(title, style="bold")
    if detail:
        text.append(f"  {detail}", style="dim")
    return text


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an empty table in the style of all tables; the columns named in `right` are aligned right."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    return made


def rows(pairs: Iterable[tuple[str, str | Text]]) -> Table:
    """Return a table of labels and values, without the pairs whose value is empty."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", min_width=11)
    made.add_column(overflow="fold")
    for label, value in pairs:
        if value:
            made.add_row(label, value)
    return made


def name(party: Party | Place) -> str:
    """Return the name of a party or place (or its words in the text) with its country."""
    called = party.name or party.text
    return f"{called} [{party.country}]" if party.country else called


def names(parties: Iterable[Party | Place]) -> str:
    """Return the names of several parties or places, each once."""
    return ", ".join(dict.fromkeys(name(party) for party in parties))


def who(record: Event | Story) -> str:
    """Return actors and recipients in one phrase."""
    return " → ".join(side for side in (names(record.actors), names(record.recipients)) if side)


def date(when: When | None) -> str:
    """Return a date or date range with its precision."""
    if when is None:
        return ""
    days = f"{when.start}" if when.start == when.end else f"{when.start} to {when.end}"
    return f"{days} ({when.precision}, from “{when.text}”)"


def money(sums: Iterable[Money]) -> str:
    """Return amounts with their currencies."""
    return ", ".join(f"{m.value:,.0f} {m.currency}" for m in sums)


def quantities(counts: Iterable[Quantity]) -> str:
    """Return quantities with their units."""
    return ", ".join(f"{q.value:,g} {q.unit}" for q in counts)


def quoted(evidence: str) -> str:
    """Return a quotation in quotation marks, unless it begins with one."""
    return evidence if evidence[:1] in '“"' else f"“{evidence}”"


def marked(evidence: str, trigger: str) -> Text:
    """Return the evidence with the trigger words in bold."""
    text = Text(quoted(evidence))
    for word in [trigger, *trigger.split()] if trigger else []:
        at = text.plain.lower().find(word.lower())
        if at >= 0:
            text.stylize("bold underline", at, at + len(word))
            if word == trigger:
                break
    return text


def kind(record: Event | Story | Alert) -> Text:
    """Return kind and modality, coloured by modality."""
    subtype = "" if isinstance(record, Alert) or not record.subtype else f" ({record.subtype})"
    text = Text(f"{record.kind}{subtype}", style="bold")
    text.append(f" {record.modality}", style=MODALITY_STYLES[record.modality])
    return text


def moment(at: dt.datetime | None) -> str:
    """Return a time to the second in UTC, or an empty string for None."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""


# --- one line each ---------------------------------------------------------------------------------------------------


def event_line(event: Event) -> Text:
    """Return an event on one line."""
    parts = [kind(event)]
    details = (who(event), money(event.money), names(event.places) and f"in {names(event.places)}")
    parts += [Text(detail) for detail in details if detail]
    parts.append(Text(quoted(event.evidence), style="italic"))
    if event.publisher:
        parts.append(Text(event.publisher, style="dim"))
    return Text("  ").join(parts)


def alert_line(alert: Alert) -> Text:
    """Return an alert on one line."""
    text = Text("ALERT ", style="bold red")
    text.append(f"{alert.rule}  ", style="bold")
    text.append(alert.headline)
    text.append(f"  {alert.occasion}  {alert.url}", style="dim")
    return text


# --- trace -----------------------------------------------------------------------------------------------


def trace(traced: flow.Trace) -> RenderableType:
    """Return each record of an article's way through the path, with its evidence."""
    article, document, events = traced.article, traced.reading.document, traced.reading.events
    parts: list[RenderableType] = [
        heading("Article", article.url),
        indented(rows((("id", article.id), ("bytes", f"{len(article.html.encode()):,} of {article.content_type}")))),
        heading("Document", "extract, annotate"),
        indented(_document(document)),
        heading(f"Events ({len(events)})", "detect"),
        *(indented(event_block(event)) for event in events),
        heading(f"Stories ({len(traced.stories)})", "track"),
        *(indented(story_block(story)) for story in traced.stories),
        heading(f"Alerts ({len(traced.alerts)})", "alert"),
        *(indented(alert_block(alert)) for alert in traced.alerts),
    ]
    return Group(*parts)


def indented(part: RenderableType) -> Padding:
    """Return a block that is indented below its heading."""
    return Padding(part, (0, 0, 1, 2))


def _document(document: Document) -> Table:
    named = dict.fromkeys(
        f"{e.name or e.text}{f' [{e.country}]' if e.country else ''} {e.label}" for e in document.entities
    )
    shown = "; ".join(list(named)[:ENTITIES_SHOWN])
    more = f"; and {len(named) - ENTITIES_SHOWN} more" if len(named) > ENTITIES_SHOWN else ""
    return rows(
        (
            ("title", document.title),
            ("publisher", document.publisher),
            ("credit", document.credit or ""),
            ("authors", ", ".join(document.authors)),
            ("published", moment(document.published_at)),
            ("language", document.language or ""),
            ("text", f"{len(document.text):,} characters, {len(document.sentences)} sentences"),
            ("entities", shown + more),
        )
    )


ENTITIES_SHOWN: Final = 20


def event_block(event: Event) -> RenderableType:
    """Return an event with all its fields."""
    head = kind(event)
    head.append(f"  {event.event_type}  {event.confidence:.0%}", style="dim")
    where = f"{event.section} {event.start}-{event.end}"
    return Group(
        head,
        rows(
            (
                ("evidence", marked(event.evidence, event.trigger)),
                ("actors", names(event.actors)),
                ("recipients", names(event.recipients)),
                ("places", names(event.places)),
                ("date", date(event.date)),
                ("money", money(event.money)),
                ("quantities", quantities(event.quantities)),
                ("items", ", ".join(event.items)),
                ("said by", event.attributed_to or ""),
                ("because", f"trigger “{event.trigger}”, rule {event.rule or '?'}, at {where}"),
                ("also in", Text("\n").join(Text(quoted(m.text)) for m in event.mentions)),
                ("export", f"PLOVER {event.export.plover}, CAMEO {event.export.cameo}"),
            )
        ),
    )


def story_block(story: Story) -> RenderableType:
    """Return a story with its headline, its happenings and its sources."""
    head = Text(story.headline, style="bold")
    head.append(f"  {story.publisher}", style="dim")
    told = [one for one in story.happenings if not one.background]
    aside = len(story.happenings) - len(told)
    lines = [one.line or f"{one.kind.replace('_', ' ')}, {one.phase}, {one.confidence:.0%}" for one in told]
    return Group(
        head,
        rows(
            (
                ("happenings", Text("\n").join(Text(line) for line in lines)),
                ("background", f"{aside} more in the text" if aside else ""),
                ("sources", f"{story.source_count}: {', '.join(story.publishers)}"),
                ("id", f"{story.id}, revision {story.revision}"),
            )
        ),
    )


def alert_block(alert: Alert) -> RenderableType:
    """Return an alert with its message."""
    head = Text(alert.rule, style="bold red")
    head.append(f"  {alert.occasion}", style="dim")
    return Group(head, Text(alert.message))


# --- results ---------------------------------------------------------------------------------------------------------


def failures(found: Sequence[Failure]) -> RenderableType:
    """Return the records in quarantine as a table."""
    made = table("id", "when", "stage", "error", "topic", "bytes", right=("bytes",))
    for failure in found:
        place = f"{failure.topic} {failure.partition}:{failure.offset}"
        error = f"{failure.error_type}: {failure.error.splitlines()[0] if failure.error else ''}"
        made.add_row(
            failure.id[:12],
            f"{failure.failed_at:%m-%d %H:%M}",
            failure.stage,
            error[:CELL_CHARACTERS],
            place,
            f"{failure.raw_size:,}",
        )
    return Group(heading(f"{len(found)} in quarantine"), made) if found else heading("The quarantine is empty")


def failures_in_full(found: Sequence[Failure]) -> RenderableType:
    """Return several failures with all their fields."""
    return Group(*map(failure, found))


def failure(item: Failure, *, raw_shown: int = 2000) -> RenderableType:
    """Return one failure with all its fields and the first `raw_shown` bytes of the record."""
    raw = item.raw[:raw_shown].decode("utf-8", "backslashreplace")
    return Group(
        rows(
            (
                ("id", item.id),
                ("when", moment(item.failed_at)),
                ("stage", item.stage),
                ("error", f"{item.error_type}: {item.error}"),
                ("from", f"{item.topic}, partition {item.partition}, offset {item.offset}"),
                ("key", "" if item.key is None else item.key.decode("utf-8", "backslashreplace")),
                ("version", item.version),
            )
        ),
        Text(item.traceback.rstrip(), style="dim"),
        heading(f"{item.raw_size:,} bytes", "" if item.raw_size == len(item.raw) else "too large to be kept here"),
        Text(raw + (" …" if len(item.raw) > raw_shown else "")),
    )


def checked(line: Checked) -> Text:
    """Return the line for one checked file."""
    if line.problem:
        return Text.assemble(("wrong  ", "bold red"), line.problem)
    return Text.assemble(("ok     ", "green"), line.file, (f"  {line.detail}", "dim"))


def status(found: Status) -> RenderableType:
    """Return the status of the whole service."""
    processes = table("process", "address", "state", "")
    for process in found.processes:
        processes.add_row(
            process.name, process.address, state(process), Text(process.problem[:CELL_CHARACTERS], style="dim")
        )
    lag = table("group", "topic", "behind", right=("behind",))
    for item in found.lag:
        lag.add_row(item.group, item.topic, f"{item.records:,}")
    indices = table("index", "documents", "MB", right=("documents", "MB"))
    for alias, size in found.index.get("indices", {}).items():
        indices.add_row(alias, f"{size['documents']:,}", f"{size['bytes'] / 1e6:,.1f}")
    feeds = table("feed", "failures", "last error", right=("failures",))
    for feed in found.feeds_failing:
        feeds.add_row(feed.id, str(feed.failures), (feed.error or "")[:CELL_CHARACTERS])
    silent = table("feed", "silent")
    for feed in found.feeds_silent:
        silent.add_row(feed.id, feed.silence or "")
    index = f"{found.index.get('status', 'not asked')}"
    rang = ", ".join(f"{rule} {count}" for rule, count in found.alerts_by_rule.items())
    parts: list[RenderableType] = [
        heading("Processes"),
        indented(processes),
        heading("Behind", found.kafka_problem),
        indented(lag),
    ]
    parts += [heading("Index", index), indented(indices)]
    trouble = f"{len(found.feeds_failing)} failing, {len(found.feeds_silent)} silent"
    parts += [heading(f"Feeds: {found.feeds}", trouble)]
    parts += [indented(feeds)] if found.feeds_failing else []
    parts += [indented(silent)] if found.feeds_silent else []
    parts += [heading(f"Alerts in the last 24 hours: {found.alerts}", rang)]
    parts += [Text(f"! {problem}", style="bold red") for problem in found.problems]
    return Group(*parts)


def bench(result: Result) -> RenderableType:
    """Return the results of a benchmark."""
    late = table("latency, feed to index", "articles", "p50", "p99", right=("articles", "p50", "p99"))
    for name, what in (("steady", "half the speed"), ("trickle", "one a second"), ("load", "all at once")):
        one = getattr(result, name)
        late.add_row(f"{name} ({what})", str(one.articles), f"{one.p50_seconds:.2f} s", f"{one.p99_seconds:.2f} s")
    plain = f"1 process {result.plain_one_process:.1f}, {result.processes} processes {result.plain_all_processes:.1f}"
    parts = ", ".join(f"{name} {size:,}" for name, size in sorted(result.memory_mb.items()))
    cpu = ", ".join(f"{name} {seconds:.0f}" for name, seconds in result.cpu_seconds_per_1000.items())
    load = f"load average {result.load_average:.1f}"
    return Group(
        rows(
            (
                ("articles", f"{result.articles} of {result.words_per_article} words, {result.cores} cores, {load}"),
                ("whole path", f"{result.articles_per_second:.1f} articles a second"),
                ("plain spaCy", f"{result.plain_nlp_pipe_articles_per_second:.1f} articles a second ({plain})"),
                ("ratio", f"{result.ratio:.2f}; a core with the worker alone: {result.core_ratio:.2f}"),
                ("CPU s per 1,000", f"{cpu}; plain spaCy {result.plain_cpu_seconds_per_1000:.0f}"),
                ("memory", f"{result.peak_memory_mb:,} MB at most ({parts})"),
            )
        ),
        Text(),
        late,
    )


def state(process: probe.ProcessState) -> Text:
    """Return the state of a process in one word or two."""
    if process.ready:
        return Text("ready", style="green")
    return Text("up, not ready", style="yellow") if process.up else Text("down", style="red")
