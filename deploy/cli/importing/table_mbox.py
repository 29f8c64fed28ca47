"""The mails of an mbox, one at a time, as they were before they were put there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from deploy.cli.importing.opened import Opened
from deploy.cli.importing.record import Fault, Row
from deploy.cli.output import ExitCode, Failed
from services.ingest.domain.mail import mbox

_LINE_BYTES = 1_048_576
_MOST_SAMPLES = 3
#: As ingest takes by default; a lower limit there is answered for each mail.
MAX_MAIL_BYTES: Final = 32 * 1_048_576
_TOO_LARGE: Final = Fault("", f"the mail is larger than {MAX_MAIL_BYTES} bytes", "Take its attachments off.")
_SHOWN: Final = ("Date", "From", "Subject", "Message-ID")


class MboxReader:
    """See `Reader`. The cells of a row are the bytes of a mail; the columns only say who reads it."""

    format = "mbox"
    columns: tuple[str, ...] = _SHOWN

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.size = opened.size
        self.notes = ["a mailbox: each mail is read as if it had just come in"]
        self.samples = list(islice(self.rows(), _MOST_SAMPLES))
        if not self.samples:
            raise Failed(
                f"there is no mail in {opened.path}", "mails begin with a `From ` line", ExitCode.USAGE
            )

    def rows(self) -> Iterator[Row]:
        lines = iter(partial(self._opened.stream().readline, _LINE_BYTES), b"")
        for number, mail in enumerate(mbox.split(lines, max_bytes=MAX_MAIL_BYTES), start=1):
            yield Row(number, mail.raw, None if mail.is_whole else _TOO_LARGE)

    def position(self) -> int:
        return self._opened.position()

    def getter(self, column: int) -> Callable[[Any], str]:
        return partial(header, name=self.columns[column])

    def digest_of(self, rows: Sequence[Any]) -> bytes:
        return b"".join([b"%d\n%b" % (len(mail), mail) for mail in rows])


def header(mail: bytes, name: str) -> str:
    """The first line of a header, to show which mail it is."""
    head = mail[:65_536].partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    found = re.search(rb"^" + name.encode() + rb":[ \t]*(.*)$", head, re.IGNORECASE | re.MULTILINE)
    return found[1].strip().decode("utf-8", "replace")[:200] if found else ""
