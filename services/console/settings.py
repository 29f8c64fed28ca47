"""The settings of the console: a variable is `LISTENINGPOST_CONSOLE__<FIELD>`."""

from __future__ import annotations

from pydantic import Field

from shared.settings import CommonSettings, Section

_MIB = 1_048_576


class ConsoleSection(Section):
    max_body_bytes: int = Field(
        default=_MIB, ge=1_024, le=16 * _MIB, description="of an account with its contacts; over it: 413"
    )


class ConsoleSettings(CommonSettings):
    console: ConsoleSection = ConsoleSection()
