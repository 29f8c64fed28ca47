"""CloudEvents over HTTP, as items: one in headers and body (binary), one in JSON (structured), or many.

Sources: CloudEvents 1.0.2, its HTTP protocol binding (3.1.3.2: header values are percent-encoded) and its
JSON format (3.1.1: `data_base64`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from services.ingest.domain.fields import Fields
from services.ingest.domain.rest.body import Body, Entry
from services.ingest.domain.rest.item import Item
from shared import clock, ids
from shared.domain.event_mapping import EventMapping, mapping_for
from shared.errors import InvalidInput, Reason
from shared.http.document import bad_texts, loads
from shared.http.faults import faults

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_PREFIX = "ce-"
_ESCAPED = re.compile(r"\\(.)")
_NEEDED = ("id", "source", "type", "specversion")
_JSON = re.compile(r"(application|text)/([a-z0-9.+-]+\+)?json")
_MOMENT: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)
_MAX_ID_CHARS = 400


class EventItems:
    """The mappings of a workspace, compiled."""

    def __init__(self, mappings: Sequence[EventMapping] = ()) -> None:
        self._mappings = mappings
        self._fields = {
            mapping.id: Fields(mapping.map, product=mapping.product, touchpoint=mapping.touchpoint)
            for mapping in mappings
        }

    def item(self, attributes: Mapping[str, Any], data: Any, place: str) -> Item:  # noqa: ANN401 - any JSON value
        """By the mapping for such events; where there is none, `data` is the item. Raises InvalidInput."""
        mapping = mapping_for(self._mappings, attributes["type"], attributes["source"])
        if mapping is None:
            return _item(data, place)
        try:
            item = self._fields[mapping.id].item({**attributes, "data": data})
        except InvalidInput as fault:
            said = f"the mapping {mapping.id!r} does not fit: {fault.detail}"
            raise InvalidInput(fault.reason, said, field=place, remedy=fault.remedy) from None
        return item.model_copy(update={"affiliation": mapping.affiliation})


NO_MAPPINGS: Final = EventItems()


def read(headers: Mapping[str, str], raw: bytes, *, max_items: int, items: EventItems = NO_MAPPINGS) -> Body:
    """Every event, in order, as `items` has them. `headers` has lower-case names.

    Raises InvalidInput for what is wrong with the whole: MEDIA_TYPE, MALFORMED, WRONG_TYPE, TOO_LARGE, EMPTY.
    """
    media_type, charset = _media_type(headers.get("content-type", ""))
    if media_type == BATCH:
        events = loads(raw)
        if not isinstance(events, list):
            raise InvalidInput(Reason.WRONG_TYPE, "a batch is an array", remedy="Send an array of events.")
        if not events:
            raise InvalidInput(Reason.EMPTY, "there is no event in it", remedy="Send at least one event.")
        if len(events) > max_items:
            raise InvalidInput(
                Reason.TOO_LARGE,
                f"these are more than {max_items} events",
                remedy=f"Send at most {max_items} events in one request.",
            )
        return Body([_structured(event, f"/{index}", items) for index, event in enumerate(events)])
    if media_type == STRUCTURED:
        return Body([_structured(loads(raw), "", items)], single=True)
    if f"{_PREFIX}specversion" not in headers:
        raise InvalidInput(
            Reason.MEDIA_TYPE,
            "this is no CloudEvent: neither its media type nor ce-… headers say so",
            remedy=f"Send {STRUCTURED}, {BATCH}, or an event with its attributes as ce-… headers.",
        )
    attributes = {
        name.removeprefix(_PREFIX): _unquoted(name, value)
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }
    if "datacontenttype" in attributes:
        raise _fault(Reason.UNKNOWN_FIELD, "Content-Type says what the data is", "ce-datacontenttype")
    data = partial(_decoded, raw, media_type, charset)
    return Body([_entry(attributes, data, "", partial(items.item, place=""))], single=True)


def _unquoted(name: str, value: str) -> str:
    """A header's value as it was before it became one."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise _fault(Reason.BAD_TEXT, "the percent-encoded value is not UTF-8", name) from None


def _structured(event: Any, at: str, items: EventItems) -> Entry:  # noqa: ANN401 - any JSON value
    if not isinstance(event, Mapping):
        return Entry(None, (_fault(Reason.WRONG_TYPE, "an event is an object", ""),), at=at)
    bad = tuple(bad_texts(event))
    if bad:
        return Entry(None, bad, at=at)
    media_type, charset = _media_type(str(event.get("datacontenttype") or "application/json"))

    def data() -> Any:  # noqa: ANN401 - any JSON value
        if "data_base64" not in event:
            return event.get("data")
        try:
            content = base64.b64decode(str(event["data_base64"]), validate=True)
        except ValueError:
            raise _fault(Reason.WRONG_TYPE, "this is not base64", "data_base64") from None
        return _decoded(content, media_type, charset)

    return _entry(event, data, at, partial(items.item, place="data"))


def _entry(
    attributes: Mapping[str, Any], data: Callable[[], Any], at: str, made: Callable[..., Item]
) -> Entry:
    try:
        _check(attributes)
        item = made(attributes, data())
        return Entry(_identified(item, attributes), at=at)
    except InvalidInput as fault:
        return Entry(None, (fault,), at=at)


def _check(attributes: Mapping[str, Any]) -> None:
    for name in _NEEDED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value.strip():
            raise _fault(Reason.MISSING_FIELD, f"the attribute `{name}` is missing or no text", name)
    if not str(attributes["specversion"]).startswith("1."):
        raise _fault(Reason.WRONG_TYPE, "only CloudEvents 1.x are taken", "specversion")


def _decoded(content: bytes, media_type: str, charset: str) -> Any:  # noqa: ANN401 - any JSON value
    if _JSON.fullmatch(media_type):
        return loads(content)
    if media_type.startswith("text/"):
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError):
            raise _fault(Reason.BAD_TEXT, f"the data is not text in {charset[:20]}", "data") from None
    raise _fault(Reason.MEDIA_TYPE, "the data is neither JSON nor text", "datacontenttype")


def _item(data: Any, place: str) -> Item:  # noqa: ANN401 - any JSON value
    """`data` as an item of `POST /v1/feedback`; a text is one that says just this."""
    if isinstance(data, str):
        data = {"text": data}
    if data is None:
        raise _fault(Reason.EMPTY, "there is no data in it", place)
    if not isinstance(data, Mapping):
        raise _fault(Reason.WRONG_TYPE, "the data is neither an item nor a text", place)
    for bad in bad_texts(data):
        raise bad
    try:
        return Item.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = faults(error, Item)[0]
        field = f"{place}/{first.field}" if place else first.field
        raise InvalidInput(first.reason, first.detail, field=field, remedy=first.remedy) from None


def _identified(item: Item, attributes: Mapping[str, Any]) -> Item:
    """`source` and `id` tell which event it is, unless the item names the thing it is about itself."""
    update: dict[str, Any] = {}
    if item.external_id is None:
        update["external_id"] = _event_id(attributes["source"], attributes["id"])
    time = attributes.get("time")
    if time:
        try:
            moment = _MOMENT.validate_python(time)
        except ValidationError:
            raise _fault(Reason.BAD_DATE, "the time is no RFC 3339 timestamp", "time") from None
        update["occurred_at"] = item.occurred_at or moment
        update["revision"] = item.revision if item.revision is not None else clock.to_us(moment)
    return item.model_copy(update=update)


def _event_id(source: str, event: str) -> str:
    """Different for every two events: an id means something within its source only."""
    if len(event) > _MAX_ID_CHARS:
        raise _fault(Reason.TOO_LARGE, f"the id is longer than {_MAX_ID_CHARS} characters", "id")
    return f"{event} ({ids.digest(source.encode())[:16]})"


def _media_type(content_type: str) -> tuple[str, str]:
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
    return media_type.strip().lower(), charset


def _fault(reason: Reason, detail: str, field: str) -> InvalidInput:
    return InvalidInput(reason, detail, field=field, remedy="See docs/doors.md, CloudEvents.")
