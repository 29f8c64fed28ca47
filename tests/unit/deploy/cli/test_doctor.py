"""What the doctor concludes, and where it says that it looked."""

from __future__ import annotations

import pytest

from deploy.cli import settings
from deploy.cli.checks import State, addresses, kafka
from deploy.cli.doctor import verdict
from deploy.cli.settings import CliSettings
from shared.bus.dead_letters import DeadLetter


@pytest.mark.parametrize(
    ("wrong", "warned", "said"),
    [
        (0, 0, "All is well."),
        (0, 1, "It works, with 1 warning."),
        (0, 2, "It works, with 2 warnings."),
        (1, 0, "1 of 13 needs attention."),
        (2, 1, "2 of 13 need attention, and there is 1 warning."),
    ],
)
def test_the_verdict_is_a_sentence_that_is_true(wrong: int, warned: int, said: str) -> None:
    assert verdict(wrong, warned, 13) == said


async def test_dead_letters_that_wait_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    letter = DeadLetter(
        "t/0/1",
        "t",
        "t/0/0",
        "internal",
        "",
        "classifier",
        None,
        "",
        1,
        replayed=False,
        record=(b"", b"", []),
    )

    async def waiting(*_: object) -> list[DeadLetter]:
        return [letter, letter]

    monkeypatch.setattr(kafka, "chosen", waiting)
    found = await kafka._dead_letters(CliSettings())
    assert (found.state, found.detail) == (State.WARNING, "2 waiting: 2 internal")
    assert "replay" in found.remedy


async def test_it_says_which_addresses_it_used_and_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LISTENINGPOST_CLI__INGEST_URL", "http://post.example:1")
    monkeypatch.setenv("LISTENINGPOST_MONGO__URI", "mongodb://me:secret-word@db.example/?replicaSet=x")
    (found,) = await addresses.check(settings.settings())
    assert "http://post.example:1/ (environment)" in found.detail
    assert "127.0.0.1:9092 (default; LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS is not set)" in found.detail
    assert "db.example/?replicaSet=x (environment)" in found.detail
    assert "secret-word" not in found.detail
