"""The command's frame: help at once, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from deploy.cli import main as frame
from deploy.cli.output import ExitCode, Failed
from shared.errors import ConfigurationError, DependencyDown


@pytest.fixture(autouse=True)
def logs_of_others() -> Iterator[None]:
    """The command silences the logs of its own process, which here is that of all tests."""
    yield
    structlog.reset_defaults()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        frame.main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize("name", frame.COMMANDS)
def test_every_command_says_what_it_is_for_as_the_list_of_commands_does(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name, "--help") == ExitCode.OK
    said = " ".join(capsys.readouterr().out.split())
    assert frame.COMMANDS[name][1] in said


def test_the_name_alone_shows_the_help_and_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == ExitCode.OK
    assert "quarantine" in capsys.readouterr().out


def test_every_module_with_a_command_is_registered() -> None:
    folder = Path(str(frame.__file__)).parent
    found = {f"deploy.cli.{file.stem}" for file in folder.glob("*.py") if "def register(" in file.read_text()}
    assert found == {module for module, _ in frame.COMMANDS.values()}


def test_help_loads_no_command() -> None:
    script = (
        "import sys\nfrom deploy.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted(m for m in sys.modules if m.startswith(('aiokafka', 'motor', 'httpx'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == ExitCode.OK
    assert capsys.readouterr().out.startswith("listeningpost 0.")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Failed("it is so", "do that"), ExitCode.FOUND, "do that"),
        (Failed("wrong", code=ExitCode.USAGE), ExitCode.USAGE, "wrong"),
        (DependencyDown("kafka"), ExitCode.UNREACHABLE, "listeningpost doctor"),
        (ConfigurationError("LISTENINGPOST_X is wrong"), ExitCode.USAGE, "LISTENINGPOST_X"),
    ],
)
def test_an_error_that_can_be_expected_is_a_sentence_and_a_code(
    error: Exception,
    code: ExitCode,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise error

    topics = importlib.import_module("deploy.cli.topics")
    monkeypatch.setattr(topics, "register", lambda app: app.command("topics")(fail))
    assert run("topics") == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


def test_a_typo_is_answered_with_the_nearest_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("aply") == ExitCode.USAGE
    assert "apply" in capsys.readouterr().err


def test_completion_offers_commands_and_their_options() -> None:
    def complete(*words: str) -> str:
        env = {
            **os.environ,
            "_LISTENINGPOST_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        script = "from deploy.cli.main import main; main([])"
        return subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env
        ).stdout

    assert "dead-letters" in complete("listeningpost", "de")
    assert "--dry-run" in complete("listeningpost", "apply", "--")
