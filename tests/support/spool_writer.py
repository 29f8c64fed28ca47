"""A process that spools for ever and says what is durable: `python -m tests.support.spool_writer <dir>`.

Its records are numbered; after each append it prints the last number. Meant to be killed at any moment.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from services.ingest.spool.spool import Spool

_PER_APPEND = 3
#: Large enough that a kill hits the middle of a write.
_FILLING = b"." * 20_000


def numbered(number: int) -> bytes:
    return b"%d " % number + _FILLING


def number_of(payload: bytes) -> int:
    """Raises AssertionError for a record that is not whole."""
    number, _, filling = payload.partition(b" ")
    assert filling == _FILLING
    return int(number)


async def write_for_ever(directory: Path) -> None:
    spool = Spool(directory, quota_bytes=2**40, segment_bytes=500_000)
    await spool.start()
    for start in count(0, _PER_APPEND):
        await spool.append([numbered(start + offset) for offset in range(_PER_APPEND)])
        sys.stdout.write(f"{start + _PER_APPEND - 1}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1])))
