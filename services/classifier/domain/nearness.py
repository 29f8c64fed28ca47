"""How near segments are to labels that are known by several kinds of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

#: For one label: kinds of text (a description; keywords; examples), each with any number of texts.
Kinds = Sequence[Sequence[str]]


class Nearness:
    """Built once a taxonomy; `score` is a matrix product and a few array operations, whatever the batch."""

    def __init__(self, labels: Sequence[Kinds], vectors: Matrix) -> None:
        """`vectors`: one row for each text, in the order of `flat(labels)`."""
        self._prototypes = vectors
        sizes = [(place, len(texts)) for place, kinds in enumerate(labels) for texts in kinds if texts]
        self._starts = np.concatenate([[0], np.cumsum([size for _, size in sizes])[:-1]]).astype(np.intp)
        self._mean = np.zeros((len(sizes), len(labels)), dtype=np.float32)
        for group, (place, _) in enumerate(sizes):
            self._mean[group, place] = 1.0
        self._mean /= np.maximum(self._mean.sum(axis=0, keepdims=True), 1.0)

    def score(self, segments: Matrix) -> Matrix:
        """[segments, d] → [segments, labels]: the cosine to the nearest text of a kind, averaged over kinds.

        Measured: better than the nearest text of all kinds, and than the nearest centroid.
        """
        # Texts along the first axis: reducing along the last one takes three times as long.
        cosines = self._prototypes @ segments.T
        nearest = np.maximum.reduceat(cosines, self._starts, axis=0)
        scores: Matrix = nearest.T @ self._mean
        return scores


def flat(labels: Sequence[Kinds]) -> list[str]:
    """All texts, label by label and kind by kind."""
    return [text for kinds in labels for texts in kinds for text in texts]


def margins(scores: Matrix, limit: float) -> Matrix:
    """[segments, labels] → by how much each label is ahead of the best other one, cut off at ± `limit`."""
    if scores.shape[1] == 1:
        return np.full_like(scores, limit)
    ranked = np.sort(scores, axis=1)
    best, second = ranked[:, -1:], ranked[:, -2:-1]
    ahead = np.where(scores == best, scores - second, scores - best)
    cut: Matrix = np.clip(ahead, -limit, limit).astype(np.float32)
    return cut
