"""Containers of a test run that was killed are gone with the next one; those of others stay."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import images
from tests.support.containers import LABEL, remove_leftovers

_WITHIN_S = 60.0


@pytest.fixture
def image() -> str:
    found, why_not = images.found("mongo")
    if not found:
        pytest.skip(why_not)
    return found


@pytest.fixture
def started(image: str) -> Iterator[dict[str, str]]:
    """Containers by whose they are: of a process that has ended, of this one, of one on another machine."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = socket.gethostname()
    runs = {
        "killed": f"{here} {ended.pid}",
        "running": f"{here} {os.getpid()}",
        "elsewhere": f"elsewhere {ended.pid}",
    }
    made = {name: _docker("create", "--label", f"{LABEL}={run}", image) for name, run in runs.items()}
    yield made
    images.docker("rm", "--force", "--volumes", *made.values(), within_s=_WITHIN_S)


def test_only_what_a_killed_run_left_is_removed(started: dict[str, str]) -> None:
    removed = remove_leftovers()
    assert [name for name, container in started.items() if container[:12] in removed] == ["killed"]
    listed = _docker("ps", "--all", "--quiet", "--no-trunc").split()
    assert started["killed"] not in listed
    assert {started["running"], started["elsewhere"]} <= set(listed)


def test_versions_are_what_the_programs_say(image: str) -> None:
    """And not the tag, which may be anything."""
    assert images.version("mongo", image).split(".")[0].isdigit()
    kafka, why_not = images.found("kafka")
    if not kafka:
        pytest.skip(why_not)
    assert images.version("kafka", kafka).split(".")[0].isdigit()


def _docker(*arguments: str) -> str:
    said = images.docker(*arguments, within_s=_WITHIN_S)
    assert said is not None, arguments
    return said.strip()
