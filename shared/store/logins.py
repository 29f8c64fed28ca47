"""Who may come in. So far: the invitation of the first administrator, of which there is one document."""

from __future__ import annotations

import contextlib
import secrets
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from shared.domain.invitation import LASTS, Invitation
from shared.store.connection import Document, Store, guard
from shared.store.owners import LOGINS

_FIRST = "first administrator"


class LoginStore:
    """Written by the console and the command line. All methods raise DependencyDown while MongoDB is away."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(LOGINS.name)

    async def invite(self, now: datetime) -> Invitation:
        """The invitation: the one that holds or was accepted, else a new one."""
        with guard():
            while (found := await self._collection.find_one({"_id": _FIRST})) is None:
                with contextlib.suppress(DuplicateKeyError):
                    await self._collection.insert_one({"_id": _FIRST, **_fresh(now)})
            known = _invitation(found)
            if known.accepted_at is not None or known.holds(now):
                return known
            # Of two who renew it at a time the first has its way, and the other shows the same.
            await self._collection.update_one(_open(known.id), {"$set": _fresh(now)})
        return await self.invite(now)

    async def accept(self, invitation_id: str, now: datetime) -> bool:
        """Who has the link is the administrator. False when it was used, has expired, or was never made."""
        with guard():
            result = await self._collection.update_one(
                {**_open(invitation_id), "expires_at": {"$gt": now}}, {"$set": {"accepted_at": now}}
            )
        return result.modified_count == 1


def _fresh(now: datetime) -> Document:
    return {"invitation": secrets.token_hex(8), "expires_at": now + LASTS, "accepted_at": None}


def _open(invitation_id: str) -> Document:
    return {"_id": _FIRST, "invitation": invitation_id, "accepted_at": None}


def _invitation(document: Document) -> Invitation:
    return Invitation(document["invitation"], document["expires_at"], document.get("accepted_at"))
