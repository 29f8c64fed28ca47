"""A group of settings, whose secrets are followed where they are files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo

from shared.secret_files import SecretFiles


class Section(BaseModel):
    """A group of settings: `LISTENINGPOST_KAFKA__IDEMPOTENCE` is field `idempotence` of section `kafka`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _files: SecretFiles | None = PrivateAttr(default=None)
    _prefix: str = PrivateAttr(default="")
    #: By field, of those whose file is followed, what it held last.
    _held: dict[str, tuple[SecretStr, ...]] = PrivateAttr(default_factory=dict)

    def following(self, files: SecretFiles, prefix: str) -> Self:
        """The same, with the secrets whose files are `prefix` and their field followed from now on.

        A copy: a section that is nowhere set is one object for all who read settings.
        """
        if files.folder is None:
            return self
        inner = {
            name: value.following(files, f"{prefix}{name}__")
            for name, value in self
            if isinstance(value, Section)
        }
        followed = self.model_copy(update=inner)
        followed._files, followed._prefix, followed._held = files, prefix, {}  # noqa: SLF001 - its own
        for name in _secrets(type(self).model_fields):
            at_start, held = getattr(self, name), files.values(prefix + name)
            # A variable holds for as long as the process, and wins over the file.
            if at_start is None or at_start in held or name not in self.model_fields_set:
                followed._held[name] = held or ((at_start,) if at_start is not None else ())  # noqa: SLF001
        return followed

    def by_now(self, field: str) -> tuple[SecretStr, ...]:
        """The values of a secret, the newest first: the variable's, or what its file holds; () for none.

        What a file held last holds while there is none: who replaces it may take a moment.
        """
        if self._files is None or field not in self._held:
            at_start = getattr(self, field)
            return (at_start,) if at_start is not None else ()
        self._held[field] = self._files.values(self._prefix + field) or self._held[field]
        return self._held[field]


def in_turn(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """In which order to try them where one alone is taken.

    The newest once more at the end: it may have taken the place of the others while we were trying.
    """
    return (*values, values[0]) if len(values) > 1 else values


def secret_files(fields: Mapping[str, FieldInfo], prefix: str = "") -> Iterator[str]:
    """How the files of all secrets among `fields` and their sections are called: `mongo__password`."""
    for name, field in fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from secret_files(field.annotation.model_fields, f"{prefix}{name}__")
    yield from (prefix + name for name in _secrets(fields))


def _secrets(fields: Mapping[str, FieldInfo]) -> list[str]:
    """`SecretStr`, or that or None; a list of them is JSON."""
    return [
        name
        for name, field in fields.items()
        if field.annotation is SecretStr or set(get_args(field.annotation)) == {SecretStr, type(None)}
    ]
