"""What Slack's Events API sends, as far as we read it. Everything else in it is ignored.

Sources: docs.slack.dev "Events API", "message" event and its subtypes; payloads in the SDKs' public tests.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput, Reason

_TIMESTAMP = re.compile(r"([0-9]{1,12})\.([0-9]{1,6})")


def _none_if_empty(value: Any) -> Any:  # noqa: ANN401 - whatever came in
    return None if value in ("", (), [], {}) else value


_Word = Annotated[str | None, BeforeValidator(_none_if_empty)]


class _Received(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class SlackFile(_Received):
    """`file_access` "check_file_info" is a stub: the file is of another workspace; ask files.info."""

    id: _Word = None
    name: _Word = None
    title: _Word = None
    mimetype: _Word = None
    size: int | None = None
    file_access: _Word = None
    url_private: _Word = None
    url_private_download: _Word = None


class Edited(_Received):
    ts: _Word = None


class Quoted(_Received):
    """Something shared with the message: another message, or the preview of a link."""

    text: _Word = None
    fallback: _Word = None
    is_share: bool = False
    is_msg_unfurl: bool = False


class Message(_Received):
    """A message event; for `message_changed` and `message_deleted` a wrapper of one."""

    type: _Word = None
    subtype: _Word = None
    user: _Word = None
    bot_id: _Word = None
    app_id: _Word = None
    text: str | None = None
    ts: _Word = None
    event_ts: _Word = None
    deleted_ts: _Word = None
    thread_ts: _Word = None
    channel: _Word = None
    channel_type: _Word = None
    edited: Edited | None = None
    files: tuple[SlackFile, ...] | None = None
    attachments: tuple[Quoted, ...] | None = None
    message: Message | None = None
    previous_message: Message | None = None


class Authorization(_Received):
    user_id: _Word = None
    is_bot: bool = False


class Event(_Received):
    type: _Word = None


class Envelope(_Received):
    """`event` is read as a `Message` only once its type says that it is one."""

    type: str
    challenge: _Word = None
    team_id: _Word = None
    api_app_id: _Word = None
    event_id: _Word = None
    event: dict[str, Any] | None = None
    authorizations: Annotated[tuple[Authorization, ...], Field(max_length=100)] | None = None

    @property
    def event_type(self) -> str | None:
        return Event.model_validate(self.event).type if self.event is not None else None

    @property
    def bot_user(self) -> str | None:
        """The user our own app posts as."""
        return next((held.user_id for held in self.authorizations or () if held.is_bot), None)


def parse(raw: bytes) -> Envelope:
    """The envelope; raises InvalidInput MALFORMED or WRONG_TYPE. A character that cannot be is replaced."""
    try:
        return Envelope.model_validate_json(raw)
    except ValidationError:
        # One broken emoji makes the whole of it invalid JSON to pydantic, but not to Python.
        mended = _mended(raw)
    try:
        return Envelope.model_validate_json(mended)
    except ValidationError:
        raise InvalidInput(
            Reason.WRONG_TYPE, "the event does not have the form of Slack's envelope"
        ) from None


def _mended(raw: bytes) -> str:
    try:
        text = json.dumps(json.loads(raw.decode("utf-8", "replace")), ensure_ascii=False)
    except (ValueError, RecursionError):
        raise InvalidInput(Reason.MALFORMED, "the event is not JSON") from None
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def microseconds(timestamp: str | None) -> int | None:
    """Slack's `1719211546.331399` in µs since 1970; None for what is no such timestamp."""
    form = _TIMESTAMP.fullmatch(timestamp or "")
    return int(form[1]) * 1_000_000 + int(form[2].ljust(6, "0")) if form else None
