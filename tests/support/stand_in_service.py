"""A script in place of a service: answers /readyz on the port it is given, and logs one line of JSON."""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/die":
            sys.stderr.write("the disk is on fire\n")
            sys.stderr.flush()
            os._exit(3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence: the tests look at the output."""


def main() -> None:
    sys.stdout.write(json.dumps({"event": "service_started", "level": "info", "version": "1.2.3"}) + "\n")
    HTTPServer(("127.0.0.1", int(os.environ["LISTENINGPOST_HTTP__PORT"])), _Handler).serve_forever()


if __name__ == "__main__":
    main()
