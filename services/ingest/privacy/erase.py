"""What ingest forgets, which alone has the key by which the ledger's hashes are made.

Attachments, sealed contributors, quarantine, dead letters, damaged records of the spool, and what the
directory says of people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from services.ingest.domain.forgotten import Marks, names_marked
from services.ingest.spool.shelf import DAMAGED
from shared import ids
from shared.bus.publisher import Publisher
from shared.bus.purge import purge_dead_letters
from shared.domain.erasure import PERSON, Erasure, Order
from shared.settings import KafkaSettings
from shared.store.attachments import AttachmentStore
from shared.store.contributors import ContributorStore
from shared.store.directory import DirectoryStore
from shared.store.owners import ATTACHMENT_CHUNKS, ATTACHMENTS, CONTRIBUTORS, DIRECTORY, QUARANTINE
from shared.store.quarantine import QuarantineStore

_AT_ONCE = 500
#: What came in just before the order may be put aside just after it.
_ON_ITS_WAY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Places:
    """Where ingest keeps what is of people. `spool` is the volume of the spools."""

    attachments: AttachmentStore
    contributors: ContributorStore
    quarantine: QuarantineStore
    directory: DirectoryStore
    kafka: KafkaSettings
    publisher: Publisher
    spool: Path


class IntakeForgotten:
    """Implements `shared.eraser.Forgetting`."""

    collections: Final = (
        ATTACHMENTS.name,
        ATTACHMENT_CHUNKS.name,
        CONTRIBUTORS.name,
        QUARANTINE.name,
        DIRECTORY.name,
    )

    def __init__(self, places: Places, marks: Marks, now: Callable[[], datetime]) -> None:
        self._places = places
        self._marks = marks
        self._now = now

    async def forget(self, entry: Erasure, order: Order) -> Mapping[str, int]:
        def is_named(raw: bytes) -> bool:
            return names_marked(raw, entry.marks.__contains__, self._marks)

        def is_theirs(email: str) -> bool:
            return self._marks(PERSON, ids.stranger_id("email", email)) in entry.marks

        def is_doomed(key: bytes, value: bytes) -> bool:
            return key.decode("utf-8", "replace") in order.pieces or is_named(value)

        places = self._places
        attachments, contributors = await self._of_pieces(sorted(order.pieces))
        return {
            "attachments": attachments,
            "contributors": contributors,
            "quarantine": await self._quarantine(entry, is_named),
            "damaged": await asyncio.to_thread(_damaged, places.spool, is_named),
            "directory": await places.directory.forget(is_theirs, f"erasure {entry.id}", now=self._now()),
            "dead_letters": await purge_dead_letters(places.kafka, places.publisher, is_doomed),
        }

    async def _of_pieces(self, pieces: Sequence[str]) -> tuple[int, int]:
        attachments = contributors = 0
        for chunk in _chunks(pieces):
            attachments += await self._places.attachments.release(*chunk)
            contributors += await self._places.contributors.remove(*chunk)
        return attachments, contributors

    async def _quarantine(self, entry: Erasure, is_named: Callable[[bytes], bool]) -> int:
        kept = self._places.quarantine
        doomed = [
            entry_id
            async for entry_id, raw in kept.each(entry.asked_at + _ON_ITS_WAY)
            if await asyncio.to_thread(is_named, raw)
        ]
        return sum([await kept.remove(entry_id) for entry_id in doomed])


def _damaged(volume: Path, is_named: Callable[[bytes], bool]) -> int:
    """Records that could not be drained, kept as files for people to see."""
    doomed = [path for path in sorted(volume.glob(f"{DAMAGED}/*")) if is_named(path.read_bytes())]
    for path in doomed:
        path.unlink(missing_ok=True)
    return len(doomed)


def _chunks(pieces: Sequence[str]) -> Iterator[Sequence[str]]:
    return (pieces[start : start + _AT_ONCE] for start in range(0, len(pieces), _AT_ONCE))
