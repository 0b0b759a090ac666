"""The alert rules on the metrics of running processes, with a real Prometheus and Alertmanager: `python -m bench.paging`."""

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
        found = paging.measure(rig, tmp_path / "watch", healthy_seconds=60, speed=7)  # a faster clock than that is faster than the scrapes
    assert found.healthy == ()
    assert found.rang == {("DatelineProcessMissing", "worker")}
