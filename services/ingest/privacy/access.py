"""What is known of somebody: everything that an erasure would clear, in words and in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.ingest.domain.forgotten import Marks, Subject, names_marked
from shared import clock
from shared.domain.delivery import CONTRIBUTOR
from shared.errors import PermanentError
from shared.events.feedback import Change, FeedbackClassified
from shared.store.contributors import ContributorSeal, ContributorStore
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore
from shared.store.quarantine import QuarantineStore

_AT_ONCE = 500


class Access:
    """Reads what is stored of a subject. What is in topics still is in the store as well, seconds later."""

    def __init__(
        self,
        pieces: FeedbackStore,
        deliveries: DeliveryStore,
        contributors: ContributorStore,
        quarantine: QuarantineStore,
        versions: DirectoryStore,
        seal: ContributorSeal,
        marks: Marks,
    ) -> None:
        self._pieces = pieces
        self._deliveries = deliveries
        self._contributors = contributors
        self._quarantine = quarantine
        self._versions = versions
        self._seal = seal
        self._marks = marks

    async def survey(self, subject: Subject, *, colleague: str | None) -> dict[str, Any]:
        """How much there is, before anything is done about it."""
        found = await self._pieces.of_people(subject.people, subject.accounts)
        return {
            "colleague": colleague,
            "pieces": len(found),
            "quarantine": len(await self._aside(subject)),
            "contact_of": [account for account, _ in await self._contacts(subject)],
        }

    async def everything(self, subject: Subject) -> dict[str, Any]:
        """What a person may ask to see, as JSON."""
        ids = sorted(await self._pieces.of_people(subject.people, subject.accounts))
        pieces: list[dict[str, Any]] = []
        for start in range(0, len(ids), _AT_ONCE):
            chunk = ids[start : start + _AT_ONCE]
            found = [piece for piece in await self._pieces.get(chunk) if piece.change is not Change.DELETED]
            pieces += [await self._piece(piece) for piece in found]
        return {
            "as_of": clock.now().isoformat(),
            "ids": sorted(subject.people | subject.accounts),
            "pieces": sorted(pieces, key=lambda piece: str(piece["received_at"])),
            "quarantine": await self._quarantined(subject),
            "contacts": [
                {"account": account, **contact} for account, contact in await self._contacts(subject)
            ],
        }

    async def _piece(self, piece: FeedbackClassified) -> dict[str, Any]:
        history = await self._deliveries.history(piece.feedback_id)
        return {
            **piece.model_dump(mode="json", exclude_none=True),
            "in_confidence": await self._opened(piece.feedback_id),
            "answers": [
                {"state": each.row.state.value, "sent_at": each.sent_at.isoformat() if each.sent_at else None}
                for each in history
                if each.row.recipient == CONTRIBUTOR
            ],
            "told": len({each.row.recipient for each in history} - {CONTRIBUTOR, ""}),
        }

    async def _opened(self, feedback_id: str) -> dict[str, Any] | None:
        """What is sealed of a piece given in confidence: they may see it, who gave it."""
        sealed = await self._contributors.sealed(feedback_id)
        if sealed is None:
            return None
        try:
            return self._seal.open(sealed).model_dump(mode="json", exclude_none=True)
        except PermanentError:
            return {"unreadable": "sealed with another key"}

    async def _aside(self, subject: Subject) -> Sequence[str]:
        marks = self._marks.of(subject)
        entries = self._quarantine.each(clock.now())
        return [
            entry_id async for entry_id, raw in entries if names_marked(raw, marks.__contains__, self._marks)
        ]

    async def _quarantined(self, subject: Subject) -> list[dict[str, Any]]:
        found = [await self._quarantine.get(entry_id) for entry_id in await self._aside(subject)]
        return [
            {
                "id": entry.id,
                "channel": entry.channel,
                "reason": entry.reason.value,
                "received_at": entry.received_at.isoformat(),
                "content": entry.raw.decode("utf-8", "backslashreplace"),
            }
            for entry in found
            if entry is not None
        ]

    async def _contacts(self, subject: Subject) -> list[tuple[str, dict[str, Any]]]:
        current = await self._versions.in_force()
        accounts = current.workspace.accounts if current is not None else ()
        return [
            (account.id, contact.model_dump(mode="json", exclude_none=True))
            for account in accounts
            for contact in account.contacts
            if contact.email.lower() in subject.emails
        ]
