"""How fast each destination is written to: one that asks for slowness holds up nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

_SOON = timedelta(milliseconds=50)
_KEPT_FOR = timedelta(minutes=10)
_TIDY_ABOVE = 1_000


class Pace:
    """Hands out moments at which a destination may be written to.

    In this process alone: what two replicas send there together, the provider's own limit corrects.
    """

    def __init__(self) -> None:
        self._free_at: dict[str, datetime] = {}
        self._kept: dict[str, tuple[str, datetime]] = {}

    def wait_until(
        self, delivery_id: str, destination: str, pause_s: float, now: datetime
    ) -> datetime | None:
        """None: go ahead. Else the moment that is kept free for this delivery; come again then."""
        _, moment = self._kept.pop(delivery_id, (destination, None))
        if moment is None:
            moment = max(now, self._free_at.get(destination, now))
            self._free_at[destination] = moment + timedelta(seconds=pause_s)
        if moment - now <= _SOON:
            self._tidy(now)
            return None
        self._kept[delivery_id] = (destination, moment)
        return moment

    def pause(self, destination: str, until: datetime) -> None:
        """Nothing goes there before; whoever has a moment kept there gets another when they come."""
        self._free_at[destination] = until
        self._kept = {row: kept for row, kept in self._kept.items() if kept[0] != destination}

    def _tidy(self, now: datetime) -> None:
        """Forget what is past; a kept moment may be another replica's by now."""
        if len(self._free_at) > _TIDY_ABOVE:
            self._free_at = {place: moment for place, moment in self._free_at.items() if moment > now}
        if len(self._kept) > _TIDY_ABOVE:
            self._kept = {row: kept for row, kept in self._kept.items() if kept[1] > now - _KEPT_FOR}
