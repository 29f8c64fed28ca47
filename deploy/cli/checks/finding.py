"""What a check says. Each check returns findings; none raises or changes anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from deploy.cli.settings import CliSettings

#: So long somebody is given to answer.
WITHIN_S = 5.0


class State(StrEnum):
    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` says what to do about what is wrong."""

    about: str
    state: State
    detail: str
    remedy: str = ""


Check = Callable[[CliSettings], Awaitable[list[Finding]]]
