"""Against real servers on loopback: the exit code is all that Docker looks at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.docker.health import check
from deploy.embedded.ports import lease_port


@pytest.fixture
def closed_port() -> Iterator[int]:
    lease = lease_port()
    yield lease.port
    lease.release()


@contextmanager
def service(status: int, body: bytes) -> Iterator[dict[str, str]]:
    """A service that answers /readyz with `status`; yields the environment that leads to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
            """Silence: the tests look at the output."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {"LISTENINGPOST_HTTP__PORT": str(server.server_port)}
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_healthy_is_who_answers_200(status: int, code: int) -> None:
    with service(status, b'{"status": "..."}') as environ:
        assert check(environ) == (code, '{"status": "..."}')


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104 - asked, not bound
def test_who_listens_everywhere_is_asked_on_loopback(host: str) -> None:
    with service(200, b"ready") as environ:
        assert check({**environ, "LISTENINGPOST_HTTP__HOST": host}) == (0, "ready")


def test_nobody_answers(closed_port: int) -> None:
    code, text = check({"LISTENINGPOST_HTTP__PORT": str(closed_port)})
    assert code == 1
    assert text.startswith(f"no answer from 127.0.0.1:{closed_port}: ")
