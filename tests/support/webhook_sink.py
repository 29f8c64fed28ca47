"""The other end of a webhook: verifies the signature as Standard Webhooks tells every receiver to."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.http_server import HttpServer, Reply, Request

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()


@dataclass(slots=True)
class Call:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class WebhookSink:
    """`reply` is what every call is answered with. What does not verify gets 401 and is not kept."""

    calls: list[Call] = field(default_factory=list)
    reply: Reply = field(default_factory=Reply)
    secret: str | None = SECRET

    def __post_init__(self) -> None:
        self._server = HttpServer(self._answer)

    @property
    def url(self) -> str:
        return self._server.url

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    async def stop(self) -> None:
        await self._server.stop()

    async def _answer(self, request: Request) -> Reply:
        if self.secret is not None:
            try:
                Webhook(self.secret).verify(request.body, request.headers)
            except WebhookVerificationError:
                return Reply(status=401)
        self.calls.append(Call(request.path, request.headers, json.loads(request.body)))
        return self.reply
