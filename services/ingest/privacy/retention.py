"""What ingest lets go of: quarantine, imports, confidences, old versions, attachments without a piece."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.retention import Job
from shared.settings import RetentionSettings
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from shared.store.contributors import ContributorStore
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore
from shared.store.imports import ImportStore
from shared.store.quarantine import QuarantineStore

#: The classifier leaves a mark on what it lets go of, which tells of it for eight days.
_SINCE = timedelta(days=8)
_AT_ONCE = 500


def jobs(settings: RetentionSettings, store: Store) -> list[Job]:
    """Those that are switched on."""
    found = [
        Job("quarantine", timedelta(days=settings.quarantine_days), QuarantineStore(store).expire),
        Job("imports", timedelta(days=settings.imports_days), ImportStore(store).expire),
        Job("contributors", timedelta(days=settings.contributors_days), ContributorStore(store).expire),
        Job("attachments", _SINCE, Orphans(FeedbackStore(store), AttachmentStore(store)).run),
    ]
    if settings.directory_days is not None:
        found.append(Job("directory", timedelta(days=settings.directory_days), DirectoryStore(store).expire))
    return found


class Orphans:
    """The job that follows the classifier's: attachments of pieces that show none any more."""

    def __init__(self, pieces: FeedbackStore, attachments: AttachmentStore) -> None:
        self._pieces = pieces
        self._attachments = attachments

    async def run(self, since: datetime) -> int:
        """How many contents went. Raises DependencyDown."""
        ids, gone = await self._pieces.let_go_since(since), 0
        for start in range(0, len(ids), _AT_ONCE):
            gone += await self._attachments.release(*ids[start : start + _AT_ONCE])
        return gone
