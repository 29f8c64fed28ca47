"""Slack's Events API: `POST /v1/channels/slack/events`. Verified, durably written, then 200 within 3 s.

Sources: docs.slack.dev "Events API" (3 s, three retries), "Verifying requests from Slack".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from fastapi import APIRouter
from pydantic import SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.ingest.channels.signatures import SLACK, verify
from services.ingest.channels.slack_files import SlackFiles
from services.ingest.context import ChannelContext
from services.ingest.domain.slack.envelope import Envelope, SlackFile, parse
from services.ingest.domain.slack.message import CHANNEL, Heard, House, Skip, read, with_files
from services.ingest.domain.submission import File, Submission
from services.ingest.settings import IngestSettings
from shared.domain.quarantine import QuarantineReason
from shared.errors import (
    ConfigurationError,
    DependencyDown,
    InvalidInput,
    PermanentError,
    Reason,
    TransientError,
)
from shared.events.feedback import Change, Hints
from shared.telemetry.metrics import RECEIVED

PATH = "/v1/channels/slack/events"
#: By this name in the secrets folder it can be rotated without a restart.
SECRET = "slack_signing_secret"  # noqa: S105 - a name
_STOP_WITHIN_S = 3.0
_log = structlog.get_logger()


class SlackChannel:
    """The door for what people write in Slack."""

    name = CHANNEL

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = context.settings.ingest.slack
        self._max_files = context.settings.ingest.max_files
        self._files = SlackFiles(self._settings, context.settings.ingest.max_file_bytes)
        self._later: set[asyncio.Task[None]] = set()
        self.body_limits: Mapping[str, int] = {PATH: self._settings.max_body_bytes}
        router = APIRouter()
        router.add_api_route(
            PATH, self.receive, methods=["POST"], summary="Slack's Events API", response_model=None
        )
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:
        slack = settings.ingest.slack
        if _secrets(settings):
            return True
        if slack.bot_token is not None or slack.channels:
            msg = "LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET is not set: anybody could send in Slack's name"
            raise ConfigurationError(msg)
        return False

    async def start(self) -> None:
        self._files.open()

    async def stop(self) -> None:
        if self._later:
            _, unfinished = await asyncio.wait(self._later, timeout=_STOP_WITHIN_S)
            for task in unfinished:
                task.cancel()
        await self._files.close()

    def problem(self) -> str | None:
        return None

    async def receive(self, request: Request) -> Response:
        raw = await request.body()
        window_s = self._settings.replay_window_s
        secrets = _secrets(self._context.settings)
        verify(SLACK, secrets, request.headers, raw, now=self._context.now(), window_s=window_s)
        if "x-slack-retry-num" in request.headers:
            _log.info(
                "slack_retry",
                number=request.headers["x-slack-retry-num"][:8],
                reason=request.headers.get("x-slack-retry-reason", "")[:32],
            )
        try:
            return await self._answer(raw, request.headers.get("traceparent"))
        except (InvalidInput, ValidationError) as error:
            # It is Slack's, and sent again it would be the same: kept aside, and no retry asked for.
            detail = (
                error.detail if isinstance(error, InvalidInput) else "the event does not have Slack's form"
            )
            await self._context.pipeline.quarantine(raw, CHANNEL, QuarantineReason.UNPARSABLE, detail)
            return Response(status_code=200)

    async def _answer(self, raw: bytes, trace: str | None) -> Response:
        envelope = parse(raw)
        if envelope.type == "url_verification":
            # Only after the signature: Slack signs this too, so a wrong secret shows while the app is set
            # up, not in silence afterwards; and nobody else can have this address repeat what they send.
            return JSONResponse({"challenge": envelope.challenge or ""})
        if envelope.type == "app_rate_limited":
            _log.warning("slack_rate_limited", team=envelope.team_id)
            return Response(status_code=200)
        heard = read(envelope, self._house()) if envelope.type == "event_callback" else Skip.NOT_A_MESSAGE
        if isinstance(heard, Skip):
            RECEIVED.labels(CHANNEL, "skipped", heard).inc()
            _log.debug("slack_event_skipped", reason=str(heard), event_id=envelope.event_id)
        else:
            await self._take(heard, envelope, raw, trace)
        return Response(status_code=200)

    async def _take(self, heard: Heard, envelope: Envelope, raw: bytes, trace: str | None) -> None:
        """The message is kept, with the files that came in time; the others follow as an edit of it."""
        submission = replace(heard.submission, trace=trace)
        fetching = [asyncio.create_task(self._fetched(file)) for file in heard.files[: self._max_files]]
        if fetching:
            await asyncio.wait(fetching, timeout=self._settings.files_within_s)
        late = any(not task.done() for task in fetching)
        files = [task.result() if task.done() else None for task in fetching]
        try:
            await self._accept(with_files(submission, files, asked=len(heard.files), late=late), raw)
        except DependencyDown:
            for task in fetching:
                task.cancel()
            raise
        if late:
            follow_up = asyncio.create_task(self._follow_up(submission, fetching, len(heard.files), raw))
            self._later.add(follow_up)
            follow_up.add_done_callback(self._later.discard)
        _log.debug("slack_message_taken", event_id=envelope.event_id, files=len(files))

    async def _accept(self, submission: Submission, raw: bytes) -> None:
        [receipt] = await self._context.pipeline.accept([submission])
        if receipt.problem is not None and not receipt.is_of_somebody_erased:
            empty = receipt.problem.reason is Reason.EMPTY
            reason = QuarantineReason.EMPTY if empty else QuarantineReason.REFUSED
            await self._context.pipeline.quarantine(raw, CHANNEL, reason, receipt.problem.detail)

    async def _follow_up(
        self, submission: Submission, fetching: Sequence[asyncio.Task[File | None]], asked: int, raw: bytes
    ) -> None:
        files = list(await asyncio.gather(*fetching))
        edited = replace(submission, change=Change.EDITED, revision=(submission.revision or 0) + 1)
        try:
            await self._accept(with_files(edited, files, asked=asked), raw)
        except DependencyDown as error:
            # The message itself is kept, and says that files are missing.
            _log.warning("slack_files_lost", dependency=error.dependency, files=len(files))

    async def _fetched(self, file: SlackFile) -> File | None:
        try:
            return await self._files.fetch(file)
        except (PermanentError, TransientError) as error:
            _log.warning("slack_file_not_fetched", reason=str(error.reason), detail=str(error))
            return None

    def _house(self) -> House:
        directory = self._context.directory()

        def name_of(user_id: str) -> str | None:
            person = directory.who_is("slack", user_id).person
            return person.name if person else None

        places = {
            channel: Hints(product=place.product, touchpoint=place.touchpoint)
            for channel, place in self._settings.channels.items()
        }
        return House(name_of, places, self._settings.confidential_words)


def _secrets(settings: IngestSettings) -> list[SecretStr]:
    """The secrets in force by now. An empty one is none: anybody can sign with it."""
    slack = settings.ingest.slack
    all_of_them = (slack.signing_secret, slack.previous_signing_secret, *settings.kept(SECRET))
    return [secret for secret in all_of_them if secret is not None and secret.get_secret_value().strip()]
