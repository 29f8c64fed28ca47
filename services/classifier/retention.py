"""What the classifier lets go of: names in old pieces, then the pieces themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.classifier.domain.anonymise import anonymised
from shared.retention import MONTH, Job
from shared.settings import RetentionSettings
from shared.store.feedback import FeedbackStore
from shared.store.feedback_old import GRACE

_AT_ONCE = 200


def jobs(settings: RetentionSettings, pieces: FeedbackStore) -> list[Job]:
    """Those that are switched on."""
    found = [Job("tombstones", GRACE, pieces.remove_expired)]
    if settings.anonymise_after_months is not None:
        kept = MONTH * settings.anonymise_after_months
        found.append(Job("names", kept, Anonymising(pieces).run))
    if settings.feedback_days is not None:
        found.append(Job("pieces", timedelta(days=settings.feedback_days), pieces.expire))
    return found


class Anonymising:
    """The job that takes people out of old pieces."""

    def __init__(self, pieces: FeedbackStore) -> None:
        self._pieces = pieces

    async def run(self, before: datetime) -> int:
        """No piece received before then has anybody in it; how many had. Raises DependencyDown."""
        count = 0
        while found := await self._pieces.with_names(before, _AT_ONCE):
            written = await self._pieces.anonymise([anonymised(piece) for piece in found])
            count += written
            if not written:
                break  # somebody edits them at this moment; the next round finds them
        return count
