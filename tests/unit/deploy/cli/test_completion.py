"""Tab, in three shells: commands, options, values of closed lists; nothing where nobody answers in time."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from deploy.cli import complete
from deploy.embedded.ports import lease_port
from shared.errors import Reason
from shared.events.topics import TOPICS
from tests.support.completing import completed

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_offered_commands_options_and_values(shell: str) -> None:
    assert {"dead-letters", "demo"} <= set(completed(shell, ["listeningpost", "de"]))
    assert "--dry-run" in completed(shell, ["listeningpost", "apply", "--"])
    assert completed(shell, ["listeningpost", "dead-letters", "--reason", "mal"]) == [Reason.MALFORMED]
    assert completed(shell, ["listeningpost", "replay", "--topic", "feedback.cl"]) == [
        "feedback.classified.v1"
    ]
    assert completed(shell, ["listeningpost", "selftest", "--door", "sl"]) == ["slack"]


def test_every_topic_is_offered() -> None:
    assert complete.topics("") == [topic.name for topic in TOPICS]


def test_nobody_who_waits_for_a_tab_waits_for_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    lease = lease_port()
    monkeypatch.setenv("LISTENINGPOST_MONGO__URI", f"mongodb://127.0.0.1:{lease.port}/?replicaSet=x")
    began = time.monotonic()
    assert complete.touchpoints("b") == []
    assert complete.feedback_ids("") == []
    assert time.monotonic() - began < 2
    lease.release()


def test_wrong_settings_offer_nothing_and_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTENINGPOST_MONGO__SERVER_SELECTION_TIMEOUT_MS", "soon")
    assert complete.people("") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_for_a_shell_is_shown(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"from deploy.cli.main import main; main(['--show-completion', '{shell}'])"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert "_LISTENINGPOST_COMPLETE" in done.stdout, done.stderr
