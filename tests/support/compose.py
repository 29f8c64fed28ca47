"""The project's own compose file, started beside whatever else runs on this Docker, and taken away again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.support.tree import ROOT
from tests.support.wait import until

SERVICES = ("ingest", "classifier", "notifier", "console")
SERVERS = ("kafka", "mongo")
_COMPOSE_FROM = (2, 24)
_COMMAND_WITHIN_S = 1_800.0


def missing() -> str:
    """What has to be installed or started before this can work; "" when nothing is."""
    if shutil.which("docker") is None:
        return "Missing: Docker. On Debian or Ubuntu: apt-get install docker.io"
    if not _answers("version"):
        return "Docker does not answer: start its daemon, or become a member of the group docker."
    version = _output("compose", "version", "--short")
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < _COMPOSE_FROM:
        return f"Missing: Docker Compose 2.24 or newer; {version.strip() or 'there is none'}."
    return "" if _answers("buildx", "version") else "Missing: buildx, the plugin that builds images."


def _answers(*arguments: str) -> bool:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def docker(*arguments: str) -> None:
    """Raises Failed."""
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise Failed(f"docker {' '.join(arguments)}: {done.returncode}\n{done.stderr[-4000:]}")


def _output(*arguments: str) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Start:
    """From the start of a container until it was ready, by the clock and on the processor."""

    clock_s: float
    cpu_s: int


class Failed(AssertionError):
    """A command of Docker that had to work; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Project:
    """`name` is Compose's; `files` come after the project's own; `settings` is its .env."""

    name: str
    settings: Path
    files: Sequence[Path] = ()

    def compose(self, *arguments: str, text: str | None = None) -> Done:
        words = ["docker", "compose", "--project-name", self.name, "--env-file", str(self.settings)]
        for file in (ROOT / "docker-compose.yml", *self.files):
            words += ["--file", str(file)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")}
        done = subprocess.run(
            [*words, *arguments],
            input=text,
            capture_output=True,
            encoding="utf-8",
            check=False,
            cwd=ROOT,
            env=kept,
            timeout=_COMMAND_WITHIN_S,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str, text: str | None = None) -> str:
        done = self.compose(*arguments, text=text)
        if done.code != 0:
            raise Failed(
                f"docker compose {' '.join(arguments)}: {done.code}\n{(done.out + done.err)[-4000:]}"
            )
        return done.out

    def tools(self, *arguments: str, text: str | None = None) -> Done:
        """The command line, in its container."""
        return self.compose("run", "--rm", "-T", "tools", *arguments, text=text)

    def python(self, program: str, *arguments: str) -> str:
        """What a program prints that runs in the tools' container, with its settings."""
        return self.must(
            "run", "--rm", "-T", "--entrypoint", "python", "tools", "-", *arguments, text=program
        )

    def containers(self, service: str) -> list[Mapping[str, Any]]:
        """As `docker inspect` shows them; those that ended too."""
        ids = self.must("ps", "--all", "--quiet", service).split()
        return json.loads(_output("inspect", *ids)) if ids else []

    def container(self, service: str) -> Mapping[str, Any]:
        (only,) = self.containers(service)
        return only

    def address(self, service: str) -> str:
        """Docker's machine reaches its containers at their own addresses, published or not."""
        networks = self.container(service)["NetworkSettings"]["Networks"]
        return str(networks[f"{self.name}_inside"]["IPAddress"])

    def ready(self, service: str, *, within_s: float) -> Start:
        """Waits until it says that it is ready."""
        url = f"http://{self.address(service)}:8080/readyz"

        def ready() -> bool:
            code, said = _get(url)
            assert code == HTTPStatus.OK, said
            return True

        asyncio.run(until(ready, within_s=within_s, what=f"{service} is ready"))
        seen = time.time()
        container = self.container(service)
        started = datetime.fromisoformat(container["State"]["StartedAt"])
        _, *processes = _output("top", container["Id"], "-eo", "pid,cputimes").splitlines()
        return Start(seen - started.timestamp(), sum(int(line.split()[1]) for line in processes))

    def memory(self) -> dict[str, str]:
        """By service, what its container uses of what it may use."""
        names = _output("ps", "--format", "{{.Names}}", "--filter", f"name={self.name}-").split()
        lines = _output("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names).splitlines()
        return dict(line.removeprefix(f"{self.name}-").split(" ", 1) for line in lines)

    def left_behind(self) -> dict[str, list[str]]:
        """What is still there of this project, by kind; nothing, when it was taken away."""
        of_project = ("--filter", f"label=com.docker.compose.project={self.name}")
        found = {
            "containers": _output("ps", "--all", "--format", "{{.Names}}", *of_project).split(),
            "volumes": _output("volume", "ls", "--format", "{{.Name}}", *of_project).split(),
            "networks": _output("network", "ls", "--format", "{{.Name}}", *of_project).split(),
        }
        return {kind: names for kind, names in found.items() if names}


def image(name: str) -> Mapping[str, Any]:
    (only,) = json.loads(_output("image", "inspect", name))
    return dict(only)


def remove_image(name: str) -> None:
    _output("image", "rm", name)


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http, written above
            return answer.status, answer.read(4_096).decode("utf-8", "replace")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(4_096).decode("utf-8", "replace")
    except OSError as error:
        return 0, str(error)
