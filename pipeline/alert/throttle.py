"""Alerts in, each marked as sent, throttled, muted or waiting for a digest out: the alert state of one partition. Pure.

`evaluate` says which alerts are due; here it is decided whether they are sent. A muted alert, and one beyond its rule's
throttle, is held back for good. In quiet hours, and for a rule with a digest, an alert waits, and the digest is an alert of its
own. Everything is counted by rule and family and in event time. All events are in one partition, so the same stories in the
same order give the same alerts on one worker or ten, after any takeover, and in a backtest. The state consists of the alerts
themselves, those held back included, so a worker that takes over reads it from news.alerts.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from pipeline.alert.evaluate import PUBLISHERS_SHOWN, evaluate
from pipeline.alert.rules import Rule, waits_until
from pipeline.records import Alert, Story, content_id
from pipeline.track.families import family

GRACE: Final = dt.timedelta(minutes=2)
"""If no further story comes, a digest is sent so long after its end by the clock, so that late stories are still in it."""

LONGEST_THROTTLE: Final = 200
"""At most so many times are kept for each rule and family."""

LISTED: Final = 50
"""At most so many alerts are listed in a digest."""

STORIES_KNOWN: Final = 200_000
"""At most so many stories have their alerts remembered: twice as many as are open by default (track.open_stories). Beyond it
the one without a revision for longest is forgotten; it has been closed for long, so no alert is raised for it again."""

Key = tuple[str, str]


class KnownMarks(Protocol):
    """What throttling needs of `feedback.Marks`."""

    def silences(self, rule: str, story_id: str, at: dt.datetime) -> bool:
        """Return whether a rule is muted for a story at a moment of event time."""


class _NoMarks:
    def silences(self, rule: str, story_id: str, at: dt.datetime) -> bool:  # noqa: ARG002 - there is no feedback
        return False


class AlertState:
    """The alerts of a partition so far. `alerts_for` and `due` return the next ones and remember them."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._known: OrderedDict[str, set[str]] = OrderedDict()
        self._raised: dict[Key, deque[dt.datetime]] = {}
        self._waiting: dict[Key, dict[str, Alert]] = {}
        self._closed: dict[Key, dt.datetime] = {}
        self._clock: dict[str, dt.datetime] = {}
        for one in alerts:
            self.remember(one)

    @property
    def waiting(self) -> int:
        """The number of alerts that wait for a digest."""
        return sum(len(held) for held in self._waiting.values())

    def remember(self, one: Alert) -> None:
        """Take in an alert that was written to news.alerts."""
        known = self._known.setdefault(one.story_id, set())
        if one.id in known:
            return
        known.add(one.id)
        self._touch(one.story_id)
        key = (one.rule, one.family)
        if one.held == "digest":
            self._waiting.setdefault(key, {})[one.id] = one
        elif one.gathers:
            for gathered in one.gathers:
                self._waiting.get(key, {}).pop(gathered, None)
            if one.held_until is not None:
                self._closed[key] = max(one.held_until, self._closed.get(key, one.held_until))
        elif not one.held:
            self._raised.setdefault(key, deque(maxlen=LONGEST_THROTTLE)).append(one.raised_at)

    def alerts_for(self, rules: Sequence[Rule], story: Story, marks: KnownMarks | None = None) -> tuple[Alert, ...]:
        """Return the alerts to write for a story's latest revision: first the digests that have ended, then the story's own."""
        marks = marks or _NoMarks()
        kind = family(story)
        clock = max(story.last_seen_at, self._clock.get(kind, story.last_seen_at))
        self._clock[kind] = clock
        keys = [key for key in self._waiting if key[1] == kind]
        found = [d for key in keys for d in self._close(key, _by_name(rules), until=clock, at=clock, marks=marks)]
        by_name = _by_name(rules)
        same = (*story.merged_ids, story.id)
        self._touch(*same)
        known = {alert for story_id in same for alert in self._known.get(story_id, ())}
        for one in evaluate(rules, story, known):
            decided = self._decide(by_name[one.rule], one, marks)
            self.remember(decided)
            found.append(decided)
        return tuple(found)

    def _touch(self, *story_ids: str) -> None:
        """Count stories as the latest, and forget the stories beyond `STORIES_KNOWN`."""
        for story_id in story_ids:
            if story_id in self._known:
                self._known.move_to_end(story_id)
        while len(self._known) > STORIES_KNOWN:
            self._known.popitem(last=False)

    def due(self, rules: Sequence[Rule], now: dt.datetime, marks: KnownMarks | None = None) -> tuple[Alert, ...]:
        """Return the digests that have ended by the clock without a further story."""
        return tuple(
            digest
            for key in list(self._waiting)
            for digest in self._close(key, _by_name(rules), until=now - GRACE, at=None, marks=marks or _NoMarks())
        )

    def _decide(self, rule: Rule, one: Alert, marks: KnownMarks) -> Alert:
        if marks.silences(rule.name, one.story_id, one.raised_at):
            return msgspec.structs.replace(one, held="muted", channels=(), meant_for=one.channels)
        key = (rule.name, one.family)
        until = waits_until(rule, one.raised_at)
        closed = self._closed.get(key)
        if until is not None and closed is not None and until <= closed:
            until = waits_until(rule, closed)  # its digest was sent already: it goes into the next
        if until is not None:
            return msgspec.structs.replace(one, held="digest", held_until=until, channels=(), meant_for=one.channels)
        if rule.throttle is not None:
            since = one.raised_at - dt.timedelta(minutes=rule.throttle.minutes)
            lately = sum(since < at <= one.raised_at for at in self._raised.get(key, ()))
            if lately >= rule.throttle.alerts:
                return msgspec.structs.replace(one, held="throttled", channels=(), meant_for=one.channels)
        return one

    def _close(
        self, key: Key, rules: dict[str, Rule], *, until: dt.datetime, at: dt.datetime | None, marks: KnownMarks
    ) -> Iterator[Alert]:
        """Yield the digests of a rule and family that end at `until` or before, the earliest first, and remember each."""
        ends = sorted(
            {h.held_until for h in self._waiting.get(key, {}).values() if h.held_until and h.held_until <= until}
        )
        for end in ends:
            held = sorted(
                (h for h in self._waiting[key].values() if h.held_until == end), key=lambda h: (h.raised_at, h.id)
            )
            made = digest(held, end, rules.get(key[0]), at=max(end, at or end))
            if marks.silences(key[0], "", end):
                made = msgspec.structs.replace(made, held="muted", channels=(), meant_for=made.channels)
            self.remember(made)
            yield made
        if not self._waiting.get(key, True):
            del self._waiting[key]


def digest(held: Sequence[Alert], end: dt.datetime, rule: Rule | None, *, at: dt.datetime) -> Alert:
    """Return the alert that combines the alerts of one digest."""
    first = held[0]
    lines = [f"- {one.headline} ({one.confidence:.0%}) {one.url}".rstrip() for one in held[:LISTED]]
    if len(held) > LISTED:
        lines.append(f"- and {len(held) - LISTED} more")
    parts = {
        "count": str(len(held)),
        "rule": first.rule,
        "about": first.about,
        "lines": "\n".join(lines),
    }
    headline = first.headline if len(held) == 1 else f"{len(held)} alerts of {first.rule}: {first.about}"
    if rule is not None and rule.digest_template:
        message = rule.digest_template.format_map(parts)
    else:
        message = first.message if len(held) == 1 else f"{headline}\n{parts['lines']}"
    return msgspec.structs.replace(
        first,
        id=content_id(first.rule, first.family, "digest", end.isoformat()),
        occasion="digest",
        raised_at=at,
        headline=headline,
        message=message,
        held="",
        held_until=end,
        channels=tuple(dict.fromkeys(channel for one in held for channel in one.meant_for)),
        meant_for=(),
        gathers=tuple(one.id for one in held),
        countries=tuple(sorted({code for one in held for code in one.countries})),
        publishers=tuple(dict.fromkeys(name for one in held for name in one.publishers))[:PUBLISHERS_SHOWN],
        confidence=max(one.confidence for one in held),
        parts={
            **first.parts,
            "occasion": "DIGEST",
            "headline": headline,
            "id": content_id(first.rule, first.family, "digest", end.isoformat()),
        },
    )


def _by_name(rules: Sequence[Rule]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}
