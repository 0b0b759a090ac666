"""Which type is taken for which: a table of the written sentences (gold root by found root), as PLOVER codes them.

    python train/confusion.py                       # all of train/sentences
    python train/confusion.py --files 26 --half kept
    python train/confusion.py --gsr --misses

Of each labelled event the found one is looked for that has its type, else the one that shares most of its sides. Each half
of a file is chosen by a hash of the text: the half `kept` is for measuring and is not read by whoever writes the rules.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.detect import detect_jsonl, load_models
from pipeline.detect.export import export
from pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "eval"
OLD_NAMES = {
    "DEMAND": "REQUEST", "DISAPPROVE": "ACCUSE", "FIGHT": "ASSAULT", "CONCEDE": "YIELD", "RETREAT": "YIELD",
}  # fmt: skip
JOINT = ("CONSULT", "AGREE", "COOPERATE", "ASSAULT")
LEFT_OUT = frozenset(
    ["the", "a", "an", "of", "and", "in", "to", "on", "at", "from", "for", "by", "with", "its", "his", "their"]
)

Row = dict[str, Any]


def half_of(text: str) -> str:
    """`work` or `kept`, by a hash of the text."""
    return "kept" if hashlib.sha256(text.encode()).digest()[0] % 2 else "work"


def words(text: str) -> set[str]:
    """The words that tell who somebody is."""
    return {word.lower().removesuffix("'s") for word in re.findall(r"[\w'’-]+", text)} - LEFT_OUT


def sides(event: Row, name: str) -> set[str]:
    """The words by which a found event names its actors or recipients."""
    return {word for party in event[name] for text in (party["text"], party.get("name")) for word in words(text or "")}


def right_sides(gold: Row, event: Row) -> int:
    """How many of the two labelled sides a found event has in their places (in either place of a joint kind)."""
    actors, recipients = sides(event, "actors"), sides(event, "recipients")
    joint = event["event_type"] in JOINT and not recipients
    done_by = not gold["source"] or bool(words(gold["source"]) & actors)
    done_to = not gold["target"] or bool(words(gold["target"]) & (actors if joint else recipients))
    return done_by + done_to


def gold_root(event: Row) -> str:
    """The type that PLOVER gives a labelled event."""
    root = event["root"] if event["kind"] == "gsr" else export(event["root"], event["modality"]).plover
    return OLD_NAMES.get(root, root)


def found_root(event: Row) -> str:
    """The type that PLOVER gives a found event."""
    root: str = event["export"]["plover"]
    return OLD_NAMES.get(root, root)


def written(chosen: str) -> list[Row]:
    """The written sentences whose file's name begins with one of the words."""
    files = sorted((ROOT / "train" / "sentences").glob("*.jsonl"))
    return [
        json.loads(line)
        for file in files
        if file.name.startswith(tuple(chosen.split(",")))
        for line in file.read_text("utf-8").splitlines()
    ]


def records() -> list[Row]:
    """The neighbour's PLOVER records, as sentences with one event."""
    rows = []
    for line in (SHARED / "plover_gsr" / "dev.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        who = {name: " ".join(a.get("actorText") or "" for a in row[name] or []) for name in ("source", "target")}
        event = {"root": row["plover_root"], "kind": "gsr", "modality": "", "trigger": row["event_text"], **who}
        rows.append({"id": row["id"], "text": row["text"], "events": [event]})
    return [row for row in rows if row["events"][0]["root"] != "INVESTIGATE"]


def paired(row: Row, found: list[Row]) -> list[tuple[Row, Row | None]]:
    """Each labelled event of a sentence with the found event that tells it best, if any."""
    return [
        (gold, max(found, key=lambda e: (found_root(e) == gold_root(gold), right_sides(gold, e)), default=None))
        for gold in row["events"]
    ]


def figures(pairs: list[tuple[Row, Row | None]], events: int, sentences: int) -> str:
    """Root macro-F1 and accuracy, sides right, events a sentence."""
    roots = [(gold_root(gold), found_root(event) if event else "NONE") for gold, event in pairs]
    scores = []
    for label in {gold for gold, _ in roots}:
        both = sum(gold == label == found for gold, found in roots)
        either = sum(gold == label for gold, _ in roots) + sum(found == label for _, found in roots)
        scores.append(2 * both / either)
    right = sum(gold == found for gold, found in roots)
    cast = sum(gold_root(g) == found_root(e) and right_sides(g, e) == 2 for g, e in pairs if e)
    return (
        f"events {len(pairs)}  found {sum(found != 'NONE' for _, found in roots) / len(pairs):.3f}  "
        f"root accuracy {right / len(pairs):.3f}  root macro-F1 {sum(scores) / len(scores):.3f}  "
        f"root and both sides {cast / len(pairs):.3f}  events a sentence {events / sentences:.2f}"
    )


def table(pairs: list[tuple[Row, Row | None]]) -> str:
    """Gold root by found root; `-` is nothing found."""
    cells = Counter((gold_root(gold), found_root(event) if event else "-") for gold, event in pairs)
    rows = sorted({gold for gold, _ in cells})
    columns = sorted({found for _, found in cells})
    lines = ["gold \\ found".ljust(12) + "".join(column[:7].rjust(8) for column in columns)]
    lines += [row.ljust(12) + "".join(str(cells[row, c] or ".").rjust(8) for c in columns) for row in rows]
    return "\n".join(lines)


def miss(row: Row, gold: Row, event: Row | None) -> str | None:
    """A line that tells what is wrong with a found event; nothing if all is right."""
    root = gold_root(gold)
    told = "nothing"
    if event is not None:
        if found_root(event) == root and right_sides(gold, event) == 2:
            return None
        who, whom = ("/".join(p["text"] for p in event[name]) for name in ("actors", "recipients"))
        told = f"{found_root(event)} {event['rule']} {event['modality']} [{who}] -> [{whom}]"
    return (
        f"{row['id']} {root} [{gold['source']}] -> [{gold['target']}] ({gold['trigger']})\n  {row['text']}\n  = {told}"
    )


def main() -> None:
    """Read, compare, print."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--files", default="", help="first letters of the files' names, with commas; all unless given")
    asked.add_argument("--half", choices=("work", "kept", "all"), default="all")
    asked.add_argument("--gsr", action="store_true", help="the neighbour's PLOVER records in their stead")
    asked.add_argument("--rules", action="store_true", help="without the second opinion")
    asked.add_argument("--misses", action="store_true", help="list what is wrong")
    given = asked.parse_args()
    models = load_models(Settings())
    if given.rules:
        models.opinion = None
    rows = records() if given.gsr else written(given.files)
    rows = [row for row in rows if given.half in ("all", half_of(row["text"]))]
    if not rows:
        sys.exit("confusion: no sentences are chosen")
    lines = [json.dumps({"id": row["id"], "text": row["text"]}) for row in rows]
    got = {one["id"]: one["events"] for one in map(json.loads, detect_jsonl(lines, models))}
    told = [(row, gold, event) for row in rows for gold, event in paired(row, got[row["id"]])]
    pairs = [(gold, event) for _, gold, event in told]
    if clean := [got[row["id"]] for row in rows if not row["events"]]:
        print(f"sentences without an event {len(clean)}  silent {sum(not found for found in clean) / len(clean):.3f}")
    if not pairs:
        return
    if given.misses:
        print("\n".join(line for one in told if (line := miss(*one))))
    print(table(pairs))
    print(figures(pairs, sum(map(len, got.values())), len(rows)))


if __name__ == "__main__":
    main()
