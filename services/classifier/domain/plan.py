"""What a batch of events comes to: which of them count, and what has to be done about each piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.revision import Head, Verdict, decide, is_stored, winner
from shared.events.feedback import FeedbackReceived


@dataclass(slots=True)
class Plan:
    """Events by what they call for; each piece is in one of the first four at most.

    `again` are the pieces one of whose events is stored already: it was handled before a crash or a
    rebalance, perhaps without being published, so it is published (again) before anything newer takes its
    place. `outdated` are those whose events all come too late.
    """

    new: list[FeedbackReceived] = field(default_factory=list)
    newer: list[FeedbackReceived] = field(default_factory=list)
    same_content: list[FeedbackReceived] = field(default_factory=list)
    deletions: list[FeedbackReceived] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    outdated: set[str] = field(default_factory=set)


def by_piece(events: Sequence[FeedbackReceived]) -> dict[str, list[FeedbackReceived]]:
    """The events of each piece, in the order they came."""
    grouped: dict[str, list[FeedbackReceived]] = {}
    for event in events:
        grouped.setdefault(event.feedback_id, []).append(event)
    return grouped


def make_plan(pieces: Mapping[str, Sequence[FeedbackReceived]], heads: Mapping[str, Head]) -> Plan:
    """The plan for `pieces`, given what is stored of them."""
    plan = Plan()
    called_for = {
        Verdict.NEW: plan.new,
        Verdict.NEWER: plan.newer,
        Verdict.SAME_CONTENT: plan.same_content,
        Verdict.DELETION: plan.deletions,
    }
    for feedback_id, events in pieces.items():
        head = heads.get(feedback_id)
        if head is not None and any(is_stored(event, head) for event in events):
            plan.again.append(feedback_id)
        event = winner(events)
        verdict = decide(event, head)
        if verdict in called_for:
            called_for[verdict].append(event)
        elif verdict is Verdict.OUTDATED:
            plan.outdated.add(feedback_id)
    return plan
