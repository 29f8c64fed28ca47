"""What becomes of a mail, whichever way it came: a piece, or kept aside with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.ingest.context import ChannelContext
from services.ingest.domain.mail.automatic import Ours, not_from_a_person
from services.ingest.domain.mail.headers import ERRORS
from services.ingest.domain.mail.message import Mail, read
from services.ingest.domain.mail.submit import CHANNEL, Address, submit
from services.ingest.domain.receipt import Receipt
from services.ingest.domain.submission import Submission
from services.ingest.settings import MailSettings
from shared.domain.quarantine import QuarantineReason
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Hints

#: Reading is work for the processor, of which Python uses one at a time, and copies the message a few times.
_READ_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail and what is known beside it.

    `recipients` are those of the envelope, or what the mail tells of them. `return_path` is the envelope's
    sender, "" that of a bounce, None where there is no envelope any more. `is_proven` says whether From is
    who sent it. `also` replaces fields of the submission.
    """

    raw: bytes
    is_proven: Callable[[Mail], bool]
    recipients: Callable[[Mail], Sequence[str]]
    return_path: str | None = None
    also: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Aside:
    """It is kept in quarantine under `id`."""

    id: str
    reason: QuarantineReason
    detail: str


class MailIntake:
    """Takes letters: each is a piece, or aside. None is lost, and none costs another."""

    def __init__(self, context: ChannelContext) -> None:
        self._pipeline = context.pipeline
        self._settings = context.settings.ingest.mail
        self.mailboxes = _mailboxes(self._settings)
        self._ours = Ours(
            addresses=frozenset(self.mailboxes) | {str(own).lower() for own in self._settings.own_addresses},
            message_id_domains=frozenset(domain.lower() for domain in self._settings.own_message_id_domains),
            hear_mailing_lists=self._settings.hear_mailing_lists,
        )
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    async def take(self, letters: Sequence[Letter]) -> list[Receipt | Aside]:
        """What became of each, in order. Raises DependencyDown: then the sender sends all of them again."""
        outcomes = await asyncio.gather(*(self._read(letter) for letter in letters))
        submissions = [outcome for outcome in outcomes if isinstance(outcome, Submission)]
        receipts = iter(await self._pipeline.accept(submissions) if submissions else ())
        endings: list[Receipt | Aside] = []
        for letter, outcome in zip(letters, outcomes, strict=True):
            if not isinstance(outcome, Submission):
                endings.append(await self._put_aside(letter.raw, *outcome))
                continue
            receipt = next(receipts)
            if receipt.problem is None or receipt.is_of_somebody_erased:
                endings.append(receipt)
                continue
            empty = receipt.problem.reason is Reason.EMPTY
            reason = QuarantineReason.EMPTY if empty else QuarantineReason.REFUSED
            endings.append(await self._put_aside(letter.raw, reason, receipt.problem.detail))
        return endings

    async def _read(self, letter: Letter) -> Submission | tuple[QuarantineReason, str]:
        async with self._reading:
            return await asyncio.to_thread(self._understand, letter)

    def _understand(self, letter: Letter) -> Submission | tuple[QuarantineReason, str]:
        """The mail as a submission, or why it is none. Takes up to a second, so it runs in a thread."""
        try:
            mail = read(letter.raw, max_parts=self._settings.max_parts)
            automatic = not_from_a_person(mail, letter.return_path, self._ours)
            if automatic is not None:
                return automatic
            submission = submit(
                mail,
                mailboxes=self.mailboxes,
                recipients=letter.recipients(mail),
                return_path=letter.return_path or "",
                source=self._settings.source,
                proven=letter.is_proven(mail),
            )
        except InvalidInput as error:
            return QuarantineReason.UNPARSABLE, error.detail
        except ERRORS as error:
            return QuarantineReason.UNPARSABLE, f"the mail cannot be read: {type(error).__name__}"
        return replace(submission, **letter.also) if letter.also else submission

    async def _put_aside(self, raw: bytes, reason: QuarantineReason, detail: str) -> Aside:
        source = self._settings.source
        return Aside(
            await self._pipeline.quarantine(raw, CHANNEL, reason, detail, source=source), reason, detail
        )


def _mailboxes(settings: MailSettings) -> dict[str, Address]:
    return {
        str(mailbox.address).lower(): Address(
            hints=Hints(product=mailbox.product, touchpoint=mailbox.touchpoint, brief=mailbox.brief),
            confidential=mailbox.confidential,
        )
        for mailbox in settings.mailboxes
    }
