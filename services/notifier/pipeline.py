"""The way of a message through the notifier, top to bottom.

tell       note what gathers for a summary → read what was planned before → follow edits and deletions
           → plan (involve, route) → hold what may have been told before a restore → keep → wake
summarise  hold what has gathered → group it → plan (route) → hold, as above → keep → close → wake
deliver    is it still wanted → open a sealed address, read what is quoted → ask, or pace and send
           → what became of it

Between them lies the ledger: `schedule.py` claims its rows, has them delivered and records the result.
`summaries.py` looks after what has gathered.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from services.notifier.domain import outcome
from services.notifier.domain.gathering import sightings, tells_nobody
from services.notifier.domain.plan import Frame, plan, refreshed
from services.notifier.domain.summarise import summaries
from services.notifier.domain.summary_wording import quotes_of
from services.notifier.followed import followed
from services.notifier.lanes import Lanes
from services.notifier.pace import Pace
from services.notifier.receiver import Asking, Contributors, Receiver
from services.notifier.stores import Followed, Stores
from shared.bus.subscription import Outcome, Received
from shared.domain.bucket import Bucket, level, tell_until
from shared.domain.delivery import SEALED, WITHDRAWN, Attempt, Delivery, ProviderRef, Settled, State, Target
from shared.domain.directory import Directory
from shared.domain.fence import behind
from shared.domain.routing import RouteNode, compile_routes
from shared.errors import PermanentError, Reason, TransientError, UnknownOutcome
from shared.events.feedback import FeedbackClassified
from shared.store.deliveries import Claimed
from shared.telemetry import tracing
from shared.telemetry.failpoints import failpoint
from shared.telemetry.metrics import DELIVERIES

_LOOK_AGAIN_S = 1.0
Item = Received[FeedbackClassified]


@dataclass(frozen=True, slots=True)
class Rules:
    """Pieces older than `max_age` alert nobody. `most_slow`: deliveries that one slow server may hold up."""

    max_age: timedelta
    normal: outcome.Limits
    urgent: outcome.Limits
    most_slow: int


class Pipeline:
    """Holds the parts that the steps need; keeps nothing of the messages themselves."""

    def __init__(
        self,
        *,
        stores: Stores,
        state: Followed,
        receivers: Mapping[str, Receiver],
        contributors: Contributors,
        rules: Rules,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._stores = stores
        self._ledger = stores.ledger
        self._buckets = stores.buckets
        self._directory, self._erased, self._fence = state.directory, state.erased, state.fence
        self._receivers = receivers
        self._contributors = contributors
        self._rules = rules
        self._now = now
        self._wake = wake
        self._pace = Pace()
        self._lanes = Lanes(rules.most_slow, now)
        self._routes: tuple[Directory, RouteNode] | None = None

    async def tell(self, batch: Sequence[Item]) -> list[Outcome]:
        """Every delivery that follows from the batch is in the ledger. Raises DependencyDown."""
        frame, erased = self._frame(), self._erased()
        heard = [item for item in batch if erased.barred_by(item.event) is None]
        seen = sightings([item.event for item in heard], frame.now, frame.max_age)
        await self._buckets.note(seen, frame.now, frame.now - frame.max_age)
        told: set[str] = set()
        rest = [item for item in heard if not tells_nobody(item.event, frame.now, frame.max_age)]
        for wave in _waves(rest):
            with tracing.phase("route", partial(_traces, wave)):
                rows = await self._planned(wave, frame)
            told |= {row.feedback_id for row in rows}
            await self._keep(rows)
        failpoint("notifier.after_plan")
        if told:
            self._wake()
        return [Outcome.DONE if item.event.feedback_id in told else Outcome.SKIPPED for item in batch]

    async def _planned(self, wave: Sequence[Item], frame: Frame) -> list[Delivery]:
        """The new rows of a wave, which holds each piece once."""
        earlier = await self._ledger.of_pieces([item.event.feedback_id for item in wave])
        followed = [item.event for item in wave if item.event.feedback_id in earlier]
        changed = [piece for piece in followed if await self._follow(piece, frame.directory)]
        if changed:
            earlier |= await self._ledger.of_pieces([piece.feedback_id for piece in changed])
        fence, rows = self._fence(), list[Delivery]()
        for item in wave:
            planned = plan(item.event, frame, earlier.get(item.event.feedback_id, ()), item.trace)
            rows += behind(planned, fence, item.event.received_at, frame.now)
        return rows

    async def _keep(self, rows: Sequence[Delivery]) -> None:
        await self._ledger.add(rows)
        DELIVERIES.labels("none", State.FAILED).inc(sum(row.state is State.FAILED for row in rows))

    async def summarise(self, bucket: Bucket, quiet: timedelta) -> None:
        """What has gathered in the bucket is told, once to each reader. Raises DependencyDown.

        Repeated after a crash, and by several at once: the run was held, so that it holds the same, and the
        ids of its rows are the same.
        """
        frame = self._frame()
        held = await self._buckets.hold(bucket, tell_until(bucket, frame.now, quiet))
        if held is None:
            return
        planned = summaries(held, await self._stores.gathered(held), frame)
        rows = behind(planned, self._fence(), held.received_from, frame.now)
        failpoint("notifier.before_summary")
        await self._keep(rows)
        failpoint("notifier.after_summary")
        await self._buckets.close(held, level(held), frame.now)
        if rows:
            self._wake()

    def _frame(self) -> Frame:
        directory = self._directory()
        if self._routes is None or self._routes[0] is not directory:
            self._routes = (directory, compile_routes(directory.workspace.route))
        return Frame(directory, self._routes[1], self._now(), self._rules.max_age)

    async def _follow(self, piece: FeedbackClassified, directory: Directory) -> bool:
        """What is not sent yet shows the piece as it is now, or nothing of a deleted one; True: it had to."""
        content = refreshed(piece, directory)
        if content is None:
            return False
        if content == WITHDRAWN:
            await self._ledger.withdraw(piece.feedback_id)
        else:
            await self._ledger.refresh(piece.feedback_id, piece.revision, content)
        return True

    async def deliver(self, claimed: Claimed) -> Settled:
        """What became of a row in hand. Raises DependencyDown, and then nothing was sent."""
        row = claimed.delivery
        original = await self._original(row)
        if row.amends is not None and not _was_sent(original):
            return _without_original(row, original, self._now())
        try:
            target = await self._target(row, original)
            if target is None:
                return outcome.void(row, self._now(), "there is nobody to answer")
            if target.receiver not in self._receivers and not claimed.taken_over:
                return outcome.of_newer(row, self._now())
            receiver = self._receiver(target)
            row = await self._quoted(row)
            repeatable = row.urgent or (row.amends is not None and receiver.can_edit)
            if claimed.taken_over and not repeatable:
                return await self._ask(row, target, receiver)
            return await self._send(row, target, receiver, original)
        except PermanentError as error:
            return outcome.after_permanent(row, error, self._now())

    async def _original(self, row: Delivery) -> Delivery | None:
        """The row that this one amends, as it stands now."""
        if row.amends is None:
            return None
        return (await self._ledger.by_ids([row.amends])).get(row.amends)

    async def _target(self, row: Delivery, original: Delivery | None) -> Target | None:
        """Where it goes now, opened if it is sealed; None when there is nobody to answer."""
        if original is not None:
            return original.target
        if row.target is None or row.target.receiver != SEALED:
            return row.target
        reply_to = await self._contributors.open(row.feedback_id)
        if reply_to is None or reply_to.auto_generated:
            return None
        return Target(reply_to.receiver, reply_to.address, reply_to.thread)

    async def _quoted(self, row: Delivery) -> Delivery:
        """A summary with the words it quotes, as they are now: the ledger has none of them."""
        if row.summary is None or not row.summary.quoted:
            return row
        found = {piece.feedback_id: piece for piece in await self._stores.pieces.get(row.summary.quoted)}
        kept = [found[feedback_id] for feedback_id in row.summary.quoted if feedback_id in found]
        quotes = quotes_of(kept, self._directory())
        return replace(row, summary=replace(row.summary, quotes=quotes))

    def _receiver(self, target: Target) -> Receiver:
        if target.receiver not in self._receivers:
            raise PermanentError(Reason.CONFIGURATION, "there is no such receiver")
        return self._receivers[target.receiver]

    async def _send(
        self, row: Delivery, target: Target, receiver: Receiver, original: Delivery | None
    ) -> Settled:
        if row.in_place_only and not receiver.can_edit:
            return outcome.void(row, self._now(), f"{receiver.name} cannot change what it sent")
        destination = f"{receiver.name} {target.address}"
        lane = receiver.lane(target)
        closed_until = self._lanes.wait_until(lane)
        if closed_until is not None:
            return outcome.held_up(row, closed_until, self._now(), self._limits(row), _jitter())
        moment = self._pace.wait_until(row.id, destination, receiver.pause_s, self._now())
        if moment is not None:
            return outcome.deferred(row, moment)
        failpoint("notifier.before_send")
        try:
            with self._lanes.used(lane), followed(row, receiver.name) as sent:
                ref = await receiver.send(
                    sent, target, original.provider_ref if original is not None else None
                )
        except TransientError as error:
            if error.retry_after_s is not None:
                self._pace.pause(destination, self._now() + timedelta(seconds=error.retry_after_s))
            return outcome.after_transient(row, error, self._now(), self._limits(row), _jitter())
        except UnknownOutcome:
            return self._in_doubt(row, receiver)
        failpoint("notifier.after_send")
        return outcome.after_sent(row, _kept(ref, row), self._now())

    async def _ask(self, row: Delivery, target: Target, receiver: Receiver) -> Settled:
        """Whoever had it in hand is silent: the provider says whether it has arrived."""
        if not isinstance(receiver, Asking):
            return self._in_doubt(row, receiver)
        try:
            ref = await receiver.find(row, target)
        except TransientError:
            return self._in_doubt(row, receiver)
        except PermanentError:
            return outcome.after_unknown(row, self._now(), self._limits(row), _jitter(), can_ask=False)
        if ref is None:
            return outcome.after_not_found(row, self._now())
        return outcome.after_sent(row, _kept(ref, row), self._now(), Attempt.FOUND)

    def _in_doubt(self, row: Delivery, receiver: Receiver) -> Settled:
        can_ask = isinstance(receiver, Asking)
        return outcome.after_unknown(row, self._now(), self._limits(row), _jitter(), can_ask=can_ask)

    def _limits(self, row: Delivery) -> outcome.Limits:
        return self._rules.urgent if row.urgent else self._rules.normal


def _waves(batch: Sequence[Item]) -> Iterator[list[Item]]:
    """The batch in rounds that hold each piece once: what comes later finds the rows of what came before."""
    rest: Sequence[Item] = batch
    while rest:
        wave: dict[str, Item] = {}
        later: list[Item] = []
        for item in rest:
            if item.event.feedback_id in wave:
                later.append(item)
            else:
                wave[item.event.feedback_id] = item
        yield list(wave.values())
        rest = later


def _traces(wave: Sequence[Item]) -> list[str | None]:
    return [item.trace for item in wave]


def _was_sent(original: Delivery | None) -> bool:
    return original is not None and original.state is State.SENT and original.provider_ref is not None


def _without_original(row: Delivery, original: Delivery | None, now: datetime) -> Settled:
    """It waits until what it amends is through; where nothing was sent, there is nothing to amend."""
    if original is not None and original.state in {State.DUE, State.HELD, State.SENDING}:
        return outcome.deferred(row, max(now, original.due_at) + timedelta(seconds=_LOOK_AGAIN_S))
    return outcome.void(row, now, "what it amends was not sent")


def _kept(ref: ProviderRef, row: Delivery) -> ProviderRef:
    """What the ledger may know: of a sealed address, not the address."""
    if row.target is not None and row.target.receiver == SEALED:
        return replace(ref, receiver=SEALED, address=row.feedback_id)
    return ref


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries, keeps no secret
