"""The form for notes, in HTML. It needs no script; what was typed is never lost to an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.ingest.channels.note_access import Access, Reader, token_in
from services.ingest.channels.note_pages import ASSETS, NotePages
from services.ingest.context import ChannelContext
from services.ingest.domain.note import form_token
from services.ingest.domain.note.convert import CHANNEL, Sender, convert
from services.ingest.domain.note.form import FormFault, chosen, form_faults, note_of
from services.ingest.domain.submission import File
from shared.domain.directory import Directory
from shared.errors import DependencyDown, InvalidInput, Reason
from shared.http.problem import status_of
from shared.telemetry.metrics import RECEIVED

NEW: Final = "/notes/new"
POST: Final = "/notes"
SENT: Final = "/notes/sent"
OPEN: Final = "/notes/open"
LEAVE: Final = "/notes/leave"
_AWAY = "It cannot be kept safely just now. Your words are still here: press Send again in a few seconds."
_STALE = "This page was open for another link. Your words are still here: look at them and press Send again."
_GONE = (
    "Your link is not known here, or no longer. Your words are still here: open your link in another tab, "
    "then come back and press Send."
)
_MOST_FILES = 100
_MOST_FIELDS = 100
_log = structlog.get_logger()


class NoteForm:
    """What a browser asks for, and the answers."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._access = Access(context)
        self._pages = NotePages(context.settings.ingest)
        self.body_limits: Mapping[str, int] = {POST: context.settings.ingest.note.max_body_bytes}

    def add_to(self, router: APIRouter) -> None:
        """Its routes. Not in the schema of the interface: they are for people."""
        for path, method, handler in (
            (NEW, "GET", self.new),
            (POST, "POST", self.submit),
            (SENT, "GET", self.sent),
            (OPEN, "POST", self.open),
            (LEAVE, "POST", self.leave),
            (f"{ASSETS}/{{name}}", "GET", self._pages.asset),
        ):
            router.add_api_route(
                path, handler, methods=[method], include_in_schema=False, response_model=None
            )

    async def new(self, request: Request) -> Response:
        """The form for whoever is known, else the page that takes a link."""
        directory = self._context.directory()
        reader = self._access.reader(request, directory)
        if reader is None:
            # A cookie for our own site alone is not sent with the first request that another site causes.
            elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
            return self._pages.door(come_again=elsewhere)
        return self._pages.form({}, directory, reader)

    async def open(self, request: Request) -> Response:
        """A link becomes a cookie, and its token is nowhere in an address."""
        if not self._access.is_own(request):
            return self._foreign()
        async with request.form(max_files=0, max_fields=_MOST_FIELDS) as typed:
            token = token_in(str(typed.get("link", "")))
        reader = self._access.known(token, self._context.directory())
        if reader is None:
            _count(Reason.UNAUTHENTICATED)
            return self._pages.door(refused=True)
        response = RedirectResponse(NEW, 303)
        self._access.admit(response, reader, request)
        return self._pages.private(response)

    async def leave(self, request: Request) -> Response:
        """The browser forgets the link."""
        if not self._access.is_own(request):
            return self._foreign()
        response = RedirectResponse(NEW, 303)
        self._access.forget(response, request)
        return self._pages.private(response)

    async def sent(self, request: Request) -> Response:
        return self._pages.sent(self._access.reader(request, self._context.directory()))

    async def submit(self, request: Request) -> Response:
        """Kept and sent on to the page that says so; else the form again, with what was typed and why."""
        if not self._access.is_own(request):
            return self._foreign()
        try:
            async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS) as posted:
                return await self._take(posted, request)
        except InvalidInput as fault:
            # The body itself was not read to its end, so there is nothing to show again.
            _count(fault.reason)
            return self._pages.refused(fault, status_of(fault.reason))
        except HTTPException as error:
            _count(Reason.MALFORMED)
            return self._pages.refused(InvalidInput(Reason.MALFORMED, error.detail), error.status_code)

    async def _take(self, posted: FormData, request: Request) -> Response:
        directory = self._context.directory()
        typed = chosen(posted.multi_items())
        reader = self._access.reader(request, directory)
        if reader is None:
            return self._again(typed, directory, None, 401, _GONE, Reason.UNAUTHENTICATED)
        nonce = form_token.opened(typed.get("token", ""), reader.token)
        if nonce is None:
            return self._again(typed, directory, reader, 403, _STALE, Reason.FORBIDDEN)
        try:
            note = note_of(typed, self._context.now().date())
            sender = Sender(reader.key, f"form:{nonce}", request.headers.get("traceparent"))
            submission = convert(note, await _files(posted), reader.person, directory, sender)
            [receipt] = await self._context.pipeline.accept([submission])
        except InvalidInput as fault:
            _count(fault.reason)
            return self._pages.form(typed, directory, reader, faults=form_faults(fault), status=422)
        except DependencyDown:
            return self._again(typed, directory, reader, 503, _AWAY, Reason.UNREACHABLE)
        if receipt.problem is not None:
            faults = form_faults(receipt.problem)
            return self._pages.form(typed, directory, reader, faults=faults, status=422)
        return self._pages.private(RedirectResponse(SENT, 303))

    def _again(
        self,
        typed: Mapping[str, str],
        directory: Directory,
        reader: Reader | None,
        status: int,
        sentence: str,
        reason: Reason,
    ) -> Response:
        """The form with everything that was typed, and one sentence that is about no field."""
        _count(reason)
        return self._pages.form(typed, directory, reader, faults=(FormFault("", sentence),), status=status)

    def _foreign(self) -> Response:
        _count(Reason.FORBIDDEN)
        fault = InvalidInput(
            Reason.FORBIDDEN,
            "another site, or a very old browser, sent this",
            remedy="Open your own link and write the note there.",
        )
        return self._pages.refused(fault, 403)


async def _files(posted: FormData) -> tuple[File, ...]:
    """What was chosen to be sent along; a field nobody used comes as a file without a name."""
    uploads = [value for name, value in posted.multi_items() if name == "screenshots"]
    return tuple(
        [
            File(upload.filename or "", upload.content_type or "", content)
            for upload in uploads
            if isinstance(upload, UploadFile) and (content := await upload.read())
        ]
    )


def _count(reason: Reason) -> None:
    RECEIVED.labels(CHANNEL, "refused", reason).inc()
    _log.info("request_refused", channel=CHANNEL, reason=str(reason))
