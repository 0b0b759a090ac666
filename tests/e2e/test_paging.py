"""The alert rules on the metrics of running processes, with a real Prometheus and Alertmanager.

The clock of the rules runs 15 times faster, but no alert waits less than bench.paging.HOLD_SECONDS, so 40 s are ten healthy
minutes and a busy machine rings nothing. `python -m bench.paging` is the same in real time, and checks how soon somebody is called.
"""

import os
import shutil

import pytest

from bench import paging
from bench.chaos_rig import ChaosRig

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_healthy_service_rings_nothing_and_a_stopped_worker_pages_until_it_is_back(tmp_path):
    installed = shutil.which("prometheus") and any(shutil.which(name) for name in paging.ALERTMANAGER)
    if not installed:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail("prometheus or alertmanager is absent; .ci/run fetches them")
        pytest.skip("prometheus and alertmanager are not installed (Debian: prometheus, prometheus-alertmanager)")
    with ChaosRig(tmp_path / "service") as rig:
        found = paging.measure(rig, tmp_path / "watch", healthy_seconds=40, speed=15)
    assert found.healthy == ()
    assert found.rang == {("DatelineProcessMissing", "worker")}
