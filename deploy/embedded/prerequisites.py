"""Whether the embedded servers can run here at all."""

from __future__ import annotations

import platform
import sys

from deploy.embedded.errors import EmbeddedError

INSTEAD = "use `docker compose up` instead, or give a MongoDB and a Kafka of your own"
_X86_64 = frozenset({"x86_64", "amd64"})


def require_supported_platform(system: str = sys.platform, machine: str | None = None) -> None:
    """Raises EmbeddedError where the packages that carry the servers do not exist."""
    machine = platform.machine() if machine is None else machine
    if system == "linux" and machine.lower() in _X86_64:
        return
    raise EmbeddedError(
        f"The embedded servers exist for Linux on x86_64 only, and this is {system} on {machine}: {INSTEAD}."
    )
