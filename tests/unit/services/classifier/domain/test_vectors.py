"""The head that is fitted in closed form, and nearness to labels."""

from __future__ import annotations

import numpy as np
import pytest

from services.classifier.domain.nearness import Nearness, flat, margins
from services.classifier.domain.ridge import Matrix, fit


def unit(*rows: list[float]) -> Matrix:
    vectors: Matrix = np.array(rows, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def test_leave_one_out_is_what_fitting_without_that_one_gives() -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(20, 6)).astype(np.float32)
    targets = (chance.random((20, 2)) > 0.5).astype(np.float32)
    _, left_out = fit(vectors, targets, 2.0)
    kept = np.arange(20) != 7
    without, _ = fit(vectors[kept], targets[kept], 2.0)
    # The closed form leaves mean and base as they were with all twenty: a small difference by design.
    assert left_out[7] == pytest.approx(without.score(vectors[7:8])[0], abs=0.1)


def test_a_fitted_head_knows_its_phrases() -> None:
    vectors = unit([1, 0, 0.1], [1, 0.1, 0], [0, 1, 0.1], [0.1, 1, 0])
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    head, _ = fit(vectors, targets, 0.1)
    assert head.score(unit([1, 0, 0]))[0] == pytest.approx([1, 0], abs=0.2)


def test_nearness_is_the_mean_over_kinds_of_the_nearest_text() -> None:
    labels = [[["a"], ["b", "c"], []], [["d"], [], []]]
    assert flat(labels) == ["a", "b", "c", "d"]
    vectors = unit([1, 0], [0, 1], [1, 0], [1, 1])
    near = Nearness(labels, vectors).score(unit([1, 0]))
    assert near[0] == pytest.approx([1.0, 0.707], abs=1e-3)


def test_margins_say_who_is_ahead_and_by_how_much() -> None:
    scores = np.array([[0.5, 0.4, 0.1], [0.1, 0.9, 0.1]], dtype=np.float32)
    assert margins(scores, 0.25) == pytest.approx(np.array([[0.1, -0.1, -0.25], [-0.25, 0.25, -0.25]]))
    assert margins(scores[:, :1], 0.25) == pytest.approx(0.25)
