"""Fit the thresholds and the calibration of an exported model: `python -m train.reader.calibrate DIR`.

Fitted are, on the dev documents: the logistic model of confidence (is an event of this type told in this sentence), the least
log-odds of each role, and the least probability that two triggers tell one happening. The confidence in whole articles is
fitted on the held articles too. Prints the figures on the dev documents and rewrites reader.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Sequence
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
REAL_WEIGHT = 15.0
"""Of a telling in a real whole article, beside one in a held article: of those there are 37, of these 815 (docs/quality.md)."""
Row = tuple[str, dict[str, float], bool, float]
"""A telling: its document, its features, whether it is right, its weight."""


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
    """Fit on the documents of a part and the held articles, print the figures, and rewrite the model's reader.json."""
    file = model / "reader.json"
    file.write_text(
        json.dumps({"calibration_whole": {}} | json.loads(file.read_text("utf-8")))
    )  # one of before has none
    encoder, split = Encoder(model), data.Splitter()
    hard = data.hard()  # more of them tell something than of news at large, so they would make every event seem likely
    docs = [d for d in data.everything() if d.source in data.REAL and data.part(d.id) == part and d.id not in hard]
    single: list[Row] = []
    whole: list[Row] = []
    role_scores, same = {n: ([], []) for n in range(6)}, ([], [])
    total = {"calibration": 0, "calibration_whole": 0}
    for doc in (*docs, *data.held()):  # one that two have labelled comes twice
        made = list(data.examples(doc, encoder.windows, split))
        scored = [encoder.scores(e.window) for e in made]
        topic = float(np.mean([s.loud for s in scored])) if scored else 0.0
        is_real = doc.source in data.REAL
        for example, scores in zip(made, scored, strict=True):
            told = list(reader.tellings(encoder, example.window, scores, least=LEAST))
            values = [features(encoder, one, told, topic) for one in told]
            right = matched(told, example)
            if doc.title:
                weight = REAL_WEIGHT if is_real else 1.0
                whole += [(doc.id, v, ok, weight) for v, ok in zip(values, right, strict=True)]
            if not is_real:
                continue
            # what sentences have in common with articles is learnt from both; in what they differ is left out afterwards
            apart = {"whole": 1.0, "topic of a whole article": topic} if doc.title else {}
            single += [(doc.id, v | apart, ok, 1.0) for v, ok in zip(values, right, strict=True)]
            total["calibration_whole" if doc.title else "calibration"] += len(example.labels)
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
    facts = encoder.facts
    measured = {doc.id for doc in docs}
    for name, rows in (("calibration", single), ("calibration_whole", whole)):
        print(f"{name}, of {total[name]} tellings, cross-validated by document:")
        facts[name] = weights_of(rows, measured, total[name])
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
    file.write_text(json.dumps(facts) + "\n")


def weights_of(rows: Sequence[Row], measured: Collection[str], total: int) -> dict[str, float]:
    """Tellings in, the weights by feature out; the figures on the measured documents, with `total` labels, are printed."""
    vectorizer = DictVectorizer(sparse=False)
    x, y = (
        vectorizer.fit_transform([values for _, values, _, _ in rows]),
        np.asarray([right for _, _, right, _ in rows]),
    )
    groups, weight = [doc for doc, *_ in rows], {"sample_weight": np.asarray([weight for *_, weight in rows])}
    fit = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=5000)
    sure = cross_val_predict(fit, x, y, groups=groups, cv=GroupKFold(10), method="predict_proba", params=weight)[:, 1]
    names, weights = vectorizer.get_feature_names_out(), fit.fit(x, y, **weight).coef_[0]
    here = np.asarray([doc in measured and "whole" not in values for doc, values, _, _ in rows])
    sure, y = sure[here], y[here]
    for least in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        tp, put = int(y[sure >= least].sum()), int((sure >= least).sum())
        print(f"  least {least}: precision {tp / put:.3f} recall {tp / total:.3f} f1 {2 * tp / (put + total):.3f}")
    for low in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        inside = (sure >= low) & (sure < low + (0.2 if low < 0.5 else 0.1 if low < 0.9 else 0.05))
        print(f"  said {low:.2f}+: {inside.sum()} right {y[inside].mean() if inside.any() else 0:.3f}")
    kept = zip(map(str, names), map(float, weights), strict=True)
    return {name: round(value, 4) for name, value in kept if "whole" not in name}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    calibrate(parser.parse_args().model)


if __name__ == "__main__":
    main()
