"""Articles of quiet sections out, as JSON lines: no alert should ring for them.

    python -m bench.quiet [--limit 1600] [--shared ../shared] > quiet.jsonl
    dateline alerts test --jsonl quiet.jsonl

They are one-sentence news of sport, business, culture and science of 2010 to 2021, from current_events.jsonl.gz in
../shared/corpus, that stand in no file of train/labels. In date order, spread evenly over the years.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

from bench.readings import HERE

SECTIONS = frozenset(
    {
        "Arts and culture", "Business and economics", "Business and economy", "Science", "Science and technology",
        "Sport", "Sports",
    }
)  # fmt: skip


def quiet(shared: Path) -> list[dict[str, str]]:
    """The articles in date order."""
    labels = HERE / "train" / "labels"
    labelled = set((labels / "hard.txt").read_text("utf-8").split())
    with (labels / "current_events.jsonl").open("rb") as rows:
        labelled |= {json.loads(row)["id"] for row in rows}
    with gzip.open(shared / "corpus" / "current_events.jsonl.gz", "rt", encoding="utf-8") as rows:
        found = [json.loads(row) for row in rows]
    kept = [one for one in found if one["section"] in SECTIONS and one["id"] not in labelled]
    return sorted(
        ({key: one[key] for key in ("id", "text", "published")} for one in kept), key=lambda one: one["published"]
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=1600)
    parser.add_argument("--shared", type=Path, default=HERE.parent / "shared")
    options = parser.parse_args()
    found = quiet(options.shared)
    for one in found[:: max(1, -(-len(found) // options.limit))]:
        print(json.dumps(one, ensure_ascii=False))


if __name__ == "__main__":
    main()
