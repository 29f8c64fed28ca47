"""The pages of the form as answers: what they show, and the headers that keep them private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.ingest.channels.note_access import Reader
from services.ingest.domain.attach import size
from services.ingest.domain.note import form_token
from services.ingest.domain.note.form import FormFault, kept
from services.ingest.settings import IngestSection
from services.ingest.templates import ASSETS, Pages
from shared import ids
from shared.domain.directory import Directory
from shared.errors import InvalidInput
from shared.events.feedback import Affiliation, Occasion

#: More would make the page slow to load on a phone; any other account can be typed.
_MOST_ACCOUNTS = 500
_KINDS: Final = (
    (Occasion.TALK, "Talk"),
    (Occasion.CALL, "Call"),
    (Occasion.LUNCH, "Lunch"),
    (Occasion.TRAINING, "Training"),
    (Occasion.USER_TEST, "User test"),
    (Occasion.OTHER, "Other"),
)
_AFFILIATIONS: Final = (
    (Affiliation.CUSTOMER, "Customer"),
    (Affiliation.PROSPECT, "Prospect"),
    (Affiliation.PARTNER, "Partner"),
    (Affiliation.PROVIDER, "Provider"),
)
_HEADERS: Final = {
    "cache-control": "no-store",
    # `same-origin`, not `no-referrer`: with that, browsers send `Origin: null` with our own form.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
#: The page a link opens: its one script takes the token out of the address.
_DOOR_HEADERS: Final = {
    **_HEADERS,
    "content-security-policy": f"{_HEADERS['content-security-policy']}; script-src 'self'",
}


class NotePages:
    def __init__(self, settings: IngestSection) -> None:
        self._pages = Pages()
        self._limits = f"Up to {settings.max_files} files of {size(settings.max_file_bytes)} each."

    def form(
        self,
        typed: Mapping[str, str],
        directory: Directory,
        reader: Reader | None,
        *,
        faults: Sequence[FormFault] = (),
        status: int = 200,
    ) -> Response:
        """The form. Whoever is not known sees what they typed, and nothing of the directory."""
        return self._answer(
            "note_form",
            status,
            company=directory.workspace.name if reader else "",
            person=reader.person if reader else None,
            token=form_token.seal(ids.token(), reader.token) if reader else "",
            typed=kept(typed) if typed else _FRESH,
            faults=faults,
            wrong={fault.field: fault.sentence for fault in faults if fault.field},
            kinds=_KINDS,
            affiliations=_AFFILIATIONS,
            accounts=tuple(_accounts(directory, reader)) if reader else (),
            stages=tuple(_stages(directory)) if reader else (),
            limits=self._limits,
        )

    def sent(self, reader: Reader | None) -> Response:
        return self._answer("note_sent", 200, person=reader.person if reader else None)

    def door(self, *, come_again: bool = False, refused: bool = False) -> Response:
        """Where a link is taken. `come_again`: perhaps they are known, if they ask from our own page."""
        page = self._pages.render("note_open", come_again=come_again, refused=refused)
        return HTMLResponse(page, 401 if refused else 200, _DOOR_HEADERS)

    def refused(self, fault: InvalidInput, status: int) -> Response:
        return self._answer("note_refused", status, detail=fault.detail, remedy=fault.remedy)

    def private(self, response: Response) -> Response:
        """`response` with the headers every page has."""
        response.headers.update(_HEADERS)
        return response

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        return Response(self._pages.asset(name), 200, headers, ASSETS[name])

    def _answer(self, name: str, status: int, **values: object) -> Response:
        return HTMLResponse(self._pages.render(name, **values), status, _HEADERS)


_FRESH: Final = kept({}) | {"affiliation": str(Affiliation.CUSTOMER)}


def _accounts(directory: Directory, reader: Reader) -> Iterator[str]:
    """Names to choose from: first those the reader looks after."""
    own = [account for account in directory.workspace.accounts if account.owner == reader.person.id]
    others = [account for account in directory.workspace.accounts if account.owner != reader.person.id]
    for account in (*own, *others)[:_MOST_ACCOUNTS]:
        yield account.name


def _stages(directory: Directory) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """The touchpoints (id, name) of each stage, in the order of the journey."""
    several = len(directory.workspace.products) > 1
    for product in directory.workspace.products:
        for stage in product.stages:
            label = f"{product.name}: {stage.name}" if several else stage.name
            yield label, tuple((touchpoint.id, touchpoint.name) for touchpoint in stage.touchpoints)
