"""What the second opinion is worth: the labelled sets and sentences, each read by a model that has not learnt from it.

    python train/crossvalidate.py

Prints, for the rules alone and with the opinion, the figures that docs/quality.md compares. Takes some minutes.
"""

import dataclasses
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from confusion import half_of

from pipeline.detect import detect_jsonl, load_models
from pipeline.detect.export import export
from pipeline.detect.opinion import model, train
from pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "eval"
READINGS = ROOT / "train" / "readings"
YIELD = {"CONCEDE": "YIELD", "RETREAT": "YIELD"}
NOT_SHOWN = ("18", "21", "22", "23", "24", "25")
"""Files of sentences that whoever writes the rules has not seen."""

Row = dict[str, Any]
Group = Callable[[Row], str]


def by_day(row: Row) -> str:
    """News of one day stay together."""
    return f"d:{row['date']}"


def by_sentence(row: Row) -> str:
    """As the samples of written sentences are grouped."""
    return "w:" + re.sub(r"[a-z]$", "", str(row["id"]))


def by_record(row: Row) -> str:
    """As the samples of PLOVER's records are grouped."""
    return f"g:{row['id']}"


def rows(file: Path) -> list[Row]:
    """JSON lines."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def scorer() -> Any:
    """The neighbour's score.py."""
    spec = importlib.util.spec_from_file_location("shared_score", SHARED / "score.py")
    if spec is None or spec.loader is None:
        sys.exit(f"crossvalidate: {SHARED} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def score_written(score: Any, given: Iterable[Row], got: dict[str, list[Row]]) -> dict[str, float]:
    """Of written sentences: events by their type; and of those with one event between two sides, the type between them."""
    hit = extra = missed = clean = silent = 0
    pairs = []
    for row in given:
        found = [YIELD.get(e["event_type"], e["event_type"]) for e in got[row["id"]]]
        gold = [YIELD.get(e["root"], e["root"]) for e in row["events"]]
        hit += sum(root in found for root in gold)
        missed += sum(root not in found for root in gold)
        extra += sum(root not in gold for root in found)
        clean += not gold
        silent += not gold and not found
        event = row["events"][0] if len(gold) == 1 else {}
        if event.get("source") and event.get("target"):
            coded = export(event["root"], event["modality"]).plover
            root = YIELD.get(coded, coded)
            pairs.append({**row, **event, "plover_root": root, "penta": score.QUAD[root]})
    precision, recall, f1 = score.prf(hit, extra, missed)
    told = {"precision": precision, "recall": recall, "f1": f1, "silent": silent / max(clean, 1)}
    if not pairs:  # readings do not say who did it to whom
        return told
    between = score.score_plv(pairs, got)
    return {
        **told, "pair_root_macro_f1": between["root_macro_f1"], "pair_quad_macro_f1": between["quad_macro_f1"],
    }  # fmt: skip


def sets(score: Any) -> Iterator[tuple[str, list[Row], Group, Callable[..., dict[str, Any]]]]:
    """Name, cases, how they are grouped, and what scores them."""
    files = sorted((ROOT / "train" / "sentences").glob("*.jsonl"))
    yield "sentences", [r for f in files for r in rows(f)], by_sentence, lambda *a: score_written(score, *a)
    unseen = [r for f in files if f.name.startswith(NOT_SHOWN) for r in rows(f)]
    yield "sentences not shown", unseen, by_sentence, lambda *a: score_written(score, *a)
    read = list(_read())
    yield "readings", read, by_day, lambda *a: score_written(score, *a)
    kept = [r for r in read if half_of(r["text"]) == "kept"]
    yield "readings kept", kept, by_day, lambda *a: score_written(score, *a)
    for name, group in (
        ("hand_wce", by_day),
        ("challenge_wce", by_day),
        ("plover_gsr", by_record),
        ("wce_category", by_day),
    ):
        yield name, rows(SHARED / name / "dev.jsonl"), group, score.SETS[name]


def _read() -> Iterator[Row]:
    """Items of the neighbour's sets with what a reader found in them."""
    for file in sorted(READINGS.glob("*.jsonl")):
        texts = {row["id"]: row for row in rows(SHARED / file.stem / "dev.jsonl")}
        for row in rows(file):
            yield {"text": texts[row["id"]]["text"], "date": texts[row["id"]]["date"], **row}


def main() -> None:
    """Train in five parts, then read each part with the model that has not seen it."""
    score = scorer()
    alone = dataclasses.replace(load_models(Settings()), opinion=None)
    samples = train.gather(alone, written=ROOT / "train" / "sentences", shared=SHARED, readings=READINGS)
    trained = train.train(samples, model.load_vectors(), {})
    print(train.page(trained.figures, Path("(not written)")), flush=True)
    minds = [dataclasses.replace(alone, opinion=one) for one in trained.held_out]
    for name, given, group, figures in sets(score):
        for label, parts in (("rules", [(alone, given)]), ("opinion", list(_parts(minds, given, group)))):
            got = {}
            for models, part in parts:
                lines = [json.dumps({"id": r["id"], "text": r["text"], "published": _date(score, r)}) for r in part]
                got.update({one["id"]: one["events"] for one in map(json.loads, detect_jsonl(lines, models))})
            told = " ".join(f"{k}={v:.3f}" for k, v in figures(given, got).items() if isinstance(v, float))
            print(f"{name:20} {label:8} {told}", flush=True)


def _parts(minds: list[Any], given: list[Row], group: Group) -> Iterator[tuple[Any, list[Row]]]:
    for fold, models in enumerate(minds):
        yield models, [row for row in given if train.fold_of(group(row)) == fold]


def _date(score: Any, row: Row) -> str | None:
    return score.iso(row["date"]) if row.get("date") else None


if __name__ == "__main__":
    main()
