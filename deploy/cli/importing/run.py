"""The import itself: rows are sent a few requests at a time, and settled in the order of the file."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from deploy.cli.importing.chunks import Chunk
from deploy.cli.importing.errors_file import ErrorsFile
from deploy.cli.importing.plan import Plan
from deploy.cli.importing.post import Ingest, Outcome

_IN_FLIGHT = 4
_NOTED_EVERY_S = 1.0


@dataclass(slots=True)
class Counts:
    """Of all runs of the import. `rows_done` from the top are settled: kept, refused, or left out."""

    rows_done: int = 0
    accepted: int = 0
    quarantined: int = 0
    rejected: int = 0
    left_out: int = 0
    done_digest: str = ""


@dataclass(slots=True)
class Run:
    """One run. `counts` is where it goes on from; `moved` is told how far it is, and what of."""

    plan: Plan
    ingest: Ingest
    errors: ErrorsFile
    by: str
    moved: Callable[[int, Counts], None]
    counts: Counts = field(default_factory=Counts)
    warnings: dict[str, None] = field(default_factory=dict)
    _noted_at: float = 0.0

    async def whole(self, chunks: Iterable[Chunk]) -> None:
        """Every row is settled, and it is finished. Stopped before, it goes on after the last one noted."""
        waiting: deque[tuple[Chunk, asyncio.Task[Outcome]]] = deque()
        try:
            await self._note(finished=False)
            for chunk in chunks:
                waiting.append((chunk, asyncio.create_task(self._send(chunk))))
                # The requests in flight need a turn while the next rows are made.
                await asyncio.sleep(0)
                while len(waiting) >= _IN_FLIGHT:
                    await self._settle(*waiting[0])
                    waiting.popleft()
            while waiting:
                await self._settle(*waiting[0])
                waiting.popleft()
            await self._note(finished=True)
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
            self.errors.close()

    async def _send(self, chunk: Chunk) -> Outcome:
        if self.plan.build is not None:
            return await self.ingest.items(chunk)
        query = urlencode({"import": self.plan.id, **self.plan.mapping.fixed})
        return await self.ingest.mails(chunk, f"/v1/imports/mail?{query}")

    async def _settle(self, chunk: Chunk, sent: asyncio.Task[Outcome]) -> None:
        """In the order of the file: what is noted as done is done from the top without a gap."""
        outcome = await sent
        refused = [*outcome.refused, *((row, [fault]) for row, fault in chunk.refused)]
        for row, faults in sorted(refused, key=lambda one: one[0].number):
            self.errors.write(row, faults)
        self.errors.flush()
        counts = self.counts
        counts.accepted += outcome.accepted
        counts.quarantined += outcome.quarantined
        counts.rejected += len(refused)
        counts.left_out += chunk.left_out + outcome.left_out
        counts.rows_done, counts.done_digest = chunk.done, chunk.digest
        self.warnings |= dict.fromkeys(sorted(outcome.warnings))
        self.moved(chunk.position, counts)
        if time.monotonic() - self._noted_at >= _NOTED_EVERY_S:
            await self._note(finished=False)

    async def _note(self, *, finished: bool) -> None:
        await self.ingest.note(
            self.plan.id, state(self.plan, self.counts, self.errors, self.by, finished=finished)
        )
        self._noted_at = time.monotonic()


def state(plan: Plan, counts: Counts, errors: ErrorsFile, by: str, *, finished: bool) -> Mapping[str, Any]:
    """As `PUT /v1/imports/{id}` wants it."""
    return {
        "file_name": plan.file_name[-512:],
        "size_bytes": plan.size_bytes,
        "format": plan.reader.format,
        "head_digest": plan.head_digest,
        "mapping": {name[:512]: field_name for name, field_name in list(plan.described.items())[:200]},
        "by": by,
        "errors_file": errors.path.name if errors.path is not None else "",
        "finished": finished,
        **asdict(counts),
    }
