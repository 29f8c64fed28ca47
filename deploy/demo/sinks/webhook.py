"""A webhook of the CRM: takes what is signed after Standard Webhooks, and nothing else."""

from __future__ import annotations

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
    def __init__(self, secret: str) -> None:
        self.calls: list[Call] = []
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
        self.calls.append(Call(clock.now(), request.headers["webhook-id"], verified))
        return Response(status_code=204)
