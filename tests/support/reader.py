"""Whoever types the commands of a document as they stand there, in a clone of their own, on this Docker."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from deploy.embedded.ports import PortLease, lease_port
from tests.e2e.images.__main__ import CannotStandIn, provide, upstream
from tests.support import compose
from tests.support.compose import SERVICES, Project
from tests.support.tree import ROOT

_PORTS = ("PUBLISH_HTTP", "PUBLISH_SMTP", "PUBLISH_CONSOLE")
#: As `docs/runbooks/README.md` has it.
_LISTENINGPOST = 'listeningpost() { docker compose run --rm tools "$@"; }\n'
_WITHIN_S = 600.0


def commands(document: str, heading: str) -> str:
    """What stands under this heading of a document as something to type: its first block."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{document} has nothing to type under {heading!r}"
    return found[1]


class Reader:
    """Has ports and names of their own, so that nothing else is disturbed, and the mail server they name."""

    def __init__(self, folder: Path, purpose: str) -> None:
        self._tag = f"{purpose}-{os.getpid()}"
        self._folder = folder
        self._name = f"listeningpost-{self._tag}"
        self._leases: dict[str, PortLease] = {name: lease_port() for name in _PORTS}

    def __enter__(self) -> Self:
        lack = compose.missing()
        if lack:
            pytest.exit(lack, returncode=1)
        try:
            for name in upstream():
                provide(name)
        except CannotStandIn as error:
            pytest.exit(str(error), returncode=1)
        (self._folder / "mail.yml").write_text(self._mail(), encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        project = Project(self._name, self.clone / ".env")
        project.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        for name in (*SERVICES, "tools"):
            compose.remove_image(f"listeningpost-{name}:{self._tag}")
        for lease in self._leases.values():
            lease.release()

    @property
    def clone(self) -> Path:
        """Made by the first hour."""
        return self._folder / "listening-post"

    def begins(self, lines: str) -> str:
        """Types before there is a clone."""
        return self._typed(lines, self._folder, "")

    def types(self, lines: str, answers: str = "") -> str:
        """Types in the clone, and `answers` what is asked. All that was said; raises where one goes wrong."""
        return self._typed(_LISTENINGPOST + lines, self.clone, answers)

    def mails(self, words: str) -> int:
        """How many mails with these words in their subject have come."""
        log = self.types("docker compose logs --no-color --no-log-prefix mail")
        subjects = re.findall(r"^Subject: (.*(?:\n .*)*)", log.replace("\n\x1b[2K", "\n"), re.MULTILINE)
        return sum(words in _decoded(subject) for subject in subjects)

    def _typed(self, lines: str, folder: Path, answers: str) -> str:
        command = ["bash", "-euxo", "pipefail", "-c", lines]
        done = subprocess.run(
            command,
            env=self._environment(),
            cwd=folder,
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=_WITHIN_S,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def _environment(self) -> Mapping[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")},
            **{name: str(lease.port) for name, lease in self._leases.items()},
            "REPOSITORY": str(ROOT),
            "USER": "ops",
            "COMPOSE_PROJECT_NAME": self._name,
            "COMPOSE_FILE": f"docker-compose.yml:{self._folder}/mail.yml",
            "IMAGE_TAG": self._tag,
        }

    def _mail(self) -> str:
        return f"""services:
  mail:
    image: listeningpost-tools:{self._tag}
    pull_policy: never
    entrypoint: [python, -u, -m, aiosmtpd, -n, -l, "0.0.0.0:25", -c, aiosmtpd.handlers.Debugging, stdout]
    init: true
    networks: {{outside: {{aliases: [mail.company.example]}}}}
"""


def _decoded(subject: str) -> str:
    words = re.findall(r"=\?utf-8\?b\?([^?]+)\?=", subject)
    return b"".join(map(b64decode, words)).decode() if words else subject
