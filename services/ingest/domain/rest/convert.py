"""From a sent item to a submission: whose key it is decides what it may say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.ingest.domain.rest.item import Author, Item
from services.ingest.domain.sent import files
from services.ingest.domain.submission import Claim, Submission
from shared import clock
from shared.domain.api_key import ApiKey, Scope
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Hints, Mode, Rating, ReplyTo

CHANNEL: Final = "rest"
_NOBODY = Claim("api", "")
_SCOPES: dict[Mode, tuple[Scope, ...]] = {
    Mode.LIVE: (Scope.WRITE,),
    Mode.TEST: (Scope.TEST, Scope.WRITE),
    Mode.IMPORT: (Scope.IMPORT,),
    Mode.BACKFILL: (Scope.IMPORT,),
}


@dataclass(slots=True)
class Converter:
    """Of one request. Counts equal items, so that two equal rows stay two pieces."""

    key: ApiKey
    max_files: int
    max_file_bytes: int
    retry_key: str | None = None
    trace: str | None = None
    channel: str = CHANNEL
    _seen: dict[tuple[object, ...], int] = field(default_factory=dict)
    _allowed: set[Mode] = field(default_factory=set)

    def convert(self, item: Item) -> Submission:
        """Raises InvalidInput FORBIDDEN for what the key may not do, and for what no schema can say."""
        channel, source = self._origin(item)
        return Submission(
            channel=channel,
            source=source,
            external_id=item.external_id,
            revision=_microseconds(item.revision),
            change=item.change,
            mode=self._mode(item),
            batch=self._batch(item) if item.batch else None,
            thread_id=item.thread_id,
            url=item.url,
            title=item.title,
            text=item.text,
            files=tuple(files(item.attachments, max_files=self.max_files, max_file_bytes=self.max_file_bytes))
            if item.attachments
            else (),
            reported_by=_claim(item.author, "author") if item.author else _NOBODY,
            spoken_for=_claim(item.on_behalf_of, "on_behalf_of") if item.on_behalf_of else None,
            affiliation=item.affiliation,
            confidential=item.confidential,
            rating=Rating(**dict(item.rating)) if item.rating else None,
            reply_to=_reply_to(item.author) if item.author else None,
            hints=_hints(item),
            occurred_at=item.occurred_at,
            retry_key=self.retry_key,
            ordinal=0 if item.external_id else self._ordinal(item),
            numbered=item.ordinal is not None,
            strict=True,
            trace=self.trace,
        )

    def _origin(self, item: Item) -> tuple[str, str]:
        """A key names things within its own source, or it could overwrite others'; an import is of any."""
        if item.channel is None:
            return self.channel, f"{self.key.source}/{item.source}" if item.source else self.key.source
        if Scope.IMPORT not in self.key.scopes:
            raise _forbidden("channel", Scope.IMPORT)
        if not item.source:
            raise InvalidInput(
                Reason.MISSING_FIELD,
                "a channel needs its source",
                field="source",
                remedy="Send the workspace, mailbox or instance it came from, or leave `channel` out.",
            )
        return item.channel, item.source

    def _mode(self, item: Item) -> Mode:
        mode = item.mode
        if mode is None:
            mode = Mode.TEST if self.key.scopes == {Scope.TEST} else Mode.LIVE
        if mode in self._allowed:
            return mode
        allowed = _SCOPES.get(mode)
        if allowed is None:
            raise InvalidInput(
                Reason.WRONG_TYPE,
                "a replay is made by us, from what we kept",
                field="mode",
                remedy="Send live, backfill, import or test.",
            )
        if not any(scope in self.key.scopes for scope in allowed):
            raise _forbidden("mode", allowed[0])
        self._allowed.add(mode)
        return mode

    def _batch(self, item: Item) -> str | None:
        if Scope.IMPORT not in self.key.scopes:
            raise _forbidden("batch", Scope.IMPORT)
        return item.batch

    def _ordinal(self, item: Item) -> int:
        if item.ordinal is not None:
            if Scope.IMPORT not in self.key.scopes:
                raise _forbidden("ordinal", Scope.IMPORT)
            return item.ordinal
        author = item.author
        who = (author.email, author.slack, author.id, author.name) if author else None
        files = tuple((attachment.name, attachment.content) for attachment in item.attachments)
        key = (item.channel, item.source, item.title, item.text, who, item.occurred_at, files)
        ordinal = self._seen.get(key, 0)
        self._seen[key] = ordinal + 1
        return ordinal


def _forbidden(name: str, scope: Scope) -> InvalidInput:
    return InvalidInput(
        Reason.FORBIDDEN,
        f"this API key may not do that: it lacks {scope}",
        field=name,
        remedy=f"Use a key with the scope {scope}.",
    )


def _microseconds(revision: int | datetime | None) -> int | None:
    return clock.to_us(revision) if isinstance(revision, datetime) else revision


def _claim(author: Author, name: str) -> Claim:
    stated = [(kind, address) for kind, address in _addresses(author) if address]
    if len(stated) > 1:
        raise InvalidInput(
            Reason.WRONG_TYPE,
            "one person has more than one of email, slack and id",
            field=name,
            remedy="Send the one you are surest of.",
        )
    if not stated:
        return Claim("api", "", author.name)
    kind, address = stated[0]
    if kind == "email":
        return Claim("email", address, author.name, author.verified)
    if kind == "slack":
        return Claim("slack", address, author.name, author.verified)
    return Claim("api", address, author.name, author.verified)


def _addresses(author: Author) -> tuple[tuple[str, str | None], ...]:
    return ("email", author.email), ("slack", author.slack), ("id", author.id)


def _reply_to(author: Author) -> ReplyTo | None:
    if author.email:
        return ReplyTo(receiver="email", address=author.email)
    return ReplyTo(receiver="slack", address=author.slack) if author.slack else None


def _hints(item: Item) -> Hints:
    if item.product is None and item.touchpoint is None and item.brief is None:
        return _NO_HINTS
    return Hints(product=item.product, touchpoint=item.touchpoint, brief=item.brief)


_NO_HINTS = Hints()
