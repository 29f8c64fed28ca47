"""A container's health: exit code 0 while the service in it answers `/readyz` with 200.

`python -m deploy.docker.health`. Only the standard library, since it runs every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping

_ANSWER_WITHIN_S = 4.0
_MOST_BYTES = 4_096
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


def check(environ: Mapping[str, str]) -> tuple[int, str]:
    """The exit code, and what `docker inspect` shows of it: the answer or why there is none."""
    host = environ.get("LISTENINGPOST_HTTP__HOST", "")
    port = int(environ.get("LISTENINGPOST_HTTP__PORT") or 8080)
    address = "127.0.0.1" if host in _EVERYWHERE else host
    connection = http.client.HTTPConnection(address, port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 1, f"no answer from {address}:{port}: {error}"
    finally:
        connection.close()
    return (0 if answer.status == http.client.OK else 1), body


if __name__ == "__main__":
    code, text = check(os.environ)
    sys.stdout.write(text + "\n")
    raise SystemExit(code)
