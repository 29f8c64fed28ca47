"""Which deliveries follow from a classified piece: its rows in the ledger go in, new rows come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifier.domain.chain import chain_to_person, chain_to_place
from services.notifier.domain.wording import content_of, place_sentence, why_sentences
from shared import ids
from shared.domain.delivery import (
    CONTRIBUTOR,
    PLACE,
    WITHDRAWN,
    Content,
    Delivery,
    Purpose,
    State,
    Target,
)
from shared.domain.directory import Directory
from shared.domain.network import involve
from shared.domain.route import ReceiverKind, ReceiverSpec
from shared.domain.routing import RouteNode, labels, route
from shared.events.feedback import Cause, Change, FeedbackClassified, Mode, Urgency

_TOLD = frozenset({State.SENDING, State.SENT})
_EDITED = frozenset({Cause.EDITED, Cause.CORRECTED})
#: These can take back what they sent; a mail cannot be taken back.
_CAN_REDACT = frozenset({ReceiverKind.SLACK, ReceiverKind.WEBHOOK})
_CAN_EDIT = _CAN_REDACT


@dataclass(frozen=True, slots=True)
class Frame:
    """What planning depends on beside the piece. `routes` is the directory's tree, compiled."""

    directory: Directory
    routes: RouteNode
    now: datetime
    max_age: timedelta


def refreshed(piece: FeedbackClassified, directory: Directory) -> Content | None:
    """What the rows of this piece that are not sent yet must show from now on; None: they stay as they are.

    For a deleted piece it is `WITHDRAWN`: they are cancelled, and every row of the piece forgets its content.
    """
    if piece.change is Change.DELETED:
        return WITHDRAWN
    return content_of(piece, directory) if piece.cause in _EDITED else None


def plan(
    piece: FeedbackClassified, frame: Frame, earlier: Sequence[Delivery], trace: str | None = None
) -> tuple[Delivery, ...]:
    """The new rows. Their ids depend on piece and recipient alone: planning again adds nothing.

    `earlier` holds every row of the piece, read after the content of unsent rows was made to follow
    `refreshed`. A piece that was overtaken by a newer revision makes no rows.

    received: a notice for everybody who is involved, and an acknowledgement for whoever spoke. edited: those
    who were told see the change, those who were not told yet and are concerned now are told. corrected: only
    the latter. deleted: what was sent is taken back where it can be. reclassified: nothing.
    """
    if piece.cause is Cause.RECLASSIFIED or any(row.revision > piece.revision for row in earlier):
        return ()
    if piece.change is Change.DELETED:
        return tuple(_redactions(piece, frame, earlier))
    content = content_of(piece, frame.directory)
    alive = told_singly(piece, frame.now, frame.max_age)
    rows: list[Delivery] = []
    if piece.cause is Cause.EDITED:
        rows += _amendments(piece, frame, earlier, content, alive=alive)
    if alive:
        rows += _notices(piece, frame, content)
        rows += _acknowledgement(piece, frame, content)
    known = {row.id for row in earlier}
    return tuple(row if trace is None else replace(row, trace=trace) for row in rows if row.id not in known)


def told_singly(piece: FeedbackClassified, now: datetime, max_age: timedelta) -> bool:
    """Whether it may alert somebody or be answered: it is live, and happened not long ago.

    What is told today of last month is no news, however it came in. A colleague's note is news on the day it
    is written: the lunch on Friday is written down on Monday, by somebody who waits for an answer.
    """
    told = piece.received_at if piece.occasion else min(piece.occurred_at, piece.received_at)
    return piece.mode is Mode.LIVE and now - told < max_age


def _row(
    piece: FeedbackClassified,
    frame: Frame,
    purpose: Purpose,
    recipient: str,
    chain: tuple[Target, ...],
    occasion: str = "",
) -> Delivery:
    """`occasion` tells notices of one purpose apart: the revision for amendments."""
    notice = ids.notice_id(piece.feedback_id, f"{purpose}{occasion}")
    return Delivery(
        id=ids.delivery_id(notice, recipient),
        notice_id=notice,
        feedback_id=piece.feedback_id,
        purpose=purpose,
        recipient=recipient,
        chain=chain,
        due_at=frame.now,
        revision=piece.revision,
        received_at=piece.received_at,
    )


def _notices(piece: FeedbackClassified, frame: Frame, content: Content) -> Iterator[Delivery]:
    """People once each, however many routes lead to them: the first such route says by which receivers."""
    directory = frame.directory
    receivers = [
        directory.receivers[receiver]
        for receiver in route(labels(piece, directory), frame.routes)
        if receiver in directory.receivers
    ]
    urgent = piece.tags.urgency is Urgency.URGENT
    people = next((receiver for receiver in receivers if receiver.kind is ReceiverKind.PEOPLE), None)
    if people is not None:
        for one in involve(piece, directory):
            chain = chain_to_person(directory.people[one.person_id], people.via)
            why = why_sentences(one.whys, directory)
            row = _row(piece, frame, Purpose.NOTICE, one.person_id, chain)
            yield _told(row, content, why, urgent=urgent)
    for receiver in receivers:
        if receiver.kind is not ReceiverKind.PEOPLE and not _speaks_there(piece, receiver, directory):
            row = _row(piece, frame, Purpose.NOTICE, f"{PLACE}{receiver.id}", chain_to_place(receiver))
            yield _told(row, content, place_sentence(receiver.id), urgent=urgent)


def _told(row: Delivery, content: Content, why: tuple[str, ...], *, urgent: bool) -> Delivery:
    """Who has no address is listed as failed, not silently left out."""
    row = replace(row, content=content, why=why, urgent=urgent)
    return row if row.chain else replace(row, state=State.FAILED, problem="no address in the directory")


def _speaks_there(piece: FeedbackClassified, receiver: ReceiverSpec, directory: Directory) -> bool:
    """Whether the place is the speaker's own mailbox: nobody is told of their own words."""
    if receiver.kind is not ReceiverKind.EMAIL or receiver.address is None:
        return False
    person = directory.who_is("email", receiver.address).person
    return person is not None and person.id == piece.reported_by.person_id


def _acknowledgement(piece: FeedbackClassified, frame: Frame, content: Content) -> Iterator[Delivery]:
    """Never answers what a machine wrote: two of them would thank each other for ever (RFC 3834, 2)."""
    reply_to = piece.reply_to
    if reply_to is None or reply_to.auto_generated:
        return
    target = Target(reply_to.receiver, reply_to.address, reply_to.thread)
    row = _row(piece, frame, Purpose.ACKNOWLEDGEMENT, CONTRIBUTOR, (target,))
    # Who is thanked needs to see what we understood, not their own words again.
    yield replace(row, content=replace(content, text="", url=None, who="", attachments=()))


def _amendments(
    piece: FeedbackClassified,
    frame: Frame,
    earlier: Sequence[Delivery],
    content: Content,
    *,
    alive: bool,
) -> Iterator[Delivery]:
    """Who was told something else sees the message edited in place, or one line that follows in its thread.

    The line would alert, so of what is old or not live only the message itself is edited.
    """
    for told in earlier:
        if told.purpose is not Purpose.NOTICE or told.state not in _TOLD or told.revision == piece.revision:
            continue
        if _shown(told.content) == _shown(content) or (not alive and not _may(told, _CAN_EDIT)):
            continue
        row = _row(piece, frame, Purpose.AMENDMENT, told.recipient, _went_by(told), f":{piece.revision}")
        yield replace(row, content=content, why=told.why, amends=told.id, in_place_only=not alive)


def _redactions(piece: FeedbackClassified, frame: Frame, earlier: Sequence[Delivery]) -> Iterator[Delivery]:
    """Takes back what was sent, and leaves a mark: an older event that comes later is known as overtaken."""
    known = {row.id for row in earlier}
    mark = replace(
        _row(piece, frame, Purpose.REDACTION, "", ()), state=State.CANCELLED, problem="mark of the deletion"
    )
    rows = [mark]
    for told in earlier:
        if told.purpose is Purpose.NOTICE and told.state in _TOLD and _may(told, _CAN_REDACT):
            row = _row(piece, frame, Purpose.REDACTION, told.recipient, _went_by(told))
            rows.append(replace(row, amends=told.id, in_place_only=True))
    yield from (row for row in rows if row.id not in known)


def _may(told: Delivery, able: frozenset[ReceiverKind]) -> bool:
    """Whether the receiver it went by is `able`; of what is being sent, whether any of its chain is."""
    if told.provider_ref is not None:
        return told.provider_ref.receiver in able
    return any(target.receiver in able for target in told.chain)


def _went_by(told: Delivery) -> tuple[Target, ...]:
    """The one target it reached or is on its way to: an amendment has no other to fall back to."""
    return told.chain[told.position : told.position + 1]


def _shown(content: Content) -> Content:
    return replace(content, occurred_at=None)
