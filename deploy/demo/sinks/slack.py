"""A Slack workspace: the part of the Web API that an app of ours uses, and the files people share in it.

Source: Slack's Web API (docs.slack.dev): bearer tokens, JSON or form bodies, and 200 for
most of what fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared import clock

Reply = dict[str, Any]


@dataclass(slots=True)
class Post:
    """A message of our app. `channel` is where it lies: D… for what was posted to a person."""

    channel: str
    ts: str
    at: datetime
    content: Reply
    edits: int = 0
    deleted: bool = False

    @property
    def thread(self) -> str | None:
        return self.content.get("thread_ts")

    @property
    def shown(self) -> str:
        """All that it says; where it was sent to is known anyway."""
        said = {name: value for name, value in self.content.items() if name != "channel"}
        return json.dumps(said, ensure_ascii=False)


@dataclass
class SlackWorkspace:
    token: str
    team: str = "T0LEUCHT1"
    bot_user: str = "U0POSTBOT"
    posts: list[Post] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    downloads: int = 0
    on_post: Callable[[Post], None] = lambda _: None
    _last_ts: int = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/{method}", self._call, methods=["POST", "GET"]),
                Route("/files/{name}", self._file),
            ]
        )

    def next_ts(self) -> str:
        """A timestamp as Slack gives them: microseconds, never twice."""
        self._last_ts = max(self._last_ts + 1, clock.to_us(clock.now()))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def in_thread(self, channel: str, ts: str) -> list[Post]:
        return [
            post for post in self.posts if (post.channel, post.thread) == (channel, ts) and not post.deleted
        ]

    async def _call(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        method = self._methods().get(request.path_params["method"])
        if method is None:
            return JSONResponse({"ok": False, "error": "unknown_method"})
        return JSONResponse({"ok": True} | method(await _values(request)))

    async def _file(self, request: Request) -> Response:
        content = self.files.get(request.path_params["name"])
        if content is None:
            return Response(status_code=404)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            # Slack shows a login page to whoever has no right to the file.
            return Response("<html>Sign in</html>", media_type="text/html")
        self.downloads += 1
        return Response(content, media_type="image/png")

    def _methods(self) -> dict[str, Callable[[Reply], Reply]]:
        return {
            "auth.test": lambda _: {"user": "listening-post", "user_id": self.bot_user, "team": "Leuchtfeld"},
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.open": lambda values: {"channel": {"id": _direct(values["users"])}},
            "conversations.history": self._history,
            "conversations.replies": self._history,
        }

    def _post(self, values: Reply) -> Reply:
        post = Post(_direct(values["channel"]), self.next_ts(), clock.now(), values)
        self.posts.append(post)
        self.on_post(post)
        return {"channel": post.channel, "ts": post.ts, "message": {"text": values.get("text", "")}}

    def _update(self, values: Reply) -> Reply:
        post = self._find(values)
        if post is None:
            return {"ok": False, "error": "message_not_found"}
        post.content = {**post.content, **values}
        post.edits += 1
        self.on_post(post)
        return {"channel": post.channel, "ts": post.ts}

    def _delete(self, values: Reply) -> Reply:
        post = self._find(values)
        if post is None:
            return {"ok": False, "error": "message_not_found"}
        post.deleted = True
        self.on_post(post)
        return {"channel": post.channel, "ts": post.ts}

    def _history(self, values: Reply) -> Reply:
        found = [post for post in self.posts if post.channel == values["channel"] and not post.deleted]
        messages = [{"ts": post.ts, "metadata": post.content.get("metadata", {})} for post in reversed(found)]
        return {"messages": messages, "has_more": False}

    def _find(self, values: Reply) -> Post | None:
        return next((p for p in self.posts if (p.channel, p.ts) == (values["channel"], values["ts"])), None)


def _direct(channel: str) -> str:
    """What is posted to a person lies in a direct conversation with them."""
    return f"D{channel[1:]}" if channel.startswith(("U", "W")) else channel


async def _values(request: Request) -> Reply:
    if request.headers.get("content-type", "").startswith("application/json"):
        return dict(await request.json())
    return {key: str(value) for key, value in (await request.form()).items()}
