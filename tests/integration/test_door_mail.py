"""Real mail over SMTP on a socket, into Kafka and MongoDB: a piece there, or aside with its reason."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from shared.domain.quarantine import QuarantineReason
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.quarantine import QuarantineStore
from tests.support.doors import INGEST, MAILBOX
from tests.support.fixtures import contents, files
from tests.support.ingest_service import Ingest, ingest
from tests.support.submissions import screenshot

_CORPUS = files("email", "email_bounce", "email_reply")
_AT_ONCE = 4


async def deliver(house: Ingest, messages: Sequence[bytes]) -> Counter[int]:
    """The codes they were answered with."""
    codes: Counter[int] = Counter()
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=house.mail_port, use_tls=False, start_tls=False, timeout=30
    )
    async with client:
        for raw in messages:
            await client.mail("somebody@elsewhere.example")
            await client.rcpt(MAILBOX)
            codes[(await client.data(raw)).code] += 1
    return codes


async def test_a_mail_is_in_kafka_and_its_screenshot_in_mongodb(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "sam@nowhere.example", MAILBOX, "Invoice"
    message.set_content("See the picture.")
    message.add_attachment(screenshot(), maintype="image", subtype="png", filename="shot.png")
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        assert await deliver(house, [bytes(message)]) == {250: 1}
        (event,) = await house.events()
    (attachment,) = event.attachments
    assert (event.text, attachment.name) == ("See the picture.", "shot.png")
    stored = await store.collection("attachments.files").find_one({})
    assert stored is not None
    assert stored["length"] == len(screenshot())


@pytest.mark.timeout(240)
@pytest.mark.skipif(not _CORPUS, reason="the folders of real messages are not here")
async def test_every_real_message_comes_to_an_end(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path
) -> None:
    raw = [contents(path) for path in _CORPUS]
    async with ingest(kafka, mongo, store, tmp_path, **INGEST) as house:
        answered = await asyncio.gather(*(deliver(house, raw[n::_AT_ONCE]) for n in range(_AT_ONCE)))
        events = {event.feedback_id for event in await house.events()}
    aside = await QuarantineStore(store).search(channel="mail", limit=len(raw))
    assert sum(answered, Counter()) == {250: len(raw)}
    # Some are in the corpus more than once, with other line ends; some differ in what servers add.
    distinct = {re.sub(rb"\r\n?", b"\n", message).strip() for message in raw}
    assert len(distinct) - 5 <= len(events) + len(aside) <= len(raw)
    assert {each.reason for each in aside} <= {
        QuarantineReason.BOUNCE,
        QuarantineReason.AUTO_REPLY,
        QuarantineReason.EMPTY,
    }
