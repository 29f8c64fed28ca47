"""What whoever imports a file tells of it, and is told: `PUT /v1/imports/{id}`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.import_run import ImportRun

_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")]
_Line = Annotated[str, StringConstraints(max_length=512)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]


class SentImport(BaseModel):
    """How far it is. `mapping` says which column became what; `done_digest` is of the rows done."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    file_name: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    size_bytes: _Count
    format: Literal["csv", "ndjson", "xlsx", "mbox"]
    head_digest: _Digest
    mapping: dict[_Line, _Line] = Field(default={}, max_length=200)
    by: _Line = ""
    rows_done: _Count = 0
    accepted: _Count = 0
    quarantined: _Count = 0
    rejected: _Count = 0
    left_out: _Count = 0
    done_digest: _Digest = ""
    errors_file: _Line = ""
    finished: bool = False


def as_run(import_id: str, source: str, sent: SentImport) -> ImportRun:
    fields = sent.model_dump(exclude={"finished"})
    return ImportRun(id=import_id, source=source, **fields)


def as_json(run: ImportRun) -> dict[str, Any]:
    """The answer; times in ISO 8601, null for what is not yet."""
    times = {
        name: moment.isoformat() if moment is not None else None
        for name in ("started_at", "updated_at", "finished_at")
        for moment in (getattr(run, name),)
    }
    return {name: getattr(run, name) for name in ImportRun.__slots__} | times
