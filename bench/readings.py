"""Articles of a set, read once by the path and kept: what the benchmarks and the training of stories start from.

    python -m bench.readings ecbplus news newsstand wce_stream [--shared ../shared] [--again]

A set is read by `flow.read` and written as JSON lines (document and events) to .dateline/readings/<set>.jsonl. The reader takes
minutes for a set and a tracker seconds, so that two trackers are compared on the same readings.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import detect, flow, settings
from pipeline.operate.offline import ArticleLine, from_line
from pipeline.records import Document, Event
from pipeline.stage import Rejected

HERE = Path(__file__).resolve().parents[1]
KEPT = HERE / ".dateline" / "readings"
SETS = {
    "ecbplus": "eval/ecbplus/dev.jsonl.gz",
    "wce_stream": "eval/wce_stream/dev.jsonl",
    "news": "corpus/news.jsonl.gz",
}
OWN = {name: f"train/stories/{name}.jsonl" for name in ("told_again", "alike")} | {
    "newsstand": "tests/golden/newsstand.jsonl"
}
"""Sets that are ours and stand in the project."""
NO_DATE = "2013-05-01"
"""Most articles of ECB+ have no date: all get the same one, as its README asks."""


class Kept(msgspec.Struct, frozen=True):
    """A document with its events; of an article without text only the id."""

    id: str
    document: Document | None = None
    events: tuple[Event, ...] = ()


def lines(name: str, shared: Path) -> list[dict[str, Any]]:
    """The articles of a set in date order, as `dateline stories --jsonl` reads them."""
    path = HERE / OWN[name] if name in OWN else shared / SETS[name]
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as rows:
        found = [json.loads(row) for row in rows if row.strip()]
    for one in found:
        one["published"] = NO_DATE if name == "ecbplus" else one.get("published") or one.get("date") or NO_DATE
    return sorted(found, key=lambda one: str(one["published"]))


def read(name: str, shared: Path) -> Iterator[Kept]:
    """Read a set, article by article."""
    models = detect.load_models(settings.load(HERE / "configs"))
    fields = ArticleLine.__struct_fields__
    for line in lines(name, shared):
        one = from_line(
            msgspec.convert({k: v for k, v in line.items() if k in fields}, ArticleLine),
            last_at=dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        )
        try:
            with models.nlp.memory_zone():
                found = flow.read(one, models)
        except Rejected:
            yield Kept(one.id)
        else:
            yield Kept(one.id, found.document, found.events)


def load(name: str, shared: Path, *, again: bool = False) -> list[Kept]:
    """The readings of a set, read now if they are not kept."""
    path = KEPT / f"{name}.jsonl"
    if again or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        began, draft = time.monotonic(), path.with_suffix(".part")
        with draft.open("wb") as out:
            for one in read(name, shared):
                out.write(msgspec.json.encode(one) + b"\n")
        draft.replace(path)
        print(f"{name}: read in {time.monotonic() - began:.0f} s")
    decoder = msgspec.json.Decoder(Kept)
    with path.open("rb") as rows:
        return [decoder.decode(row) for row in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", choices=sorted({*SETS, *OWN}))
    parser.add_argument("--shared", type=Path, default=HERE.parent / "shared")
    parser.add_argument("--again", action="store_true", help="read although it is kept")
    options = parser.parse_args(arguments)
    for name in options.sets:
        found = load(name, options.shared, again=options.again)
        print(f"{name}: {len(found)} articles, {sum(bool(one.events) for one in found)} with an event")


if __name__ == "__main__":
    main()
