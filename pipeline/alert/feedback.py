"""Feedback of users on alerts: mutes, right alerts, false alerts. Pure except for the reading and writing at the end.

Marks are kept forever on the compacted topic news.feedback, each under its id, so a replay of last month is muted as last month
was. A mute counts in event time: it holds for stories whose last report was seen between its `at` and its `until`.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import structlog

from pipeline import bus
from pipeline.records import Alert, Feedback, RecordError, content_id, decode, encode
from pipeline.settings import Settings

log = structlog.get_logger("feedback")

RETRY_SECONDS: Final = 2.0


class FeedbackError(ValueError):
    """There is no such alert, story or rule; the message says which."""


class Marks:
    """All feedback, the latest of each id. The worker asks for each alert, so it is indexed by rule and story."""

    def __init__(self, found: Iterable[Feedback] = ()) -> None:
        self._all: dict[str, Feedback] = {}
        self._silent: dict[tuple[str, str], dict[str, Feedback]] = {}
        for one in found:
            self.add(one)

    def add(self, one: Feedback) -> None:
        """Take in a mark; it replaces an earlier one of the same id."""
        before = self._all.get(one.id)
        if before is not None:
            self._silent.get(_about(before), {}).pop(one.id, None)
        self._all[one.id] = one
        if one.verdict != "ack":
            self._silent.setdefault(_about(one), {})[one.id] = one

    def silences(self, rule: str, story_id: str, at: dt.datetime) -> bool:
        """Return whether a rule is muted for a story at a moment of event time."""
        return any(
            one.at <= at and (one.until is None or at < one.until)
            for about in ((rule, ""), ("", story_id), (rule, story_id))
            if any(about)
            for one in tuple(self._silent.get(about, {}).values())
        )

    def of_alert(self, alert_id: str) -> Feedback | None:
        """Return the verdict on an alert; None if there is none."""
        return self._all.get(verdict_id(alert_id))

    def mutes(self, now: dt.datetime) -> tuple[Feedback, ...]:
        """Return the mutes that hold at `now`, the latest first."""
        holding = [m for m in self._all.values() if m.verdict == "mute" and (m.until is None or now < m.until)]
        return tuple(sorted(holding, key=lambda m: (m.at, m.id), reverse=True))

    def verdicts(self) -> tuple[Feedback, ...]:
        """Return the verdicts on alerts, in the order of time."""
        return tuple(sorted((m for m in self._all.values() if m.verdict != "mute"), key=lambda m: (m.at, m.id)))


def _about(one: Feedback) -> tuple[str, str]:
    """Return the (rule, story id) that a mark mutes: one of them for a mute, both for a false alert."""
    if one.target == "alert":
        return one.rule, one.story_id
    return (one.name, "") if one.target == "rule" else ("", one.name)


def verdict_id(alert_id: str) -> str:
    """Return the id of the verdict on an alert. Right and false share it, so the later verdict replaces the earlier."""
    return content_id("verdict", alert_id)


# --- new marks -------------------------------------------------------------------------------------------------------


class Judged(Protocol):
    """An alert as marks know it: the record, or the item of a search."""

    @property
    def id(self) -> str:
        """The id of the alert."""

    @property
    def rule(self) -> str:
        """The name of its rule."""

    @property
    def story_id(self) -> str:
        """The id of its story."""

    @property
    def headline(self) -> str:
        """The headline of its story."""

    @property
    def evidence(self) -> str:
        """Its sentence."""


def mute(name: str, *, rules: Iterable[str], alerts: Iterable[Judged], now: dt.datetime, until: dt.datetime | None,
         note: str = "", by: str = "") -> Feedback:  # fmt: skip
    """Return a mute of a rule by its name, or of a story by the beginning of its id.

    Raises:
        FeedbackError: there is neither, or several stories have such an id.
    """
    if name in set(rules):
        return Feedback(id=content_id("mute", "rule", name, now), verdict="mute", target="rule", name=name, at=now,
                        until=until, rule=name, note=note, by=by)  # fmt: skip
    stories = {a.story_id: a.headline for a in alerts if a.story_id.startswith(name)}
    if len(stories) != 1 or not name:
        what = (
            f"{len(stories)} stories begin like this"
            if stories
            else "no rule is called so and no story that rang has this id"
        )
        raise FeedbackError(f"{name!r}: {what}; `dateline alerts list` shows them")
    [(story_id, headline)] = stories.items()
    return Feedback(id=content_id("mute", "story", story_id, now), verdict="mute", target="story", name=story_id, at=now,
                    until=until, story_id=story_id, headline=headline, note=note, by=by)  # fmt: skip


def unmute(name: str, marks: Marks, now: dt.datetime) -> tuple[Feedback, ...]:
    """Return the mutes of a rule or story, ended at `now`.

    Raises:
        FeedbackError: nothing of this name is muted.
    """
    ended = tuple(
        msgspec.structs.replace(m, until=max(now, m.at))
        for m in marks.mutes(now)
        if m.name == name or (m.target == "story" and name and m.name.startswith(name))
    )
    if not ended:
        raise FeedbackError(f"{name!r} is not muted; `dateline alerts list` shows what is")
    return ended


def judge(alert: Judged, *, right: bool, now: dt.datetime, event: Any = None, note: str = "", by: str = "") -> Feedback:
    """Return the verdict of a user on an alert."""
    return Feedback(
        id=verdict_id(alert.id), verdict="ack" if right else "false", target="alert", name=alert.id, at=now,
        rule=alert.rule, story_id=alert.story_id, headline=alert.headline, evidence=alert.evidence, note=note, by=by,
        event=event,
    )  # fmt: skip


def find(alerts: Iterable[Alert], beginning: str) -> Alert:
    """Return the alert whose id starts with `beginning`.

    Raises:
        FeedbackError: there is none, or there are several.
    """
    found = {a.id: a for a in alerts if a.id.startswith(beginning)} if beginning else {}
    if len(found) != 1:
        what = f"{len(found)} alerts begin like this; give more of the id" if found else "no such alert"
        raise FeedbackError(f"{beginning!r}: {what}; `dateline alerts list` shows them")
    return next(iter(found.values()))


# --- statistics ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleStats:
    """The numbers of one rule: alerts sent, alerts held back, and the verdicts on them."""

    rule: str
    rang: int = 0
    held: int = 0
    right: int = 0
    false: int = 0

    @property
    def precision(self) -> float | None:
        """The share of judged alerts that were right; None if none was judged."""
        judged = self.right + self.false
        return self.right / judged if judged else None

    def table(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {name: getattr(self, name) for name in ("rule", "rang", "held", "right", "false", "precision")}


def stats(alerts: Sequence[Alert], marks: Marks, rules: Iterable[str] = ()) -> tuple[RuleStats, ...]:
    """Return the statistics of each rule, most alerts first; the `rules` without alerts are included."""
    said = {a.id: m.verdict for a in alerts if (m := marks.of_alert(a.id)) is not None}
    names = dict.fromkeys([*(a.rule for a in alerts), *rules])
    rows = []
    for name in names:
        own = [a for a in alerts if a.rule == name]
        words = [said[a.id] for a in own if a.id in said]
        rows.append(
            RuleStats(
                name,
                rang=sum(not a.held for a in own),
                held=sum(bool(a.held) for a in own),
                right=words.count("ack"),
                false=words.count("false"),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.rang, row.rule)))


def examples(marks: Marks) -> tuple[Mapping[str, Any], ...]:
    """Return the judged alerts as training examples: the text, the event read from it, and whether it was right."""
    return tuple(
        {
            "id": one.name,
            "text": one.event.evidence if one.event is not None else one.evidence,
            "evidence": one.event.evidence if one.event is not None else one.evidence,
            "event": msgspec.to_builtins(one.event) if one.event is not None else None,
            "right": one.verdict == "ack",
            "rule": one.rule,
            "at": one.at.isoformat(),
            "note": one.note,
        }
        for one in marks.verdicts()
    )


# --- reading and writing ---------------------------------------------------------------------------------------------


def read(settings: Settings) -> Marks:
    """Read all feedback from Kafka.

    Raises:
        BusError: Kafka cannot be reached or the topic does not exist.
    """
    marks = Marks()
    for message in bus.read_all(settings, bus.FEEDBACK):
        _take(marks, message)
    return marks


def write(settings: Settings, marks: Iterable[Feedback]) -> None:
    """Write marks to the topic; every worker has them within a second.

    Raises:
        BusError: Kafka did not accept them.
    """
    publisher = bus.Publisher(settings)
    try:
        for one in marks:
            publisher.send(bus.FEEDBACK, one.id.encode(), encode(one))
        publisher.flush()
    finally:
        publisher.close()


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Read the alerts that Kafka still holds, each once, in the order of time.

    Raises:
        BusError: Kafka cannot be reached.
    """
    found: dict[str, Alert] = {}
    for message in bus.read_all(settings, bus.ALERTS):
        try:
            one = decode(message.value, Alert)
        except RecordError:
            continue  # the notifier reports records that cannot be decoded
        found[one.id] = one
    return tuple(sorted(found.values(), key=lambda a: (a.raised_at, a.id)))


def follow(settings: Settings, marks: Marks, stop: threading.Event, read_once: threading.Event) -> None:
    """Keep `marks` up to date with the topic until `stop`; set `read_once` when all earlier feedback is read."""
    while not stop.is_set():
        try:
            for message in bus.follow(settings, bus.FEEDBACK, stop, read_once):
                _take(marks, message)
        except bus.BusError as error:
            log.warning("feedback_unread", error=str(error))
            stop.wait(RETRY_SECONDS)


def _take(marks: Marks, message: bus.Message) -> None:
    try:
        marks.add(decode(message.value, Feedback))
    except RecordError as error:
        log.warning("feedback_not_understood", partition=message.partition, offset=message.offset, error=str(error))
