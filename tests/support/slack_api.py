"""Slack's Web API as far as the notifier speaks it: its methods, its errors, and 200 for either."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.support.http_server import HttpServer, Reply, Request

TOKEN = "xoxb-made-up"
_ADDRESS = re.compile(r"[CDGUW][A-Z0-9]+")


@dataclass(slots=True)
class Posted:
    channel: str
    ts: str
    body: dict[str, Any]
    edits: int = 0
    deleted: bool = False


@dataclass
class SlackApi:
    """`async with SlackApi() as slack: slack.url`. `error` is what every call fails with.

    Only who shows one of `tokens` is heard. `reply` replaces the answer to everything, after the call took
    effect (`acts`) or instead.
    """

    messages: list[Posted] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    error: str | None = None
    error_of: dict[str, str] = field(default_factory=dict)
    reply: Reply | None = None
    acts: bool = True
    page: int = 100
    tokens: set[str] = field(default_factory=lambda: {TOKEN})

    def __post_init__(self) -> None:
        self._server = HttpServer(self._answer)

    @property
    def url(self) -> str:
        return f"{self._server.url}/api/"

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def stop(self) -> None:
        await self._server.stop()

    def said(self) -> list[Posted]:
        return [message for message in self.messages if not message.deleted]

    async def _answer(self, request: Request) -> Reply:
        method = request.path.removeprefix("/api/")
        if request.headers.get("authorization") not in {f"Bearer {token}" for token in self.tokens}:
            return _json({"ok": False, "error": "invalid_auth"})
        if "json" in request.headers.get("content-type", ""):
            body = json.loads(request.body)
        else:
            body = dict(parse_qsl(request.body.decode()))
        self.calls.append((method, body))
        error = self.error or self.error_of.get(method)
        if error is not None:
            return _json({"ok": False, "error": error, "needed": body.get("text", ""), "provided": TOKEN})
        if self.reply is not None:
            if self.acts:
                self._act(method, body)
            return self.reply
        return _json(self._act(method, body))

    def _act(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "chat.postMessage" if not _ADDRESS.fullmatch(body["channel"]):
                return {"ok": False, "error": "channel_not_found"}
            case "chat.postMessage":
                channel = _direct(body["channel"])
                ts = f"1763800000.{len(self.messages):06d}"
                self.messages.append(Posted(channel, ts, body))
                return {"ok": True, "channel": channel, "ts": ts, "message": {"text": body.get("text")}}
            case "chat.update" | "chat.delete":
                return self._change(method, body)
            case "conversations.open":
                return {"ok": True, "channel": {"id": _direct(body["users"])}}
            case "conversations.history" | "conversations.replies":
                return self._history(body)
        return {"ok": False, "error": "unknown_method"}

    def _change(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        for message in self.said():
            if (message.channel, message.ts) == (body["channel"], body["ts"]):
                if method == "chat.delete":
                    message.deleted = True
                else:
                    message.edits += 1
                    message.body = {**message.body, **body}
                return {"ok": True, "channel": message.channel, "ts": message.ts}
        return {"ok": False, "error": "message_not_found"}

    def _history(self, body: dict[str, Any]) -> dict[str, Any]:
        start = int(body.get("cursor", "0"))
        thread = body.get("ts")
        fitting = [
            message
            for message in self.said()
            if message.channel == body["channel"] and message.body.get("thread_ts") == thread
        ]
        shown = fitting[start : start + self.page]
        more = str(start + self.page) if len(fitting) > start + self.page else ""
        return {
            "ok": True,
            "messages": [{"ts": m.ts, "metadata": m.body.get("metadata", {})} for m in shown],
            "response_metadata": {"next_cursor": more},
        }


def _direct(address: str) -> str:
    """A message to a person lies in a direct conversation with an id of its own."""
    return f"D{address[1:]}" if address.startswith("U") else address


def _json(value: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps(value).encode())
