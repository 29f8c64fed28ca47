"""What a batch of events comes to."""

from __future__ import annotations

from services.classifier.domain.plan import by_piece, make_plan
from shared.domain.revision import Head
from shared.events.feedback import Change, FeedbackReceived
from tests.support.feedback import piece


def event(name: str, revision: int, content: str = "", **fields: object) -> FeedbackReceived:
    return piece(name, revision=revision, content_hash=content or str(revision), **fields)


def test_each_piece_is_planned_once_by_its_newest_event() -> None:
    events = [
        event("new", 1),
        event("newer", 7),
        event("new", 3),
        event("same", 7, "5"),
        event("old", 4),
        event("again", 5),
        event("gone", 2, change=Change.DELETED),
    ]
    heads = {
        event(name, 5).feedback_id: Head(5, "5", deleted=False)
        for name in ("newer", "same", "old", "again", "gone")
    }
    plan = make_plan(by_piece(events), heads)
    assert [(e.feedback_id, e.revision) for e in plan.new] == [(events[0].feedback_id, 3)]
    assert plan.newer == [events[1]]
    assert plan.same_content == [events[3]]
    assert plan.outdated == {events[4].feedback_id}
    assert plan.again == [events[5].feedback_id]
    assert plan.deletions == [events[6]]


def test_what_is_stored_is_published_again_also_when_a_newer_event_came_with_it() -> None:
    stored, edit = event("a", 1), event("a", 2)
    plan = make_plan(by_piece([stored, edit]), {stored.feedback_id: Head(1, "1", deleted=False)})
    assert plan.again == [stored.feedback_id]
    assert plan.newer == [edit]
