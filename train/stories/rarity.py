"""Texts of news in, how many of them have each word out: `python -m train.stories.rarity [--corpus ../shared/corpus]`.

Writes pipeline/track/rarity.txt: the number of texts in the first line, then for each count the stems with it. Only counts are
kept, no text.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path

from pipeline.annotate.subject import about
from pipeline.track.rarity import FILE

CORPORA = ("news", "releases", "current_events", "voa_sentences")
FEWEST = 3
"""Words in fewer texts are not kept: they count as new."""


def count(corpus: Path) -> tuple[int, Counter[str]]:
    """The number of texts, and for each stem the number of texts with it."""
    texts, found = 0, Counter[str]()
    for name in CORPORA:
        with gzip.open(corpus / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                found.update(about(one.get("title") or "", one["text"]).words.keys())
                texts += 1
    return texts, found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "corpus")
    texts, found = count(parser.parse_args().corpus)
    rows: dict[int, list[str]] = defaultdict(list)
    for word, number in found.items():
        if number >= FEWEST:
            rows[number].append(word)
    lines = [str(texts), *(f"{number} {' '.join(sorted(rows[number]))}" for number in sorted(rows))]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{FILE}: {texts} texts, {sum(map(len, rows.values()))} words")


if __name__ == "__main__":
    main()
