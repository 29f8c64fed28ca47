"""The doors of ingest around a real pipeline whose servers are in memory: what came in, what was answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiosmtplib
import httpx
from standardwebhooks import Webhook

from services.ingest.channels import Channel, open_channels
from services.ingest.channels.mail import MailChannel
from services.ingest.context import ChannelContext
from services.ingest.http import create_http
from services.ingest.pipeline import Limits
from services.ingest.settings import IngestSettings
from shared.domain import api_key
from shared.domain.api_key import ApiKey, Scope
from shared.domain.import_run import ImportRun
from shared.errors import InvalidInput, Reason
from shared.events.feedback import FeedbackReceived
from shared.store.api_keys import ApiKeyFollower
from shared.store.idempotency import IdempotencyStore, StoredAnswer
from shared.store.imports import ImportStore
from tests.support.ingest_parts import MB, Parts, parts
from tests.support.submissions import DIRECTORY, RECEIVED_AT

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
MAILBOX = "feedback@brightline.example"
CONFIDENTIAL = "in-confidence@brightline.example"
FEEDBACK = "/v1/feedback"
NOTES = "/v1/notes"
SLACK = "/v1/channels/slack/events"
HOOK = "/v1/channels/webhook"
EVENTS = "/v1/channels/cloudevents"
ZENDESK = "/v1/channels/zendesk"
ZENDESK_SECRET = "the secret of a webhook in Zendesk"
HOOK_SECRET = "whsec_c3VydmV5IGhvb2sgc2VjcmV0"
_SECRET = "5e" * 32
Header = tuple[bytes, bytes]

INGEST: dict[str, Any] = {
    "rest": {"max_body_bytes": 200_000, "max_items": 50},
    "note": {"max_body_bytes": 200_000},
    "slack": {"signing_secret": SIGNING_SECRET},
    "mail": {
        "port": 0,
        "mailboxes": [
            {"address": MAILBOX},
            {"address": "invoices@brightline.example", "product": "portal", "touchpoint": "invoice"},
            {"address": CONFIDENTIAL, "confidential": True},
        ],
        "max_message_bytes": 5 * MB,
    },
    "zendesk": {"signing_secrets": ["the one before", ZENDESK_SECRET], "max_body_bytes": 200_000},
    "max_file_bytes": MB,
    "max_files": 3,
}


class Ring(ApiKeyFollower):
    """Keys in memory, checked as they are in earnest."""

    def __init__(self) -> None:
        self.held: dict[str, ApiKey] = {}

    @property
    def snapshot(self) -> Mapping[str, ApiKey]:
        return self.held

    def add(
        self,
        *scopes: Scope,
        source: str = "shop",
        expires_at: datetime | None = None,
        person: str | None = None,
    ) -> str:
        """The token of a new key."""
        key_id = f"{len(self.held):012x}"
        secret_hash = api_key.hash_secret(_SECRET)
        self.held[key_id] = ApiKey(
            key_id,
            "a key",
            source,
            frozenset(scopes),
            secret_hash,
            RECEIVED_AT,
            expires_at=expires_at,
            person=person,
        )
        return f"lp_{key_id}_{_SECRET}"


class Answers(IdempotencyStore):
    """Answers in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], tuple[str, StoredAnswer]] = {}

    async def check(self, scope: str, key: str, body_hash: str) -> StoredAnswer | None:
        earlier = self.held.get((scope, key))
        if earlier is not None and earlier[0] != body_hash:
            raise InvalidInput(Reason.IDEMPOTENCY_CONFLICT, "another body", field="Idempotency-Key")
        return earlier[1] if earlier else None

    async def remember(self, scope: str, key: str, body_hash: str, answer: StoredAnswer) -> None:
        self.held[scope, key] = (body_hash, answer)


class Runs(ImportStore):
    """Imports in memory."""

    def __init__(self) -> None:
        self.held: dict[str, ImportRun] = {}

    async def get(self, import_id: str) -> ImportRun | None:
        return self.held.get(import_id)

    async def put(self, run: ImportRun, *, finished: bool, now: datetime) -> ImportRun:
        earlier = self.held.get(run.id)
        if earlier is not None and earlier.source != run.source:
            raise InvalidInput(Reason.FORBIDDEN, "a key of another system began this import")
        started_at = earlier.started_at if earlier else now
        kept = replace(run, started_at=started_at, updated_at=now, finished_at=now if finished else None)
        self.held[run.id] = kept
        return kept


class Doors:
    """`token` is of a key that may write; `http` speaks to the application, `send` over SMTP on a socket."""

    def __init__(self, around: Parts, settings: IngestSettings) -> None:
        self.parts = around
        self.keys = Ring()
        self.token = self.keys.add(Scope.WRITE)
        self.ann = self.keys.add(Scope.NOTES, source="notes", person="ann")
        self.now = RECEIVED_AT
        self.context = ChannelContext(
            settings=settings,
            pipeline=around.pipeline,
            keys=self.keys,
            idempotency=Answers(),
            imports=Runs(),
            directory=lambda: DIRECTORY,
            now=lambda: self.now,
            thread=self._said_in,
        )
        self.channels: list[Channel] = open_channels(self.context)
        transport = httpx.ASGITransport(create_http(self.channels))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://ingest.example")

    @property
    def events(self) -> list[FeedbackReceived]:
        return self.parts.kafka.events

    async def _said_in(self, channel: str, source: str, thread_id: str) -> list[str]:
        """As if the classifier had caught up."""
        of_thread = [
            event
            for event in self.events
            if (event.channel, event.source, event.thread_id) == (channel, source, thread_id)
        ]
        return list(dict.fromkeys(event.external_id for event in of_thread if event.external_id))

    @property
    def aside(self) -> list[tuple[str, str]]:
        """(channel, reason) of everything in quarantine."""
        return [(each.channel, str(each.reason)) for each in self.parts.memory.aside]

    @property
    def mail(self) -> MailChannel:
        (channel,) = [channel for channel in self.channels if isinstance(channel, MailChannel)]
        return channel

    async def post(self, body: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        """`body` to the REST door: bytes and strings as they are, everything else as JSON."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = {"content-type": "application/json", "authorization": f"Bearer {token or self.token}"}
        return await self.http.post(FEEDBACK, content=content, headers=encoded(sent, headers))

    async def note(self, body: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        """`body` to the door for notes, with a key of Ann's unless another is given."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        bearer = token or self.ann
        sent = {"content-type": "application/json", "authorization": f"Bearer {bearer}"}
        return await self.http.post(NOTES, content=content, headers=encoded(sent, headers))

    async def slack(self, body: object, *, at: float = 0, **headers: str) -> httpx.Response:
        """`body` signed as Slack does it, `at` seconds from now."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = str(int(self.now.timestamp() + at))
        return await self.http.post(SLACK, content=content, headers=encoded(sign(content, stamp), headers))

    async def event(self, data: str, number: int = 1, *, token: str | None = None) -> httpx.Response:
        """A CloudEvent in binary mode."""
        attributes = {"ce-id": str(number), "ce-source": "//shop.example", "ce-type": "said"}
        headers = {
            "authorization": f"Bearer {token or self.token}",
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-time": "2026-05-04T09:00:00Z",
            **attributes,
        }
        return await self.http.post(EVENTS, content=data, headers=headers)

    async def hook(
        self,
        content: bytes,
        *,
        at: float = 0,
        secret: str = HOOK_SECRET,
        signature: str | None = None,
    ) -> httpx.Response:
        """`content` to a declared webhook, signed after Standard Webhooks, `at` seconds from now."""
        stamp = datetime.fromtimestamp(self.now.timestamp() + at, UTC)
        signed = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(stamp.timestamp())),
            "webhook-signature": signature or Webhook(secret).sign("msg_1", stamp, content.decode()),
        }
        return await self.http.post(f"{HOOK}/survey", content=content, headers=signed)

    async def zendesk(self, body: object, *, at: float = 0, secret: str = ZENDESK_SECRET) -> httpx.Response:
        """`body` signed as Zendesk does it, `at` seconds from now."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = datetime.fromtimestamp(self.now.timestamp() + at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return await self.http.post(ZENDESK, content=content, headers=sign_zendesk(content, stamp, secret))

    async def send(
        self, raw: bytes, *to: str, sender: str = "sam@nowhere.example"
    ) -> aiosmtplib.response.SMTPResponse:
        """`raw` over SMTP. Raises aiosmtplib's errors for what is refused."""
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.mail.port, use_tls=False, start_tls=False)
        async with client:
            await client.mail(sender)
            for address in to or (MAILBOX,):
                await client.rcpt(address)
            return await client.data(raw)


def encoded(headers: Mapping[str, str], named: Mapping[str, str] = MappingProxyType({})) -> list[Header]:
    """`named` is by keyword, so with "_" for "-"; it wins. HTTP headers are Latin-1."""
    both = {**headers, **{name.replace("_", "-"): value for name, value in named.items()}}
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in both.items()]


def sign(content: bytes, stamp: str, secret: str = SIGNING_SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + content, hashlib.sha256)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={signature.hexdigest()}"}


def sign_zendesk(content: bytes, stamp: str, secret: str = ZENDESK_SECRET) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + content, hashlib.sha256).digest())
    return {
        "x-zendesk-webhook-signature": signature.decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }


@asynccontextmanager
async def doors(directory: Path, **ingest: Any) -> AsyncIterator[Doors]:  # noqa: ANN401 - sections of settings
    """All doors open. `ingest` replaces settings of its sections."""
    merged = {
        name: {**INGEST[name], **ingest.pop(name, {})}
        for name in ("rest", "note", "slack", "mail", "zendesk")
    }
    secrets = {"survey_hook": HOOK_SECRET}
    settings = IngestSettings.model_validate({"ingest": {**INGEST, **merged, **ingest}, "secrets": secrets})
    limits = Limits(max_file_bytes=MB, max_files=3, max_quarantined_bytes=1_000)
    async with parts(directory, limits=limits) as around:
        opened = Doors(around, settings)
        async with opened.http:
            for channel in opened.channels:
                await channel.start()
            try:
                yield opened
            finally:
                for channel in opened.channels:
                    await channel.stop()
