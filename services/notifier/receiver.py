"""What the pipeline asks of whoever carries a notice, and of whoever knows a confidential contributor."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from shared.domain.delivery import Delivery, ProviderRef, Target
from shared.events.feedback import ReplyTo


class Receiver(Protocol):
    """A way to reach somebody.

    `pause_s` is the least time between two messages to one address. `can_edit`: what was sent can be changed
    or taken back, and doing so twice does no harm.
    """

    @property
    def name(self) -> str: ...

    @property
    def pause_s(self) -> float: ...

    @property
    def can_edit(self) -> bool: ...

    def lane(self, target: Target) -> str:
        """The server it goes by: when one of its deliveries finds it away, the others need not."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, row: Delivery, target: Target, original: ProviderRef | None = None) -> ProviderRef:
        """The other side has it. `original` is the message that an amendment or a redaction is about.

        Raises TransientError (definitely not delivered), PermanentError (never will be), UnknownOutcome (it
        was handed over, and no answer came). The text of none of them holds a secret, an address or feedback.
        """
        ...


@runtime_checkable
class Asking(Protocol):
    """A receiver whose provider can be asked what it has."""

    async def find(self, row: Delivery, target: Target) -> ProviderRef | None:
        """The message of this delivery; None when there is none. Raises TransientError, PermanentError."""
        ...


class Contributors(Protocol):
    """Knows who spoke in confidence."""

    async def open(self, feedback_id: str) -> ReplyTo | None:
        """Where a confidential contributor is answered; None: not known any more, or not to be answered.

        Raises DependencyDown, and PermanentError when it cannot be opened.
        """
        ...
