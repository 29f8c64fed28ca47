"""Somebody is forgotten. Nobody can tell from it who: it is kept for ever, where a restored backup is not."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from shared import ids
from shared.events.base import Event, Moment


class ContributorErased(Event):
    """Topic `contributor.erased.v1`: an entry of the ledger of erasures, outside the database."""

    type: ClassVar[str] = "listeningpost.contributor.erased.v1"

    ledger_id: str
    marks: tuple[str, ...] = Field(default=(), description="keyed hashes of the identities, in hex")
    asked_by: str = ""
    asked_at: Moment

    @property
    def event_id(self) -> str:
        return ids.event_id(self.type, self.ledger_id)

    @property
    def key(self) -> str:
        return self.ledger_id

    @property
    def happened_at(self) -> datetime:
        return self.asked_at
