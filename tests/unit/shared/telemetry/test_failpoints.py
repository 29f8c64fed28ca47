"""In processes of their own, since a failpoint kills the one it is in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

_PASSES = """
from shared.telemetry.failpoints import failpoint
for n in range(1, 5):
    failpoint("classifier.before_store")
    failpoint("classifier.after_store")
    print(n, flush=True)
"""


def run(failpoint: str | None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "LISTENINGPOST_FAILPOINT"}
    if failpoint is not None:
        env["LISTENINGPOST_FAILPOINT"] = failpoint
    return subprocess.run(
        [sys.executable, "-c", _PASSES], env=env, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize(
    ("failpoint", "survived"),
    [
        ("classifier.after_store", 0),
        ("classifier.after_store:1", 0),
        ("classifier.after_store:3", 2),
        ("classifier.before_store:4", 3),
    ],
)
def test_the_process_dies_at_the_point_and_the_pass(failpoint: str, survived: int) -> None:
    ended = run(failpoint)
    assert ended.returncode == -signal.SIGKILL
    assert len(ended.stdout.split()) == survived


@pytest.mark.parametrize("failpoint", [None, "", "notifier.before_send", "classifier.after_store:5"])
def test_without_the_variable_or_at_another_point_nothing_happens(failpoint: str | None) -> None:
    ended = run(failpoint)
    assert ended.returncode == 0
    assert ended.stdout.split() == ["1", "2", "3", "4"]
