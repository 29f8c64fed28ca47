"""The life of a piece as one object, for scripts."""

from __future__ import annotations

from datetime import timedelta

from deploy.cli.life import Life, Seen
from deploy.cli.untold import untold
from shared.bus.dead_letters import DeadLetter
from shared.events.feedback import FeedbackClassified, FeedbackReceived
from shared.store.delivery_documents import History


def as_json(life: Life, max_age: timedelta) -> dict[str, object]:
    rows = [history.row for history in life.deliveries]
    names = {name: person.name for name, person in life.directory.people.items()} if life.directory else {}
    return {
        "feedback_id": life.feedback_id,
        "stored": life.piece.model_dump(mode="json") if life.piece else None,
        "events": [_event(seen) for seen in life.seen],
        "deliveries": [_delivery(history, names) for history in life.deliveries],
        "not_told": list(untold(life.piece, rows, life.directory, max_age)) if life.piece else [],
        "dead_letters": [_letter(letter) for letter in life.letters],
        "notes": list(life.notes),
    }


def _event(seen: Seen) -> dict[str, object]:
    event = seen.event
    facts: dict[str, object] = {"position": seen.position, "at": seen.at, "readable": event is not None}
    if isinstance(event, FeedbackReceived):
        facts |= {"type": event.type, "revision": event.revision, "change": event.change, "mode": event.mode}
    if isinstance(event, FeedbackClassified):
        facts |= {"cause": event.cause, "tag_revision": event.tag_revision}
    return facts


def _delivery(history: History, names: dict[str, str]) -> dict[str, object]:
    row = history.row
    return {
        "id": row.id,
        "purpose": row.purpose,
        "who": row.recipient,
        "name": names.get(row.recipient),
        "by": [target.receiver for target in row.chain],
        "position": row.position,
        "state": row.state,
        "problem": row.problem,
        "urgent": row.urgent,
        "revision": row.revision,
        "why": [sentence.replace("*", "") for sentence in row.why],
        "planned_at": history.planned_at,
        "due_at": row.due_at,
        "sent_at": history.sent_at,
        "amends": row.amends,
        "attempts": [
            {"at": one.at, "receiver": one.receiver, "outcome": one.outcome, "problem": one.problem}
            for one in history.attempts
        ],
    }


def _letter(letter: DeadLetter) -> dict[str, object]:
    return {
        "position": letter.position,
        "origin": letter.origin,
        "reason": letter.reason,
        "error": letter.error,
        "service": letter.service,
        "failed_at": letter.failed_at,
        "replayed": letter.replayed,
    }
