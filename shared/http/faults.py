"""What pydantic says about a document, in our words: reason, field, remedy. What was sent is not repeated."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from shared.domain.entity import Id
from shared.errors import InvalidInput, Reason

_MAX_FAULTS = 10
_MAX_NAME_CHARS = 64
#: pydantic's name of a fault → reason, what is wrong, what to do. `{…}` is filled from its context.
_SAYINGS: dict[str, tuple[Reason, str, str]] = {
    "missing": (Reason.MISSING_FIELD, "the field is missing", "Send it."),
    "string_type": (Reason.WRONG_TYPE, "this is not a string", "Send a JSON string."),
    "bool_type": (Reason.WRONG_TYPE, "this is not a boolean", "Send true or false."),
    "int_type": (Reason.WRONG_TYPE, "this is not a whole number", "Send a whole number."),
    "float_type": (Reason.WRONG_TYPE, "this is not a number", "Send a number, without quotation marks."),
    "finite_number": (Reason.WRONG_TYPE, "this number is infinite or not a number", "Send a finite number."),
    "tuple_type": (Reason.WRONG_TYPE, "this is not an array", "Send a JSON array."),
    "model_type": (Reason.WRONG_TYPE, "this is not an object", "Send a JSON object."),
    "enum": (Reason.WRONG_TYPE, "this is none of the known values", "Send one of {expected}."),
    "greater_than_equal": (Reason.WRONG_TYPE, "this number is too small", "Send {ge} or more."),
    "less_than_equal": (Reason.WRONG_TYPE, "this number is too large", "Send {le} or less."),
    "date_type": (Reason.WRONG_TYPE, "this is not a date", "Send a string like 2026-05-04."),
    "date_parsing": (Reason.BAD_DATE, "there is no such date", "Send a date like 2026-05-04."),
    "datetime_type": (Reason.WRONG_TYPE, "this is not a date", "Send a string like 2026-05-04T09:30:00Z."),
    "datetime_parsing": (Reason.BAD_DATE, "there is no such date", "Send a date like 2026-05-04T09:30:00Z."),
    "datetime_from_date_parsing": (
        Reason.BAD_DATE,
        "this is not a date and time",
        "Send a date with time and zone, like 2026-05-04T09:30:00Z.",
    ),
    "timezone_aware": (
        Reason.BAD_DATE,
        "the date has no time zone",
        "Add its zone, like 2026-05-04T09:30:00Z or 2026-05-04T11:30:00+02:00.",
    ),
    "string_too_long": (
        Reason.TOO_LARGE,
        "this is longer than {max_length} characters",
        "Send at most {max_length} characters; attach the rest as a file.",
    ),
    "string_too_short": (Reason.EMPTY, "this is empty", "Fill it in, or leave the field out."),
    "too_long": (Reason.TOO_LARGE, "these are more than {max_length}", "Send at most {max_length}."),
    "string_pattern_mismatch": (
        Reason.WRONG_TYPE,
        "this does not have the form the field needs",
        "Send {form}.",
    ),
}
_FORMS = {"email": "an address like ada@customer.example"}
_ID = get_args(Id)[1].pattern
_ID_FORM = "an id of a-z, 0-9, dots and dashes, with at most 64 characters"
_LABEL_FORM = "a short name of a-z, 0-9, - and _, beginning with a letter"


def faults(error: ValidationError, model: type[BaseModel]) -> list[InvalidInput]:
    """What is wrong with one `model`, field by field, each field once; `field` is relative to it."""
    found: dict[str, InvalidInput] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path = _path(detail["loc"])
        field = "/".join(_segment(part) for part in path)
        if field not in found:
            found[field] = _fault(detail["type"], path, field, detail.get("ctx", {}), model)
    return list(found.values())[:_MAX_FAULTS]


def _path(loc: Iterable[str | int]) -> list[str | int]:
    """Without the names pydantic gives the members of a union."""
    return [part for part in loc if part not in {"constrained-int", "datetime"}]


def _segment(part: str | int) -> str:
    return str(part)[:_MAX_NAME_CHARS].replace("~", "~0").replace("/", "~1")


def _fault(
    kind: str, path: list[str | int], field: str, context: Mapping[str, Any], model: type[BaseModel]
) -> InvalidInput:
    if kind == "extra_forbidden":
        return _unknown(path, field, model)
    last = str(path[-1]) if path else ""
    if kind == "value_error" and last in _FORMS:
        kind = "string_pattern_mismatch"
    reason, detail, remedy = _SAYINGS.get(
        kind, (Reason.WRONG_TYPE, "this value is not taken here", "See the schema in /openapi.json.")
    )
    label = _ID_FORM if context.get("pattern") == _ID else _LABEL_FORM
    known = {**context, "form": _FORMS.get(last, label)}
    return InvalidInput(reason, detail.format_map(known), field=field, remedy=remedy.format_map(known))


def _unknown(path: list[str | int], field: str, model: type[BaseModel]) -> InvalidInput:
    known = _model_at(path[:-1], model).model_fields
    near = difflib.get_close_matches(str(path[-1])[:_MAX_NAME_CHARS], known, n=1)
    remedy = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
    return InvalidInput(Reason.UNKNOWN_FIELD, "there is no such field", field=field, remedy=remedy)


def _model_at(path: Iterable[str | int], model: type[BaseModel]) -> type[BaseModel]:
    """The model that `path` leads to from `model`."""
    for part in path:
        field = model.model_fields.get(str(part))
        found = _model_in(field.annotation) if field is not None else None
        model = found or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation there is
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg)) is not None), None)
