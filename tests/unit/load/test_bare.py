"""The baseline of the benchmark is frozen: see its docstring before changing the checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.load import bare

FROZEN_SHA256 = "08e342959bbc1e945ac43dc1d5f7b72785ca59ce76faf0dabb107965d3dada14"


def test_the_baseline_is_the_one_everything_was_measured_against() -> None:
    assert hashlib.sha256(Path(bare.__file__).read_bytes()).hexdigest() == FROZEN_SHA256
