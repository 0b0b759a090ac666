"""The rules as alerts.toml says now: read at the start, and again when the file changes or the process gets SIGHUP.

A new file that is wrong changes nothing: the old rules go on, and that is told in the log, in a metric, on /readyz and so by
`dateline status`, until the file is right again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from pipeline import metrics
from pipeline.alert import rules
from pipeline.alert.rules import RuleSet
from pipeline.settings import Settings, SettingsError

log = structlog.get_logger("rules")

LOOK_SECONDS: Final = 1.0
"""How often the file is looked at."""

Apply = Callable[[RuleSet, bool], None]
"""New rules, and whether secrets are to be read anew, in; raises SettingsError when they cannot be used."""


class RuleWatch:
    """The rules in use, and what is wrong with the file, if something is. `look` is to be called now and then.

    Raises:
        SettingsError: at the start the file has to be right.
    """

    def __init__(self, settings: Settings, apply: Apply = lambda _found, _anew: None) -> None:
        self.problem = ""
        self._settings = settings
        self._apply = apply
        self._anew = False
        files = [settings.alerts.rules_file, *settings.detect.lexicons]
        self._files = tuple(settings.path(name) for name in files)
        self._seen = self._stamp()
        self.found = rules.load(settings)
        apply(self.found, True)
        self._took()

    def request(self) -> None:
        """Read the file, and the secrets that it names, at the next look, whether or not it has changed: SIGHUP."""
        self._anew = True

    def look(self) -> bool:
        """Read the file if it has changed; whether the rules are new out. Never raises for a file that is wrong."""
        stamp = self._stamp()
        if stamp == self._seen and not self._anew:
            return False
        anew, self._anew, self._seen = self._anew, False, stamp
        try:
            found = rules.load(self._settings)
            self._apply(found, anew)
        except SettingsError as error:
            self.problem = str(error)
            metrics.rules_last_reload_successful.set(0)
            log.error("rules_not_reloaded", error=self.problem)  # noqa: TRY400 - a person's mistake, told without our stack
            return False
        self.found = found
        self._took()
        log.info("rules_reloaded", rules=len(found.rules), channels=len(found.channels))
        return True

    def shown(self) -> dict[str, object]:
        """What /readyz says of it: nothing while all is well."""
        return {"rules_problem": self.problem} if self.problem else {}

    def _took(self) -> None:
        self.problem = ""
        metrics.rules_last_reload_successful.set(1)
        metrics.rules_last_reload_success_timestamp_seconds.set(time.time())

    def _stamp(self) -> tuple[object, ...]:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> object:
    """What changes when a file does; of the file that a link leads to, as in a mounted volume."""
    try:
        seen = file.stat()
    except OSError as error:
        return error.errno
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
