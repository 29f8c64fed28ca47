"""Which ways out are open: a server that is away or slow must not hold the slots that others need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import Reason, TransientError, UnknownOutcome

_FIRST = timedelta(seconds=1)
_MOST = timedelta(seconds=30)
_SLOW = timedelta(seconds=1)


@dataclass(slots=True)
class _Lane:
    """`probe` is the delivery that finds out whether a closed lane is open again; 0: none yet."""

    closed_until: datetime | None = None
    delay: timedelta = _FIRST
    probe: int = 0
    under_way: dict[int, datetime] = field(default_factory=dict)


class Lanes:
    """A lane is one server: the mail server, Slack, the host of a webhook.

    When it is away it is closed, for 1 s first and 30 s at most; then one delivery at a time tries it. It is
    full while `most_slow` deliveries have been under way on it for longer than a second.
    """

    def __init__(self, most_slow: int, now: Callable[[], datetime]) -> None:
        self._most_slow = most_slow
        self._now = now
        self._lanes: dict[str, _Lane] = {}
        self._number = 0

    def wait_until(self, name: str) -> datetime | None:
        """None: go ahead, at once. Else when to come again."""
        lane, now = self._lanes.get(name), self._now()
        if lane is None:
            return None
        if lane.closed_until is not None:
            if now >= lane.closed_until and lane.probe not in lane.under_way:
                return None
            return max(lane.closed_until, now + _FIRST)
        slow = sum(now - since > _SLOW for since in lane.under_way.values())
        return now + _SLOW if slow >= self._most_slow else None

    @contextmanager
    def used(self, name: str) -> Iterator[None]:
        """Around a delivery: what it ends in tells how the lane is."""
        self._number += 1
        number, lane = self._number, self._lanes.setdefault(name, _Lane())
        lane.under_way[number] = self._now()
        if lane.closed_until is not None:
            lane.probe = number
        away = False
        try:
            yield
        except (UnknownOutcome, TransientError) as error:
            away = isinstance(error, UnknownOutcome) or error.reason is Reason.UNREACHABLE
            raise
        finally:
            del lane.under_way[number]
            self._learn(name, lane, number, away=away)

    def _learn(self, name: str, lane: _Lane, number: int, *, away: bool) -> None:
        if not away:
            lane.closed_until, lane.delay = None, _FIRST
            if not lane.under_way:
                self._lanes.pop(name, None)
        elif lane.closed_until is None:
            lane.closed_until = self._now() + lane.delay
        elif number == lane.probe:
            # The others that were under way with the first to fail tell nothing new.
            lane.delay = min(lane.delay * 2, _MOST)
            lane.closed_until = self._now() + lane.delay
