"""How events that were found, groups of them, and a story look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from pipeline.cli import show
from pipeline.console.item_endpoints import StoryPage
from pipeline.index import csv_text
from pipeline.index.figures import GroupSum
from pipeline.index.search import Counted
from pipeline.records import Money, Quantity, When
from pipeline.track.line import in_words

EVENTS_SHOWN: Final = 30


def hits(total: int, found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the events that a search found, the best first: what, who, where, when, how much, and the sentence."""
    parts: list[RenderableType] = [
        show.heading(f"{total:,} {'reports of events' if total != 1 else 'report of an event'}", f"{len(found)} shown")
    ]
    if not total:
        parts.append(show.indented(Text("Nothing matches. Fewer conditions, or a longer --since, may find some.")))
    for hit in found:
        head = Text(f"{hit['kind']}", style="bold")
        head.append(f" {hit['modality']}", style=show.MODALITY_STYLES.get(hit["modality"], ""))
        at = hit.get("published_at") or hit.get("first_seen_at") or ""
        head.append(f"  {at[:16].replace('T', ' ')}  {hit.get('publisher', '')}", style="dim")
        facts = show.rows(
            [
                ("who", _who(hit.get("actors", ()), hit.get("recipients", ()))),
                ("where", _names(hit.get("places", ()))),
                ("when", _date(hit.get("date"))),
                ("sum", _money(hit.get("money", ()))),
                ("count", _quantities(hit.get("quantities", ()))),
            ]
        )
        evidence = Text(show.quoted(hit["evidence"]))
        parts.append(show.indented(Group(head, evidence, facts, Text(hit.get("article_url", ""), style="blue"))))
    return Group(*parts)


def _names(parts: Sequence[Mapping[str, Any]]) -> str:
    shown = []
    for part in parts:
        name, code = part.get("name") or part.get("text") or "", part.get("country")
        shown.append(f"{name} [{code}]" if code else name)
    return ", ".join(shown)


def _who(actors: Sequence[Mapping[str, Any]], recipients: Sequence[Mapping[str, Any]]) -> str:
    return " → ".join(side for side in (_names(actors), _names(recipients)) if side)


def _date(date: Mapping[str, Any] | None) -> str:
    import msgspec  # noqa: PLC0415 - loaded already wherever there is a result

    return show.date(msgspec.convert(date, When, strict=False)) if date else ""


def _money(sums: Sequence[Mapping[str, Any]]) -> str:
    return show.money([Money(text=one.get("text", ""), value=one["value"], currency=one["currency"]) for one in sums])


def _quantities(counts: Sequence[Mapping[str, Any]]) -> str:
    return show.quantities([Quantity(text=one.get("text", ""), value=one["value"], unit=one["unit"]) for one in counts])


NAMES: Final[Mapping[Counted, str]] = {"happenings": "events", "reports": "reports"}
"""How a column of counts is called."""

NOTES: Final[Mapping[Counted, str]] = {
    "happenings": "Each event counts once, however many articles report it.",
    "reports": "Each report counts: sums and casualties of an event that several report are added several times.",
}


def groups(by: str, counted: Counted, found: Sequence[GroupSum]) -> RenderableType:
    """Return groups of events as a table, or the sentence that there are none."""
    if not found:
        return Text(
            f"No event that matches has {'an' if by[0] in 'aeiou' else 'a'} {by}; fewer conditions may find some."
        )
    name_of_count = NAMES[counted]
    table = show.table(by, name_of_count, "sum", "dead", "injured", right=(name_of_count, "sum", "dead", "injured"))
    for one in found:
        name = one.label if one.label == one.value else f"{one.label} [{one.value}]"
        money = in_words(float(f"{one.amount_usd:.3g}"), "USD") if one.amount_usd else ""
        dead, injured = (f"{number:,}" if number else "" for number in (one.dead, one.injured))
        table.add_row(name, f"{one.count:,}", money, dead, injured)
    return Group(table, Text(NOTES[counted], style="dim"))


def groups_csv(by: str, counted: Counted, found: Sequence[GroupSum]) -> Iterator[bytes]:
    """Yield groups of events as lines of CSV."""
    head = (by, "label", NAMES[counted], "amount_usd", "dead", "injured")
    rows = ((one.value, one.label, one.count, one.amount_usd, one.dead, one.injured) for one in found)
    yield from csv_text.lines([head, *rows], end="\n").splitlines()


def story(page: StoryPage, link: str) -> RenderableType:
    """Return a story: its facts, its timeline, its reports by publisher, and its alerts."""
    who = [{"name": party.name or party.text, "country": party.country} for party in page.actors]
    whom = [{"name": party.name or party.text, "country": party.country} for party in page.recipients]
    parts: list[RenderableType] = [
        Text(page.headline, style="bold"),
        show.rows(
            [
                ("line", page.line),
                ("kind", f"{page.kind_name} {page.modality}, {page.phase}"),
                ("who", _who(who, whom)),
                ("where", ", ".join(place.name or place.text for place in page.places)),
                ("when", f"{page.date.start} ({page.date.precision}, from “{page.date.text}”)" if page.date else ""),
                ("sum", in_words(page.amount_usd, "USD") if page.amount_usd else ""),
                ("casualties", _casualties(page.dead, page.injured)),
                (
                    "sure",
                    f"{page.confidence:.0%} ({page.source_count} independent sources, {page.article_count} articles)",
                ),
                ("id", f"{page.id}, revision {page.revision}"),
                ("page", link),
            ]
        ),
        Text(),
        show.heading("Timeline"),
        *(Text(f"{one.at[:16].replace('T', ' ')}  {one.what}") for one in page.timeline),
        Text(),
        show.heading(f"Reports ({len(page.reports)})"),
    ]
    for report in page.reports[:EVENTS_SHOWN]:
        head = Text(report.publisher or "?", style="bold")
        head.append(
            f"  {(report.published_at or report.seen_at or '')[:16].replace('T', ' ')}  {report.title}", style="dim"
        )
        parts.append(show.indented(Group(head, Text(show.quoted(report.evidence)), Text(report.url, style="blue"))))
    for difference in page.disagreements:
        said = "; ".join(f"{value.value} ({', '.join(value.publishers)})" for value in difference.values)
        parts.append(Text(f"The reports differ on {difference.field}: {said}", style="yellow"))
    if page.alerts:
        parts.append(show.heading("Alerts"))
        parts += [Text(f"{one.rule}  {one.occasion}  {one.at:%Y-%m-%d %H:%M}") for one in page.alerts]
    return Group(*parts)


def _casualties(dead: int | None, injured: int | None) -> str:
    return ", ".join(f"{number:,} {what}" for number, what in ((dead, "dead"), (injured, "injured")) if number)
