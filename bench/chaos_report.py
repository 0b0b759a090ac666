"""Why the service does not come back: which group lags where, where articles are missing, what each process says."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pipeline import bus
from pipeline.operate import probe
from pipeline.records import Article, Document, RecordError, decode

if TYPE_CHECKING:
    from bench.chaos_rig import ChaosRig

LINES: Final = 12
"""How many of the last lines of each log are told."""


def findings(rig: ChaosRig) -> list[str]:
    """A rig in, lines that say what is not as it should be out. Never raises: it is asked when something is broken."""
    found = [f"supervisor: {message}" for message in rig.screen.messages[-LINES:]]
    found += [f"{name}: ready {state.ready}, {state.detail}" for name, state in rig.states().items()]
    for part in (_lags, _missing, _logs):
        try:
            found += part(rig)
        except (bus.BusError, OSError, http.client.HTTPException) as error:
            found.append(f"{part.__name__.strip('_')} not known: {error}")
    return found


def _lags(rig: ChaosRig) -> Iterator[str]:
    for lag in bus.lags(rig.settings):
        if lag.records:
            yield f"{lag.group} lags on {lag.topic} {lag.partition}: {lag.records} records, {lag.committed} of {lag.end}"


def _missing(rig: ChaosRig) -> Iterator[str]:
    wanted = rig.wanted()
    kinds: dict[str, type[Article | Document]] = {bus.ARTICLES: Article, bus.DOCUMENTS: Document}
    for topic, kind in kinds.items():
        there = set()
        for message in bus.read_all(rig.settings, topic):
            with contextlib.suppress(RecordError):
                there.add(decode(message.value, kind).id)
        yield f"articles not on {topic}: {len(wanted - there)} of {len(wanted)}"
    yield f"articles not in the index: {len(wanted - set(rig.indexed('documents')))} of {len(wanted)}"


def _logs(rig: ChaosRig) -> Iterator[str]:
    for name in probe.NAMES:
        lines = (rig.service.logs / f"{name}.log").read_text("utf-8", "replace").splitlines()
        told = [line for line in lines if '"info"' not in line and '"debug"' not in line]
        yield from (f"{name}.log: {line[:300]}" for line in told[-LINES:])
