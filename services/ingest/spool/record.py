"""What a spool record holds: a piece with all its bytes, an entry for quarantine, or a body nothing fitted.

Layout: length of the head, head (JSON), event (JSON), then the attachments' bytes one after the other, whose
sizes stand in the head. The event is the wire format, so one release reads what another spooled.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is an exception class
from typing import Annotated

from pydantic import BaseModel, ValidationError

from services.ingest.domain.attach import Kept
from services.ingest.domain.piece import Piece
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Attachment, FeedbackReceived
from shared.events.hook import HookUnmapped
from shared.events.words import Else

_LENGTH = Struct(">I")


class _Aside(BaseModel):
    id: str
    channel: str
    source: str
    reason: Annotated[QuarantineReason, Else(QuarantineReason.UNPARSABLE)]
    detail: str
    size_bytes: int
    received_at: datetime


class _Head(BaseModel):
    """Exactly one of `event_bytes`, `aside` and `unmapped` is set."""

    event_bytes: int = 0
    files: tuple[Attachment, ...] = ()
    sealed: str | None = None
    trace: str | None = None
    aside: _Aside | None = None
    unmapped: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One of the three."""

    piece: Piece | None = None
    aside: Quarantined | None = None
    unmapped: HookUnmapped | None = None


def encode_piece(piece: Piece) -> bytes:
    event = piece.event.model_dump_json().encode()
    head = _Head(
        event_bytes=len(event),
        files=tuple(each.attachment for each in piece.kept),
        sealed=base64.b64encode(piece.sealed).decode() if piece.sealed is not None else None,
        trace=piece.trace,
    )
    return _join(head, event, *(each.content for each in piece.kept))


def encode_aside(entry: Quarantined) -> bytes:
    aside = _Aside(
        id=entry.id,
        channel=entry.channel,
        source=entry.source,
        reason=entry.reason,
        detail=entry.detail,
        size_bytes=entry.size_bytes,
        received_at=entry.received_at,
    )
    return _join(_Head(aside=aside), entry.raw)


def encode_unmapped(event: HookUnmapped) -> bytes:
    return _join(_Head(unmapped=True), event.model_dump_json().encode())


def _join(head: _Head, *rest: bytes) -> bytes:
    encoded = head.model_dump_json().encode()
    return b"".join((_LENGTH.pack(len(encoded)), encoded, *rest))


def decode(payload: bytes) -> Record:
    """Raises InvalidInput UNKNOWN_SCHEMA for what this release cannot read."""
    try:
        (length,) = _LENGTH.unpack_from(payload)
        start = _LENGTH.size + length
        head = _Head.model_validate_json(payload[_LENGTH.size : start])
        if head.aside is not None:
            return Record(aside=Quarantined(raw=payload[start:], **dict(head.aside)))
        if head.unmapped:
            return Record(unmapped=HookUnmapped.model_validate_json(payload[start:]))
        return Record(piece=_piece(head, payload, start))
    except (ValidationError, ValueError, StructError) as error:
        raise InvalidInput(Reason.UNKNOWN_SCHEMA, f"not a spool record: {type(error).__name__}") from None


def _piece(head: _Head, payload: bytes, start: int) -> Piece:
    event = FeedbackReceived.model_validate_json(payload[start : start + head.event_bytes])
    start += head.event_bytes
    kept = []
    for attachment in head.files:
        kept.append(Kept(attachment, payload[start : start + attachment.size_bytes]))
        start += attachment.size_bytes
    sealed = base64.b64decode(head.sealed) if head.sealed is not None else None
    return Piece(event, tuple(kept), sealed, head.trace)
