"""Two checkouts in, whether their commands write the same bytes out: the check that a move or a rename changed nothing.

    python -m bench.same_output BEFORE AFTER [--shared ../shared] [--limit 150]

Both checkouts run with the Python that runs this command. For each of `dateline trace`, `detect`, `extract`, `feed` and
`stories` one line is printed: the inputs, the lines written, and the two hashes. The exit status is 1 if any differ.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
LABELLED = ("hand_wce", "challenge_wce", "plover_gsr", "petrarch_unit", "whitehouse", "wce_category", "recognizers_en")


def rows(path: Path, limit: int) -> list[dict[str, Any]]:
    """The first `limit` JSON lines of a file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(limit), lines, strict=False)]


def jsonl(path: Path, items: list[dict[str, Any]]) -> Path:
    """Items written as JSON lines; the path is returned."""
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def tasks(shared: Path, limit: int, folder: Path) -> Iterator[tuple[str, list[str], Path | None]]:
    """Every comparison: its name, the arguments of `dateline`, and the file for its standard input."""
    for file in sorted((HERE / "configs/sample").rglob("*.html")):
        yield f"trace {file.name}", ["trace", str(file), "--published", "2026-01-05T12:00:00Z", "--json"], None
    feeds = sorted(str(f) for f in (HERE / "configs/sample").rglob("*.xml"))
    yield "feed sample", ["feed", *feeds], None
    newsstand = HERE / "tests/golden/newsstand.jsonl"
    yield "detect newsstand", ["detect", "--jsonl"], newsstand
    yield "stories newsstand", ["stories", "--jsonl"], newsstand
    seed = shared / "seed/article.txt"
    if seed.exists():
        yield "trace seed", ["trace", str(seed), "--published", "2023-03-21T06:00:00+11:00", "--json"], None
    for name in LABELLED:
        path = shared / f"eval/{name}/dev.jsonl"
        if path.exists():
            items = [
                {"id": one["id"], "text": one.get("text") or one.get("sentence") or "", "published": one.get("date")}
                for one in rows(path, limit)
            ]
            yield f"detect {name}", ["detect", "--jsonl"], jsonl(folder / f"{name}.jsonl", items)
    stream = shared / "eval/wce_stream/dev.jsonl"
    if stream.exists():
        items = [{"id": one["id"], "text": one["text"], "published": one["date"]} for one in rows(stream, 2 * limit)]
        yield "stories wce_stream", ["stories", "--jsonl"], jsonl(folder / "stream.jsonl", items)
    pages = shared / "eval/extraction/dev.jsonl.gz"
    if pages.exists():
        items = [{"id": one["id"], "url": one["url"], "html": one["html"]} for one in rows(pages, limit)]
        yield "extract pages", ["extract", "--jsonl"], jsonl(folder / "pages.jsonl", items)


def output(checkout: Path, arguments: list[str], given: Path | None) -> bytes:
    """Standard output of one `dateline` command of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with given.open("rb") if given else Path(os.devnull).open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            cwd=checkout, env=environment, stdin=source, capture_output=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{checkout}: dateline {' '.join(arguments)} failed:\n{done.stderr.decode()[-2000:]}")
    return done.stdout


def main() -> int:
    """Compare, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--shared", type=Path, default=HERE.parent / "shared")
    parser.add_argument("--limit", type=int, default=150, help="cases of each labelled set")
    options = parser.parse_args()
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments, given in tasks(options.shared, options.limit, Path(folder)):
            one, two = (output(c.resolve(), arguments, given) for c in (options.before, options.after))
            hashes = [hashlib.sha256(o).hexdigest()[:16] for o in (one, two)]
            differ += one != two
            print(
                f"{name:24} {len(two.splitlines()):6} lines  {hashes[0]}  {hashes[1]}  {'same' if one == two else 'DIFFERS'}",
                flush=True,
            )
    print("every output is byte-identical" if not differ else f"{differ} outputs differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
