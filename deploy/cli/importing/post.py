"""What is said to ingest, and said again until it is heard: an outage is waited for, visibly."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from deploy.cli.importing.chunks import Chunk
from deploy.cli.importing.record import Fault, Row
from deploy.cli.output import ExitCode, Failed
from services.ingest.domain.mail import mbox
from shared import clock
from shared.net.retry_after import parse_retry_after

_ANSWER_WITHIN_S = 60.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_COME_AGAIN: Final = frozenset({429, 502, 503, 504})
#: Of answers that say ingest itself is broken; a deployment may be under way, so not at the first.
_MOST_BROKEN = 5
_MOST_WARNINGS = 5


@dataclass(slots=True)
class Outcome:
    """What became of a chunk."""

    accepted: int = 0
    quarantined: int = 0
    left_out: int = 0
    refused: list[tuple[Row, list[Fault]]] = field(default_factory=list)
    warnings: set[str] = field(default_factory=set)


class Ingest:
    """`say` is told what is waited for, "" when nothing is any more. Every method raises Failed for a no."""

    def __init__(self, client: httpx.AsyncClient, say: Callable[[str], None]) -> None:
        self._client = client
        self._say = say

    async def progress(self, import_id: str) -> dict[str, Any] | None:
        """How far the import is; None for one that never began. Does not wait: it is what is asked first."""
        try:
            answer = await self._client.get(f"/v1/imports/{import_id}")
        except httpx.TransportError as error:
            what = f"{self._client.base_url} does not answer ({type(error).__name__})"
            raise Failed(what, "is ingest running?", ExitCode.UNREACHABLE) from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code in _COME_AGAIN:
            raise Failed("ingest cannot say how far the import is", "is MongoDB there?", ExitCode.UNREACHABLE)
        found: dict[str, Any] = _checked(answer).json()
        return found

    async def note(self, import_id: str, state: Mapping[str, Any]) -> None:
        """How far it is outlives this process."""
        _checked(
            await self._insist(
                "PUT", f"/v1/imports/{import_id}", json.dumps(dict(state)).encode(), "application/json"
            )
        )

    async def items(self, chunk: Chunk) -> Outcome:
        """Every item is kept, or refused with the reason."""
        return await self._send(chunk.bodies, chunk.rows, b"\n".join, "/v1/feedback", "application/x-ndjson")

    async def mails(self, chunk: Chunk, path: str) -> Outcome:
        """Every mail is kept as a piece, or in quarantine, or refused."""
        return await self._send(chunk.bodies, chunk.rows, mbox.join, path, mbox.MEDIA_TYPE)

    async def _send(
        self,
        bodies: Sequence[bytes],
        rows: Sequence[Row],
        join: Callable[[Sequence[bytes]], bytes],
        path: str,
        media_type: str,
    ) -> Outcome:
        if not bodies:
            return Outcome()
        answer = await self._insist("POST", path, join(bodies), media_type)
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and not _results(answer):
            if len(bodies) == 1:
                return Outcome(refused=[(rows[0], [_fault(answer.json())])])
            half = len(bodies) // 2
            first = await self._send(bodies[:half], rows[:half], join, path, media_type)
            second = await self._send(bodies[half:], rows[half:], join, path, media_type)
            return Outcome(
                first.accepted + second.accepted,
                first.quarantined + second.quarantined,
                first.left_out + second.left_out,
                first.refused + second.refused,
                first.warnings | second.warnings,
            )
        return _outcome(answer, rows)

    async def _insist(self, method: str, path: str, content: bytes, media_type: str) -> httpx.Response:
        """The answer, whenever it comes. What is sent twice is one piece, so nothing is lost by trying."""
        tries = broken = 0
        while True:
            try:
                answer = await self._client.request(
                    method, path, content=content, headers={"content-type": media_type}
                )
            except httpx.TransportError as error:
                why, asked = f"ingest does not answer ({type(error).__name__})", None
            else:
                if answer.status_code not in _COME_AGAIN and not answer.is_server_error:
                    if tries:
                        self._say("")
                    return answer
                broken += answer.status_code not in _COME_AGAIN
                if broken > _MOST_BROKEN:
                    raise Failed(
                        f"ingest fails with {answer.status_code}", "look at its log; then run it again"
                    )
                why = f"ingest asks to come again ({answer.status_code})"
                asked = parse_retry_after(answer.headers.get("retry-after"), clock.now())
            wait_s = asked if asked is not None else min(_FIRST_WAIT_S * 2**tries, _LONGEST_WAIT_S)
            tries = min(tries + 1, 10)
            self._say(f"{why}; again in {max(wait_s, 1):.0f} s")
            # Spread, so that the requests in flight do not all come back in the same moment.
            await asyncio.sleep(wait_s + random.random() * 0.5)  # noqa: S311 - no secret


def connected(url: str, key: str) -> httpx.AsyncClient:
    """A client of ingest; the caller closes it."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=_ANSWER_WITHIN_S)


def _outcome(answer: httpx.Response, rows: Sequence[Row]) -> Outcome:
    outcome = Outcome()
    quarantines = b'"quarantined"' in answer.content
    if answer.status_code == httpx.codes.ACCEPTED and not quarantines and b'"warnings"' not in answer.content:
        # All of it is kept: to read five hundred receipts takes longer than to make them.
        outcome.accepted = len(rows)
        return outcome
    results = _results(answer)
    if results is None or answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        _checked(answer)
        raise Failed(f"ingest answered {answer.status_code}", "is that the address of ingest?")
    for result, row in zip(results, rows, strict=True):
        status = result["status"]
        if status == "rejected" and result["problem"]["status"] == httpx.codes.GONE:
            # Whoever said it asked to be forgotten: it must not go into a file of refused rows either.
            outcome.left_out += 1
        elif status == "rejected":
            outcome.refused.append((row, _faults(result["problem"])))
        elif status == "quarantined":
            outcome.quarantined += 1
        else:
            outcome.accepted += 1
        for warning in result.get("warnings", ())[:_MOST_WARNINGS]:
            name = warning["pointer"].rpartition("/")[2]
            outcome.warnings.add(f"{name}: {warning['detail']}; {warning['remedy']}")
    return outcome


def _results(answer: httpx.Response) -> list[dict[str, Any]] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    results = body.get("results") if isinstance(body, dict) else None
    return results if isinstance(results, list) else None


def _checked(answer: httpx.Response) -> httpx.Response:
    """The answer, unless it is a no to the whole: raises Failed with what it says."""
    if answer.is_success:
        return answer
    try:
        body = answer.json()
        said, remedy = body.get("detail") or body.get("title", ""), body.get("remedy", "")
    except (ValueError, AttributeError):
        said, remedy = "", ""
    code = ExitCode.USAGE if answer.status_code in (401, 403) else ExitCode.FOUND
    raise Failed(said or f"ingest answered {answer.status_code}", remedy, code)


def _faults(problem: Mapping[str, Any]) -> list[Fault]:
    return [_fault(each) for each in problem.get("errors") or [problem]]


def _fault(problem: Mapping[str, Any]) -> Fault:
    """The pointer begins with the number of the item in the request, which says nothing about the file."""
    place = str(problem.get("pointer", "")).lstrip("/").split("/")
    name = ".".join(place[1:] if place[0].isdecimal() else place)
    return Fault(name, str(problem.get("detail", "it was refused")), str(problem.get("remedy", "")))
