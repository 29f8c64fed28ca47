"""What `up` keeps of its services' words, and what it says when one of them dies."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from deploy.cli.up import LogFile
from deploy.embedded.errors import ChildDied


def died(log: LogFile) -> None:
    with log:
        log("ingest", "hello")
        log.path.unlink()
        raise ChildDied("mongod", "killed by SIGKILL", ["bye"])


def test_a_log_file_that_was_removed_meanwhile_hides_no_error() -> None:
    out = io.StringIO()
    with pytest.raises(ChildDied):
        died(LogFile(Console(file=out)))
    assert "was removed" in out.getvalue()


def test_the_log_of_a_good_end_goes_even_when_it_has_gone_already() -> None:
    with LogFile(Console(file=io.StringIO())) as log:
        log.path.unlink()
    assert not log.path.exists()


def test_a_death_is_told_in_one_sentence_with_what_was_done() -> None:
    assert str(ChildDied("mongod", "exit code 1", [])).startswith(
        "mongod died (exit code 1), so everything was stopped."
    )
