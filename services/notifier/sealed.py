"""Opens who spoke in confidence, at the moment of the answer and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import SecretStr

from shared.errors import PermanentError, Reason
from shared.events.feedback import ReplyTo
from shared.store.connection import Store
from shared.store.contributors import ContributorSeal, ContributorStore


class SealedContributors:
    """Without a key nothing can be opened; everything else works."""

    def __init__(self, store: Store, keys: Callable[[], Sequence[SecretStr]]) -> None:
        self._rows = ContributorStore(store)
        self._seal = ContributorSeal(keys) if keys() else None

    async def open(self, feedback_id: str) -> ReplyTo | None:
        if self._seal is None:
            raise PermanentError(Reason.CONFIGURATION, "LISTENINGPOST_CONTRIBUTORS_KEY is not set")
        sealed = await self._rows.sealed(feedback_id)
        return self._seal.open(sealed).reply_to if sealed is not None else None
