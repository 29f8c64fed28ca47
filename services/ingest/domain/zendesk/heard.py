"""What comes of a Zendesk event: pieces and changes of them, a ticket with all that is in it, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from services.ingest.domain.submission import Claim, Submission
from shared import clock
from shared.events.feedback import Change

CHANNEL: Final = "zendesk"


class Skip(StrEnum):
    """Why an event is no feedback."""

    TEST = "test"
    OTHER_EVENT = "other_event"
    OTHER_ACCOUNT = "other_account"
    PRIVATE = "private"
    AGENT = "agent"
    EMPTY = "empty"
    NOT_RATED = "not_rated"


@dataclass(frozen=True, slots=True)
class House:
    """`account_id`: the only account that is heard. `subdomain` makes links to the tickets."""

    account_id: str | None = None
    subdomain: str | None = None


Heard: TypeAlias = tuple[Submission, ...]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A ticket is gone, and `heard` with it; so is every comment of the thread, and Zendesk names none."""

    source: str
    thread_id: str
    at: datetime
    heard: Heard

    def rest(self, external_ids: Iterable[str]) -> Heard:
        """These pieces of the thread are gone, too; without what is in `heard` already."""
        known = {each.external_id for each in self.heard}
        return tuple(taken_back(self.source, key, self.at) for key in external_ids if key not in known)


def taken_back(source: str, key: str, at: datetime) -> Submission:
    return Submission(
        channel=CHANNEL,
        source=source,
        external_id=key,
        revision=clock.to_us(at),
        change=Change.DELETED,
        reported_by=Claim("api", ""),
    )
