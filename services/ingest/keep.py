"""What must be in MongoDB before an event may be published: attachments, sealed contributors, quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from services.ingest.domain.piece import Piece
from shared.breaker import Breaker
from shared.domain.quarantine import Quarantined
from shared.events.feedback import Change
from shared.store.attachments import AttachmentStore
from shared.store.contributors import ContributorStore
from shared.store.faults import document_or_server
from shared.store.quarantine import QuarantineStore

#: What a slow link to the store still does; a large attachment gets time by it.
_BYTES_PER_S = 4_000_000


class Keeper:
    """Every method is idempotent and raises DependencyDown, at once while the store is known to be away.

    PermanentError says that the store would never take it: that is for people to look at.

    `anyway` tries all the same: the spool's drain finds out that the store is back.
    """

    def __init__(
        self,
        attachments: AttachmentStore,
        contributors: ContributorStore,
        quarantine: QuarantineStore,
        breaker: Breaker,
    ) -> None:
        self._attachments = attachments
        self._contributors = contributors
        self._quarantine = quarantine
        self._breaker = breaker

    async def keep(self, piece: Piece, *, anyway: bool = False) -> None:
        """All of the piece that goes into the store is there; of a deleted one nothing is left."""
        extra_s = piece.size_bytes / _BYTES_PER_S
        async with self._breaker.attempt(anyway=anyway, extra_s=extra_s):
            with document_or_server():
                await self._keep(piece)

    async def forget(self, feedback_id: str) -> None:
        """Nothing of the piece is there: whoever spoke was forgotten while its event waited."""
        async with self._breaker.attempt(anyway=True):
            with document_or_server():
                await self._forget(feedback_id)

    async def put_aside(self, entries: Sequence[Quarantined], *, anyway: bool = False) -> None:
        """They are listed in quarantine."""
        async with self._breaker.attempt(anyway=anyway):
            with document_or_server():
                await self._quarantine.keep(entries)

    async def confidential(self, feedback_ids: Sequence[str]) -> set[str]:
        """Those that an earlier revision gave in confidence."""
        async with self._breaker.attempt():
            with document_or_server():
                return await self._contributors.confidential(feedback_ids)

    async def _keep(self, piece: Piece) -> None:
        event = piece.event
        if event.change is Change.DELETED:
            await self._forget(event.feedback_id)
        for each in piece.kept:
            file = each.attachment
            await self._attachments.keep(file.sha256, each.content, file.media_type, event.feedback_id)
        if piece.sealed is not None:
            await self._contributors.keep(
                event.feedback_id, event.revision, event.codename or "", piece.sealed
            )

    async def _forget(self, feedback_id: str) -> None:
        await self._contributors.remove(feedback_id)
        await self._attachments.release(feedback_id)
