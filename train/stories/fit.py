"""Labelled articles in, pipeline/track/scorer.json out: `python -m train.stories.fit [--shared ../shared]`.

The articles are folded in date order, each into the story of its own news, whatever the scorer says; each of the nearest open
stories gives one example: its features, and whether it is the right one. A logistic model is fitted to them, each set with one
weight. A weight cannot have the wrong sign (more words in common never speak against). The sets differ in length and style, and
so will the articles of others: the strength of the penalty is chosen by leaving out one set after the other, by the F1 of the
examples of the set that was left out. Prints the examples, the figures of each penalty, and the weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.records import Brief, Story
from pipeline.settings import Track
from pipeline.track import happenings, scorer
from pipeline.track.stories import Stories, agreement
from train.stories.data import briefs, flashes, news

SETS = ("told_again", "news", "newsstand")
SIGNS = dict.fromkeys(scorer.FEATURES, 1) | {"days": -1, "other_names": -1, "contradicts": -1}
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
WEIGHT = 600.0
"""All examples of a set together weigh as so many."""
Floats = NDArray[np.float64]


class Told(Stories):
    """Stories into which articles are folded by their labels, and the examples on the way."""

    def __init__(self, labels: dict[str, str]) -> None:
        """Start without stories."""
        super().__init__(Track())
        self.labels = labels
        self.examples: list[tuple[list[float], bool, str]] = []

    def _log_odds(self, story: Story, brief: Brief, told: Sequence[happenings.Profile]) -> float:
        agrees, contradicts = agreement(self._profiles[story.id], told)
        values = scorer.features(
            scorer.side(story), brief, self._subjects.rarity, days=self._days(story, brief.first_seen_at),
            agrees=agrees, contradicts=contradicts,
        )  # fmt: skip
        same = self.labels[story.article_ids[0]] == self.labels[brief.id]
        self.examples.append((values, same, self.labels[brief.id]))
        return 1.0 if same else -1.0

    def _merged(self, story: Story, others: Sequence[str]) -> tuple[Story, ...]:  # noqa: ARG002 - labels decide here
        return ()


def examples(name: str, shared: Path) -> list[tuple[list[float], bool, str]]:
    """The examples of a labelled set: its articles on their own dates, all on one day, and the first sentences alone.

    On one day the elections, storms and trials of years are open together, so that two alike ones are there to be told apart;
    of a first sentence alone little is known, as of a flash.
    """
    found = briefs(name, shared)
    one_day = [msgspec.structs.replace(one, first_seen_at=found[0].first_seen_at) for one in found]
    rows = []
    for articles in (found, one_day, flashes(name, shared)):
        told = Told(news(name, shared))
        for one in articles:
            told.fold(one)
        rows += told.examples
    return rows


def fit(values: Floats, same: Floats, weights: Floats, penalty: float) -> tuple[Floats, float]:
    """The weights and the bias of a logistic model whose weights have the signs of `SIGNS`."""
    mean, spread = values.mean(0), values.std(0) + 1e-9
    scaled = (values - mean) / spread

    def loss(point: Floats) -> tuple[float, Floats]:
        odds = scaled @ point[:-1] + point[-1]
        wrong = weights * (1 / (1 + np.exp(-odds)) - same)
        total = float((weights * (np.logaddexp(0, odds) - same * odds)).sum() + penalty * (point[:-1] ** 2).sum() / 2)
        return total, np.append(scaled.T @ wrong + penalty * point[:-1], wrong.sum())

    bounds = [(0, None) if SIGNS[name] > 0 else (None, 0) for name in scorer.FEATURES] + [(None, None)]
    found = minimize(loss, np.zeros(len(scorer.FEATURES) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return found[:-1] / spread, float(found[-1] - (found[:-1] / spread * mean).sum())


def arrays(rows: Sequence[tuple[list[float], bool, str]]) -> tuple[Floats, Floats, Floats]:
    """Examples as features, answers and weights."""
    values, same = np.array([one for one, _, _ in rows]), np.array([float(one) for _, one, _ in rows])
    return values, same, np.full(len(rows), WEIGHT / len(rows))


def stacked(sets: Sequence[tuple[Floats, Floats, Floats]]) -> tuple[Floats, Floats, Floats]:
    """Several sets as one."""
    values, same, weights = zip(*sets, strict=True)
    return np.vstack(values), np.concatenate(same), np.concatenate(weights)


def f1(odds: Floats, same: Floats) -> float:
    """The F1 of the examples that are taken for the same news."""
    taken = odds >= 0
    return float(2 * (taken * same).sum() / max(1.0, taken.sum() + same.sum()))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    shared = parser.parse_args().shared
    found = {name: arrays(examples(name, shared)) for name in SETS}
    for name, (_, same, _) in found.items():
        print(f"{name}: {len(same)} examples, {same.sum():.0f} of them on one news")
    reached = {}
    for penalty in PENALTIES:
        scores = []
        for name in SETS:
            learnt, bias = fit(*stacked([found[other] for other in SETS if other != name]), penalty)
            values, same, _ = found[name]
            scores.append(f1(values @ learnt + bias, same))
        reached[penalty] = sum(scores) / len(scores)
        print(f"penalty {penalty:g}: F1 of the set left out {' '.join(f'{one:.3f}' for one in scores)}")
    penalty = max(reached, key=lambda one: reached[one])
    learnt, bias = fit(*stacked(list(found.values())), penalty)
    table = {
        "weights": {name: round(float(weight), 3) for name, weight in zip(scorer.FEATURES, learnt, strict=True)},
        "bias": round(bias, 3),
    }
    scorer.FILE.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    print(f"penalty {penalty:g}\n{json.dumps(table)}")


if __name__ == "__main__":
    main()
