"""Every setting, read from the classes themselves: `.env.example` and `docs/settings.md` come from it.

A setting is one environment variable. Sections nest: field `port` of section `mail` of section `ingest` is
`LISTENINGPOST_INGEST__MAIL__PORT`.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from deploy.cli.settings import CliSettings
from services.classifier.settings import ClassifierSettings
from services.console.settings import ConsoleSettings
from services.ingest.settings import IngestSettings
from services.notifier.settings import NotifierSettings
from shared.environment import PREFIX
from shared.settings import CommonSettings, Section

_READERS: tuple[tuple[str, type[CommonSettings]], ...] = (
    ("Every service", CommonSettings),
    ("Ingest", IngestSettings),
    ("Classifier", ClassifierSettings),
    ("Notifier", NotifierSettings),
    ("Console", ConsoleSettings),
    ("Command line", CliSettings),
)
_BOUNDS = ((Ge, "ge", "at least"), (Gt, "gt", "over"), (Le, "le", "at most"), (Lt, "lt", "under"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable. `default` is written as the environment wants it, empty where nothing is set.

    `values` says what is allowed where that is not any text: "1 to 65535", "true or false", "a | b".
    """

    variable: str
    description: str
    default: str
    values: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The settings of one section. `reader` is who reads it, `prefix` what its variables start with."""

    reader: str
    prefix: str
    intro: str
    settings: tuple[Setting, ...]


def groups() -> tuple[Group, ...]:
    """Every group in the order of the classes: what all services read first, then each service's own."""
    common = set(CommonSettings.model_fields)
    return tuple(
        group
        for reader, cls in _READERS
        for group in _walk(reader, PREFIX, cls, set() if cls is CommonSettings else common)
        if group.settings
    )


def _walk(reader: str, prefix: str, cls: type[BaseModel], skipped: set[str]) -> Iterator[Group]:
    fields = {name: field for name, field in cls.model_fields.items() if name not in skipped}
    sections = {name: section for name, field in fields.items() if (section := _section(field)) is not None}
    own = tuple(
        _setting(prefix + name.upper(), field) for name, field in fields.items() if name not in sections
    )
    yield Group(reader, prefix, _intro(cls), own)
    for name, section in sections.items():
        yield from _walk(reader, f"{prefix}{name.upper()}__", section, set())


def _section(field: FieldInfo) -> type[Section] | None:
    (kind, *others) = _alternatives(field.annotation)
    return kind if not others and isinstance(kind, type) and issubclass(kind, Section) else None


def _intro(cls: type[BaseModel]) -> str:
    """The first paragraph of the section's own docstring; what all services share needs none."""
    text = cls.__dict__.get("__doc__") or ""
    return "" if issubclass(cls, CommonSettings) else " ".join(text.partition("\n\n")[0].split())


def _setting(variable: str, field: FieldInfo) -> Setting:
    kinds = _alternatives(field.annotation)
    default = field.get_default(call_default_factory=True)
    if get_args(field.annotation) == (str, SecretStr):
        # One variable a secret, because a JSON object of them would have to be written anew for each.
        return Setting(f"{variable}__<NAME>", field.description or "", "", "", secret=True)
    return Setting(
        variable=variable,
        description=field.description or "",
        default=_written(default),
        values=_values(kinds, field),
        secret=SecretStr in kinds,
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation there is
    """The types of a union, None left out."""
    if get_origin(annotation) in {types.UnionType, typing.Union}:
        return tuple(kind for kind in get_args(annotation) if kind is not type(None))
    return (annotation,)


def _written(value: Any) -> str:  # noqa: ANN401 - whatever a setting's default is
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _values(kinds: tuple[Any, ...], field: FieldInfo) -> str:
    (kind, *_) = kinds
    if kind is bool:
        return "true or false"
    if get_origin(kind) is Literal:
        return " | ".join(str(choice) for choice in get_args(kind))
    if kind in (int, float):
        return _range(field)
    return ""


def _range(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(bound, attribute)}"
        for kind, attribute, word in _BOUNDS
        for bound in field.metadata
        if isinstance(bound, kind)
    ]
    return ", ".join(bounds)
