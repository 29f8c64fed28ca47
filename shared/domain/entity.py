"""The base of everything declared in the directory: frozen, closed, ids readable in a URL."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)]


class Entity(BaseModel):
    """A typo in a field's name is an error, not a silently ignored wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")
