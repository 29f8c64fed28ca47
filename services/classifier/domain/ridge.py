"""A linear head over sentence vectors, fitted in closed form on a few hundred phrases.

Ridge regression on 0/1 targets, in its dual form: it fits in milliseconds, has one answer, and gives the
leave-one-out scores for nothing, from which the thresholds were taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ridge:
    """`score` is about 1 for members of a class and about 0 for others; it is not bounded."""

    weights: Matrix
    bias: Matrix

    def score(self, vectors: Matrix) -> Matrix:
        """[n, d] → [n, classes]."""
        return vectors @ self.weights + self.bias


def fit(vectors: Matrix, targets: Matrix, strength: float) -> tuple[Ridge, Matrix]:
    """The head for `targets` (0/1, [n, classes]), and its leave-one-out scores on the phrases themselves.

    `strength` is the ridge; centred, so that the classes' sizes do not move the scores' origin.
    """
    mean, base = vectors.mean(axis=0), targets.mean(axis=0)
    centred = vectors - mean
    gram = centred @ centred.T
    inverse = np.linalg.inv(gram + strength * np.eye(len(gram), dtype=np.float32))
    residual = targets - base
    weights = centred.T @ (inverse @ residual)
    # e_i / (1 - h_ii) = (A^-1 y)_i * strength / (strength * (A^-1)_ii)
    left_out = targets - (inverse @ residual) / np.diag(inverse)[:, None]
    ridge = Ridge(weights.astype(np.float32), (base - mean @ weights).astype(np.float32))
    return ridge, left_out.astype(np.float32)
