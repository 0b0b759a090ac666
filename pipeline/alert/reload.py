"""The rules in use: alerts.toml is read at the start, and again when it changes or the process gets SIGHUP.

If the new file has an error the old rules stay in use. The log, a metric and /readyz (and so `dateline status`) report the
error until the file is correct again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from pipeline import metrics
from pipeline.alert import rules
from pipeline.alert.rules import RuleSet
from pipeline.settings import Settings, SettingsError
from pipeline.toml.edit import file_stamp

log = structlog.get_logger("rules")

LOOK_SECONDS: Final = 1.0
"""How often a process calls `RuleWatch.look`."""

Apply = Callable[[RuleSet, bool], None]
"""Takes the new rules, and whether to read secrets again; raises SettingsError if they cannot be used."""


class RuleWatch:
    """Holds the rules in use and the error in the file, if any. The owner calls `look` every `LOOK_SECONDS`.

    Raises:
        SettingsError: the file has an error at the start.
    """

    def __init__(self, settings: Settings, apply: Apply = lambda _found, _anew: None) -> None:
        self.problem = ""
        self._settings = settings
        self._apply = apply
        self._anew = False
        files = [settings.alerts.rules_file, *settings.detect.kinds]
        self._files = tuple(settings.path(name) for name in files)
        self._seen = self._stamp()
        self.found = rules.load(settings)
        apply(self.found, True)
        self._took()

    def request(self) -> None:
        """Make the next `look` read the file and its secrets even if nothing changed. For SIGHUP."""
        self._anew = True

    def look(self) -> bool:
        """Read the file if it has changed; return whether there are new rules. An error in the file is not raised."""
        stamp = self._stamp()
        if stamp == self._seen and not self._anew:
            return False
        anew, self._anew, self._seen = self._anew, False, stamp
        try:
            found = rules.load(self._settings)
            self._apply(found, anew)
        except SettingsError as error:
            self.problem = str(error)
            metrics.set_rules(successful=False, now=time.time())
            log.error("rules_not_reloaded", error=self.problem)  # noqa: TRY400 - the user's error: our stack is no help
            return False
        self.found = found
        self._took()
        log.info("rules_reloaded", rules=len(found.rules), channels=len(found.channels))
        return True

    def shown(self) -> dict[str, object]:
        """Return what /readyz reports: the error in the file, or nothing."""
        return {"rules_problem": self.problem} if self.problem else {}

    def _took(self) -> None:
        self.problem = ""
        metrics.set_rules(successful=True, now=time.time())

    def _stamp(self) -> tuple[object, ...]:
        return tuple(file_stamp(file) for file in self._files)
