"""What the notifier lets go of: what old notices said, then that they were sent."""

from __future__ import annotations

from datetime import timedelta

from shared.retention import MONTH, Job
from shared.settings import RetentionSettings
from shared.store.deliveries import DeliveryStore


def jobs(settings: RetentionSettings, ledger: DeliveryStore) -> list[Job]:
    """Notices are as old as the piece they tell of, or younger."""
    found = [Job("deliveries", timedelta(days=settings.deliveries_days), ledger.expire)]
    if settings.anonymise_after_months is not None:
        found.append(Job("notices", MONTH * settings.anonymise_after_months, ledger.fade))
    return found
