"""What is sent to us as JSON, in every door: strict and closed models, and the files in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.ingest.domain.submission import File
from shared.errors import InvalidInput, Reason

Short = Annotated[str, StringConstraints(max_length=512)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
#: Loose on purpose: pydantic's EmailStr takes 50 µs, ten times the rest of the item, and refuses addresses in
#: use inside companies (feedback@mail). Whether an address exists is seen when it is answered.
_EMAIL = r"^[^\s@<>,;\x00-\x1f]+@[^\s@<>,;\x00-\x1f]+$"
Email = Annotated[str, StringConstraints(pattern=_EMAIL, max_length=320)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Sent(BaseModel):
    """Closed and strict: a number where a word belongs is a mistake of the sender's, better said at once."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SentAttachment(Sent):
    """`content` is base64 (RFC 4648 section 4)."""

    name: Short
    media_type: Short = "application/octet-stream"
    content: str = Field(min_length=1, json_schema_extra={"contentEncoding": "base64"})


def files(attachments: Sequence[SentAttachment], *, max_files: int, max_file_bytes: int) -> Iterator[File]:
    """Their bytes. Raises InvalidInput TOO_LARGE, or WRONG_TYPE for what is not base64."""
    if len(attachments) > max_files:
        raise InvalidInput(
            Reason.TOO_LARGE,
            f"these are more than {max_files} attachments",
            field="attachments",
            remedy=f"Send at most {max_files} with one piece.",
        )
    for index, attachment in enumerate(attachments):
        content = _decoded(attachment.content, f"attachments/{index}/content")
        if len(content) > max_file_bytes:
            raise InvalidInput(
                Reason.TOO_LARGE,
                f"this file is larger than {max_file_bytes} bytes",
                field=f"attachments/{index}/content",
                remedy="Send a smaller file, or a link to it in the text.",
            )
        yield File(attachment.name, attachment.media_type, content)


def _decoded(content: str, name: str) -> bytes:
    try:
        # Line breaks are what many encoders add (RFC 2045); anything else that is not base64 is a mistake.
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(
            Reason.WRONG_TYPE,
            "this is not base64",
            field=name,
            remedy="Send the file's bytes in base64 (RFC 4648 section 4).",
        ) from None
