"""The files of the page: small, whole, served from here alone, and without a way for text to become markup."""

import re
from pathlib import Path

import pytest

from tests.unit.test_architecture import FILE_LINES

STATIC = Path(__file__).parents[2] / "pipeline" / "console" / "static"
OWN = sorted(
    path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts
)
VENDOR_BYTES = 450_000
"""What libraries, outlines and type may weigh together."""


@pytest.mark.parametrize("file", OWN, ids=lambda file: str(file.relative_to(STATIC)))
def test_no_text_becomes_markup_and_no_other_host_is_named(file):
    text = file.read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\beval\(|new Function", text
    )
    assert not re.findall(r"https?://(?!www\.w3\.org/|www\.paper\.example/)[\w.]+", text)
    assert text.count("\n") <= FILE_LINES


def test_the_shell_has_no_script_and_no_style_of_its_own():
    text = (STATIC / "index.html").read_text("utf-8")
    assert all(re.search(r"\bsrc=", tag) for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"<style|\bstyle=|\bon\w+=", text)


def test_every_import_and_every_file_of_the_shell_is_there():
    for file in OWN:
        text = file.read_text("utf-8")
        for name in re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', text):
            assert (file.parent / name).is_file(), f"{file.name}: {name}"
        for name in re.findall(r'"/static/([^"]+)"', text):
            assert (STATIC / name).is_file(), f"{file.name}: {name}"
        for name in re.findall(r'url\("([^"]+)"\)', text):
            assert (file.parent / name).is_file(), f"{file.name}: {name}"


def test_what_comes_from_others_is_small_and_named_with_its_licence():
    files = [path for path in (STATIC / "vendor").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < VENDOR_BYTES
    readme = (STATIC / "vendor" / "README.md").read_text("utf-8")
    assert not [
        path.name
        for path in files
        if path.name != "README.md" and path.name not in readme and path.name.rsplit("-latin", 1)[0] not in readme
    ]
