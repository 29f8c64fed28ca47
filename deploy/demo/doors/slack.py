"""Slack, delivering what colleagues write in #feedback: the Events API, signed.

Source: docs.slack.dev "Events API" and "Verifying requests from Slack" (HMAC-SHA256 over v0:timestamp:body).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from deploy.demo.doors.answer import Answer
from deploy.demo.pieces import Act, Outcome, Piece
from deploy.demo.screenshot import screenshot
from deploy.demo.sinks.slack import SlackWorkspace
from shared import clock, ids

CHANNEL = "C0FEEDBACK"
_PATH = "/v1/channels/slack/events"
_TEN_MINUTES_S = 600
_OK = 200
_OUTCOMES = {
    Act.EDIT: Outcome.EDITED,
    Act.DELETE: Outcome.DELETED,
    Act.REPEAT: Outcome.REPEATED,
    Act.BOT: Outcome.IGNORED,
}


class SlackDoor:
    """`workspace` has the files and gives the timestamps; `url` is where ingest listens."""

    def __init__(self, url: str, signing_secret: str, workspace: SlackWorkspace, workspace_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=20)
        self._secret = signing_secret
        self._workspace = workspace
        self._workspace_url = workspace_url

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, piece: Piece, of: tuple[Piece, Answer] | None) -> Answer:
        if of is not None and piece.act is Act.REPEAT:
            return await self._post(
                piece,
                of[1].raw,
                of[1].name,
                {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"},
            )
        ts = self._workspace.next_ts()
        event = self._event(piece, of, ts)
        envelope = {
            "token": "verification-is-by-signature",
            "type": "event_callback",
            "team_id": self._workspace.team,
            "api_app_id": "A0LISTENPO",
            "event_id": f"Ev{ids.digest(ts.encode())[:9].upper()}",
            "event_time": int(ts.partition(".")[0]),
            "authorizations": [
                {"team_id": self._workspace.team, "user_id": self._workspace.bot_user, "is_bot": True}
            ],
            "event": event,
        }
        return await self._post(
            piece, json.dumps(envelope, ensure_ascii=False).encode(), of[1].name if of else ts
        )

    def _event(self, piece: Piece, of: tuple[Piece, Answer] | None, ts: str) -> dict[str, Any]:
        wrapper = {"type": "message", "channel": CHANNEL, "channel_type": "channel", "ts": ts, "event_ts": ts}
        if of is None:
            return wrapper | self._message(piece, ts)
        earlier, name = of[0], of[1].name
        before = self._message(earlier, name)
        if piece.act is Act.DELETE:
            return wrapper | {"subtype": "message_deleted", "deleted_ts": name, "previous_message": before}
        edited = before | {"text": piece.text, "edited": {"user": earlier.who, "ts": ts}}
        return wrapper | {"subtype": "message_changed", "message": edited, "previous_message": before}

    def _message(self, piece: Piece, ts: str) -> dict[str, Any]:
        message: dict[str, Any] = {"type": "message", "user": piece.who, "text": piece.text, "ts": ts}
        if piece.act is Act.BOT:
            message |= {"bot_id": "B0BUILDBOT", "app_id": "A0BUILDBOT"}
        if piece.file is not None:
            name = f"{piece.file}.png"
            content = self._workspace.files.setdefault(name, screenshot())
            url = f"{self._workspace_url}/files/{name}"
            shared = {"id": "F0SCREEN01", "name": name, "mimetype": "image/png", "size": len(content)}
            message |= {
                "subtype": "file_share",
                "files": [shared | {"url_private": url, "url_private_download": url}],
            }
        return message

    async def _post(self, piece: Piece, raw: bytes, name: str, more: dict[str, str] | None = None) -> Answer:
        sent_at = clock.now()
        # A replay shows the time of the original; a wrong signature that of now.
        moment = int(time.time()) - (_TEN_MINUTES_S if piece.act is Act.STALE else 0)
        secret = "somebody-else" if piece.act is Act.BAD_SIGNATURE else self._secret
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": str(moment),
            "X-Slack-Signature": signature(secret, moment, raw),
        }
        response = await self._client.post(_PATH, content=raw, headers=headers | (more or {}))
        refused = response.status_code != _OK
        return Answer(
            outcome=Outcome.REFUSED if refused else _OUTCOMES.get(piece.act, Outcome.KEPT),
            said=str(response.status_code),
            sent_at=sent_at,
            name=name,
            raw=raw,
            problem=response.json() if refused else {},
        )


def signature(secret: str, moment: int, raw: bytes) -> str:
    """What Slack puts into X-Slack-Signature."""
    signed = hmac.new(secret.encode(), f"v0:{moment}:".encode() + raw, hashlib.sha256)
    return f"v0={signed.hexdigest()}"
