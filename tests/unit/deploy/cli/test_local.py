"""Commands find the stack that runs here, and never one that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.cli import local
from deploy.cli.settings import settings


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS", "LISTENINGPOST_MONGO__URI"):
        monkeypatch.delenv(name, raising=False)


def test_a_note_counts_while_its_stack_runs() -> None:
    assert local.running() is None
    with local.announced("listeningpost up", {"LISTENINGPOST_CLI__KEY": "lp_x"}):
        note = local.running()
        assert note is not None
        assert note.env["LISTENINGPOST_CLI__KEY"] == "lp_x"
        assert local.path().stat().st_mode & 0o077 == 0
    assert local.running() is None


def test_of_two_stacks_the_last_one_is_found() -> None:
    with local.announced("one", {"A": "1" * 200}), local.announced("two", {"A": "2"}):
        note = local.running()
        assert note is not None
        assert note.started_by == "two"


def test_a_note_that_cannot_be_read_is_none() -> None:
    with local.announced("up", {}):
        local.path().write_text("{", encoding="utf-8")
        assert local.running() is None


def test_settings_come_from_the_note_unless_the_environment_names_a_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "LISTENINGPOST_CLI__INGEST_URL": "http://127.0.0.1:2",
    }
    with local.announced("up", env):
        assert settings().kafka.bootstrap_servers == "127.0.0.1:1"
        assert str(settings().cli.ingest_url) == "http://127.0.0.1:2/"
        monkeypatch.setenv("LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS", "kafka.example:9092")
        assert settings().kafka.bootstrap_servers == "kafka.example:9092"
        assert str(settings().cli.ingest_url) == "http://127.0.0.1:8080/"
