"""Long work says what it is at, on a terminal alone."""

from __future__ import annotations

import gc
import io

import pytest
from rich.console import Console

from deploy.cli import working


def console(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    out = io.StringIO()
    made = Console(file=out, force_terminal=terminal, width=80)
    monkeypatch.setattr(working, "remarks", lambda: made)
    return out


@pytest.mark.parametrize(
    ("terminal", "quiet", "said"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_it_is_said_on_a_terminal_and_not_in_a_pipe_or_with_json(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool, said: bool
) -> None:
    out = console(monkeypatch, terminal=terminal)
    with working.working("reading [company].yaml", quiet=quiet):
        assert not gc.isenabled()
    assert gc.isenabled()
    assert ("reading [company].yaml" in out.getvalue()) is said


def test_what_fails_fails_and_nothing_stays_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    console(monkeypatch, terminal=True)
    with pytest.raises(ValueError, match="broken"), working.working("reading"):
        raise ValueError("broken")
    assert gc.isenabled()
