"""The base of everything declared in the directory: frozen, closed, ids readable in a URL."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema, validate_email

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)]


@lru_cache(maxsize=65_536)
def _address(value: str) -> str:
    """As EmailStr has it, which takes 50 µs; a directory is read with all its addresses at each change."""
    return validate_email(value)[1]


Email = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string", "format": "email"})]


class Entity(BaseModel):
    """A typo in a field's name is an error, not a silently ignored wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")
