"""The explained sentences of an article in, the page of `dateline explain` out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.show import MODALITY_STYLES, name, rows
from pipeline.detect.explain import ExplainedEvent, ExplainedSentence
from pipeline.records import Party


def explanation(read: Sequence[ExplainedSentence]) -> RenderableType:
    """Return each sentence with its names and tellings, each with the shares that the reader gives."""
    return Group(*(_sentence(one) for one in read))


def _sentence(one: ExplainedSentence) -> RenderableType:
    line = Text(f"{one.section} {one.start}-{one.end}  ", style="dim").append(one.text, style="default")
    parts: list[RenderableType] = [line]
    parts += [Padding(_event(event), (0, 0, 0, 4)) for event in one.told]
    if one.told:
        shown = rows((("names", _lines(_span(span) for span in one.spans)),))
        parts.append(Padding(shown, (0, 0, 1, 6), style="dim"))
    return Group(*parts)


def _event(told: ExplainedEvent) -> RenderableType:
    head = Text("→ ", style="bold").append(f"{told.kind} ({told.subtype})" if told.subtype else told.kind, "bold")
    head.append(f" {told.modality}", MODALITY_STYLES.get(told.modality, ""))
    head.append(f"  {told.confidence:.0%}", "dim")
    if not told.kept:
        head.append("  below detect.min_confidence", "dim")
    shown = rows(
        (
            ("trigger", told.trigger),
            ("shares", ", ".join(f"{what} {share:.2f}" for what, share in told.shares)),
            *((role, f"{words} ({share:.2f})") for role, words, share in told.spans),
            ("actors are", _people(told.actors)),
            ("recipients are", _people(told.recipients)),
            *(("like", f"{kind} {modality}, {near:.2f}: {text}") for kind, modality, text, near in told.nearest),
        )
    )
    return Group(head, Padding(shown, (0, 0, 0, 2)))


def _people(parties: Iterable[Party]) -> str:
    return "; ".join(f"{name(p)} from “{p.text}”{f', {p.sector}' if p.sector else ''}" for p in parties)


def _span(span: tuple[str, str, str]) -> str:
    text, label, who = span
    return f"{text} ({label}): {who}"


def _lines(lines: Iterable[str]) -> Text:
    return Text("\n").join(Text(line) for line in lines)
