"""HAProxy in front of the replicas of a service, as somebody would run it who restarts them one by one."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.output import LineSink
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Command
from deploy.embedded.readiness import is_ready
from tests.support.server import Server, unheard

#: A connection that was refused carried nothing, so another replica may have it; nothing else is sent twice.
_CONFIGURATION = """
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option redispatch 1
  retries 3
  retry-on conn-failure

frontend doors
  bind {address}:{port}
  default_backend ingest

backend ingest
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 300ms fall 1 rise 1
{servers}
"""


def installed() -> str | None:
    """Where it is, else None. Debian puts it where only root looks."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")


class HaProxy(Server):
    """`ports` are those of the replicas. Only where it is `installed`."""

    def __init__(self, ports: Sequence[int], output: LineSink = unheard) -> None:
        super().__init__(output)
        self._program = installed() or "haproxy"
        self._directory = Path(tempfile.mkdtemp(prefix="listeningpost-haproxy-"))
        servers = "\n".join(f"  server replica-{port} {LOOPBACK}:{port}" for port in ports)
        self._file.write_text(
            _CONFIGURATION.format(address=LOOPBACK, port=self.port, servers=servers), encoding="utf-8"
        )

    @property
    def version(self) -> str:
        said = subprocess.run([self._program, "-v"], capture_output=True, encoding="utf-8", check=True).stdout
        found = re.search(r"version (\S+)", said)
        return found[1] if found else ""

    async def close(self) -> None:
        await super().close()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def _file(self) -> Path:
        return self._directory / "haproxy.cfg"

    def _command(self) -> Command:
        return Command("haproxy", (self._program, "-db", "-f", str(self._file)))

    async def _answers(self) -> bool:
        return await is_ready(self.port)
