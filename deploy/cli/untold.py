"""Why somebody who may have been expected to hear of a piece did not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.notifier.domain.wording import why_sentences
from shared.domain.delivery import CONTRIBUTOR, Delivery, Purpose
from shared.domain.directory import Directory
from shared.domain.network import involve
from shared.events.feedback import Change, FeedbackClassified, Mode


def untold(
    piece: FeedbackClassified, rows: Sequence[Delivery], directory: Directory | None, max_age: timedelta
) -> tuple[str, ...]:
    """One sentence each, as far as piece, ledger and today's `directory` tell.

    What a caller must not assume: that the directory was the same when the piece was planned; where it has
    changed, the sentence says so.
    """
    if piece.change is Change.DELETED:
        return ("It was deleted: what was not sent was cancelled, what could be taken back was.",)
    reason = _nobody(piece, max_age)
    if reason is not None:
        return (reason,)
    said = [*_unanswered(piece, rows)]
    if directory is not None:
        said += _own_words(piece, directory)
        said += _not_planned(piece, rows, directory)
    return tuple(said)


def _nobody(piece: FeedbackClassified, max_age: timedelta) -> str | None:
    if piece.mode is not Mode.LIVE:
        return f"Nobody is told of it by itself: its mode is {piece.mode}, and only live pieces alert."
    age = piece.received_at - piece.occurred_at
    if age >= max_age:
        hours = max_age.total_seconds() / 3600
        return f"Nobody is told of it by itself: it was older than {hours:g} h when it came."
    return None


def _unanswered(piece: FeedbackClassified, rows: Sequence[Delivery]) -> Iterator[str]:
    if any(row.recipient == CONTRIBUTOR and row.purpose is Purpose.ACKNOWLEDGEMENT for row in rows):
        return
    if piece.reply_to is None:
        yield "Whoever spoke is not answered: no address is known that is proven to be theirs."
    elif piece.reply_to.auto_generated:
        yield "Whoever spoke is not answered: a machine wrote it, and two of them would never stop."


def _own_words(piece: FeedbackClassified, directory: Directory) -> Iterator[str]:
    """Of somebody who spoke in confidence nothing is said: the person is not in the directory by that id."""
    speakers = [piece.reported_by] + ([piece.spoken_for] if piece.spoken_for is not None else [])
    own = {speaker.person_id for speaker in speakers} & set(directory.people)
    if not own:
        return
    nobody = piece.reported_by.model_copy(update={"person_id": ""})
    anonymous = piece.model_copy(update={"reported_by": nobody, "spoken_for": None})
    for involved in involve(anonymous, directory):
        if involved.person_id in own:
            name = directory.people[involved.person_id].name
            yield f"{name} is not told: nobody is told of their own words."


def _not_planned(piece: FeedbackClassified, rows: Sequence[Delivery], directory: Directory) -> Iterator[str]:
    told = {row.recipient for row in rows}
    for involved in involve(piece, directory):
        if involved.person_id in told:
            continue
        name = directory.people[involved.person_id].name
        why = why_sentences(involved.whys, directory)[0].replace("*", "")
        changed = piece.directory_version != directory.version
        when = f"the directory was version {piece.directory_version} then, it is {directory.version} by now"
        because = when if changed else "the routes lead to no people, or it is not planned yet"
        yield f"{name} ({why}) has no delivery: {because}."
