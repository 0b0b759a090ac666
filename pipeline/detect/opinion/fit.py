"""Samples in, weights out: softmax regression and monotone calibration, by SciPy's optimisers. Deterministic."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
MOST_STEPS: Final = 60
CLOSE_ENOUGH: Final = 1e-6


def softmax_regression(
    flags: Any, numbers: Floats, y: NDArray[np.int64], weight: Floats, *, classes: int, penalty: Floats
) -> Floats:
    """Rows of sparse flags and dense numbers, their classes and weights in, a matrix (columns by classes) out.

    `penalty` is the strength of the L2 pull to zero for each column, those of the flags first.
    """
    width = flags.shape[1]
    columns = width + numbers.shape[1]
    rows = np.arange(len(y))
    transposed = flags.T.tocsr()

    def loss(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(columns, classes)
        scores = flags @ w[:width] + numbers @ w[width:]
        scores -= scores.max(axis=1, keepdims=True)
        spread = np.exp(scores)
        total = spread.sum(axis=1, keepdims=True)
        value = -(weight * (scores[rows, y] - np.log(total[:, 0]))).sum() + 0.5 * (penalty[:, None] * w * w).sum()
        error = spread / total
        error[rows, y] -= 1.0
        error *= weight[:, None]
        slope = np.concatenate([transposed @ error, numbers.T @ error])
        return float(value), (slope + penalty[:, None] * w).ravel()

    found = optimize.minimize(
        loss,
        np.zeros(columns * classes),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "ftol": CLOSE_ENOUGH},
    )
    return np.asarray(found.x, dtype=np.float64).reshape(columns, classes)


def softmax(scores: Floats) -> Floats:
    """Scores in, shares that add up to one out, row by row."""
    spread = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(spread / spread.sum(axis=-1, keepdims=True))
