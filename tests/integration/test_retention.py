"""What is kept long enough goes: every collection by its setting, and nothing before its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.classifier.retention import jobs as classifier_jobs
from services.ingest.privacy.retention import jobs as ingest_jobs
from services.notifier.retention import jobs as notifier_jobs
from shared import clock
from shared.bus.admin import ensure_topics, retentions_ms
from shared.bus.condition import retentions
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.errors import ConfigurationError
from shared.events.feedback import Change, FeedbackClassified
from shared.events.topics import CLASSIFIED, ERASED, RECEIVED
from shared.retention import Retention
from shared.settings import KafkaSettings, RetentionSettings
from shared.store.attachments import AttachmentStore
from shared.store.connection import Store
from shared.store.contributors import ContributorStore
from shared.store.deliveries import DeliveryStore
from shared.store.directory import DirectoryStore
from shared.store.feedback import FeedbackStore
from shared.store.quarantine import QuarantineStore
from tests.load.company import example
from tests.support.company import piece

NOW = clock.to_ms(clock.now())


def old(days: float) -> datetime:
    return NOW - timedelta(days=days)


def said(name: str, days: float, **fields: Any) -> FeedbackClassified:  # noqa: ANN401 - the model's own
    return piece(feedback_id=name, received_at=old(days), occurred_at=old(days), **fields)


async def run(store: Store, part: str, **settings: Any) -> dict[str, int]:  # noqa: ANN401 - settings
    kept = RetentionSettings(**settings)
    found = {
        "ingest": lambda: ingest_jobs(kept, store),
        "classifier": lambda: classifier_jobs(kept, FeedbackStore(store)),
        "notifier": lambda: notifier_jobs(kept, DeliveryStore(store)),
    }[part]()
    return await Retention(part, store, found, clock.now).run_once()


async def test_text_is_anonymised_after_so_many_months_and_stays_so_until_it_is_edited(store: Store) -> None:
    pieces = FeedbackStore(store)
    await pieces.insert_new([said("aged", 100), said("fresh", 10)])
    assert (await run(store, "classifier"))["tombstones"] == 0
    assert (await pieces.get(["aged"]))[0].reported_by.display_name
    assert (await run(store, "classifier", anonymise_after_months=3))["names"] == 1
    (aged,), (fresh,) = await pieces.get(["aged"]), await pieces.get(["fresh"])
    assert (aged.reported_by.display_name, bool(fresh.reported_by.display_name)) == ("", True)
    assert aged.tags.touchpoints
    assert (await run(store, "classifier", anonymise_after_months=3))["names"] == 0
    edited = said("aged", 100, revision=aged.revision + 1)
    assert await pieces.replace_if_newer([edited]) == set()
    assert (await run(store, "classifier", anonymise_after_months=3))["names"] == 1


async def test_pieces_expire_to_a_tombstone_that_goes_when_no_topic_could_bring_them_back(
    store: Store,
) -> None:
    pieces = FeedbackStore(store)
    await pieces.insert_new([said("aged", 40), said("fresh", 10)])
    assert (await run(store, "classifier", feedback_days=30))["pieces"] == 1
    (stone,) = await pieces.get(["aged"])
    assert (stone.change, stone.text) == (Change.DELETED, "")
    assert await pieces.replace_if_newer([said("aged", 40, revision=2)]) == {"aged"}
    long_ago = {"$set": {"expired_at": old(9)}}
    await store.db["feedback"].update_one({"_id": "aged"}, long_ago)
    assert (await run(store, "classifier"))["tombstones"] == 1
    assert [each.feedback_id for each in await pieces.get(["aged", "fresh"])] == ["fresh"]


@pytest.mark.parametrize("settings", [{"feedback_days": 30}, {"anonymise_after_months": 1}])
async def test_attachments_go_with_the_last_piece_that_shows_them(
    store: Store, settings: dict[str, int]
) -> None:
    attachments = AttachmentStore(store)
    await FeedbackStore(store).insert_new([said("aged", 40), said("fresh", 10)])
    await attachments.keep("own", b"own", "text/plain", "aged")
    for name in ("aged", "fresh"):
        await attachments.keep("shared", b"shared", "text/plain", name)
    assert (await run(store, "ingest"))["attachments"] == 0
    await run(store, "classifier", **settings)
    assert (await run(store, "ingest"))["attachments"] == 1
    assert await attachments.read("own") is None
    assert await attachments.read("shared") == (b"shared", "text/plain")


async def test_quarantine_imports_and_confidences_go_after_their_days(store: Store) -> None:
    entries = [
        Quarantined(name, "mail", "box", QuarantineReason.UNPARSABLE, "why", b"raw", 3, old(days))
        for name, days in (("aged", 20), ("fresh", 1))
    ]
    await QuarantineStore(store).keep(entries)
    for name, days in (("aged", 20), ("fresh", 1)):
        await ContributorStore(store).keep(name, 1, "Quiet Heron", b"sealed")
        await store.db["contributors"].update_one({"_id": name}, {"$set": {"kept_at": old(days)}})
        row = {"_id": name, "source": "s", "file_name": "f", "rows_done": 1, "updated_at": old(days)}
        await store.db["imports"].insert_one(row)
    gone = await run(store, "ingest", quarantine_days=10, imports_days=10, contributors_days=10)
    assert (gone["quarantine"], gone["imports"], gone["contributors"]) == (1, 1, 1)
    for collection in ("quarantine", "contributors", "imports"):
        assert await store.db[collection].distinct("_id") == ["fresh"]


async def test_versions_that_are_not_in_force_go_after_their_days(store: Store) -> None:
    directory = DirectoryStore(store)
    workspace = example()
    for number in range(3):
        changed = workspace.model_copy(update={"name": f"Company {number}"})
        await directory.propose(changed, "tests", expected=number, now=old(30 - number))
    assert "directory" not in await run(store, "ingest")
    assert (await run(store, "ingest", directory_days=8))["directory"] == 2
    assert [entry.number for entry in await directory.entries()] == [3]
    current = await directory.current()
    assert current is not None
    assert current.workspace.name == "Company 2"


async def test_deliveries_say_nothing_any_more_and_go_in_the_end(store: Store) -> None:
    rows = [
        {
            "_id": f"{state} {days}",
            "notice_id": "n",
            "feedback_id": "f",
            "purpose": "acknowledgement",
            "recipient": "contributor",
            "chain": [{"receiver": "email", "address": "ada@customer.example"}],
            "state": state,
            "due_at": old(days),
            "planned_at": old(days),
            "content": {"text": "said"},
        }
        for state in ("sent", "due")
        for days in (500, 100, 1)
    ]
    await store.db["deliveries"].insert_many(rows)
    gone = await run(store, "notifier", deliveries_days=400, anonymise_after_months=2)
    assert gone["deliveries"] == 1
    left = {row["_id"]: row async for row in store.db["deliveries"].find({})}
    # What is still due is nobody's past.
    assert set(left) == {"sent 100", "sent 1", "due 500", "due 100", "due 1"}
    assert (left["sent 100"]["content"], left["sent 100"]["chain"][0]["address"]) == ({}, "")
    assert left["sent 1"]["content"]
    assert left["due 500"]["content"]


async def test_a_topic_keeps_its_records_as_long_as_the_setting_says(kafka: KafkaSettings) -> None:
    shorter = kafka.model_copy(
        update={"topic_prefix": f"{kafka.topic_prefix}short.", "retention_days": {RECEIVED.name: 2}}
    )
    await ensure_topics(shorter)
    kept = await retentions(shorter)
    assert kept[RECEIVED.name] == kept[RECEIVED.dead_letters] == 2 * 86_400_000
    assert kept[CLASSIFIED.name] == 7 * 86_400_000


@pytest.mark.parametrize("name", ["no-such-topic", ERASED.name])
def test_a_setting_for_what_is_no_topic_of_people_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        retentions_ms(KafkaSettings(retention_days={name: 2}))
