"""What the image is made of: licences, and the lists that `make sbom`, `make audit` and `make secrets` go by."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def licences(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deploy/licences.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_package_of_the_image_has_an_open_licence():
    done = licences()
    assert done.returncode == 0, done.stderr
    named = {line.split("\t")[0] for line in done.stdout.splitlines()}
    pinned = set(
        re.findall(r"^([a-z0-9._-]+)==", (ROOT / "deploy/requirements.txt").read_text("utf-8"), flags=re.MULTILINE)
    )
    assert len(named) > 100
    assert pinned - named <= {"colorama", "tzdata", "pywin32", "importlib-resources"}, "those are for other systems"
    assert all(len(line.split("\t")) == 3 for line in done.stdout.splitlines())


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "Proprietary", ""])
def test_a_package_with_another_licence_is_named(tmp_path, licence, monkeypatch):
    package = tmp_path / "closed-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: closed\nVersion: 1.0\nLicense: {licence}\n", "utf-8"
    )
    (tmp_path / "list.txt").write_text("closed==1.0\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = licences(str(tmp_path / "list.txt"))
    assert done.returncode == 1
    assert f"closed: {licence or 'unknown'}" in done.stderr


REACHED = '{"dependencies": [{"name": "jinja2", "vulns": [{"id": "PYSEC-2014-8"}]}]}'
UNREACHED = '{"dependencies": [{"name": "jinja2", "skip_reason": "not found"}]}'


@pytest.mark.parametrize(
    ("probe", "status", "wanted"),
    [(REACHED, 0, 0), (REACHED, 1, 1), (UNREACHED, 1, 75), (UNREACHED, 0, 75), ("", 0, 75)],
)
def test_an_audit_that_nobody_answered_is_not_taken_for_a_clean_one(tmp_path, probe, status, wanted):
    fake = tmp_path / "pip-audit"
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *--strict*) echo "audited $*"; exit {status};; *) echo \'{probe}\'; exit 1;; esac\n',
        "utf-8",
    )
    fake.chmod(0o755)
    done = subprocess.run([ROOT / "deploy/audit", fake], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == wanted
    assert ("deploy/requirements.txt" in done.stdout) == (wanted != 75)
    assert ("cannot be reached" in done.stderr) == (wanted == 75)


def test_the_checking_machine_audits_and_tells_of_it_after_the_tests():
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    audit, tests, end = (lines.index(line) for line in lines if line.startswith(("deploy/audit", "make test", "exit ")))
    assert audit < tests < end
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=False).returncode == 0


def test_the_tools_are_pinned_with_hashes():
    wanted = re.findall(r"^([a-z-]+)>=", (ROOT / "deploy/supply.in").read_text("utf-8"), flags=re.MULTILINE)
    pins = (ROOT / "deploy/supply.txt").read_text("utf-8")
    assert wanted
    for block in re.split(r"\n(?=[a-z])", pins.split("\n", 2)[2].strip()):
        assert "--hash=sha256:" in block, block[:60]
    assert set(wanted) <= set(re.findall(r"^([a-z0-9-]+)==", pins, flags=re.MULTILINE))
