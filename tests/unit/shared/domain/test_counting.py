"""Which pieces count."""

from __future__ import annotations

import pytest

from shared.domain.counting import COUNTED, counts
from shared.events.feedback import Mode


@pytest.mark.parametrize("mode", list(Mode))
def test_everything_counts_but_tests(mode: Mode) -> None:
    assert counts(mode) is (mode is not Mode.TEST)
    assert (mode in COUNTED) is counts(mode)
