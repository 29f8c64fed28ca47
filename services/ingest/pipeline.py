"""The way of a piece through ingest, from what a channel hands over to what it may answer.

check → (test) → normalise → identify → redact → (conceal) → shorten → attach → build → keep → publish
or spool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from pydantic import SecretStr

from services.ingest.domain.attach import admit, attach, withhold
from services.ingest.domain.build import build
from services.ingest.domain.check import check
from services.ingest.domain.conceal import conceal, concealed_id, names_of, seal_away
from services.ingest.domain.forgotten import ERASED
from services.ingest.domain.identify import Identity, external_feedback_id, identify
from services.ingest.domain.normalise import MAX_ID_CHARS, clean_line, normalise
from services.ingest.domain.piece import Piece
from services.ingest.domain.receipt import Receipt, ReceiptStatus, outcomes, receipt_of
from services.ingest.domain.redact import redact
from services.ingest.domain.selftest import as_test
from services.ingest.domain.shorten import shorten
from services.ingest.domain.submission import File, Submission
from services.ingest.keep import Keeper
from services.ingest.outlet import Outlet
from services.ingest.spool.record import encode_aside, encode_piece, encode_unmapped
from services.ingest.spool.spool import Spool
from shared import clock, ids
from shared.domain.directory import Directory
from shared.domain.masking import mask
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.errors import DependencyDown, InvalidInput, PermanentError
from shared.events.feedback import Change, FeedbackReceived, Mode
from shared.events.hook import HookUnmapped
from shared.store.contributors import ContributorSeal
from shared.telemetry.failpoints import failpoint
from shared.telemetry.metrics import LAST_HEARD, QUARANTINED, RECEIVED

#: From here on the steps take longer than a request beside this one should wait.
_LONG_CHARS = 50_000
_AT_ONCE = 8
#: The spool takes what the store would never take as well: its drain sets that aside, for people to look at.
_NOT_STORED = (DependencyDown, PermanentError)
_TURN = 200
_MAX_DETAIL_CHARS = 500
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes, and the number of attachments of one piece."""

    max_file_bytes: int
    max_files: int
    max_quarantined_bytes: int


@dataclass(frozen=True, slots=True)
class Confidence:
    """What it takes to hide somebody: `key` makes codenames, `seal` keeps the way back."""

    key: bytes
    seal: ContributorSeal


class Pipeline:
    """Takes submissions in, a batch at a time. What it says it has taken is kept, whatever happens next."""

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        *,
        keeper: Keeper,
        outlet: Outlet,
        spool: Spool,
        confidence: Confidence,
        limits: Limits,
        directory: Callable[[], Directory],
        is_barred: Callable[[FeedbackReceived], bool],
        heard: Callable[[str, str], None],
        test_tokens: Callable[[], Sequence[SecretStr]] = tuple,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._keeper = keeper
        self._outlet = outlet
        self._spool = spool
        self._confidence = confidence
        self._limits = limits
        self._directory = directory
        self._is_barred = is_barred
        self._heard = heard
        self._test_tokens = test_tokens
        self._now = now

    async def accept(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Every submission has its receipt, in order; `accepted` and `spooled` both mean kept.

        Raises DependencyDown when what is needed is away and the spool cannot take them either; some may be
        kept all the same, so the sender repeats all of them.
        """
        hidden = await self._once_confidential(submissions)
        prepared = await self._prepare_all(submissions, hidden)
        pieces = [piece for piece in prepared if isinstance(piece, Piece)]
        spooled, refused = await self._keep(pieces)
        receipts = [receipt_of(each, spooled, refused) for each in prepared]
        for (channel, source, mode, status, reason), count in outcomes(submissions, receipts).items():
            RECEIVED.labels(channel, status, reason).inc(count)
            if status != ReceiptStatus.REJECTED:
                LAST_HEARD.labels(channel).set(self._now().timestamp())
                if mode == Mode.LIVE:
                    self._heard(channel, source)
        return receipts

    async def quarantine(
        self, raw: bytes, channel: str, reason: QuarantineReason, detail: str, *, source: str = ""
    ) -> str:
        """It is kept aside, once, and listed. Raises DependencyDown when nobody can keep it."""
        entry = Quarantined(
            id=ids.digest(channel.encode(), source.encode("utf-8", "surrogatepass"), raw)[:32],
            channel=channel,
            source=clean_line(source, MAX_ID_CHARS),
            reason=reason,
            detail=clean_line(detail, _MAX_DETAIL_CHARS),
            raw=raw[: self._limits.max_quarantined_bytes],
            size_bytes=len(raw),
            received_at=self._now(),
        )
        try:
            await self._keeper.put_aside([entry])
        except _NOT_STORED:
            await self._spool.append([encode_aside(entry)])
        QUARANTINED.labels(channel, reason).inc()
        return entry.id

    async def hold(self, event: HookUnmapped) -> None:
        """A body that no mapping fitted is kept, and tried again. Raises DependencyDown when nobody can."""
        try:
            await self._outlet.publish_unmapped([event])
        except DependencyDown:
            await self._spool.append([encode_unmapped(event)])

    async def _once_confidential(self, submissions: Sequence[Submission]) -> set[str]:
        """Who spoke in confidence stays hidden when the piece is edited without saying so again.

        While the store is away nobody knows, and every edited piece is hidden: that can be made good, a name
        that is out cannot.
        """
        edited = [
            feedback_id
            for submission in submissions
            if submission.change is Change.EDITED and not submission.confidential
            if (feedback_id := external_feedback_id(submission)) is not None
        ]
        if not edited:
            return set()
        try:
            return await self._keeper.confidential(edited)
        except DependencyDown:
            return set(edited)

    async def _prepare_all(
        self, submissions: Sequence[Submission], hidden: set[str]
    ) -> list[Piece | InvalidInput]:
        received_at, directory = self._now(), self._directory()
        prepared: list[Piece | InvalidInput] = []
        for number, submission in enumerate(submissions, start=1):
            if number % _TURN == 0:
                await asyncio.sleep(0)  # others want their answers too
            try:
                if submission.files or len(submission.text) > _LONG_CHARS:
                    piece = await asyncio.to_thread(self._prepare, submission, hidden, received_at, directory)
                else:
                    piece = self._prepare(submission, hidden, received_at, directory)
            except InvalidInput as problem:
                prepared.append(problem)
            else:
                prepared.append(ERASED if self._is_barred(piece.event) else piece)
        return prepared

    def _prepare(
        self, submission: Submission, hidden: set[str], received_at: datetime, directory: Directory
    ) -> Piece:
        """One submission through all the pure steps. Raises InvalidInput."""
        checked = check(submission, received_at)
        if checked.mended:
            _log.info("submission_mended", channel=submission.channel, fields=checked.mended)
        raw = as_test(checked.submission, self._test_tokens, received_at)
        clean = normalise(raw)
        identity = identify(raw, clean, directory, received_at)
        clean = redact(clean)
        files, notes = admit(
            clean.files,
            max_file_bytes=self._limits.max_file_bytes,
            max_files=self._limits.max_files,
            strict=clean.strict,
        )
        clean = replace(clean, files=files) if notes else clean
        if clean.change is not Change.DELETED and (clean.confidential or identity.feedback_id in hidden):
            return self._conceal(clean, identity, notes, received_at, directory)
        return self._build(clean, identity, notes, received_at)

    def _build(
        self, clean: Submission, identity: Identity, notes: Sequence[str], received_at: datetime
    ) -> Piece:
        if clean.change is Change.DELETED:
            clean = replace(clean, text="", files=())
        shortened = shorten(clean.text, notes, self._limits.max_file_bytes)
        extra: tuple[File, ...] = (shortened.full_text,) if shortened.full_text else ()
        kept = attach((*clean.files, *extra)) if clean.files or extra else ()
        return Piece(build(clean, identity, shortened, kept, received_at), kept, trace=clean.trace)

    def _conceal(
        self,
        clean: Submission,
        identity: Identity,
        notes: Sequence[str],
        received_at: datetime,
        directory: Directory,
    ) -> Piece:
        """The same for a piece given in confidence."""
        contributor = seal_away(clean, identity)
        identity = replace(identity, feedback_id=concealed_id(self._confidence.key, identity))
        names = names_of(clean, identity, directory)
        files, withheld = withhold(clean.files)
        hidden = replace(clean, title=mask(clean.title, names), text=mask(clean.text, names), files=files)
        piece = self._build(hidden, identity, (*notes, *withheld), received_at)
        return replace(
            piece,
            event=conceal(piece.event, self._confidence.key, directory),
            sealed=self._confidence.seal.seal(contributor),
        )

    async def _keep(self, pieces: Sequence[Piece]) -> tuple[set[str], dict[str, InvalidInput]]:
        """Every piece is in the store and in Kafka, or in the spool, or refused by the broker for its size.

        Returns the spooled ones and the refused ones by feedback_id. Raises DependencyDown.
        """
        ready, waiting = await self._store(pieces)
        refused: dict[str, InvalidInput] = {}
        failpoint("ingest.before_publish")
        try:
            if ready:
                await self._outlet.publish(ready)
        except DependencyDown:
            waiting += ready
        except PermanentError:
            refused = await self._publish_singly(ready, waiting)
        failpoint("ingest.after_publish")
        if waiting:
            await self._spool.append([encode_piece(piece) for piece in waiting])
        return {piece.event.feedback_id for piece in waiting}, refused

    async def _store(self, pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
        """What may be published now, and what must wait for MongoDB."""
        ready = [piece for piece in pieces if not piece.needs_store]
        waiting: list[Piece] = []
        if len(ready) == len(pieces):
            return ready, waiting
        turns = asyncio.Semaphore(_AT_ONCE)

        async def store(piece: Piece) -> None:
            try:
                async with turns:
                    await self._keeper.keep(piece)
            except _NOT_STORED:
                waiting.append(piece)
            else:
                # Should it have to go to the spool now, its bytes need not go with it.
                ready.append(replace(piece, kept=(), sealed=None))

        await asyncio.gather(*(store(piece) for piece in pieces if piece.needs_store))
        return ready, waiting

    async def _publish_singly(self, pieces: Sequence[Piece], waiting: list[Piece]) -> dict[str, InvalidInput]:
        """The broker takes less than we allow: find out which of them it does not take."""
        refused: dict[str, InvalidInput] = {}
        for piece in pieces:
            try:
                await self._outlet.publish([piece])
            except DependencyDown:
                waiting.append(piece)
            except PermanentError as error:
                remedy = "Send less text, or the text as an attachment."
                refused[piece.event.feedback_id] = InvalidInput(
                    error.reason, "the piece is larger than the broker takes", field="text", remedy=remedy
                )
        return refused
