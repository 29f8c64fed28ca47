from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.ingest.domain.receipt import ReceiptStatus
from services.ingest.domain.submission import Claim, File, Submission
from services.ingest.spool.frame import Frame
from services.ingest.spool.record import decode
from shared import ids
from shared.domain.quarantine import QuarantineReason
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.events.feedback import Change, Mode, ReplyTo
from tests.support.ingest_parts import MB, SEAL, Parts, parts
from tests.support.submissions import COLLEAGUE, photo, screenshot, submission
from tests.support.wait import until

ACCEPTED, SPOOLED, REJECTED = ReceiptStatus.ACCEPTED, ReceiptStatus.SPOOLED, ReceiptStatus.REJECTED
SHOT = File("shot.png", "image/png", screenshot())


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(tmp_path) as made:
        yield made


async def statuses(house: Parts, *given: Submission) -> list[ReceiptStatus]:
    return [receipt.status for receipt in await house.pipeline.accept(given)]


async def frames(house: Parts) -> list[Frame]:
    batch = await house.spool.oldest(1_000, 100 * MB)
    return list(batch.frames) if batch else []


async def spooled(house: Parts) -> list[str]:
    records = [decode(frame.payload or b"") for frame in await frames(house)]
    return [record.piece.event.text for record in records if record.piece]


async def test_a_batch_is_one_publish_call_and_receipts_come_in_order(house: Parts) -> None:
    given = [submission(external_id=f"{n}", text=f"piece {n}") for n in range(500)]
    receipts = await house.pipeline.accept(given)
    assert house.kafka.calls == [("feedback.received.v1", 500)]
    assert [receipt.feedback_id for receipt in receipts] == [
        ids.feedback_id("mail", "feedback@brightline.example", f"{n}") for n in range(500)
    ]
    assert {receipt.status for receipt in receipts} == {ACCEPTED}


async def test_nothing_is_published_for_nothing(house: Parts) -> None:
    assert await house.pipeline.accept([]) == []
    assert await statuses(house, submission(text="")) == [REJECTED]
    assert house.kafka.calls == []


async def test_a_bad_piece_harms_no_neighbour(house: Parts) -> None:
    receipts = await house.pipeline.accept([submission(text="a"), submission(text=""), submission(text="b")])
    assert [receipt.status for receipt in receipts] == [ACCEPTED, REJECTED, ACCEPTED]
    assert receipts[1].problem is not None
    assert (receipts[1].problem.reason, receipts[1].feedback_id) == (Reason.EMPTY, None)
    assert house.kafka.texts == ["a", "b"]


@pytest.mark.parametrize(
    ("mode", "topic"),
    [
        (Mode.LIVE, "feedback.received.v1"),
        (Mode.TEST, "feedback.received.v1"),
        (Mode.IMPORT, "feedback.received.bulk.v1"),
        (Mode.BACKFILL, "feedback.received.bulk.v1"),
        (Mode.REPLAY, "feedback.received.bulk.v1"),
    ],
)
async def test_bulk_has_a_topic_of_its_own(house: Parts, mode: Mode, topic: str) -> None:
    await house.pipeline.accept([submission(mode=mode)])
    assert house.kafka.calls == [(topic, 1)]


async def test_a_source_is_heard_when_a_live_piece_of_it_is_kept(house: Parts) -> None:
    await house.pipeline.accept([submission(text=""), submission(mode=Mode.IMPORT)])
    assert house.heard == []
    await house.pipeline.accept([submission(text="a"), submission(text="b")])
    assert house.heard == [("mail", "feedback@brightline.example")]


async def test_the_trace_travels_along(house: Parts) -> None:
    await house.pipeline.accept([submission(trace="00-a-b-01"), submission()])
    assert house.kafka.traces == ["00-a-b-01", None]


async def test_what_nobody_should_send_is_gone_before_it_is_published(house: Parts) -> None:
    await house.pipeline.accept([submission(text="card 4111 1111 1111 1111\r\nnul \x00 here")])
    assert house.kafka.texts == ["card [card number removed]\nnul  here"]


async def test_a_screenshot_without_words_is_a_piece(house: Parts) -> None:
    assert await statuses(house, submission(text="", files=(SHOT,))) == [ACCEPTED]
    (event,) = house.kafka.events
    assert event.text == ""
    assert [attachment.media_type for attachment in event.attachments] == ["image/png"]
    assert house.memory.files == {event.attachments[0].sha256: SHOT.content}


async def test_a_text_too_long_is_cut_and_kept_whole(house: Parts) -> None:
    text = "word " * 30_000
    await house.pipeline.accept([submission(text=text)])
    (event,) = house.kafka.events
    assert event.truncated
    assert house.memory.files[event.attachments[0].sha256].decode() == text.strip()


async def test_a_large_attachment_is_left_out_visibly(house: Parts) -> None:
    await house.pipeline.accept([submission(files=(File("big.bin", "", b"x" * (2 * MB)), SHOT))])
    (event,) = house.kafka.events
    assert event.text.endswith("[attachment left out: big.bin, 2.1 MB, over 1.0 MB]")
    assert [attachment.name for attachment in event.attachments] == ["shot.png"]


class TestKafkaAway:
    async def test_pieces_go_to_the_spool_and_at_once_the_second_time(self, house: Parts) -> None:
        house.kafka.away = True
        assert await statuses(house, submission(text="one")) == [SPOOLED]
        assert await statuses(house, submission(text="two"), submission(text="three")) == [SPOOLED] * 2
        assert len(house.kafka.calls) == 1
        assert await spooled(house) == ["one", "two", "three"]

    async def test_they_are_drained_in_order_when_it_is_back_and_new_ones_go_straight(
        self, house: Parts
    ) -> None:
        house.kafka.away = True
        await house.pipeline.accept([submission(text=f"{n}") for n in range(5)])
        house.kafka.away = False
        await house.drain.start()
        await until_empty(house)
        assert house.kafka.texts == ["0", "1", "2", "3", "4"]
        assert await statuses(house, submission(text="new")) == [ACCEPTED]

    async def test_attachments_that_are_stored_already_do_not_fill_the_spool(self, house: Parts) -> None:
        house.kafka.away = True
        large = File("large.bin", "", b"x" * 900_000)
        assert await statuses(house, submission(files=(large,))) == [SPOOLED]
        assert house.memory.files
        assert house.spool.size_bytes < 10_000

    async def test_a_spool_that_is_full_as_well_refuses(self, tmp_path: Path) -> None:
        async with parts(tmp_path, quota_bytes=3_000) as house:
            house.kafka.away = True
            await house.pipeline.accept([submission(text="fits")])
            with pytest.raises(DependencyDown):
                await house.pipeline.accept([submission(text="x" * 3_000)])
            assert house.spool.problem() is not None


class TestStoreAway:
    async def test_what_needs_no_store_goes_on(self, house: Parts) -> None:
        house.memory.away = True
        given = [submission(text="plain"), submission(text="pictured", files=(SHOT,))]
        assert await statuses(house, *given) == [ACCEPTED, SPOOLED]
        assert house.kafka.texts == ["plain"]

    async def test_bytes_wait_in_the_spool_until_it_is_back(self, house: Parts) -> None:
        house.memory.away = True
        await house.pipeline.accept([submission(text="pictured", files=(SHOT,))])
        house.memory.away = False
        await house.drain.start()
        await until_empty(house)
        assert list(house.memory.files.values()) == [SHOT.content]
        assert house.kafka.texts == ["pictured"]

    async def test_who_spoke_in_confidence_waits_sealed(self, house: Parts) -> None:
        house.memory.away = True
        given = submission(
            reported_by=COLLEAGUE, confidential=True, reply_to=ReplyTo(receiver="email", address="a")
        )
        assert await statuses(house, given) == [SPOOLED]
        batch = await house.spool.oldest(1, MB)
        assert batch is not None
        assert b"ann@" not in (batch.frames[0].payload or b"")
        house.memory.away = False
        await house.drain.start()
        await until_empty(house)
        (sealed,) = house.memory.sealed.values()
        assert SEAL.open(sealed).address == "ann@brightline.example"

    async def test_quarantine_waits_in_the_spool_as_well(self, house: Parts) -> None:
        house.memory.away = True
        await house.pipeline.quarantine(b"raw", "mail", QuarantineReason.BOUNCE, "a delivery report")
        house.memory.away = False
        await house.drain.start()
        await until_empty(house)
        (entry,) = house.memory.aside
        assert (entry.raw, entry.reason) == (b"raw", QuarantineReason.BOUNCE)


class TestConfidence:
    async def test_the_piece_tells_nothing_and_the_seal_everything(self, house: Parts) -> None:
        picture = File("ann quote at work.jpg", "image/jpeg", photo(artist="Ann Quote"))
        letter = File("letter by ann.docx", "", b"PK\x03\x04 Ann Quote")
        given = submission(
            reported_by=COLLEAGUE,
            confidential=True,
            external_id="C1/17.5",
            text="The invoice is a mess.\n\nAnn Quote",
            files=(picture, letter),
            reply_to=ReplyTo(receiver="slack", address="D0ANN"),
        )
        (receipt,) = await house.pipeline.accept([given])
        (event,) = house.kafka.events
        assert event.text == (
            "The invoice is a mess.\n\n[name removed]\n\n"
            "[attachment withheld, it could tell who sent it: application/octet-stream, 1 kB]"
        )
        assert [attachment.name for attachment in event.attachments] == ["attachment-1.jpg"]
        assert not any(b"Ann" in content for content in house.memory.files.values())
        assert event.feedback_id == receipt.feedback_id
        assert event.reply_to == ReplyTo(receiver="contributor", address=event.feedback_id)
        opened = SEAL.open(house.memory.sealed[event.feedback_id])
        assert (opened.name, opened.external_id) == ("Ann Quote", "C1/17.5")

    async def test_once_confidential_an_edit_without_the_word_stays_so(self, house: Parts) -> None:
        first = submission(reported_by=COLLEAGUE, confidential=True, external_id="1", revision=1)
        edit = replace(first, confidential=False, change=Change.EDITED, revision=2, text="edited")
        await house.pipeline.accept([first])
        await house.pipeline.accept([edit])
        assert [event.confidential for event in house.kafka.events] == [True, True]
        assert "Ann" not in house.kafka.events[1].model_dump_json()

    async def test_an_edit_of_which_nobody_knows_is_hidden(self, house: Parts) -> None:
        house.memory.away = True
        edit = submission(reported_by=COLLEAGUE, external_id="1", change=Change.EDITED)
        assert await statuses(house, edit) == [SPOOLED]
        house.memory.away = False
        await house.drain.start()
        await until_empty(house)
        assert house.kafka.events[0].confidential

    async def test_an_ordinary_edit_is_not_hidden(self, house: Parts) -> None:
        await house.pipeline.accept(
            [submission(reported_by=COLLEAGUE, external_id="1", change=Change.EDITED)]
        )
        assert house.kafka.events[0].reported_by.person_id == "ann"


async def test_a_deletion_gives_up_what_was_kept_and_then_is_published(house: Parts) -> None:
    gone = submission(change=Change.DELETED, external_id="1", text="", reported_by=COLLEAGUE)
    (receipt,) = await house.pipeline.accept([gone])
    assert house.memory.deleted == [receipt.feedback_id]
    assert house.kafka.events[0].change is Change.DELETED


async def test_who_only_claims_to_be_somebody_gets_no_answer(house: Parts) -> None:
    forged = Claim("email", "ann@brightline.example", "Ann")
    reply_to = ReplyTo(receiver="email", address="ann@brightline.example")
    await house.pipeline.accept([submission(reported_by=forged, reply_to=reply_to)])
    (event,) = house.kafka.events
    assert event.reply_to is None
    assert event.reported_by.department is None


async def test_a_broker_with_a_smaller_limit_refuses_one_and_takes_the_others(house: Parts) -> None:
    house.kafka.max_chars = 100
    receipts = await house.pipeline.accept(
        [submission(text="a"), submission(text="b" * 200), submission(text="c")]
    )
    assert [receipt.status for receipt in receipts] == [ACCEPTED, REJECTED, ACCEPTED]
    assert receipts[1].problem is not None
    assert receipts[1].problem.reason is Reason.TOO_LARGE
    assert house.kafka.texts == ["a", "c"]


async def test_strict_senders_are_told_and_others_are_mended(house: Parts) -> None:
    strict = submission(revision=-1, strict=True)
    receipts = await house.pipeline.accept([strict, replace(strict, strict=False)])
    assert [receipt.status for receipt in receipts] == [REJECTED, ACCEPTED]
    assert isinstance(receipts[0].problem, InvalidInput)
    assert receipts[0].problem.field == "revision"


async def test_the_same_raw_message_is_in_quarantine_once(house: Parts) -> None:
    given = (b"x" * 5_000, "mail", QuarantineReason.AUTO_REPLY, "an automatic reply")
    one, other = [await house.pipeline.quarantine(*given) for _ in range(2)]
    assert one == other
    assert (len(house.memory.aside[0].raw), house.memory.aside[0].size_bytes) == (1_000, 5_000)


async def test_what_goes_to_quarantine_can_be_written_down(house: Parts) -> None:
    house.memory.away = True
    await house.pipeline.quarantine(b"", "mail", QuarantineReason.UNPARSABLE, "\ud800 \x00", source="\udcff")
    (entry,) = (decode(frame.payload or b"").aside for frame in await frames(house))
    assert entry is not None
    assert (entry.detail, entry.source) == ("\ufffd", "\ufffd")


async def until_empty(house: Parts) -> None:
    await until(lambda: house.spool.records == 0, within_s=10, what="the spool is drained")
