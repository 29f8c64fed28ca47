"""The pages of the form as answers: what they show, and the headers that keep them private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from starlette.responses import Response

from services.ingest.channels.note_access import Reader
from services.ingest.domain.attach import size
from services.ingest.domain.note import form_token
from services.ingest.domain.note.form import FormFault, kept
from services.ingest.settings import IngestSection
from services.ingest.templates import FOLDER
from shared import ids
from shared.domain.directory import Directory
from shared.errors import InvalidInput
from shared.events.feedback import Affiliation, Occasion
from shared.http.pages import OPENED_BY_LINK, Pages

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
ASSETS: Final = "/notes/assets"


class NotePages:
    def __init__(self, settings: IngestSection) -> None:
        self._pages = Pages(FOLDER, ASSETS)
        self.asset, self.private = self._pages.asset, self._pages.private
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
        return self._pages.answer(
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
        return self._pages.answer("note_sent", 200, person=reader.person if reader else None)

    def door(self, *, come_again: bool = False, refused: bool = False) -> Response:
        """Where a link is taken. `come_again`: perhaps they are known, if they ask from our own page."""
        status = 401 if refused else 200
        return self._pages.answer(
            "note_open", status, headers=OPENED_BY_LINK, come_again=come_again, refused=refused
        )

    def refused(self, fault: InvalidInput, status: int) -> Response:
        return self._pages.answer("note_refused", status, detail=fault.detail, remedy=fault.remedy)


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
