"""Which event of a piece wins: rules that give the same document whatever order the events come in.

A deletion wins over everything, for ever; then the higher revision wins. An event whose content is what is
stored already moves the revision on and changes no tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.events.feedback import Change, FeedbackReceived


@dataclass(frozen=True, slots=True)
class Head:
    """What is stored of a piece, as far as the rules need it."""

    revision: int
    content_hash: str
    deleted: bool


class Verdict(StrEnum):
    """What an event is to what is stored."""

    NEW = "new"
    NEWER = "newer"
    SAME_CONTENT = "same_content"
    DELETION = "deletion"
    REPEATED = "repeated"
    OUTDATED = "outdated"


def decide(event: FeedbackReceived, head: Head | None) -> Verdict:
    """What follows from `event`, given what is stored of its piece (None: nothing)."""
    deletes = event.change is Change.DELETED
    if head is None:
        return Verdict.DELETION if deletes else Verdict.NEW
    if is_stored(event, head):
        return Verdict.REPEATED
    if deletes and (not head.deleted or event.revision > head.revision):
        return Verdict.DELETION
    if deletes or head.deleted or event.revision < head.revision:
        return Verdict.OUTDATED
    return Verdict.SAME_CONTENT if _same_content(event, head) else Verdict.NEWER


def is_stored(event: FeedbackReceived, head: Head) -> bool:
    """Whether `head` is what this very event left behind."""
    return event.revision == head.revision and (event.change is Change.DELETED) == head.deleted


def winner(events: Sequence[FeedbackReceived]) -> FeedbackReceived:
    """The one event of a piece that counts; of equals the first. Raises ValueError for none."""
    if len(events) == 1:
        return events[0]
    return max(events, key=lambda event: (event.change is Change.DELETED, event.revision))


def _same_content(event: FeedbackReceived, head: Head) -> bool:
    return bool(event.content_hash) and event.content_hash == head.content_hash
