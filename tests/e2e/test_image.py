"""What the image holds, without an engine: the packages of deploy/requirements.txt alone, slimmed, do what all packages do."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
ARTICLE = ROOT / "configs/sample/articles"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The packages of the image as links to those that are installed here, and what slim.py said of them."""
    if shutil.which("strip") is None:
        pytest.skip("strip is not installed (Debian: binutils)")
    site = tmp_path_factory.mktemp("image") / "site-packages"
    pins = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "deploy/requirements.txt").read_text("utf-8"), flags=re.MULTILINE)
    for name in dict.fromkeys(pins):
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or version of Python
        for file in package.files or ():
            source = Path(package.locate_file(file))
            if ".." in file.parts or file.suffix == ".pyc" or not source.is_file():
                continue
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, site / file)
            except OSError:  # another file system
                shutil.copy2(source, site / file)
    before = {file: (file.stat().st_ino, file.stat().st_size) for file in site.rglob("*.so")}
    done = subprocess.run(
        [sys.executable, ROOT / "deploy/slim.py", site], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    shrunk = [file for file, (number, size) in before.items() if file.stat().st_size < size]
    assert all(file.stat().st_ino != before[file][0] for file in shrunk), "the packages of this environment stay whole"
    return site, done.stdout, len(shrunk)


def trace(*options, **environ):
    [page, *_] = sorted(ARTICLE.glob("*.html"))
    return subprocess.run(
        [sys.executable, *options, "-m", "pipeline.cli", "trace", page, "--published", "2026-11-09T08:00:00Z", "--json"],
        capture_output=True, timeout=400, check=False, cwd=ROOT, env={"PATH": os.environ["PATH"], **environ},
    )  # fmt: skip


def test_the_slimmed_packages_of_the_image_are_enough_and_read_an_article_as_all_packages_do(site):
    slimmed, said, shrunk = site
    before, now = map(int, re.findall(r"(\d+) MB", said))
    assert now < before * 0.75
    assert shrunk > 50
    inside = trace("-S", PYTHONPATH=f"{slimmed}{os.pathsep}{ROOT}")
    assert inside.returncode == 0, inside.stderr.decode()[-2000:]
    assert b'"events"' in inside.stdout
    assert inside.stdout == trace().stdout


def test_every_process_of_the_image_can_be_started_with_its_packages_alone(site):
    slimmed, _, _ = site
    parts = "collect.collector, worker.app, index.indexer, notify.notifier, console.app, operate.rebuild"
    code = "\n".join(f"import pipeline.{part.strip()}" for part in parts.split(","))
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=400, check=False, cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{slimmed}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
