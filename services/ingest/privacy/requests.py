"""What people may ask: what is known of them (access), and to be forgotten (erasure). For our own tools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from services.ingest.domain.forgotten import Marks, Subject, person
from services.ingest.privacy.access import Access
from shared import clock, ids
from shared.bus.codec import decode
from shared.bus.tail import read_all
from shared.domain.directory import Directory
from shared.domain.erasure import Erasure, Order
from shared.errors import InvalidInput, Reason
from shared.events.erasure import ContributorErased
from shared.events.topics import ERASED
from shared.internal import Answering
from shared.settings import KafkaSettings
from shared.store.directory import DirectoryStore
from shared.store.erasures import ErasureStore
from shared.store.feedback import FeedbackStore


class Asked(BaseModel):
    """Exactly one of `who` and `account`. `by` is whoever asks on their behalf."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str = ""
    account: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """Where it is looked up and written down."""

    erasures: ErasureStore
    pieces: FeedbackStore
    versions: DirectoryStore
    kafka: KafkaSettings


class Privacy:
    """Resolves who is meant, and gives orders; `shared/eraser.py` carries them out in every service."""

    def __init__(
        self,
        records: Records,
        marks: Marks,
        conceal_key: bytes,
        directory: Callable[[], Directory],
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._marks = marks
        self._conceal_key = conceal_key
        self._directory = directory
        self._now = now

    def routes(self, access: Access) -> dict[str, Answering]:
        """For `shared.internal.open_internal`."""

        async def survey(body: bytes) -> object:
            asked = _asked(body)
            return await access.survey(await self.subject(asked), colleague=self._colleague(asked))

        async def everything(body: bytes) -> object:
            return await access.everything(await self.subject(_asked(body)))

        async def erase(body: bytes) -> object:
            entry = await self.erase(_asked(body))
            return {"ledger_id": entry.id, "complete_on": entry.complete_on.isoformat()}

        async def again(_: bytes) -> object:
            return await self.again()

        return {
            "POST /internal/access": everything,
            "POST /internal/erasures/survey": survey,
            "POST /internal/erasures": erase,
            "POST /internal/erasures/again": again,
        }

    async def subject(self, asked: Asked) -> Subject:
        """All ids of whoever is meant. Raises InvalidInput."""
        if bool(asked.who.strip()) == bool(asked.account.strip()):
            raise InvalidInput(Reason.MISSING_FIELD, "name a person or an account", field="who")
        if asked.account.strip():
            return Subject(accounts=frozenset({asked.account.strip()}))
        people, emails = await self._records.versions.known_as(asked.who.strip())
        return person(asked.who, emails, people, self._conceal_key)

    async def erase(self, asked: Asked) -> Erasure:
        """The order is given. Raises InvalidInput for a colleague who is still in the workspace."""
        colleague = self._colleague(asked)
        if colleague is not None:
            raise InvalidInput(
                Reason.FORBIDDEN,
                f"{colleague} is a colleague in the workspace in force",
                field="who",
                remedy="Take them out of the workspace first (`listeningpost apply`), then erase them.",
            )
        # The store keeps milliseconds: what was said up to now is of before.
        subject, now = await self.subject(asked), clock.to_ms(self._now()) + timedelta(milliseconds=1)
        pieces = await self._records.pieces.of_people(subject.people, subject.accounts)
        order = Order(now, subject.people, subject.accounts, frozenset(pieces))
        entry = Erasure(ids.fresh_id(), self._marks.of(subject), now, asked.by, order)
        await self._records.erasures.add(entry)
        return entry

    async def again(self) -> Mapping[str, int]:
        """After a backup was restored: entries it did not have are put back, and what it has is forgotten."""
        put_back = await self.put_back()
        return {"put_back": len(put_back), "reopened": await self._sweep(put_back)}

    async def put_back(self) -> set[str]:
        """Ids of the entries that Kafka has and the store had not."""
        missing = set[str]()
        known = {entry.id for entry in await self._records.erasures.entries()}
        async for record in read_all(self._records.kafka, ERASED.name):
            event = decode(ContributorErased, record.value)
            entry = Erasure(event.ledger_id, frozenset(event.marks), event.asked_at, event.asked_by)
            if entry.id not in known and await self._records.erasures.put_back(entry):
                missing.add(entry.id)
        return missing

    async def repair(self) -> None:
        """`again`, where Kafka has an entry that the store has not: a backup was restored."""
        put_back = await self.put_back()
        if put_back:
            await self._sweep(put_back)

    async def _sweep(self, put_back: set[str]) -> int:
        """Orders are given anew to those of whom something is stored, and to those put back."""
        entries = {entry.id: entry for entry in await self._records.erasures.entries()}
        by_mark = {mark: entry.id for entry in entries.values() for mark in entry.marks}
        named: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        async for kind, name in self._records.pieces.identities():
            entry_id = by_mark.get(self._marks(kind, name))
            if entry_id is not None:
                named[entry_id, kind].add(name)
        reopened = put_back | {entry_id for entry_id, _ in named}
        for entry_id in sorted(reopened):
            people = frozenset(named[entry_id, "person"])
            accounts = frozenset(named[entry_id, "account"])
            await self._records.erasures.reopen(entry_id, Order(clock.to_ms(self._now()), people, accounts))
        return len(reopened)

    def _colleague(self, asked: Asked) -> str | None:
        """The name of a colleague who is in the workspace in force."""
        who, directory = asked.who.strip(), self._directory()
        found = directory.people.get(who) or directory.who_is("email", who).person
        return found.name if found is not None else None


def _asked(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise InvalidInput(Reason.MALFORMED, fault["msg"], field=field) from None
