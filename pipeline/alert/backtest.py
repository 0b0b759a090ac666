"""Past stories and rules in, the alerts that the rules would have raised out, by the worker's own code. Pure, nothing is sent.

`operate/backtest_run.py` reads the past stories from Elasticsearch or from a file.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from pipeline.alert.evaluate import Check, check, occasion_of
from pipeline.alert.matters import Matter, matters
from pipeline.alert.rules import Rule, nearest
from pipeline.alert.throttle import AlertState, KnownMarks
from pipeline.records import Alert, Story
from pipeline.track.story import id_of

Progress = Callable[[int, int], object]
END: Final = dt.timedelta(days=36_500)
"""So long after the last story every digest has ended."""


class BacktestError(ValueError):
    """There is no such rule or story; the message names those that exist."""


@dataclass(slots=True)
class Backtest:
    """Evaluates stories against rules: `take` each revision in turn, then call `end`."""

    rules: Sequence[Rule]
    marks: KnownMarks | None = None
    alerts: dict[str, Alert] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    alert_state: AlertState = field(default_factory=AlertState)
    unfloored: Backtest | None = None
    """The same rules without a floor, to show what the floor costs and saves."""

    def take(self, story: Story) -> None:
        """Evaluate a story's next revision."""
        self.stories[story.id] = story
        if self.unfloored is not None:
            self.unfloored.take(story)
        self._raise(self.alert_state.alerts_for(self.rules, story, self.marks))

    def end(self) -> None:
        """Raise the alerts that still wait for a digest, as the clock would."""
        latest = max((story.last_seen_at for story in self.stories.values()), default=None)
        if latest is not None:
            self._raise(self.alert_state.due(self.rules, latest + END, self.marks))

    def _raise(self, raised: Iterable[Alert]) -> None:
        self.alerts.update((one.id, one) for one in raised)

    def since(self, since: dt.datetime | None) -> tuple[Alert, ...]:
        """Return the alerts raised at `since` or later in order of time, also those held back; all alerts if it is None."""
        found = (a for a in self.alerts.values() if since is None or a.raised_at >= since)
        return tuple(sorted(found, key=lambda a: (a.raised_at, a.rule, a.id)))


def with_unfloored(rules: Sequence[Rule], marks: KnownMarks | None) -> Backtest:
    """Return a backtest of the rules that also counts what they would raise without a floor."""
    without = [msgspec.structs.replace(rule, floor=0.0) for rule in rules]
    return Backtest(rules, marks, unfloored=Backtest(without, marks))


def rules_named(known: Sequence[Rule], name: str | None) -> tuple[Rule, ...]:
    """Return all rules, or only the one of this name.

    Raises:
        BacktestError: there is no such rule.
    """
    if name is None:
        return tuple(known)
    found = tuple(rule for rule in known if rule.name == name)
    if not found:
        names = [rule.name for rule in known]
        raise BacktestError(f"--rule: no rule is called {name!r}{nearest(name, names)}")
    return found


# --- how often -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often a rule raised alerts: those sent, those held back by reason, the days with alerts, and the busiest day."""

    rule: str
    rang: int
    held: dict[str, int]
    days: int
    most: int
    most_on: dt.date | None

    def table(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {
            "rule": self.rule, "rang": self.rang, "held": self.held, "days": self.days, "most_in_a_day": self.most,
            "most_on": self.most_on.isoformat() if self.most_on else None,
        }  # fmt: skip


def frequencies(run: Backtest, since: dt.datetime | None) -> tuple[Frequency, ...]:
    """Return the frequency of each rule, in the order of alerts.toml; rules without alerts are included."""
    alerts = run.since(since)
    rows = []
    for rule in run.rules:
        own = [a for a in alerts if a.rule == rule.name]
        by_day = Counter(a.raised_at.date() for a in own if not a.held)
        most_on = max(by_day, key=lambda day: (by_day[day], day), default=None)
        held = dict(Counter(str(a.held) for a in own if a.held))
        rows.append(
            Frequency(rule.name, by_day.total(), held, len(by_day), by_day[most_on] if most_on else 0, most_on),
        )
    return tuple(rows)


# --- why -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule checked against a story's last revision: the occasion, each condition, and the alerts raised for the story."""

    rule: str
    story: Story
    listens_to: tuple[str, ...]
    occasion: str | None
    checks: tuple[Check, ...]
    alerts: tuple[Alert, ...]

    @property
    def verdict(self) -> str:
        """Say in a sentence what the rule did and why."""
        if self.alerts:
            return "; ".join(
                f"{a.occasion} at {a.raised_at:%Y-%m-%d %H:%M}: {f'held back: {a.held}' if a.held else 'rang'}"
                for a in self.alerts
            )
        if self.story.merged_into:
            return f"silent: the story was merged into {self.story.merged_into}"
        if self.occasion is None:
            had = ", ".join(self.story.occasions) or "none"
            return f"silent: the story had {had}, the rule listens to {', '.join(self.listens_to)}"
        failed = [check.condition for check in self.checks if not check.holds]
        return f"silent: {', '.join(failed)} did not hold" if failed else "silent: what it would ring for rang before"

    def table(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {
            "rule": self.rule, "story": self.story.id, "headline": self.story.headline, "verdict": self.verdict,
            "occasion": self.occasion, "occasions": list(self.story.occasions), "listens_to": list(self.listens_to),
            "checks": [
                {"condition": c.condition, "wanted": c.wanted, "found": c.found, "holds": c.holds} for c in self.checks
            ],
        }  # fmt: skip


def explain(run: Backtest, beginning: str) -> tuple[Explained, ...]:
    """Return each rule of the backtest checked against the story whose id starts with `beginning`.

    Past events are tracked again from fewer words than on their day, so that a story can have another article's id: one of its
    articles that would open a story of this id is enough.

    Raises:
        BacktestError: no story has such an id, or several have.
    """
    found = [story for story in run.stories.values() if beginning and story.id.startswith(beginning)] or [
        story for story in run.stories.values()
        if beginning and not story.merged_into and any(id_of(one).startswith(beginning) for one in story.article_ids)
    ]  # fmt: skip
    if len(found) != 1:
        what = (
            f"{len(found)} stories begin like this" if found else f"none of the {len(run.stories)} stories is called so"
        )
        raise BacktestError(f"--explain: {beginning!r}: {what}")
    [story] = found
    return tuple(
        Explained(
            rule.name,
            matter.story,
            rule.on,
            occasion_of(rule, matter.story),
            tuple(check(rule, matter.story)),
            tuple(a for a in run.since(None) if a.rule == rule.name and _is_about(a, matter) and not a.gathers),
        )
        for rule in run.rules
        for matter in _asked(rule, story)
    )


def _asked(rule: Rule, story: Story) -> list[Matter]:
    """Return what a rule is checked against: the story's happenings, or the story as a whole for a rule on spikes alone."""
    found = list(matters(story, every=True))
    apart = [matter for matter in found if matter.id != story.id]
    return apart if apart and set(rule.on) != {"spike"} else [one for one in found if one.id == story.id]


def _is_about(alert: Alert, matter: Matter) -> bool:
    return alert.story_id == matter.story.id and (alert.happening_id or alert.story_id) in matter.ids


# --- the floor -------------------------------------------------------------------------------------------------------

FLOORS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Floor:
    """What a floor saves and costs: the alerts that ring at once at it, and those that it keeps back or delays."""

    floor: float
    rang: int
    kept_back: tuple[Alert, ...]

    def table(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {"floor": self.floor, "rang": self.rang, "kept_back": [one.id for one in self.kept_back]}


def floors(run: Backtest, since: dt.datetime | None) -> tuple[Floor, ...]:
    """Return what each of `FLOORS` would do to the alerts that the rules raise without a floor.

    An alert of one source whose confidence is below a floor is kept back until a second independent source tells the same.
    """
    found = (
        [one for one in run.unfloored.since(since) if one.held in ("", "digest") and not one.gathers]
        if run.unfloored
        else []
    )
    rows = []
    for floor in FLOORS:
        back = tuple(one for one in found if one.happening_id and one.confidence < floor and one.source_count < 2)
        rows.append(Floor(floor, len(found) - len(back), back))
    return tuple(rows)
