"""Dead letters: written whole, listed with their reason, and put back once the cause is mended.

A dead letter is the original key, value and headers plus `lp_*` headers. That it was replayed is noted by a
marker record in the same topic, so that the list shows what still waits; replaying twice does no harm, since
ids and revisions order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import ConsumerRecord

from shared import clock
from shared.bus.codec import header
from shared.bus.publisher import Publisher, Record
from shared.bus.tail import read_all
from shared.errors import ListeningPostError, Reason
from shared.events.topics import DLQ_SUFFIX, TOPICS
from shared.settings import KafkaSettings

_OWN = "lp_"
_REPLAYED = "lp_replayed"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter as it lies in its topic. `position` names it: "topic/partition/offset"."""

    position: str
    origin_topic: str
    origin: str
    reason: str
    error: str
    service: str
    failed_at: datetime | None
    key: str
    size_bytes: int
    replayed: bool
    record: Record


class DeadLetterWriter:
    """Puts a record away. Raises DependencyDown where it cannot, so that the commit waits for it."""

    def __init__(self, publisher: Publisher, service: str, topic_prefix: str) -> None:
        self._publisher = publisher
        self._service = service
        self._prefix = topic_prefix

    async def write(self, record: ConsumerRecord[bytes, bytes], reason: Reason, error: Exception) -> None:
        origin = record.topic.removeprefix(self._prefix)
        headers = [
            *record.headers,
            ("lp_reason", str(reason).encode()),
            ("lp_error", _describe(error).encode()),
            ("lp_origin_topic", origin.encode()),
            ("lp_origin_partition", str(record.partition).encode()),
            ("lp_origin_offset", str(record.offset).encode()),
            ("lp_service", self._service.encode()),
            ("lp_failed_at", clock.now().isoformat().encode()),
        ]
        await self._publisher.publish_raw(origin + DLQ_SUFFIX, [(record.key, record.value, headers)])


def _describe(error: Exception) -> str:
    """Our own errors hold no secrets or texts; of a library's error only the type is safe to keep."""
    if isinstance(error, ListeningPostError):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


async def list_dead_letters(settings: KafkaSettings, topics: Sequence[str] = ()) -> AsyncIterator[DeadLetter]:
    """Every dead letter of the origin `topics` (default: all), topic by topic. Raises DependencyDown."""
    for origin in topics or [topic.name for topic in TOPICS]:
        records = [record async for record in read_all(settings, origin + DLQ_SUFFIX)]
        replayed = {header(record.headers, _REPLAYED) for record in records} - {""}
        for record in records:
            if not header(record.headers, _REPLAYED):
                yield _read(record, settings.topic_prefix, replayed)


def waiting(
    records: Sequence[ConsumerRecord[bytes, bytes]], prefix: str
) -> list[ConsumerRecord[bytes, bytes]]:
    """Of all records of one dead-letter topic those that are letters, and were not put back yet."""
    replayed = {header(record.headers, _REPLAYED) for record in records} - {""}
    return [
        record
        for record in records
        if not header(record.headers, _REPLAYED) and _position(record, prefix) not in replayed
    ]


async def replay(publisher: Publisher, letter: DeadLetter) -> None:
    """Put `letter` back where it came from, and mark it. Raises DependencyDown."""
    key, value, headers = letter.record
    original = [(name, content) for name, content in headers if not name.startswith(_OWN)]
    await publisher.publish_raw(letter.origin_topic, [(key, value, original)])
    marker: Record = (key, None, [(_REPLAYED, letter.position.encode())])
    await publisher.publish_raw(letter.origin_topic + DLQ_SUFFIX, [marker])


def _read(record: ConsumerRecord[bytes, bytes], prefix: str, replayed: set[str]) -> DeadLetter:
    position = _position(record, prefix)
    failed_at = header(record.headers, "lp_failed_at")
    return DeadLetter(
        position=position,
        origin_topic=header(record.headers, "lp_origin_topic"),
        origin="/".join(
            header(record.headers, f"lp_origin_{part}") for part in ("topic", "partition", "offset")
        ),
        reason=header(record.headers, "lp_reason"),
        error=header(record.headers, "lp_error"),
        service=header(record.headers, "lp_service"),
        failed_at=datetime.fromisoformat(failed_at) if failed_at else None,
        key=(record.key or b"").decode("utf-8", "backslashreplace"),
        size_bytes=len(record.value or b""),
        replayed=position in replayed,
        record=(record.key, record.value, list(record.headers)),
    )


def _position(record: ConsumerRecord[bytes, bytes], prefix: str) -> str:
    return f"{record.topic.removeprefix(prefix)}/{record.partition}/{record.offset}"
