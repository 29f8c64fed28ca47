"""What a self-test tries at the doors, and what comes of each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from deploy.cli.senders import CHANNEL_OF, WEBHOOK
from deploy.cli.senders.webhook import permits
from shared.domain.webhook import Webhook
from shared.domain.workspace import Workspace


class State(StrEnum):
    ARRIVED = "arrived"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Result:
    """One door. `received` and `classified` are positions in Kafka; times are in ms since it was sent."""

    door: str
    state: State
    answer: str = ""
    answered_ms: int | None = None
    received: str = ""
    received_ms: int | None = None
    classified: str = ""
    classified_ms: int | None = None
    feedback_id: str = ""
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One piece on its way through a door; of a webhook, through that of one declaration."""

    door: str
    nonce: str
    hook: Webhook | None = None

    @property
    def label(self) -> str:
        return f"{self.door} {self.hook.id}" if self.hook else self.door

    @property
    def channel(self) -> str:
        return self.hook.channel if self.hook else CHANNEL_OF.get(self.door, self.door)


def tries_at(opened: Sequence[str], workspace: Workspace | None) -> tuple[list[Try], list[Result]]:
    """What is tried at the open doors, and the webhooks at which nothing can be."""
    tries = [Try(name, secrets.token_hex(8)) for name in opened if name != WEBHOOK]
    untested: list[Result] = []
    if WEBHOOK not in opened:
        return tries, untested
    declared = workspace.webhooks if workspace is not None else ()
    if not declared:
        untested.append(Result(WEBHOOK, State.CLOSED, problem="none is declared in the workspace"))
    for hook in declared:
        if permits(hook):
            tries.append(Try(WEBHOOK, secrets.token_hex(8), hook))
        else:
            why = "is open, and not tested: only a body of its sender fits its mapping"
            remedy = "use its sender's test button"
            untested.append(Result(f"{WEBHOOK} {hook.id}", State.CLOSED, problem=why, remedy=remedy))
    return tries, untested
