"""What the sender of `POST /v1/feedback` is told: per item, in order, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.ingest.domain.receipt import Receipt
from services.ingest.domain.rest.body import Body, Entry
from services.ingest.domain.rest.hints import Remark
from shared.errors import InvalidInput
from shared.http.problem import MEDIA_TYPE, Problem, problem, status_of


class ItemResult(BaseModel):
    """`spooled` is kept as well: on our disk, until what is away comes back. `line` is there for NDJSON.

    `warnings` say what of a piece that was kept has no effect; absent when there are none.
    """

    index: int
    status: str = Field(examples=["accepted", "spooled", "rejected"])
    feedback_id: str | None = None
    revision: int | None = None
    line: int | None = None
    problem: Problem | None = None
    warnings: list[Remark] = []


class Results(BaseModel):
    """For an array or NDJSON; for a single object the one result stands alone, without `index`."""

    accepted: int
    spooled: int
    rejected: int
    results: list[ItemResult]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def kept(self) -> bool:
        """Whether anything of it was."""
        return self.status in (202, 207)

    @property
    def media_type(self) -> str:
        return "application/json" if self.kept else MEDIA_TYPE


Settled = Receipt | Sequence[InvalidInput]


def answer(body: Body, settled: Sequence[Settled], remarks: Sequence[Sequence[Remark]] = ()) -> Answer:
    """202 when all is kept, 207 when some is, else the problem: of the one item, or of all of them.

    `settled` has for each entry its receipt, or what is wrong with it; `remarks`, unless it is empty, what is
    said of it when it is kept.
    """
    pairs = zip(body.entries, settled, strict=True)
    results = [_result(entry, index, end) for index, (entry, end) in enumerate(pairs)]
    for result, said in zip(results, remarks, strict=False):
        if said and result["status"] != "rejected":
            result["warnings"] = [remark.model_dump() for remark in said]
    if body.single:
        result = results[0]
        refused = result.get("problem")
        return _answer(refused["status"], refused) if refused else _answer(202, _without(result, "index"))
    counts = dict.fromkeys(("accepted", "spooled", "rejected"), 0)
    for result in results:
        counts[result["status"]] += 1
    document = {**counts, "results": results}
    if counts["rejected"] == len(results):
        return _all_refused(results, document)
    return _answer(207 if counts["rejected"] else 202, document)


def _all_refused(results: list[dict[str, Any]], document: dict[str, Any]) -> Answer:
    """The status they have in common, else 422. The first problem speaks for all; each has its own below."""
    problems = [result["problem"] for result in results]
    statuses = {found["status"] for found in problems}
    status = statuses.pop() if len(statuses) == 1 else 422
    return _answer(status, {**problems[0], "status": status, **document})


def _result(entry: Entry, index: int, end: Settled) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index}
    if entry.line is not None:
        result["line"] = entry.line
    if isinstance(end, Receipt) and end.problem is None:
        result |= {"status": str(end.status), "feedback_id": end.feedback_id, "revision": end.revision}
        return result
    faults = [end.problem] if isinstance(end, Receipt) and end.problem else list(_faults(end))
    document = problem(faults, at=entry.at, status=status_of(faults[0].reason))
    return {**result, "status": "rejected", "problem": document}


def _faults(end: Settled) -> Sequence[InvalidInput]:
    return () if isinstance(end, Receipt) else end


def _without(result: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != name}


def _answer(status: int, document: dict[str, Any]) -> Answer:
    return Answer(status, to_json(document))
