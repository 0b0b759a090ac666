"""The site of the documents: every page is in its navigation, no link is broken, no page asks another host for anything."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "zensical.toml"
NAMES = ("zensical.toml", "CHANGELOG.md", "CONTRIBUTING.md")
LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio)\b[^>]*\b(?:src|href|srcset)=[\"']?((?:https?:)?//[^\"' >]+)"
)


def build(directory):
    """Build the site in a copy of the documents."""
    shutil.copytree(ROOT / "docs", directory / "docs", dirs_exist_ok=True)
    for name in NAMES:
        shutil.copy(ROOT / name, directory)
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        capture_output=True, check=False, cwd=directory, text=True, timeout=300,
    )  # fmt: skip


def pages(nav):
    """The files that a navigation names."""
    for entry in nav:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else pages(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    done = build(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "build/site"


def test_every_document_is_in_the_navigation_once():
    named = sorted(pages(tomllib.loads(CONFIG.read_text("utf-8"))["project"]["nav"]))
    assert named == sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


def test_every_document_becomes_a_page(site):
    for page in (ROOT / "docs").glob("*.md"):
        assert "</html>" in (site / page.with_suffix(".html").name).read_text("utf-8")
    assert "CONTRIBUTING.md" not in (site / "contributing.html").read_text("utf-8"), "the file itself, not its name"


def test_no_page_loads_anything_from_another_host(site):
    found = {file.name: LOADED.findall(file.read_text("utf-8")) for file in site.rglob("*.html")}
    assert found
    assert {name: hosts for name, hosts in found.items() if hosts} == {}
    assert LOADED.search('<link rel="stylesheet" href="https://fonts.example/css">')


def test_a_broken_link_is_an_error(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("[x](nowhere.md)", "utf-8")
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\n', "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], capture_output=True, check=False, cwd=tmp_path
    )
    assert done.returncode != 0
