"""`docs/operations.md` to the letter: from a clone to a notice in a mailbox, in at most 12 commands."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.embedded.ports import lease_port
from tests.e2e.images.__main__ import CannotStandIn, provide, upstream
from tests.support import compose
from tests.support.compose import SERVICES, Project
from tests.support.tree import ROOT
from tests.support.wait import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

_MOST_COMMANDS = 12
_TAG = f"first-hour-{os.getpid()}"
#: What the reader has besides: a mail server of that name, which here shows what it gets.
_MAIL = f"""services:
  mail:
    image: listeningpost-tools:{_TAG}
    entrypoint: [python, -u, -m, aiosmtpd, -n, -l, "0.0.0.0:25", -c, aiosmtpd.handlers.Debugging, stdout]
    init: true
    networks: {{outside: {{aliases: [mail.company.example]}}}}
"""


def first_hour() -> str:
    """The commands of the document, as they stand there."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(r"^## The first hour$.*?^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment of whoever types: ports and names of their own, so that nothing else is disturbed."""
    lack = compose.missing()
    if lack:
        pytest.exit(lack, returncode=1)
    try:
        for name in upstream():
            provide(name)
    except CannotStandIn as error:
        pytest.exit(str(error), returncode=1)
    (tmp_path / "mail.yml").write_text(_MAIL, encoding="utf-8")
    leases = {name: lease_port() for name in ("PUBLISH_HTTP", "PUBLISH_SMTP", "PUBLISH_CONSOLE")}
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith("LISTENINGPOST_")},
        **{name: str(lease.port) for name, lease in leases.items()},
        "REPOSITORY": str(ROOT),
        "USER": "ops",
        "COMPOSE_PROJECT_NAME": f"listeningpost-{_TAG}",
        "COMPOSE_FILE": f"docker-compose.yml:{tmp_path}/mail.yml",
        "IMAGE_TAG": _TAG,
    }
    settings = tmp_path / "listening-post" / ".env"
    Project(f"listeningpost-{_TAG}", settings).compose(
        "down", "--volumes", "--remove-orphans", "--timeout", "5"
    )
    for name in (*SERVICES, "tools"):
        compose.remove_image(f"listeningpost-{name}:{_TAG}")
    for lease in leases.values():
        lease.release()


async def test_the_first_hour_ends_with_a_notice_in_a_mailbox(
    surroundings: Mapping[str, str], tmp_path: Path
) -> None:
    commands = first_hour()
    assert len(commands.replace("\\\n", "").splitlines()) <= _MOST_COMMANDS

    def type_in(line: str, folder: Path) -> str:
        command = ["bash", "-euxo", "pipefail", "-c", line]
        done = subprocess.run(
            command,
            env=surroundings,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    said = type_in(commands, tmp_path)
    assert "/first#" in said, "the link to the console"

    def delivered() -> bool:
        mails = type_in("docker compose logs --no-color mail", tmp_path / "listening-post")
        words = re.findall(r"=\?utf-8\?b\?([^?]+)\?=", mails)
        subjects = b"".join(map(b64decode, words)).decode()
        assert "Nobody can read the bill" in subjects, mails[-4000:]
        return True

    await until(delivered, within_s=60, what="the notice is delivered")
