"""The portal's feedback button, and an import of what an old tool had: `POST /v1/feedback`."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Act, Outcome, Piece
from deploy.demo.screenshot import screenshot
from shared import clock

_KEPT, _PARTLY = 202, 207
_OUTCOMES = {Act.EDIT: Outcome.EDITED, Act.REPEAT: Outcome.REPEATED, Act.DELETE: Outcome.DELETED}


class RestDoor:
    """`token` belongs to the portal, `import_token` may bring what is old."""

    def __init__(self, url: str, token: str, import_token: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=20)
        self._token = token
        self._import_token = import_token

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, piece: Piece, of: tuple[Piece, Answer] | None) -> Answer:
        if piece.act is Act.BROKEN_JSON:
            raw = piece.text.encode()
        elif piece.act is Act.BROKEN_ITEM:
            raw = json.dumps(
                [_item(piece), {"text": "", "author": {"email": "nobody"}, "rating": "five"}]
            ).encode()
        elif of is not None and piece.act is Act.REPEAT:
            raw = of[1].raw
        elif of is not None and piece.act is Act.EDIT:
            edit = {"external_id": of[0].external_id, "change": "edited", "revision": clock.now().isoformat()}
            raw = json.dumps(_item(of[0]) | {"text": piece.text} | edit).encode()
        else:
            raw = json.dumps(_item(piece)).encode()
        return await self._post(piece, raw)

    async def _post(self, piece: Piece, raw: bytes) -> Answer:
        sent_at = clock.now()
        token = self._import_token if piece.act is Act.BACKFILL else self._token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        response = await self._client.post("/v1/feedback", content=raw, headers=headers)
        body = response.json()
        return Answer(
            outcome=_outcome(piece, response.status_code),
            said=str(response.status_code),
            sent_at=sent_at,
            name=piece.external_id or "",
            raw=raw,
            feedback_ids=_receipts(body),
            problem=_problem(body),
        )


def _outcome(piece: Piece, status: int) -> Outcome:
    if status == _PARTLY:
        return Outcome.HALF
    if status != _KEPT:
        return Outcome.REFUSED
    return _OUTCOMES.get(piece.act, Outcome.KEPT)


def _item(piece: Piece) -> dict[str, Any]:
    item: dict[str, Any] = {"text": piece.text, "occurred_at": (piece.occurred_at or clock.now()).isoformat()}
    if piece.who:
        item["author"] = {"email": piece.who, "name": piece.name}
    if piece.rating is not None:
        item["rating"] = {"value": float(piece.rating), "min": 1.0, "max": 5.0}
    if piece.affiliation is not None:
        item["affiliation"] = piece.affiliation.value
    if piece.external_id is not None:
        item["external_id"] = piece.external_id
    if piece.act is Act.BACKFILL:
        item |= {"mode": "backfill", "batch": "the old tool"}
    if piece.file is not None:
        content = base64.b64encode(screenshot()).decode()
        item["attachments"] = [{"name": f"{piece.file}.png", "media_type": "image/png", "content": content}]
    return item


def _receipts(body: dict[str, Any]) -> tuple[str, ...]:
    results = body.get("results", [body])
    return tuple(result["feedback_id"] for result in results if result.get("feedback_id"))


def _problem(body: dict[str, Any]) -> dict[str, Any]:
    """The document of what was refused, its own or that of the first item."""
    results = body.get("results", [])
    refused = [result["problem"] for result in results if result.get("problem")]
    if refused:
        return dict(refused[0])
    return body if "type" in body else {}
