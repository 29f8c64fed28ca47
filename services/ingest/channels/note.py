"""Notes of conversations: `POST /v1/notes` for programs, and a form in HTML for people at `/notes/new`."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.ingest.channels.note_form import NoteForm
from services.ingest.channels.note_schema import ROUTE_DOCUMENTATION
from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.channels.once import Once
from services.ingest.context import ChannelContext
from services.ingest.domain.note.convert import CHANNEL, Sender, convert, remarks, reporter
from services.ingest.domain.note.note import Note
from services.ingest.domain.rest.answer import Answer, answer
from services.ingest.domain.rest.body import Body, Entry
from services.ingest.domain.sent import files
from services.ingest.settings import IngestSettings
from shared.domain.api_key import Scope
from shared.http.access import authenticated, idempotency_key, require
from shared.http.document import read
from shared.http.media_type import JSON, expect

PATH = "/v1/notes"


class NoteChannel(NothingToStart):
    """The door for colleagues who tell what they heard."""

    name = CHANNEL

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._once = Once(context.idempotency)
        self._form = NoteForm(context)
        most = context.settings.ingest.note.max_body_bytes
        self.body_limits: Mapping[str, int] = {PATH: most, **self._form.body_limits}
        router = APIRouter()
        router.add_api_route(PATH, self.receive, methods=["POST"], **ROUTE_DOCUMENTATION)
        self._form.add_to(router)
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - without a key nobody gets in anyway
        return True

    async def receive(self, request: Request) -> Response:
        key = authenticated(request.headers, self._context.keys, self._context.now())
        if Scope.TEST not in key.scopes:
            require(key, Scope.NOTES)
        # Anything else a form of another site could send, too.
        expect(request.headers.get("content-type", ""), JSON)
        retry_key = idempotency_key(request.headers)
        raw = await request.body()
        sender = Sender(key, retry_key, request.headers.get("traceparent"))
        scope = f"{self.name}:{key.id}"
        return await self._once.answer(scope, retry_key, raw, lambda: self._take(raw, sender))

    async def _take(self, raw: bytes, sender: Sender) -> Answer:
        note = read(raw, Note)
        directory = self._context.directory()
        person = reporter(note.by, sender.key, directory)
        own = self._context.settings.ingest
        sent = files(note.attachments, max_files=own.max_files, max_file_bytes=own.max_file_bytes)
        submission = convert(note, tuple(sent), person, directory, sender)
        receipts = await self._context.pipeline.accept([submission])
        return answer(Body([Entry(None)], single=True), receipts, [remarks(note, directory)])
