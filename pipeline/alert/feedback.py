"""What people say of alerts: mutes, right ones and false ones. Pure but for the reading and writing at the end.

Marks lie on the compacted topic news.feedback, each under its id, for ever: so a replay of last month is silent where last
month was. A mute counts in event time: it silences what was met between its `at` and its `until`.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from pipeline import bus
from pipeline.records import Alert, Feedback, RecordError, content_id, decode, encode
from pipeline.settings import Settings

log = structlog.get_logger("feedback")

RETRY_SECONDS: Final = 2.0


class FeedbackError(ValueError):
    """No such alert, story or rule; the message says which and what there is."""


class Marks:
    """All feedback, the latest of each id. Asked by the worker for each alert, so it is kept by what it is about."""

    def __init__(self, found: Iterable[Feedback] = ()) -> None:
        self._all: dict[str, Feedback] = {}
        self._silent: dict[tuple[str, str], dict[str, Feedback]] = {}
        for one in found:
            self.add(one)

    def add(self, one: Feedback) -> None:
        """A mark; it takes the place of an earlier one of the same id."""
        before = self._all.get(one.id)
        if before is not None:
            self._silent.get(_about(before), {}).pop(one.id, None)
        self._all[one.id] = one
        if one.verdict != "ack":
            self._silent.setdefault(_about(one), {})[one.id] = one

    def silences(self, rule: str, story_id: str, at: dt.datetime) -> bool:
        """Whether a rule is to be silent about a story at a moment of event time."""
        return any(
            one.at <= at and (one.until is None or at < one.until)
            for about in ((rule, ""), ("", story_id), (rule, story_id))
            if any(about)
            for one in tuple(self._silent.get(about, {}).values())
        )

    def of_alert(self, alert_id: str) -> Feedback | None:
        """What was said of an alert."""
        return self._all.get(verdict_id(alert_id))

    def mutes(self, now: dt.datetime) -> tuple[Feedback, ...]:
        """The mutes that hold now, the latest first."""
        holding = [m for m in self._all.values() if m.verdict == "mute" and (m.until is None or now < m.until)]
        return tuple(sorted(holding, key=lambda m: (m.at, m.id), reverse=True))

    def verdicts(self) -> tuple[Feedback, ...]:
        """Every alert that was judged, in the order of time."""
        return tuple(sorted((m for m in self._all.values() if m.verdict != "mute"), key=lambda m: (m.at, m.id)))


def _about(one: Feedback) -> tuple[str, str]:
    """(rule, story id) that a mark silences; of a false alarm both."""
    if one.target == "alert":
        return one.rule, one.story_id
    return (one.name, "") if one.target == "rule" else ("", one.name)


def verdict_id(alert_id: str) -> str:
    """An alert is right or false: the later word counts, so both are one mark."""
    return content_id("verdict", alert_id)


# --- making ----------------------------------------------------------------------------------------------------------


def mute(name: str, *, rules: Iterable[str], alerts: Iterable[Alert], now: dt.datetime, until: dt.datetime | None,
         note: str = "", by: str = "") -> Feedback:  # fmt: skip
    """A rule's name or (the beginning of) a story's id in, its mute out.

    Raises:
        FeedbackError: there is neither, or several stories begin so.
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
    """A muted rule's name or story's id in, its mutes, ended now, out.

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


def judge(alert: Alert, *, right: bool, now: dt.datetime, event: Any = None, note: str = "", by: str = "") -> Feedback:
    """An alert and a person's word on it in, the mark out."""
    return Feedback(
        id=verdict_id(alert.id), verdict="ack" if right else "false", target="alert", name=alert.id, at=now,
        rule=alert.rule, story_id=alert.story_id, headline=alert.headline, evidence=alert.evidence, note=note, by=by,
        event=event,
    )  # fmt: skip


def find(alerts: Iterable[Alert], beginning: str) -> Alert:
    """The one alert whose id begins so.

    Raises:
        FeedbackError: there is none, or there are several.
    """
    found = {a.id: a for a in alerts if a.id.startswith(beginning)} if beginning else {}
    if len(found) != 1:
        what = f"{len(found)} alerts begin like this; give more of the id" if found else "no such alert"
        raise FeedbackError(f"{beginning!r}: {what}; `dateline alerts list` shows them")
    return next(iter(found.values()))


# --- telling ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleStats:
    """How a rule did: what rang, what was held back, what people said of it."""

    rule: str
    rang: int = 0
    held: int = 0
    right: int = 0
    false: int = 0

    @property
    def precision(self) -> float | None:
        """Of the alerts that were judged, the share that was right; None where none was judged."""
        judged = self.right + self.false
        return self.right / judged if judged else None

    def table(self) -> dict[str, Any]:
        """The same as a plain table."""
        return {name: getattr(self, name) for name in ("rule", "rang", "held", "right", "false", "precision")}


def stats(alerts: Sequence[Alert], marks: Marks, rules: Iterable[str] = ()) -> tuple[RuleStats, ...]:
    """Alerts and marks in, a row for each rule out, those that rang most first; rules that never rang are there too."""
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
    """Judged alerts as lines for training: the words, what was read from them, and whether that was right."""
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
    """All feedback that there is.

    Raises:
        BusError: Kafka or the topic is not there.
    """
    marks = Marks()
    for message in bus.read_all(settings, bus.FEEDBACK):
        _take(marks, message)
    return marks


def write(settings: Settings, marks: Iterable[Feedback]) -> None:
    """Put marks on the topic; every worker has them within a second.

    Raises:
        BusError: Kafka did not take them.
    """
    publisher = bus.Publisher(settings)
    try:
        for one in marks:
            publisher.send(bus.FEEDBACK, one.id.encode(), encode(one))
        publisher.flush()
    finally:
        publisher.close()


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Every alert that Kafka still holds, each once, in the order of time.

    Raises:
        BusError: Kafka is not there.
    """
    found: dict[str, Alert] = {}
    for message in bus.read_all(settings, bus.ALERTS):
        try:
            one = decode(message.value, Alert)
        except RecordError:
            continue  # garbage there is the notifier's to report
        found[one.id] = one
    return tuple(sorted(found.values(), key=lambda a: (a.raised_at, a.id)))


def follow(settings: Settings, marks: Marks, stop: threading.Event, read_once: threading.Event) -> None:
    """Keep the marks as the topic has them until `stop`; `read_once` is set when all that was there at the start is in."""
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
