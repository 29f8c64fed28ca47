"""What becomes of a delivery after an attempt: sent, again later, next in its chain, failed or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.delivery import Attempt, Delivery, ProviderRef, Settled, State
from shared.errors import PermanentError, TransientError

_NEWER_RELEASE_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`retry_for`: how long one target is tried before the next in the chain is; the delays double."""

    retry_for: timedelta
    first_delay_s: float = 2.0
    most_delay_s: float = 300.0


def after_sent(row: Delivery, ref: ProviderRef, now: datetime, attempt: Attempt = Attempt.SENT) -> Settled:
    return Settled(attempt, State.SENT, row.position, now, row.tries, row.trying_since, provider_ref=ref)


def after_transient(
    row: Delivery, error: TransientError, now: datetime, limits: Limits, jitter: float
) -> Settled:
    """Later, no sooner than the other side asked for; next in the chain when the time for this one is up.

    `jitter` is from 0 to 1 and spreads the tries of deliveries that failed together over half their delay.
    """
    later = _later(row, now, limits, jitter, Attempt.TRANSIENT, _text(error), error.retry_after_s or 0.0)
    return later or _next_in_chain(row, now, Attempt.TRANSIENT, f"gave up: {_text(error)}")


def after_permanent(row: Delivery, error: PermanentError, now: datetime) -> Settled:
    return _next_in_chain(row, now, Attempt.PERMANENT, _text(error))


def after_unknown(row: Delivery, now: datetime, limits: Limits, jitter: float, *, can_ask: bool) -> Settled:
    """Urgent: again under the same id, for a second copy does less harm than none.

    Else the provider is asked, if it can be; if not, the row stays `unknown`: nobody is told twice, and
    somebody can look.
    """
    problem = "the connection broke after the message was handed over"
    if row.urgent:
        later = _later(row, now, limits, jitter, Attempt.UNKNOWN, problem)
        return later or _next_in_chain(row, now, Attempt.UNKNOWN, f"gave up: {problem}")
    if can_ask:
        later = _later(row, now, limits, jitter, Attempt.UNKNOWN, problem, state=State.SENDING)
        if later is not None:
            return later
    return Settled(Attempt.UNKNOWN, State.UNKNOWN, row.position, now, row.tries, row.trying_since, problem)


def after_not_found(row: Delivery, now: datetime) -> Settled:
    """The provider does not know it, so it was not sent: at once again."""
    return Settled(Attempt.NOT_FOUND, State.DUE, row.position, now, row.tries, row.trying_since)


def deferred(row: Delivery, until: datetime) -> Settled:
    """Not tried: its destination takes no more just now."""
    return Settled(Attempt.DEFERRED, State.DUE, row.position, until, row.tries, row.trying_since)


def held_up(row: Delivery, until: datetime, now: datetime, limits: Limits, jitter: float) -> Settled:
    """Not tried, because the way there is closed. The time counts: in the end the next in the chain is tried.

    `jitter` spreads those that wait for one thing over the second in which it may be back.
    """
    since, until = row.trying_since or now, until + timedelta(seconds=jitter)
    if until - since > limits.retry_for:
        return _next_in_chain(row, now, Attempt.DEFERRED, "gave up: unreachable")
    return Settled(Attempt.DEFERRED, State.DUE, row.position, until, row.tries, since)


def of_newer(row: Delivery, now: datetime) -> Settled:
    """Not tried: the receiver is one that only a newer release has, which was rolled back since.

    The next in the chain is tried; where there is none it waits for that release.
    """
    if row.position + 1 < len(row.chain):
        return _next_in_chain(row, now, Attempt.DEFERRED, "its receiver needs a newer release")
    return Settled(Attempt.DEFERRED, State.DUE, row.position, now + _NEWER_RELEASE_AGAIN, row.tries, None)


def void(row: Delivery, now: datetime, problem: str) -> Settled:
    """Not tried and no longer wanted."""
    return Settled(Attempt.VOID, State.CANCELLED, row.position, now, row.tries, row.trying_since, problem)


def _later(
    row: Delivery,
    now: datetime,
    limits: Limits,
    jitter: float,
    attempt: Attempt,
    problem: str,
    at_least_s: float = 0.0,
    state: State = State.DUE,
) -> Settled | None:
    since = row.trying_since or now
    delay_s = min(limits.first_delay_s * 2.0 ** min(row.tries, 20), limits.most_delay_s)
    due_at = now + timedelta(seconds=max(at_least_s, delay_s * (0.5 + jitter / 2)))
    if due_at - since > limits.retry_for:
        return None
    return Settled(attempt, state, row.position, due_at, row.tries + 1, since, problem)


def _next_in_chain(row: Delivery, now: datetime, attempt: Attempt, problem: str) -> Settled:
    position = row.position + 1
    state = State.DUE if position < len(row.chain) else State.FAILED
    return Settled(attempt, state, position, now, problem=problem)


def _text(error: PermanentError | TransientError) -> str:
    return f"{error.reason}: {error}"
