"""The explained sentences of an article in, the page of `dateline explain` out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.show import MODALITY_STYLES, name, rows
from pipeline.detect.explain import Read, Told
from pipeline.records import Party


def explanation(read: Sequence[Read]) -> RenderableType:
    """Return each sentence with its events, their reasons, names and arcs."""
    return Group(*(_sentence(one) for one in read))


def _sentence(one: Read) -> RenderableType:
    line = Text(f"{one.section} {one.start}-{one.end}  ", style="dim").append(one.text, style="default")
    parts: list[RenderableType] = [line]
    parts += [Padding(_event(event), (0, 0, 0, 4)) for event in one.told]
    if one.told:
        shown = rows((("spans", _lines(_span(span) for span in one.spans)), ("arcs", _lines(one.arcs))))
        parts.append(Padding(shown, (0, 0, 1, 6), style="dim"))
    return Group(*parts)


def _event(event: Told) -> RenderableType:
    head = Text("→ ", style="bold").append(f"{event.kind} ({event.subtype})" if event.subtype else event.kind, "bold")
    head.append(f" {event.modality}", MODALITY_STYLES.get(event.modality, ""))
    head.append(f"  {event.confidence:.0%}", "dim")
    shown = rows(
        (
            ("rule", event.rule),
            ("trigger", event.trigger),
            ("modality", f"{event.modality}: {event.cause}"),
            ("frame", "; ".join(f"{slot}: {held}" for slot, held in event.frame)),
            ("actors", _people(event.actors)),
            ("recipients", _people(event.recipients)),
            ("confidence", _parts(event)),
        )
    )
    return Group(head, Padding(shown, (0, 0, 0, 2)))


def _parts(event: Told) -> str:
    rules = " ".join(f"{part} {value:+.2f}" for part, value in event.parts)
    return f"{rules}; second opinion {event.opinion:.2f}" if event.opinion is not None else rules


def _people(parties: Iterable[Party]) -> str:
    return "; ".join(f"{name(p)} from “{p.text}”{f', {p.sector}' if p.sector else ''}" for p in parties)


def _span(span: tuple[str, str, str]) -> str:
    text, label, who = span
    return f"{text} ({label}): {who}"


def _lines(lines: Iterable[str]) -> Text:
    return Text("\n").join(Text(line) for line in lines)
