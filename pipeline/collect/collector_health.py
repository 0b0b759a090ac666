"""What the collector says on /healthz and /readyz."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pipeline.collect.membership import Membership

STALLED_SECONDS: Final = 15.0
"""An event loop that has not run for this long is not healthy."""


@dataclass(slots=True)
class CollectorHealth:
    """What /healthz and /readyz answer. Written by the event loop, read by the metrics thread."""

    ran_at: float = field(default_factory=time.monotonic)
    started: bool = False
    problem: str = ""
    feeds: int = 0
    failing: int = 0
    polls: int = 0
    behind_seconds: float = 0.0
    """For how long more polls have been due than may run."""
    longest_behind_seconds: float = float("inf")
    membership: Membership | None = None
    feeds_problem: Callable[[], str] = str
    """Returns what is wrong with the changed feeds.toml, or an empty string."""
    broker_problem: Callable[[], str] = str
    """Returns why Kafka cannot be used now, or an empty string."""

    def healthy(self) -> tuple[bool, dict[str, object]]:
        """Return whether the event loop runs, and the detail to show."""
        age = time.monotonic() - self.ran_at
        return age < STALLED_SECONDS, {"loop_age_seconds": round(age, 1)}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """Return whether the collector has started, its event loop runs, and Kafka takes what it publishes; and the detail."""
        alive, detail = self.healthy()
        problem = self.broker_problem() or self.problem or ("" if self.started else "reading the state of the feeds")
        if not problem and self.behind_seconds > self.longest_behind_seconds:
            problem = "feeds are due and not polled"
        good = alive and not problem
        partitions = len(self.membership.owned.held) if self.membership is not None else 0
        return good, {
            **detail, "parts": partitions, "feeds": self.feeds, "failing": self.failing, "polls": self.polls,
            "behind_seconds": round(self.behind_seconds, 1), "problem": problem,
            **({"feeds_problem": wrong} if (wrong := self.feeds_problem()) else {}),
        }  # fmt: skip
