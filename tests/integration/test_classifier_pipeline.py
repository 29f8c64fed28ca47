"""The classifier on a real MongoDB: every order ends alike, and what is stored stays as it was tagged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise, permutations

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import ids
from shared.bus.subscription import Outcome
from shared.errors import DependencyDown, PermanentError
from shared.events.feedback import Change, FeedbackReceived, Mode, Speaker
from shared.store.connection import Document, Store
from shared.store.owners import FEEDBACK
from tests.support.classifier import Classifier
from tests.support.feedback import piece

DONE, SKIPPED = Outcome.DONE, Outcome.SKIPPED
#: Of one piece: revision → what its event says. Revision 2 repeats the content of 1, and 5 that of 3.
LIFE: dict[int, str] = {1: "created", 2: "created", 3: "edited", 4: "edited once more", 5: "edited"}
#: What differs by order and may: whether it was the first we saw of the piece, and when we saw it.
OF_THE_PASSAGE = ("_id", "feedback_id", "cause", "classified_at", "deleted_at")


@pytest_asyncio.fixture
async def classifier(store: Store) -> AsyncIterator[Classifier]:
    async with Classifier(store) as started:
        yield started


def event(name: str, revision: int) -> FeedbackReceived:
    """Every revision also says something that is no content: who reported it."""
    change = Change.CREATED if revision == 1 else Change.EDITED
    text = LIFE.get(revision, f"revision {revision}")
    who = Speaker(person_id=f"person of revision {revision}")
    return piece(name, revision=revision, change=change, text=text, reported_by=who)


def deletion(name: str, revision: int) -> FeedbackReceived:
    return piece(name, revision=revision, change=Change.DELETED, text="", content_hash="")


async def document(store: Store, name: str) -> Document:
    found = await store.collection(FEEDBACK.name).find_one({"_id": ids.feedback_id("rest", "tests", name)})
    assert found is not None
    return found


async def end_of(store: Store, name: str) -> Document:
    return {key: value for key, value in (await document(store, name)).items() if key not in OF_THE_PASSAGE}


async def test_every_order_of_create_edit_edit_delete_ends_in_the_same_document(
    store: Store, classifier: Classifier
) -> None:
    ends = []
    for number, order in enumerate(permutations([1, 3, 4, 9])):
        name = f"piece {number}"
        for revision in order:
            await classifier.handle(deletion(name, 9) if revision == 9 else event(name, revision))
        ends.append(await end_of(store, name))
    assert ends == [ends[0]] * 24
    assert ends[0].keys() == {
        "channel", "source", "revision", "change", "mode", "occurred_at", "received_at", "tag_revision",
    }  # fmt: skip


async def test_every_order_of_create_and_edits_ends_as_the_newest_says(
    store: Store, classifier: Classifier
) -> None:
    for number, order in enumerate(permutations([1, 2, 3, 4])):
        for revision in order:
            await classifier.handle(event(f"piece {number}", revision))
        end = await document(store, f"piece {number}")
        assert (end["revision"], end["text"]) == (4, "edited once more")
        assert end["tags"] == (await document(store, "piece 0"))["tags"]


revisions = st.lists(st.sampled_from(sorted(LIFE)), min_size=1, max_size=7)


@settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=revisions,
    deleted_at=st.sampled_from([None, 0, 2, 6]),
    where=st.integers(0, 7),
    cuts=st.sets(st.integers(1, 7)),
)
async def test_any_history_in_any_batches_ends_like_the_same_in_order(
    store: Store, order: Sequence[int], deleted_at: int | None, where: int, cuts: set[int]
) -> None:
    """Repeats, edits of equal content, a deletion of a lower revision than an edit, batches of any size."""
    async with Classifier(store) as classifier:
        name, ordered = ids.fresh_id(), ids.fresh_id()
        events = [event(name, revision) for revision in order]
        if deleted_at is not None:
            events.insert(where, deletion(name, deleted_at))
        bounds = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
        for start, end in pairwise(bounds):
            await classifier.handle(*events[start:end])
        for revision in sorted(order):
            await classifier.handle(event(ordered, revision))
        if deleted_at is not None:
            await classifier.handle(deletion(ordered, deleted_at))
        assert await end_of(store, name) == await end_of(store, ordered)


async def test_a_new_piece_is_stored_and_published_once_with_the_trace_it_came_with(
    store: Store, classifier: Classifier
) -> None:
    trace = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    assert await classifier.handle(event("a", 1), event("b", 1), trace=trace) == [DONE, DONE]
    (first, second) = classifier.published.pieces
    assert (first.cause, first.tag_revision, first.model_version) == ("received", 0, "length/1")
    assert (first.directory_version, second.text) == (1, "created")
    assert classifier.published.traces == [trace, trace]
    (stored,) = await classifier.store.get([first.feedback_id])
    assert stored == first, "what is published again from the store is what was published at first"


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.IMPORT])
async def test_a_repeated_piece_is_published_again_from_the_store_as_it_was_tagged_at_first(
    store: Store, classifier: Classifier, mode: Mode
) -> None:
    first = event("a", 1).model_copy(update={"mode": mode})
    classifier.published.down = 1
    with pytest.raises(DependencyDown):
        await classifier.handle(first)
    (stored,) = await classifier.store.get([first.feedback_id])
    classifier.tagger.version = "length/2"
    assert await classifier.handle(first) == [DONE]
    assert await classifier.handle(first, event("b", 1)) == [DONE, DONE]
    published = [each for each in classifier.published.pieces if each.feedback_id == first.feedback_id]
    assert published == [stored, stored]
    assert await classifier.store.get([first.feedback_id]) == [stored]


async def test_an_import_that_comes_again_is_not_tagged_again(store: Store, classifier: Classifier) -> None:
    imported = event("a", 1).model_copy(update={"mode": Mode.IMPORT})
    for _ in range(2):
        assert await classifier.handle(imported) == [DONE]
    assert classifier.tagger.tagged == ["created"]


async def test_a_live_piece_that_is_new_is_not_looked_for(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []
    look = classifier.store.heads

    async def noted(names: Sequence[str]) -> object:
        looked_for.extend(names)
        return await look(names)

    monkeypatch.setattr(classifier.store, "heads", noted)
    imported = event("imported", 1).model_copy(update={"mode": Mode.IMPORT})
    edited = event("edited", 3)
    await classifier.handle(event("new", 1), imported, edited)
    assert looked_for == [imported.feedback_id, edited.feedback_id]


async def test_what_was_stored_and_not_published_is_published_before_the_edit_that_came_with_it(
    classifier: Classifier,
) -> None:
    classifier.published.down = 1
    with pytest.raises(DependencyDown):
        await classifier.handle(event("a", 1))
    assert await classifier.handle(event("a", 1), event("a", 3)) == [SKIPPED, DONE]
    assert [(p.cause, p.text) for p in classifier.published.pieces] == [
        ("received", "created"),
        ("edited", "edited"),
    ]


async def test_how_a_piece_came_stays_when_an_import_brings_the_same_once_more(
    store: Store, classifier: Classifier
) -> None:
    imported = {"mode": Mode.IMPORT, "batch": "crm 2019"}
    await classifier.handle(event("live", 1), event("old", 1).model_copy(update=imported))
    assert [(p.mode, p.batch) for p in classifier.published.pieces] == [
        ("live", None),
        ("import", "crm 2019"),
    ]
    again = {"mode": Mode.IMPORT, "batch": "crm 2020"}
    await classifier.handle(*(event(name, 2).model_copy(update=again) for name in ("live", "old")))
    live, old = await document(store, "live"), await document(store, "old")
    assert (live["revision"], live["mode"], live.get("batch")) == (2, "live", None)
    assert (old["revision"], old["mode"], old["batch"]) == (2, "import", "crm 2019")


async def test_causes(classifier: Classifier) -> None:
    edited_first = event("a", 4)
    assert await classifier.handle(edited_first) == [DONE]
    assert await classifier.handle(event("a", 1)) == [SKIPPED]
    assert await classifier.handle(event("a", 5)) == [DONE]
    assert await classifier.handle(deletion("a", 6)) == [DONE]
    assert await classifier.handle(event("a", 7)) == [SKIPPED]
    assert classifier.published.causes(edited_first.feedback_id) == ["received", "edited", "deleted"]


async def test_equal_content_moves_the_revision_on_and_tells_nobody(
    store: Store, classifier: Classifier
) -> None:
    await classifier.handle(event("a", 1))
    before = await document(store, "a")
    assert await classifier.handle(event("a", 2)) == [DONE]
    after = await document(store, "a")
    assert (after["revision"], after["reported_by"]["person_id"]) == (2, "person of revision 2")
    assert [after[key] for key in ("tags", "cause", "classified_at")] == [
        before[key] for key in ("tags", "cause", "classified_at")
    ]
    assert len(classifier.published.pieces) == len(classifier.tagger.tagged) == 1


async def test_a_tombstone_has_no_words_and_no_people_and_can_be_published_again(
    store: Store, classifier: Classifier
) -> None:
    await classifier.handle(event("a", 1))
    for _ in range(2):
        assert await classifier.handle(deletion("a", 9)) == [DONE]
    _, first, again = classifier.published.pieces
    assert first == again
    assert (first.text, first.reported_by.person_id, first.tags.touchpoints) == ("", "", ())
    assert not {"text", "reported_by", "tags", "url", "attachments"} & (await document(store, "a")).keys()


async def test_writers_that_meet_end_as_if_one_had_come_after_the_other(
    store: Store, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other replica writes between our look and our write, once for each kind of write."""
    async with Classifier(store) as other:
        look, theirs = classifier.store.heads, list[FeedbackReceived]()

        async def overtaken(names: Sequence[str]) -> object:
            heads = await look(names)
            await other.handle(*theirs)
            theirs.clear()
            return heads

        monkeypatch.setattr(classifier.store, "heads", overtaken)
        for name, before, mine, their, end in (
            ("insert older", [], event("insert older", 3), event("insert older", 4), 4),
            ("insert newer", [], event("insert newer", 4), event("insert newer", 3), 4),
            ("replace", [event("replace", 1)], event("replace", 3), event("replace", 4), 4),
            ("advance", [event("advance", 1)], event("advance", 2), event("advance", 3), 3),
            ("bury", [event("bury", 1)], deletion("bury", 3), deletion("bury", 4), 4),
            ("bury last", [event("bury last", 1)], deletion("bury last", 3), event("bury last", 4), 3),
            ("equal", [], event("equal", 3), event("equal", 3), 3),
        ):
            await other.handle(*before)
            theirs.append(their)
            await classifier.handle(mine)
            assert (await document(store, name))["revision"] == end, name


async def test_one_document_mongodb_refuses_is_that_items_error(classifier: Classifier) -> None:
    good, bad = event("good", 1), event("bad", 1).model_copy(update={"source": None})
    with pytest.raises(PermanentError, match="121"):
        await classifier.handle(good, bad)
    assert await classifier.handle(good) == [DONE]


async def test_an_empty_directory_is_a_dependency_that_is_away(store: Store) -> None:
    async with Classifier(store) as classifier:

        def none_yet() -> object:
            raise DependencyDown("directory")

        classifier._pipeline._directory = none_yet  # type: ignore[assignment]
        with pytest.raises(DependencyDown):
            await classifier.handle(event("a", 1))
