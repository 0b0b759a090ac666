"""Alerts, rules and feedback in, rich renderables for the terminal out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from pipeline.alert.backtest import Explained, Floor, Frequency
from pipeline.alert.feedback import Marks, RuleStats
from pipeline.cli.show import alert_block, heading, indented, moment, table
from pipeline.records import Alert, Feedback

ID_SHOWN = 12


def backtest(alerts: Sequence[Alert], often: Sequence[Frequency], floors: Sequence[Floor] = ()) -> RenderableType:
    """Return the alerts of a backtest in order of time, then how often each rule rang, and what a floor keeps back."""
    rang = [a for a in alerts if not a.held]
    parts: list[RenderableType] = [heading(f"Alerts ({len(rang)})", f"{len(alerts) - len(rang)} held back")]
    for one in alerts:
        head = Text(f"{moment(one.raised_at)}  story {one.story_id[:ID_SHOWN]}", style="dim")
        if one.held:
            head.append(f"  {one.rule}  held back: {one.held}  {one.headline}")
            parts.append(head)
        else:
            parts += [head, indented(alert_block(one))]
    made = table("rule", "rang", "held back", "days", "most in a day", right=("rang", "days"))
    for row in often:
        held = ", ".join(f"{number} {why}" for why, number in row.held.items())
        most = f"{row.most} on {row.most_on}" if row.most_on else ""
        made.add_row(row.rule, str(row.rang), held, str(row.days), most)
    parts += [heading("How often"), indented(made)]
    if any(one.rang or one.kept_back for one in floors):
        kept = table("floor", "ring at once", "wait for a second source", "such as", right=("ring at once",))
        for level in floors:
            such = level.kept_back[0].headline if level.kept_back else ""
            kept.add_row(f"{level.floor:g}", str(level.rang), str(len(level.kept_back)), such)
        parts += [heading("A floor of confidence"), indented(kept)]
    return Group(*parts)


def explained(found: Sequence[Explained]) -> RenderableType:
    """Return, for each rule and condition, why it did or did not ring for a story."""
    story = found[0].story
    parts: list[RenderableType] = [heading(story.headline, f"story {story.id}, occasions {', '.join(story.occasions)}")]
    for one in found:
        made = table("", "condition", "wanted", "found")
        made.add_row(
            *_tick(holds=one.occasion is not None), "on", ", ".join(one.listens_to), one.occasion or "none of these"
        )
        for check in one.checks:
            made.add_row(*_tick(holds=check.holds), check.condition, check.wanted, check.found)
        parts += [Text.assemble((one.rule, "bold"), f"  {one.verdict}"), indented(made)]
    return Group(*parts)


def _tick(*, holds: bool) -> tuple[Text]:
    return (Text("yes", style="green") if holds else Text("no", style="red"),)


def alerts(found: Sequence[Alert], marks: Marks, mutes: Sequence[Feedback]) -> RenderableType:
    """Return recent alerts with what people said of them, and the current mutes."""
    made = table("id", "when", "rule", "occasion", "sure", "said", "headline and story", right=("sure",))
    for one in found:
        mark = marks.of_alert(one.id)
        said = {"ack": "right", "false": "false"}.get(mark.verdict, "") if mark else ""
        state = one.held or said
        style = "dim" if one.held else {"right": "green", "false": "red"}.get(said, "")
        made.add_row(
            one.id[:ID_SHOWN], f"{one.raised_at:%m-%d %H:%M}", one.rule, one.occasion, f"{one.confidence:.0%}",
            Text(state, style=style), Text.assemble(one.headline, (f"  {one.story_id[:ID_SHOWN]}", "dim")),
        )  # fmt: skip
    parts: list[RenderableType] = [heading(f"Alerts ({len(found)})"), indented(made)]
    if mutes:
        parts.append(heading(f"Muted ({len(mutes)})"))
        for mute in mutes:
            until = f"until {moment(mute.until)}" if mute.until else "until it is ended"
            note = f"  {mute.note}" if mute.note else ""
            parts.append(indented(Text(f"{mute.target} {mute.name} {mute.headline} {until}, by {mute.by}{note}")))
    return Group(*parts)


def stats(rows: Sequence[RuleStats]) -> RenderableType:
    """Return a table of how often each rule rang and how often it was right."""
    made = table("rule", "rang", "held back", "right", "false", "precision",
                 right=("rang", "held back", "right", "false", "precision"))  # fmt: skip
    for row in rows:
        precision = "" if row.precision is None else f"{row.precision:.0%}"
        made.add_row(row.rule, str(row.rang), str(row.held), str(row.right), str(row.false), precision)
    return Group(heading("Rules"), indented(made))
