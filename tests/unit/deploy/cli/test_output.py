"""Tables whose ids can be copied, however narrow the terminal."""

from __future__ import annotations

import pytest

from deploy.cli.output import pairs, results, table

POSITION = "feedback.classified.v1.dlq/11/1234567"
SCOPES = "feedback:import feedback:test feedback:write"
SENTENCE = "the directory has no touchpoint of that id, so it could not be tagged at all"


@pytest.mark.parametrize("terminal", ["", "1"])
def test_ids_never_wrap(
    terminal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", terminal)
    results().print(table(("position", "scopes", "error"), [(POSITION, SCOPES, SENTENCE)]))
    results().print(pairs({"position": POSITION}))
    said = capsys.readouterr().out
    assert said.count(POSITION) == 2
    assert SCOPES in said
    assert (SENTENCE in said) is not bool(terminal)
