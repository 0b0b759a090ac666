"""The short form of `python -m bench.upgrade`: one worker after the other is restarted under load."""

from pathlib import Path

import msgspec
import pytest

from bench import measure, rig, upgrade
from pipeline.settings import Settings

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
SETTINGS = msgspec.structs.replace(Settings(), directory=str(Path(__file__).parents[2] / "configs"))


def test_two_workers_are_restarted_one_after_the_other_and_reading_goes_on_without_loss(monkeypatch):
    monkeypatch.setattr(rig, "TIMEOUT_SECONDS", 300.0)  # a machine that is busy with other tests
    with rig.running(SETTINGS, "upgrade", upgrade.ONE_PROCESS) as running:
        running.start_another_worker(2)
        samples = measure.pages(SETTINGS.path(measure.SAMPLE))
        found = upgrade.rehearse(running, samples, per_second=0.5, names=("worker-2", "worker"))
    assert (found.lost, found.doubled) == (0, 0)
    assert [one.name for one in found.restarts] == ["worker-2", "worker"]
    assert all(one.indexed for one in found.restarts), "articles reach the index while a worker is away"
