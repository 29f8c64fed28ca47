"""`python -m deploy.embedded [SERVICE ...]`: database and broker, and the services that are named."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from deploy.embedded.foreground import run
from deploy.embedded.stack import EmbeddedStack


def main() -> int:
    data_dir = os.environ.get("LISTENINGPOST_EMBEDDED__DATA_DIR")
    stack = EmbeddedStack(data_dir=Path(data_dir) if data_dir else None, services=sys.argv[1:])
    return asyncio.run(run(stack, _say_where))


def _say_where(stack: EmbeddedStack) -> None:
    stack.output("embedded", f"LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS={stack.kafka_bootstrap}")
    stack.output("embedded", f"LISTENINGPOST_MONGO__URI={stack.mongo_uri}")


if __name__ == "__main__":
    sys.exit(main())
