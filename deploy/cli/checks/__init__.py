"""What `listeningpost doctor` looks at: one module a subject, one entry each in `CHECKS`."""

from __future__ import annotations

from deploy.cli.checks import addresses, doors, kafka, mongodb, reach, services
from deploy.cli.checks.finding import Check, Finding, State

__all__ = ["CHECKS", "Check", "Finding", "State"]

#: In the order in which one thing needs the other.
CHECKS: tuple[Check, ...] = (
    addresses.check,
    kafka.check,
    mongodb.check,
    services.check,
    doors.check,
    reach.check,
)
