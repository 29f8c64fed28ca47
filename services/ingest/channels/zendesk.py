"""Zendesk's webhooks: `POST /v1/channels/zendesk`. Verified, durably written, then 200.

Sources: developer.zendesk.com "Verifying webhooks" (signature, the secret of tests), "Webhook event types".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import structlog
from fastapi import APIRouter
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.channels.signatures import ZENDESK, verify
from services.ingest.context import ChannelContext
from services.ingest.domain.zendesk.event import parse
from services.ingest.domain.zendesk.heard import CHANNEL, Deleted, Heard, House, Skip
from services.ingest.domain.zendesk.ticket import read
from services.ingest.settings import IngestSettings
from shared.domain.quarantine import QuarantineReason
from shared.errors import ConfigurationError, InvalidInput, Reason
from shared.telemetry.metrics import RECEIVED

PATH = "/v1/channels/zendesk"
#: Zendesk signs with it what is tried out before the webhook exists. It is published: it proves nothing.
TEST_SECRET: Final = SecretStr("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==")
#: By this name in the secrets folder it can be rotated without a restart.
SECRET = "zendesk_signing_secret"  # noqa: S105 - a name
_VARIABLE = "LISTENINGPOST_INGEST__ZENDESK__SIGNING_SECRETS"
_log = structlog.get_logger()


class ZendeskChannel(NothingToStart):
    """The door for what customers write in Zendesk."""

    name = CHANNEL

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest.zendesk
        self._house = House(self._settings.account_id, self._settings.subdomain)
        self.body_limits: Mapping[str, int] = {PATH: self._settings.max_body_bytes}
        router = APIRouter()
        router.add_api_route(
            PATH, self.receive, methods=["POST"], summary="Zendesk's webhooks", response_model=None
        )
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:
        zendesk = settings.ingest.zendesk
        secrets = _secrets(settings)
        if TEST_SECRET in secrets:
            msg = f"{_VARIABLE} has the published secret of Zendesk's tests: take the webhook's own"
            raise ConfigurationError(msg)
        if secrets:
            return True
        if zendesk.signing_secrets or zendesk.account_id is not None or zendesk.subdomain is not None:
            raise ConfigurationError(f"{_VARIABLE} is not set: anybody could send in Zendesk's name")
        return False

    async def receive(self, request: Request) -> Response:
        raw = await request.body()
        if not self._is_ours(request.headers, raw):
            return _skipped(Skip.TEST)
        try:
            heard = read(parse(raw), self._house)
        except InvalidInput as fault:
            # It is Zendesk's, and sent again it would be the same: kept aside, and no retry asked for.
            await self._context.pipeline.quarantine(raw, CHANNEL, QuarantineReason.UNPARSABLE, fault.detail)
            return Response(status_code=200)
        if isinstance(heard, Skip):
            return _skipped(heard)
        trace = request.headers.get("traceparent")
        if isinstance(heard, Deleted):
            await self._take(heard.heard, raw, trace)
            # Last, since it needs MongoDB: where that is away, Zendesk hears 503 and sends it again.
            said = await self._context.thread(CHANNEL, heard.source, heard.thread_id)
            heard = heard.rest(said)
        await self._take(heard, raw, trace)
        return Response(status_code=200)

    def _is_ours(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """False for a test before the webhook exists: it is answered, and nothing of it is read.

        Raises InvalidInput for what neither the account's secrets nor that of tests has signed.
        """
        now, window_s = self._context.now(), self._settings.replay_window_s
        try:
            secrets = [secret for secret in _secrets(self._context.settings) if secret != TEST_SECRET]
            verify(ZENDESK, secrets, headers, raw, now=now, window_s=window_s)
        except InvalidInput as refused:
            if refused.reason is not Reason.BAD_SIGNATURE:
                raise
            verify(ZENDESK, [TEST_SECRET], headers, raw, now=now, window_s=window_s)
            return False
        return True

    async def _take(self, heard: Heard, raw: bytes, trace: str | None) -> None:
        """All of it is kept, or what could not be is kept aside. Raises DependencyDown."""
        if not heard:
            return
        receipts = await self._context.pipeline.accept([replace(each, trace=trace) for each in heard])
        refused = (receipt.problem for receipt in receipts if not receipt.is_of_somebody_erased)
        problem = next((problem for problem in refused if problem is not None), None)
        if problem is not None:
            empty = problem.reason is Reason.EMPTY
            reason = QuarantineReason.EMPTY if empty else QuarantineReason.REFUSED
            await self._context.pipeline.quarantine(raw, CHANNEL, reason, problem.detail)


def _skipped(why: Skip) -> Response:
    RECEIVED.labels(CHANNEL, "skipped", why).inc()
    _log.debug("zendesk_event_skipped", reason=str(why))
    return Response(status_code=200)


def _secrets(settings: IngestSettings) -> list[SecretStr]:
    """The secrets in force by now. An empty one is none: anybody can sign with it."""
    all_of_them = (*settings.ingest.zendesk.signing_secrets, *settings.kept(SECRET))
    return [secret for secret in all_of_them if secret.get_secret_value().strip()]
