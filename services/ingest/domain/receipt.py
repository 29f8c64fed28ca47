"""What a channel gets back for each submission, in the order it handed them over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import InvalidInput


class ReceiptStatus(StrEnum):
    """`accepted` and `spooled` both mean kept: answer 202 (SMTP 250, advance the cursor)."""

    ACCEPTED = "accepted"
    SPOOLED = "spooled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`problem` is set when, and only when, `status` is rejected: its `field` is relative to the submission.

    A rejected submission has no feedback_id and revision 0; its neighbours are not affected by it.
    """

    feedback_id: str | None
    revision: int
    status: ReceiptStatus
    problem: InvalidInput | None = None

    @property
    def kept(self) -> bool:
        return self.status is not ReceiptStatus.REJECTED


def rejected(problem: InvalidInput) -> Receipt:
    return Receipt(feedback_id=None, revision=0, status=ReceiptStatus.REJECTED, problem=problem)
