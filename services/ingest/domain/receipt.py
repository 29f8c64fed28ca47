"""What a channel gets back for each submission, in the order it handed them over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from services.ingest.domain.piece import Piece
from services.ingest.domain.submission import Submission
from shared.errors import InvalidInput, Reason
from shared.value import value


class ReceiptStatus(StrEnum):
    """`accepted` and `spooled` both mean kept: answer 202 (SMTP 250, advance the cursor)."""

    ACCEPTED = "accepted"
    SPOOLED = "spooled"
    REJECTED = "rejected"


@value
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

    @property
    def is_of_somebody_erased(self) -> bool:
        """Then nothing of it may be put aside either."""
        return self.problem is not None and self.problem.reason is Reason.ERASED


def rejected(problem: InvalidInput) -> Receipt:
    return Receipt(feedback_id=None, revision=0, status=ReceiptStatus.REJECTED, problem=problem)


def receipt_of(
    prepared: Piece | InvalidInput, spooled: set[str], refused: dict[str, InvalidInput]
) -> Receipt:
    """Of one that was prepared or refused at once; the spooled and the later refused by feedback_id."""
    if isinstance(prepared, InvalidInput):
        return rejected(prepared)
    feedback_id = prepared.event.feedback_id
    if feedback_id in refused:
        return rejected(refused[feedback_id])
    status = ReceiptStatus.SPOOLED if feedback_id in spooled else ReceiptStatus.ACCEPTED
    return Receipt(feedback_id, prepared.event.revision, status)


def outcomes(
    submissions: Sequence[Submission], receipts: Sequence[Receipt]
) -> Counter[tuple[str, str, str, str, str]]:
    """How many of each channel, source and mode ended how, and why."""
    # Members of a StrEnum as they are: `.value` of one takes 0.3 µs.
    return Counter(
        (
            each.channel,
            each.source,
            each.mode,
            receipt.status,
            receipt.problem.reason if receipt.problem else "",
        )
        for each, receipt in zip(submissions, receipts, strict=True)
    )
