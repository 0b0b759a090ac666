"""Fit the thresholds and the calibration of an exported model on the dev documents: `python -m train.reader.calibrate DIR`.

Fitted are: the logistic model of confidence (is an event of this type told in this sentence), the least log-odds of each role,
and the least probability that two triggers tell one happening. Prints the figures and rewrites reader.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from pipeline.detect import reader
from pipeline.detect.confidence import features
from pipeline.detect.encoder import Encoder
from pipeline.detect.telling import Telling
from train.reader import data

LEAST = 0.1
"""Event share; less sure triggers are not looked at."""
STRENGTH = 0.3
"""Inverse strength of the penalty on weights."""


def matched(told: Sequence[Telling], example: data.Example) -> list[bool]:
    """Tellings of a window in, whether each is the surest one of some labelled telling of its sentence and type out."""
    free = list(range(len(example.labels)))
    right = dict.fromkeys(range(len(told)), False)
    for index in sorted(right, key=lambda i: -told[i].type_share):
        one = told[index]
        may = [
            n for n in free
            if example.window.sentence[example.triggers[n]] == one.sentence
            and example.labels[n].section == one.section and data.TYPES[example.labels[n].type] == one.type
        ]  # fmt: skip
        if may:
            free.remove(min(may, key=lambda n: abs(example.labels[n].trigger[0] - one.start)))
            right[index] = True
    return list(right.values())


def calibrate(model: Path, part: str = "dev") -> None:
    """Fit on the documents of a part, print the figures, and rewrite the model's reader.json."""
    encoder, split = Encoder(model), data.Splitter()
    hard = data.hard()  # more of them tell something than of news at large, so they would make every event seem likely
    docs = [d for d in data.everything() if d.source in data.REAL and data.part(d.id) == part and d.id not in hard]
    rows, right, role_scores, same = [], [], {n: ([], []) for n in range(6)}, ([], [])
    groups: list[str] = []
    total = 0
    for doc in docs:  # one that two have labelled comes twice
        made = list(data.examples(doc, encoder.windows, split))
        scored = [encoder.scores(e.window) for e in made]
        topic = float(np.mean([s.loud for s in scored])) if scored else 0.0
        for example, scores in zip(made, scored, strict=True):
            told = list(reader.tellings(encoder, example.window, scores, least=LEAST))
            rows += [features(encoder, one, told, topic, whole=bool(doc.title)) for one in told]
            right += matched(told, example)
            groups += [doc.id] * len(told)
            total += len(example.labels)
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
    vectorizer = DictVectorizer(sparse=False)
    x, y = vectorizer.fit_transform(rows), np.asarray(right)
    fit = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=5000)
    sure = cross_val_predict(fit, x, y, groups=groups, cv=GroupKFold(10), method="predict_proba")[:, 1]
    facts = encoder.facts
    names, weights = vectorizer.get_feature_names_out(), fit.fit(x, y).coef_[0]
    facts["calibration"] = {str(name): round(float(v), 4) for name, v in zip(names, weights, strict=True)}
    print(f"{len(docs)} documents, {total} tellings, calibration {facts['calibration']}; cross-validated by document:")
    for least in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        tp, put = int(y[sure >= least].sum()), int((sure >= least).sum())
        print(f"  least {least}: precision {tp / put:.3f} recall {tp / total:.3f} f1 {2 * tp / (put + total):.3f}")
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
        print(f"  same happening: F1 {best[0]:.3f} at {best[1]:.2f} ({int(t.sum())} of {len(t)} pairs of one type)")
    (model / "reader.json").write_text(json.dumps(facts) + "\n")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    calibrate(parser.parse_args().model)


if __name__ == "__main__":
    main()
