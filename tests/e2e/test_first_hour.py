"""`docs/operations.md` to the letter: from a clone to a notice in a mailbox, in at most 12 commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.reader import Reader, commands
from tests.support.wait import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

_MOST_COMMANDS = 12


async def test_the_first_hour_ends_with_a_notice_in_a_mailbox(tmp_path: Path) -> None:
    lines = commands("operations.md", "The first hour")
    assert len(lines.replace("\\\n", "").splitlines()) <= _MOST_COMMANDS
    with Reader(tmp_path, "first-hour") as reader:
        assert "/first#" in reader.begins(lines), "the link to the console"
        await until(
            lambda: reader.mails("Nobody can read the bill"), within_s=60, what="the notice is delivered"
        )
