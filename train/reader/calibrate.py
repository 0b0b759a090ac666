"""Fit the thresholds and the calibration of an exported model on the dev documents: `python -m train.reader.calibrate DIR`.

Fitted are: the logistic model of confidence (is an event of this type told in this sentence), the least log-odds of each role,
and the least probability that two triggers tell one happening. Prints the figures and rewrites reader.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipeline.detect import reader
from pipeline.detect.encoder import Encoder
from train.reader import data


def calibrate(model: Path, part: str = "dev") -> None:
    """Fit on the documents of a part, print the figures, and rewrite the model's reader.json."""
    encoder, split = Encoder(model), data.Splitter()
    docs = [d for d in data.everything() if d.source in data.REAL and data.part(d.id) == part]
    rows, right, role_scores, same = [], [], {n: ([], []) for n in range(6)}, ([], [])
    keys: list[tuple[str, int, int]] = []
    total = 0
    for doc in docs:
        made = list(data.examples(doc, encoder.windows, split))
        scored = [encoder.scores(e.window) for e in made]
        topic = float(np.mean([s.loud for s in scored])) if scored else 0.0
        for example, scores in zip(made, scored, strict=True):
            gold = {
                (example.window.sentence[t], label.type)
                for t, label in zip(example.triggers, example.labels, strict=True)
            }
            for one in reader.tellings(encoder, example.window, scores, least=0.1):
                key = (one.sentence, data.TYPES.index(one.type))
                rows.append(reader.evidence(one, topic, whole=bool(doc.title)))
                right.append(key in gold)  # a second trigger of one event is folded into the first by merge.py
                keys.append((doc.id, *key))
            total += len(gold)
            for n, trigger in enumerate(example.triggers):
                all_roles = encoder.roles(scores, trigger)
                for number, role in enumerate(reader.ROLES):
                    truth = np.zeros(len(example.window))
                    truth[example.roles[n].get(role, [])] = 1
                    role_scores[number][0].append(all_roles[number])
                    role_scores[number][1].append(truth)
            for a, b, y in example.same:
                if example.labels[a].type == example.labels[b].type:
                    same[0].append(encoder.same(scores.same[example.triggers[a]], scores.same[example.triggers[b]]))
                    same[1].append(y)
    x, y = np.asarray(rows), np.asarray(right)
    fit = LogisticRegression(C=10.0, fit_intercept=False).fit(x, y)
    sure = fit.predict_proba(x)[:, 1]
    facts = encoder.facts
    facts["calibration"] = [round(float(v), 4) for v in fit.coef_[0]]
    print(f"{len(docs)} documents, {total} events by sentence and type, calibration {facts['calibration']}")
    for least in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7):
        told = {key: bool(ok) for key, ok, said in zip(keys, y, sure, strict=True) if said >= least}
        tp, fp = sum(told.values()), len(told) - sum(told.values())
        print(
            f"  least {least}: precision {tp / (tp + fp):.3f} recall {tp / total:.3f} f1 {2 * tp / (tp + fp + total):.3f}"
        )
    for low in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        inside = (sure >= low) & (sure < low + (0.2 if low < 0.5 else 0.1 if low < 0.9 else 0.05))
        print(f"  said {low:.2f}+: {inside.sum()} right {y[inside].mean() if inside.any() else 0:.3f}")
    leasts = []
    for number, role in enumerate(reader.ROLES):
        scores_, truth_ = np.concatenate(role_scores[number][0]), np.concatenate(role_scores[number][1]) > 0
        best = max(
            (2 * (truth_ & (scores_ > cut)).sum() / max((scores_ > cut).sum() + truth_.sum(), 1), -abs(cut), cut)
            for cut in np.arange(-1.5, 1.6, 0.25)
        )
        leasts.append(float(best[2]))
        print(f"  {role}: piece F1 {best[0]:.3f} at log-odds {best[2]:.2f} ({int(truth_.sum())} pieces)")
    facts["role_least"] = leasts
    if same[0]:
        p, t = np.asarray(same[0]), np.asarray(same[1]) > 0
        best = max(
            (2 * (t & (p > cut)).sum() / max((p > cut).sum() + t.sum(), 1), cut) for cut in np.arange(0.2, 0.95, 0.05)
        )
        facts["same_least"] = round(float(best[1]), 2)
        print(f"  same happening: F1 {best[0]:.3f} at {best[1]:.2f} ({int(t.sum())} of {len(t)} pairs of one type)")
    (model / "reader.json").write_text(json.dumps(facts) + "\n")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    calibrate(parser.parse_args().model)


if __name__ == "__main__":
    main()
