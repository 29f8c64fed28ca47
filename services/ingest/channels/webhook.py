"""`POST /v1/channels/webhook/{id}`: webhooks of others, declared in the workspace with a mapping.

Whoever sends has no part in our mapping: a body that is signed and does not fit is answered with 202, kept,
and tried again when the mapping was mended (`listeningpost replay`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from fastapi import APIRouter
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.channels.signatures import STANDARD_WEBHOOKS, Profile, check_token, verify
from services.ingest.context import ChannelContext
from services.ingest.domain.webhook.kept_headers import kept_headers
from services.ingest.domain.webhook.mapping import Mapped, Mapper
from services.ingest.settings import IngestSettings
from shared.bus.subscription import Outcome, Received
from shared.domain.directory import Directory
from shared.domain.quarantine import QuarantineReason
from shared.domain.webhook import BODY, Scheme, Verification, Webhook
from shared.errors import ConfigurationError, DependencyDown, InvalidInput, Reason
from shared.events.hook import HookUnmapped, unmapped
from shared.telemetry.metrics import RECEIVED

CHANNEL = "webhook"
PATH = "/v1/channels/webhook"
_TOKEN_HEADER, _TOKEN_PREFIX = "authorization", "Bearer "
_log = structlog.get_logger()


class WebhookChannel(NothingToStart):
    """The door for webhooks that the workspace declares."""

    name = CHANNEL

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest.webhook
        self._compiled: tuple[Directory, dict[str, Mapper]] | None = None
        self.body_limits: Mapping[str, int] = {f"{PATH}/": self._settings.max_body_bytes}
        router = APIRouter()
        router.add_api_route(
            f"{PATH}/{{hook}}",
            self.receive,
            methods=["POST"],
            summary="A webhook the workspace declares",
            response_model=None,
        )
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - the workspace opens it
        return True

    async def receive(self, request: Request) -> Response:
        mapper = self._mapper(request.path_params["hook"])
        raw = await request.body()
        self._verify(mapper.webhook, request.headers, raw)
        event = self._event(mapper.webhook, request.headers, raw)
        try:
            mapped = mapper.map(raw, (), event.trace)
        except InvalidInput as fault:
            if fault.reason is Reason.MALFORMED:
                return await self._put_aside(raw, mapper.webhook, fault)
            return await self._held(event, fault)
        failed = await self._take(mapped)
        if failed:
            _log.warning("webhook_unmapped", hook=mapper.webhook.id, items=len(failed))
            await self._context.pipeline.hold(event.model_copy(update={"only": tuple(sorted(failed))}))
        counts = {
            "accepted": len(mapped.submissions) - len(failed.keys() - mapped.faults.keys()),
            "skipped": mapped.skipped,
            "unmapped": len(failed),
        }
        return JSONResponse(counts, 202)

    async def again(self, batch: Sequence[Received[HookUnmapped]]) -> list[Outcome]:
        """Each body of the batch is taken in by the mapping of today.

        Raises InvalidInput MAPPING for one that still does not fit, and DependencyDown.
        """
        for received in batch:
            event = received.event
            mapper = self._mapper(event.hook)
            failed = await self._take(mapper.map(event.raw, event.only, event.trace))
            if failed:
                raise next(iter(failed.values()))
        return [Outcome.DONE] * len(batch)

    def _event(self, webhook: Webhook, headers: Headers, raw: bytes) -> HookUnmapped:
        """What is held where no mapping fits."""
        secrets = [secret.get_secret_value() for secret in self._secrets(webhook)]
        kept = kept_headers(headers.items(), webhook.verify, secrets)
        return unmapped(webhook.id, raw, headers.get("traceparent"), self._context.now(), kept)

    async def _put_aside(self, raw: bytes, webhook: Webhook, fault: InvalidInput) -> Response:
        """It is no JSON, and no mapping could make it so."""
        await self._context.pipeline.quarantine(
            raw, self.name, QuarantineReason.UNPARSABLE, fault.detail, source=webhook.source
        )
        return JSONResponse({"accepted": 0, "skipped": 0, "quarantined": 1}, 202)

    async def _held(self, event: HookUnmapped, fault: InvalidInput) -> Response:
        RECEIVED.labels(self.name, "unmapped", fault.reason).inc()
        _log.warning("webhook_unmapped", hook=event.hook, reason=str(fault.reason), field=fault.field)
        await self._context.pipeline.hold(event)
        return JSONResponse({"accepted": 0, "skipped": 0, "unmapped": 1}, 202)

    async def _take(self, mapped: Mapped) -> dict[int, InvalidInput]:
        """What is sound is kept; the faults of the rest, by the number of their item."""
        failed = dict(mapped.faults)
        receipts = await self._context.pipeline.accept(list(mapped.submissions.values()))
        for number, receipt in zip(mapped.submissions, receipts, strict=True):
            if receipt.problem is not None and not receipt.is_of_somebody_erased:
                failed[number] = receipt.problem
        if mapped.skipped:
            RECEIVED.labels(self.name, "skipped", "not_feedback").inc(mapped.skipped)
        for fault in failed.values():
            RECEIVED.labels(self.name, "unmapped", fault.reason).inc()
        return failed

    def _mapper(self, hook: str) -> Mapper:
        """Raises DependencyDown while there is no directory: a sender that hears 404 may stop for good."""
        directory = self._context.directory()
        if self._compiled is None or self._compiled[0] is not directory:
            mappers = {webhook.id: Mapper(webhook) for webhook in directory.workspace.webhooks}
            self._compiled = (directory, mappers)
        mapper = self._compiled[1].get(hook)
        if mapper is None:
            raise InvalidInput(
                Reason.NOT_FOUND,
                "no such webhook is declared",
                remedy="Declare it under `webhooks` in the workspace, or mend the address.",
            )
        return mapper

    def _verify(self, webhook: Webhook, headers: Mapping[str, str], raw: bytes) -> None:
        declared = webhook.verify
        secrets = self._secrets(webhook)
        if declared.scheme is Scheme.TOKEN:
            header = (declared.header or _TOKEN_HEADER).lower()
            prefix = declared.prefix or (_TOKEN_PREFIX if declared.header is None else "")
            check_token(header, prefix, secrets, headers)
        else:
            window_s = self._settings.replay_window_s
            now = self._context.now()
            try:
                verify(_profile(declared), secrets, headers, raw, now=now, window_s=window_s)
            except ConfigurationError as error:
                raise _no_secret(webhook, error) from None

    def _secrets(self, webhook: Webhook) -> list[SecretStr]:
        """Raises DependencyDown where one is not set: it is our fault, and the sender comes again."""
        try:
            named = webhook.verify.secrets
            return [value for reference in named for value in self._context.settings.values(reference)]
        except ConfigurationError as error:
            raise _no_secret(webhook, error) from None


def _no_secret(webhook: Webhook, error: ConfigurationError) -> DependencyDown:
    _log.error("webhook_without_secret", hook=webhook.id, cause=str(error))
    return DependencyDown("secrets", f"webhook {webhook.id} has no secret that can be used")


def _profile(declared: Verification) -> Profile:
    if declared.scheme is Scheme.STANDARD_WEBHOOKS:
        return STANDARD_WEBHOOKS
    before, _, after = declared.signed.partition(BODY)
    return Profile(
        signature_header=(declared.header or "").lower(),
        prefix=declared.prefix,
        base=before,
        tail=after,
        timestamp_header=declared.timestamp_header.lower() if declared.timestamp_header else None,
        clock=declared.timestamp,
        encoding=declared.encoding,
        digest=declared.digest,
    )
