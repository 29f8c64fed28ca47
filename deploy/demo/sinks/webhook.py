"""A webhook of the CRM: takes what is signed after Standard Webhooks, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared import clock

PATH = "/hooks/listening-post"


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose signature was right. `id` is the webhook-id: the same for a repetition."""

    at: datetime
    id: str
    body: Any


class WebhookSink:
    def __init__(self, secret: str, on_call: Callable[[Call], None] = lambda _: None) -> None:
        self.calls: list[Call] = []
        self._on_call = on_call
        self.refused = 0
        self._verifier = Webhook(secret)

    def app(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        try:
            verified = self._verifier.verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.refused += 1
            return Response(status_code=401)
        call = Call(clock.now(), request.headers["webhook-id"], verified)
        self.calls.append(call)
        self._on_call(call)
        return Response(status_code=204)
