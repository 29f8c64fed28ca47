"""What is not told one by one is told together: one summary for each reader, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared import clock
from shared.bus.subscription import Outcome
from shared.domain.delivery import Content, Delivery
from shared.errors import DependencyDown
from shared.events.feedback import Cause, Change, FeedbackClassified, Mode, ReplyTo, Speaker
from shared.store.buckets import BucketStore
from shared.store.connection import Document, Store
from shared.store.deliveries import DeliveryStore
from shared.store.feedback import FeedbackStore
from shared.store.feedback_groups import of_run
from shared.store.owners import BUCKETS, FEEDBACK
from tests.support.notifier_house import House, Replica, a_house, fresh
from tests.support.wait import until

pytestmark = pytest.mark.timeout(90)
LONG_AGO = clock.now() - timedelta(days=400)
CORA = ReplyTo(receiver="email", address="cora@acme.example")


@pytest_asyncio.fixture
async def house(store: Store) -> AsyncIterator[House]:
    async with a_house(store) as house:
        yield house


def row(name: str, touchpoints: tuple[str, ...] = ("ordering",), **fields: Any) -> FeedbackClassified:  # noqa: ANN401
    """A row of an import."""
    came = {"mode": Mode.IMPORT, "batch": "crm 2019", "occurred_at": LONG_AGO, "reply_to": CORA}
    return fresh(touchpoints, feedback_id=name, text=f"Words of {name}.", **(came | fields))


def rows(count: int, **fields: Any) -> list[FeedbackClassified]:  # noqa: ANN401
    return [row(f"{fields.get('batch', 'row')} {number:05d}", **fields) for number in range(count)]


async def summary_of(house: House, recipient: str) -> Document:
    (found,) = await house.rows(recipient=recipient)
    summary: Document = found["summary"]
    return summary


async def come(house: House, replica: Replica, *events: FeedbackClassified) -> list[Outcome]:
    return await replica.tell(*await house.stored(*events))


class TestWho:
    async def test_each_owner_gets_one_and_triage_what_nobody_owns(self, house: House) -> None:
        async with house.replica() as replica:
            outcomes = await come(
                house,
                replica,
                row("a", ("ordering",), polarity="change", lenses={"finance_legal": 0.9}),
                row("b", ("ordering", "quote"), polarity="keep"),
                row("c", ("activation", "ordering"), polarity="mixed"),
                row("d", (), triage=True),
                row("e", ("gone",)),
            )
            await replica.summed_up()
            found = await house.settled()
        assert outcomes == [Outcome.SKIPPED] * 5
        assert {row["recipient"]: row["purpose"] for row in found} == {
            "pia": "summary", "oscar": "summary", "tess": "summary",
        }  # fmt: skip
        pia = await summary_of(house, "pia")
        assert (pia["pieces"], pia["of_all"], pia["keep"], pia["change"]) == (3, 5, 2, 2)
        assert pia["touchpoints"] == [
            {"name": "Ordering", "pieces": 3, "keep": 2, "change": 2},
            {"name": "Quote", "pieces": 1, "keep": 1, "change": 0},
        ]
        assert pia["lenses"] == [{"name": "finance & legal", "pieces": 1}]
        assert pia["needs_triage"] == 1
        assert pia["first_at"] == LONG_AGO
        oscar = await summary_of(house, "oscar")
        assert [tally["name"] for tally in oscar["touchpoints"]] == ["Activation"]
        assert (await summary_of(house, "tess"))["pieces"] == 2
        mails = {mail.recipient: mail for mail in house.mail.mails}
        assert mails.keys() == {f"{name}@brightline.example" for name in ("pia", "oscar", "tess")}
        pias = mails["pia@brightline.example"]
        assert pias.message["Subject"] == "Summary · crm 2019: 3 pieces, 2 to change, 2 to keep"
        for said in (
            "3 pieces of the 5 that came are yours",
            "- Ordering: 3, 2 to change beside 2 to keep",
            "Need triage: 1 of all 5",
            "> Words of a.",
            "- You are the product manager of *Connect*",
            "nobody was answered",
        ):
            assert said in pias.part("plain")
        assert house.slack.said() == []

    async def test_routes_send_it_to_places_as_well(self, house: House) -> None:
        async with house.replica() as replica:
            await come(house, replica, *rows(3, channel="to-places", polarity="change"))
            await replica.summed_up()
            found = await house.settled()
        assert {row["recipient"]: row["state"] for row in found} == {
            "place:room": "sent", "place:desk": "sent", "place:hook": "sent",
        }  # fmt: skip
        (call,) = house.hook.calls
        data = call.body["data"]
        assert call.body["type"] == "feedback.summary"
        assert (data["name"], data["pieces"], data["change"]) == ("crm 2019", 3, 3)
        assert {quote["feedback_id"] for quote in data["quotes"]} == {"row 00000", "row 00001", "row 00002"}
        assert data["touchpoints"] == [{"name": "Ordering", "pieces": 3, "keep": 0, "change": 3}]
        (said,) = house.slack.said()
        assert "Summary · crm 2019: 3 pieces" in said.body["text"]
        assert ">Words of row 00000." in str(said.body["blocks"])

    async def test_nobody_is_quoted_to_themselves(self, house: House) -> None:
        async with house.replica() as replica:
            await come(house, replica, row("mine", by="pia"), row("theirs"))
            await replica.summed_up()
            await house.settled()
        (mail,) = house.mail.mails
        assert "Words of theirs" in mail.part("plain")
        assert "Words of mine" not in mail.part("plain")

    async def test_of_a_confidential_piece_the_codename_is_said(self, house: House) -> None:
        hidden = Speaker(person_id="k1", display_name="Quiet Heron", department="finance")
        piece = row("a", confidential=True, codename="Quiet Heron", reported_by=hidden)
        async with house.replica() as replica:
            await come(house, replica, piece)
            await replica.summed_up()
            await house.settled()
        assert "Quiet Heron, in confidence" in house.mail.mails[0].part("plain")


class TestOnce:
    async def test_read_again_and_again_by_several_it_stays_one(self, house: House) -> None:
        pieces = await house.stored(*rows(40))
        async with house.replica() as one, house.replica() as other:
            await asyncio.gather(one.tell(*pieces), other.tell(*pieces), one.tell(*pieces[:7]))
            await asyncio.gather(one.summed_up(), other.summed_up())
            await one.tell(*pieces)
            await one.together.look()
            await house.settled()
        (bucket,) = await house.store.collection(BUCKETS.name).find().to_list(None)
        assert (bucket["run"], "opened_at" in bucket) == (2, False)
        assert len(house.mail.mails) == 1

    @pytest.mark.parametrize("crash_at", ["gathered", "add", "close"])
    async def test_what_was_interrupted_is_gone_on_with(
        self, house: House, monkeypatch: pytest.MonkeyPatch, crash_at: str
    ) -> None:
        places = {"gathered": (FeedbackStore, "groups"), "add": (type(house.ledger), "add")}
        where, method = places.get(crash_at, (BucketStore, "close"))
        right, failures = getattr(where, method), [DependencyDown("mongodb", "cut off")]

        async def cut(*args: object) -> object:
            if failures:
                if crash_at == "add":
                    await right(*args)
                raise failures.pop()
            return await right(*args)

        async with house.replica() as replica:
            await come(house, replica, *rows(5))
            monkeypatch.setattr(where, method, cut)
            await asyncio.sleep(house.quiet.total_seconds())
            with pytest.raises(DependencyDown):
                await replica.together.look()
            # More of it comes before it is gone on with: that is told as well, and nothing of it twice.
            await come(house, replica, *rows(2, batch="crm 2019"))
            await replica.summed_up(run=2)
            await house.settled()
        summaries = [row["summary"]["pieces"] for row in await house.rows()]
        assert sorted(summaries) == [2, 5]
        assert len(house.mail.mails) == 2

    async def test_a_later_run_tells_only_what_is_new(self, house: House) -> None:
        async with house.replica() as replica:
            first = rows(4)
            await come(house, replica, *first)
            await replica.summed_up()
            added = [row(f"added {number}") for number in range(3)]
            await come(house, replica, *added)
            await replica.tell(*first)
            await replica.summed_up(run=2)
            await house.settled()
        assert sorted(row["summary"]["pieces"] for row in await house.rows()) == [3, 4]
        assert len(house.mail.mails) == 2

    async def test_a_run_with_nothing_new_in_it_makes_none(self, house: House) -> None:
        edited: dict[str, Any] = {"cause": Cause.EDITED, "change": Change.EDITED, "revision": 2}
        async with house.replica() as replica:
            await come(house, replica, row("a", **edited), row("b", cause=Cause.RECLASSIFIED))
            await replica.together.look()
            assert await house.store.collection(BUCKETS.name).count_documents({}) == 0
            # The piece was deleted before its summary was made.
            await replica.tell(row("c"))
            await replica.summed_up()
        assert await house.rows() == []

    async def test_each_import_has_its_own_and_what_names_none_goes_by_its_way(self, house: House) -> None:
        async with house.replica() as replica:
            await come(
                house,
                replica,
                row("a", batch="crm 2019"),
                row("b", batch="crm 2020"),
                row("c", batch=None, channel="slack", source="T1", mode=Mode.BACKFILL),
                row("d", batch=None, channel="slack", source="T1", mode=Mode.BACKFILL),
                row("e", batch=None, channel="slack", source="T2", mode=Mode.BACKFILL),
            )
            await replica.summed_up()
            await house.settled()
        named = {row["summary"]["name"]: row["summary"]["pieces"] for row in await house.rows()}
        assert named == {
            "crm 2019": 1, "crm 2020": 1, "slack (T1), backfilled": 2, "slack (T2), backfilled": 1,
        }  # fmt: skip


class TestLive:
    async def test_live_ones_that_are_too_old_are_told_together(self, house: House) -> None:
        old: dict[str, Any] = {"mode": Mode.LIVE, "batch": None}
        async with house.replica() as replica:
            await come(house, replica, row("a", **old), row("b", **old), fresh(feedback_id="young"))
            await replica.summed_up()
            await house.settled()
        (told,) = await house.rows(purpose="summary")
        assert (told["summary"]["pieces"], told["summary"]["name"]) == (2, "api (test), old when they came")
        assert [row["feedback_id"] for row in await house.rows(purpose="notice")] == ["young"]

    async def test_what_was_told_by_itself_is_not_told_again_when_it_is_old(self, house: House) -> None:
        """It was 23 hours old when it came, and is 25 when the others of its channel are summed up."""
        async with house.replica() as replica:
            await come(
                house,
                replica,
                fresh(feedback_id="just in time"),
                row("old", mode=Mode.LIVE, batch=None),
            )
            await house.settled()
            bucket = house.store.collection(BUCKETS.name)
            await bucket.update_one({}, {"$set": {"old_before": clock.now() + timedelta(hours=1)}})
            await replica.summed_up()
            await house.settled()
        (told,) = await house.rows(purpose="summary")
        assert told["summary"]["pieces"] == 1

    async def test_tests_are_told_to_nobody(self, house: House) -> None:
        async with house.replica() as replica:
            outcomes = await come(
                house,
                replica,
                fresh(feedback_id="new", mode=Mode.TEST, reply_to=CORA),
                row("old", mode=Mode.TEST),
                row("batch of an import", mode=Mode.TEST),
                row("imported"),
            )
            await replica.summed_up()
            await house.settled()
        assert outcomes == [Outcome.SKIPPED] * 4
        (told,) = await house.rows()
        assert (told["purpose"], told["summary"]["pieces"]) == ("summary", 1)


class TestInFrontOfLiveOnes:
    """What an import brings lies in the same partitions as what somebody waits for."""

    async def test_new_rows_are_passed_over_without_a_question(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        async def count(_: DeliveryStore, feedback_ids: Collection[str]) -> dict[str, list[Delivery]]:
            asked.extend(feedback_ids)
            return {}

        monkeypatch.setattr(DeliveryStore, "of_pieces", count)
        async with house.replica() as replica:
            outcomes = await replica.tell(*rows(500), fresh(feedback_id="live"))
        assert outcomes == [Outcome.SKIPPED] * 500 + [Outcome.DONE]
        assert asked == ["live"]

    async def test_changed_rows_nobody_was_told_of_change_no_delivery(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        followed: list[str] = []
        right = DeliveryStore.refresh

        async def count(ledger: DeliveryStore, feedback_id: str, revision: int, content: Content) -> None:
            followed.append(feedback_id)
            await right(ledger, feedback_id, revision, content)

        monkeypatch.setattr(DeliveryStore, "refresh", count)
        edit: dict[str, Any] = {"cause": Cause.EDITED, "change": Change.EDITED, "revision": 2}
        async with house.replica() as replica:
            await replica.tell(fresh(feedback_id="live"))
            await replica.tell(
                *(piece.model_copy(update=edit) for piece in rows(200)), fresh(feedback_id="live", **edit)
            )
        assert followed == ["live"]


class TestStore:
    async def test_the_ledger_holds_no_word_of_what_is_quoted(self, house: House) -> None:
        async with house.replica() as replica:
            await come(house, replica, *rows(3))
            await replica.summed_up()
            found = await house.settled()
        assert "Words of" not in str(found)
        assert found[0]["summary"]["quoted"] == ["row 00000", "row 00001", "row 00002"]

    async def test_what_is_deleted_before_it_is_sent_is_not_quoted(self, house: House) -> None:
        house.mail.at_rcpt = "451 later"
        async with house.replica() as replica:
            await come(house, replica, *rows(2))
            await replica.summed_up()
            gone = {"revision": 2, "change": Change.DELETED, "cause": Cause.DELETED, "text": ""}
            await FeedbackStore(house.store).tombstone([row("row 00001").model_copy(update=gone)])
            # What was made before the deletion may still be on its way; the one after it is made anew.
            seen = house.mail.refused
            await until(lambda: house.mail.refused >= seen + 2, within_s=30, what="it is tried again")
            house.mail.at_rcpt = None
            await house.settled()
        said = house.mail.mails[0].part("plain")
        assert "Words of row 00000" in said
        assert "row 00001" not in said

    async def test_its_pieces_are_found_by_an_index(self, house: House) -> None:
        async with house.replica() as replica:
            await come(house, replica, *rows(30), *(fresh(feedback_id=f"live {n}") for n in range(30)))
        (bucket,) = await BucketStore(house.store).open()
        held = await BucketStore(house.store).hold(bucket, bucket.last_at)
        assert held is not None
        feedback = house.store.collection(FEEDBACK.name)
        plan = await feedback.find(of_run(held)).explain()
        stats = plan["executionStats"]
        assert "by_batch" in str(plan["queryPlanner"]["winningPlan"])
        assert (stats["nReturned"], stats["totalDocsExamined"]) == (30, 30)
        sizes = (await house.store.db.command("collStats", FEEDBACK.name))["indexSizes"]
        assert "by_batch" in sizes
        assert await feedback.count_documents({"batch": None}) == 30
        assert len(await feedback.find({"batch": {"$gt": ""}}).hint("by_batch").to_list(None)) == 30
