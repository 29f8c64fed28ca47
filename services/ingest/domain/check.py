"""What cannot be feedback is refused, naming field and remedy; what is merely absurd in it is mended."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.domain.submission import Submission
from shared import clock
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Change, Rating
from shared.value import value

#: Clocks are wrong, and a date without a zone is off by up to 14 hours.
MAX_AHEAD = timedelta(days=1)
#: Before the first feedback anybody could have kept in a file.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MAX_REVISION = 2**63 - 1
_VISIBLE = re.compile("[^\\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff\ud800-\udfff]")


@value
class Checked:
    """`mended` names the fields whose value was absurd and is now None, as if it had not been stated."""

    submission: Submission
    mended: tuple[str, ...] = ()


def check(submission: Submission, received_at: datetime) -> Checked:
    """It says something, and nothing in it is absurd.

    Raises InvalidInput EMPTY for neither text nor attachment (not for a deletion), MISSING_FIELD for a
    deletion of nothing in particular; for a strict submission also for an absurd value, else it is mended.
    """
    if submission.change is Change.DELETED:
        if not (submission.external_id or "").strip():
            raise InvalidInput(
                Reason.MISSING_FIELD,
                "a deletion must say what is deleted",
                field="external_id",
                remedy="Send the external_id the piece was sent with.",
            )
    elif _is_empty(submission):
        raise InvalidInput(
            Reason.EMPTY,
            "there is neither text nor an attachment",
            field="text",
            remedy="Send the words in `text`, or attach a file.",
        )
    faults = [*_date_faults(submission, received_at), *_rating_faults(submission.rating)]
    if not faults:
        return Checked(submission)
    if submission.strict:
        raise faults[0]
    absurd: dict[str, Any] = {fault.field.partition("/")[0]: None for fault in faults}
    return Checked(replace(submission, **absurd), tuple(absurd))


def _is_empty(submission: Submission) -> bool:
    if submission.files or _VISIBLE.search(submission.text):
        return False
    # A mail or a ticket may say it all in its subject; whoever calls an interface is asked to use `text`.
    return submission.strict or not _VISIBLE.search(submission.title)


def _date_faults(submission: Submission, received_at: datetime) -> list[InvalidInput]:
    faults = []
    stated = submission.occurred_at
    if stated is not None and not _is_believable(stated, received_at):
        faults.append(
            InvalidInput(
                Reason.BAD_DATE,
                "the date has no time zone, lies in the future or long before there was a product",
                field="occurred_at",
                remedy="Send a date with its zone, like 2026-05-04T09:30:00Z, or leave it out.",
            )
        )
    revision = submission.revision
    if revision is not None and not 0 <= revision <= _latest_revision(received_at):
        faults.append(
            InvalidInput(
                Reason.BAD_DATE,
                "the revision is negative or a time in the future",
                field="revision",
                remedy="Send the edit time in microseconds since 1970, or a version number, or leave it out.",
            )
        )
    return faults


def _latest_revision(received_at: datetime) -> int:
    return min(clock.to_us(received_at + MAX_AHEAD), _MAX_REVISION)


def _is_believable(stated: datetime, received_at: datetime) -> bool:
    if stated.tzinfo is None or stated.utcoffset() is None:
        return False
    try:
        return EARLIEST <= stated.astimezone(UTC) <= received_at + MAX_AHEAD
    except OverflowError:
        return False


def _rating_faults(rating: Rating | None) -> list[InvalidInput]:
    if rating is None:
        return []
    numbers = (rating.value, rating.min, rating.max)
    if all(math.isfinite(number) for number in numbers) and rating.min <= rating.value <= rating.max:
        return []
    return [
        InvalidInput(
            Reason.WRONG_TYPE,
            "the rating is not a number between its min and max",
            field="rating/value",
            remedy="Send `value`, `min` and `max` as numbers, min <= value <= max.",
        )
    ]
