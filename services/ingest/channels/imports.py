"""The door for files that are brought in: their mail, and how far each is. Rows come in by REST."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.ingest.channels.mail_intake import Aside, Letter, MailIntake
from services.ingest.channels.nothing_to_start import NothingToStart
from services.ingest.context import ChannelContext
from services.ingest.domain.imported import SentImport, as_json, as_run
from services.ingest.domain.mail import mbox
from services.ingest.domain.mail.authenticity import is_vouched_for
from services.ingest.domain.mail.headers import delivered_to
from services.ingest.domain.receipt import Receipt, rejected
from services.ingest.settings import IngestSettings
from shared.domain.api_key import ApiKey, Scope
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Hints, Mode
from shared.http.access import authenticated, require
from shared.http.document import read
from shared.http.problem import problem, status_of

PATH = "/v1/imports/{import_id}"
MAIL_PATH = "/v1/imports/mail"
_ID = re.compile(r"[0-9a-f]{32}")
_HINTS = ("product", "touchpoint", "brief")
_MAX_MAILS = 1_000


class ImportsChannel(NothingToStart):
    """Open to keys with the scope feedback:import."""

    name = "imports"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._mail = context.settings.ingest.mail
        self._intake = MailIntake(context)
        # A mail of the largest size, and what stands around it.
        self.body_limits: Mapping[str, int] = {MAIL_PATH: self._mail.max_message_bytes * 2}
        router = APIRouter()
        router.add_api_route(MAIL_PATH, self.take_mail, methods=["POST"], response_model=None)
        router.add_api_route(PATH, self.show, methods=["GET"], response_model=None)
        router.add_api_route(PATH, self.move, methods=["PUT"], response_model=None)
        self.router: APIRouter | None = router

    @classmethod
    def is_open(cls, settings: IngestSettings) -> bool:  # noqa: ARG003 - without a key nobody gets in anyway
        return True

    async def show(self, request: Request, import_id: str) -> Response:
        """How far the import is; 404 for one that never began, or that another system's key began."""
        key = self._importer(request)
        run = await self._context.imports.get(_checked(import_id))
        if run is None or run.source != key.source:
            raise HTTPException(404, "there is no such import")
        return JSONResponse(as_json(run))

    async def move(self, request: Request, import_id: str) -> Response:
        """It is as far as the body says; the answer is what is kept."""
        key = self._importer(request)
        sent = read(await request.body(), SentImport)
        run = as_run(_checked(import_id), key.source, sent)
        kept = await self._context.imports.put(run, finished=sent.finished, now=self._context.now())
        return JSONResponse(as_json(kept))

    async def take_mail(self, request: Request) -> Response:
        """An mbox of mails, each taken as if it had come over SMTP, but for its mode. 202, or 207 in part."""
        self._importer(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != mbox.MEDIA_TYPE:
            raise InvalidInput(
                Reason.MEDIA_TYPE,
                "the body is announced as something else than a mailbox file",
                remedy=f"Send Content-Type: {mbox.MEDIA_TYPE} (RFC 4155).",
            )
        also = _also(request)
        boxed = _mails(await request.body(), self._mail.max_message_bytes)
        letters = [self._letter(each.raw, also) for each in boxed if each.is_whole]
        taken = iter(await self._intake.take(letters))
        refusal = _too_large(self._mail.max_message_bytes)
        endings = [next(taken) if each.is_whole else refusal for each in boxed]
        results = [_result(ending, index) for index, ending in enumerate(endings)]
        counts = dict.fromkeys(("accepted", "spooled", "quarantined", "rejected"), 0)
        for result in results:
            counts[result["status"]] += 1
        return JSONResponse({**counts, "results": results}, 207 if counts["rejected"] else 202)

    def _importer(self, request: Request) -> ApiKey:
        key = authenticated(request.headers, self._context.keys, self._context.now())
        require(key, Scope.IMPORT)
        return key

    def _letter(self, raw: bytes, also: dict[str, Any]) -> Letter:
        authserv_id = self._mail.authserv_id
        return Letter(
            raw=raw,
            is_proven=lambda mail: is_vouched_for(mail, authserv_id),
            recipients=lambda mail: delivered_to(mail.message),
            also=also,
        )


def _checked(import_id: str) -> str:
    if not _ID.fullmatch(import_id):
        raise InvalidInput(
            Reason.MALFORMED,
            "the id of an import has another form",
            remedy="Use 32 hexadecimal digits, the same for the same file and mapping.",
        )
    return import_id


def _also(request: Request) -> dict[str, Any]:
    """What the query says of all mails of the body."""
    query = request.query_params
    also: dict[str, Any] = {"mode": Mode.IMPORT}
    if "import" in query:
        also["batch"] = _checked(query["import"])
    hints = {name: query[name] for name in _HINTS if query.get(name)}
    if hints:
        also["hints"] = Hints(**hints)
    if query.get("confidential", "").lower() == "true":
        also["confidential"] = True
    return also


def _mails(body: bytes, max_bytes: int) -> Sequence[mbox.Boxed]:
    boxed = list(mbox.split(io.BytesIO(body), max_bytes=max_bytes))
    if not boxed:
        raise InvalidInput(
            Reason.MALFORMED,
            "there is no mail in it",
            remedy="Send an mbox: each mail after a line that begins with `From `.",
        )
    if len(boxed) > _MAX_MAILS:
        raise InvalidInput(
            Reason.TOO_LARGE, f"these are more than {_MAX_MAILS} mails", remedy="Send fewer at a time."
        )
    return boxed


def _too_large(max_bytes: int) -> Receipt:
    return rejected(
        InvalidInput(
            Reason.TOO_LARGE,
            f"the mail is larger than {max_bytes} bytes",
            remedy="Raise LISTENINGPOST_INGEST__MAIL__MAX_MESSAGE_BYTES, or take its attachments off.",
        )
    )


def _result(ending: Receipt | Aside, index: int) -> dict[str, Any]:
    if isinstance(ending, Aside):
        aside = {"quarantine_id": ending.id, "reason": str(ending.reason), "detail": ending.detail}
        return {"index": index, "status": "quarantined", **aside}
    if ending.problem is not None:
        document = problem([ending.problem], at=f"/{index}", status=status_of(ending.problem.reason))
        return {"index": index, "status": "rejected", "problem": document}
    return {
        "index": index,
        "status": str(ending.status),
        "feedback_id": ending.feedback_id,
        "revision": ending.revision,
    }
