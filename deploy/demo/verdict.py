"""Did everything happen that had to, and nothing that must not? Values in, sentences out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Door, Outcome, Piece, Tags
from shared.domain.delivery import CONTRIBUTOR, Delivery, Purpose, State
from shared.events.feedback import Cause, FeedbackClassified, Mode

#: Below this share of tags as a careful reader would set them something is broken, not merely unsure.
FEWEST_RIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at one of the sinks. `id` is what the sender's ledger calls it; `words` all that it says."""

    sink: str
    id: str
    at: datetime
    words: str
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece, from its door to its arrivals. `now` is what it is classified as in the end."""

    piece: Piece
    answer: Answer
    now: FeedbackClassified | None
    causes: tuple[Cause, ...]
    deliveries: tuple[Delivery, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def notices(self) -> list[Delivery]:
        """To people and places; what the contributor hears is none of them."""
        return [row for row in self.deliveries if row.purpose is Purpose.NOTICE]

    def arrived(self, row: Delivery) -> Arrival | None:
        name = row.provider_ref.id if row.provider_ref else None
        return next((arrival for arrival in self.arrivals if arrival.id == name), None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the verdict is about. `arrivals` are all there were, also those nobody can explain.

    `quarantined` says why of each message that was put aside.
    """

    seen: tuple[Seen, ...]
    arrivals: tuple[Arrival, ...]
    documents: int
    quarantined: tuple[str, ...]
    webhooks_refused: int
    files_fetched: int
    summaries: tuple[Delivery, ...] = ()


def failures(evidence: Evidence) -> list[str]:
    """What is missing or should not be, a sentence each; empty when all is as it must be."""
    found = [sentence for seen in evidence.seen for sentence in _of_piece(seen)]
    found += _of_summaries(evidence)
    found += _of_arrivals(evidence)
    right, compared = tag_score(evidence.seen)
    if compared and right / compared < FEWEST_RIGHT:
        found.append(f"only {right} of {compared} tags are as a careful reader would set them")
    new = sum(seen.piece.is_new for seen in evidence.seen)
    if evidence.documents != new:
        found.append(f"{new} pieces were kept, and {evidence.documents} came out of the classifier")
    asked = sum(seen.piece.outcome is Outcome.QUARANTINED for seen in evidence.seen)
    if len(evidence.quarantined) != asked:
        why = ", ".join(evidence.quarantined)
        found.append(f"{asked} messages belong into quarantine; {len(evidence.quarantined)} are there: {why}")
    if evidence.webhooks_refused:
        found.append(f"{evidence.webhooks_refused} webhook calls had a wrong signature")
    if not evidence.files_fetched:
        found.append("no file was fetched from Slack")
    return found


def tag_score(seen: Sequence[Seen]) -> tuple[int, int]:
    """(right, compared) over every tag somebody wrote an expectation for."""
    pairs = [pair for one in seen if one.now for pair in compared(one.piece.expect, one.now)]
    return sum(right for _, right in pairs), len(pairs)


def compared(expected: Tags, piece: FeedbackClassified) -> list[tuple[str, bool]]:
    """Each expected tag, and whether it is so. Of touchpoints the most certain one counts."""
    tags = piece.tags
    best = max(tags.touchpoints, key=lambda tag: tag.score, default=None)
    actual = {
        "touchpoint": best.id if best else None,
        "polarity": tags.polarity,
        "kind": tags.kind,
        "about": tags.about,
        "urgency": tags.urgency,
        "language": tags.language,
        "needs_triage": tags.needs_triage,
    }
    return [(name, actual[name] == value) for name, value in expected if value is not None]


def _of_piece(seen: Seen) -> Iterator[str]:
    piece, outcome = seen.piece, seen.answer.outcome
    if outcome is not piece.outcome:
        yield f"{piece.id}: at the door it was {outcome} ({seen.answer.said}), not {piece.outcome}"
    if piece.outcome is Outcome.REFUSED and not seen.answer.problem:
        yield f"{piece.id}: it was refused without saying why"
    if not piece.is_new:
        return
    if seen.now is None:
        yield f"{piece.id}: it was kept and never classified"
        return
    for name, right in compared(piece.must, seen.now):
        if not right:
            yield f"{piece.id}: {name} is not {getattr(piece.must, name)}"
    yield from _told(seen)
    yield from _said(seen, seen.now)
    if piece.deleted_later and Cause.DELETED not in seen.causes:
        yield f"{piece.id}: it was deleted, and that was never published"


def _told(seen: Seen) -> Iterator[str]:
    piece = seen.piece
    for row in seen.deliveries:
        what = f"{piece.id}: the {row.purpose} to {row.recipient}"
        if row.state in {State.FAILED, State.UNKNOWN, State.DUE, State.SENDING}:
            yield f"{what} is {row.state} ({row.problem or 'no reason given'})"
        elif row.state is State.SENT and seen.arrived(row) is None:
            yield f"{what} counts as sent and never arrived"
    got = {row.recipient for row in seen.notices if row.state is State.SENT}
    if piece.told == () and seen.deliveries:
        yield f"{piece.id}: it must alert nobody, and {len(seen.deliveries)} were told"
    for person in piece.told or ():
        if person not in got:
            yield f"{piece.id}: {person} was not told"
    if piece.told is None and not got and not piece.deleted_later:
        yield f"{piece.id}: nobody was told"
    yield from _acknowledged(seen)


def _acknowledged(seen: Seen) -> Iterator[str]:
    """Whoever can be answered is, in their own thread; whoever may be somebody else is not."""
    piece, now = seen.piece, seen.now
    answers = [
        row
        for row in seen.deliveries
        if row.recipient == CONTRIBUTOR and row.purpose is Purpose.ACKNOWLEDGEMENT
    ]
    sent = [row for row in answers if row.state is State.SENT]
    due = piece.acknowledged and bool(piece.who) and now is not None and now.mode is Mode.LIVE
    if due and not sent and not piece.deleted_later:
        yield f"{piece.id}: whoever spoke was not answered"
    if not due and answers:
        yield f"{piece.id}: whoever spoke was answered, and must not be"
    for row in sent:
        arrival = seen.arrived(row)
        in_thread = arrival is not None and arrival.answers == seen.answer.name
        if piece.door is not Door.REST and not in_thread:
            yield f"{piece.id}: the answer is not in the thread of what was said"


def _said(seen: Seen, now: FeedbackClassified) -> Iterator[str]:
    piece = seen.piece
    everything = "\n".join([now.model_dump_json(), *(arrival.words for arrival in seen.arrivals)])
    if piece.redacted and piece.redacted in everything:
        yield f"{piece.id}: what had to be made unreadable was passed on"
    # What somebody said in confidence may reach them again in their own answer, nobody else.
    for word in piece.hidden:
        others = [row for row in seen.notices if (arrival := seen.arrived(row)) and word in arrival.words]
        if word in now.model_dump_json() or others:
            yield f"{piece.id}: {word!r} was to stay hidden"
    if piece.confidential and not (now.confidential and now.codename):
        yield f"{piece.id}: it was said in confidence, and is not treated so"
    if piece.file and not now.attachments:
        yield f"{piece.id}: its picture is gone"


def _of_summaries(evidence: Evidence) -> Iterator[str]:
    """What was brought along makes one for each reader, and every one arrives."""
    brought = sum(seen.now is not None and seen.now.mode is Mode.BACKFILL for seen in evidence.seen)
    told = {row.summary.of_all for row in evidence.summaries if row.summary}
    if brought and told != {brought}:
        yield f"{brought} pieces were brought along, and summaries tell of {sorted(told) or 'none'}"
    arrived = {arrival.id for arrival in evidence.arrivals}
    for row in evidence.summaries:
        if row.state is not State.SENT:
            yield f"the summary to {row.recipient} is {row.state} ({row.problem or 'no reason given'})"
        elif row.provider_ref is None or row.provider_ref.id not in arrived:
            yield f"the summary to {row.recipient} counts as sent and never arrived"


def _of_arrivals(evidence: Evidence) -> Iterator[str]:
    counted = Counter((arrival.sink, arrival.id) for arrival in evidence.arrivals)
    for (sink, name), count in counted.items():
        if count > 1:
            yield f"{sink}: {name} arrived {count} times"
    rows = [row for seen in evidence.seen for row in seen.deliveries] + list(evidence.summaries)
    known = {row.provider_ref.id for row in rows if row.provider_ref}
    for arrival in evidence.arrivals:
        if arrival.id not in known:
            yield f"{arrival.sink}: {arrival.id} arrived, and no delivery explains it"
