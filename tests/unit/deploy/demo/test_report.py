"""The table fits the terminal it is shown in, and says what became of each piece."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Act, Outcome
from deploy.demo.report import pieces_table, summary
from deploy.demo.verdict import Evidence, Seen
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.events.feedback import Mode
from tests.support.company import COMPANY, NOW
from tests.unit.deploy.demo.test_verdict import GOOD, piece

DIRECTORY = Directory(Workspace.model_validate(COMPANY), 1)
PROBLEM = {"type": "urn:x", "detail": "this is not JSON", "remedy": "Send valid JSON."}


def seen() -> tuple[Seen, ...]:
    assert GOOD.now is not None
    old = replace(GOOD, now=GOOD.now.model_copy(update={"mode": Mode.BACKFILL}), deliveries=(), arrivals=())
    again = replace(
        GOOD,
        piece=piece(id="again", text="", act=Act.REPEAT, of="bill", outcome=Outcome.REPEATED),
        answer=Answer(Outcome.REPEATED, "250", NOW),
        now=None,
    )
    refused = replace(
        GOOD,
        piece=piece(id="bad", outcome=Outcome.REFUSED),
        answer=Answer(Outcome.REFUSED, "400", NOW, problem=PROBLEM),
        now=None,
    )
    return GOOD, old, again, refused


@pytest.mark.parametrize("width", [80, 160])
def test_every_piece_says_what_became_of_it(width: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    evidence = Evidence(seen(), GOOD.arrivals, 1, (), 0, 1)
    console.print(pieces_table(evidence, DIRECTORY, width))
    console.print(summary(evidence))
    shown = " ".join(screen.getvalue().split())
    assert max(len(line) for line in screen.getvalue().splitlines()) <= width
    for words in (
        "bill",
        "change",
        "answered",
        "80",
        "nobody: said on 2026-11-22",
        "again: The bill.",
        "repeated (250)",
        "refused, 400: this is not JSON",
        "2 mails",
        '"type": "urn:x"',
    ):
        assert words in shown, words
