"""Secrets are rotated under constant requests: none is refused, none is lost, and nothing is started anew."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from services.ingest.channels.slack import PATH as SLACK
from services.ingest.channels.slack import SECRET
from shared.settings import INTERNAL_TOKEN
from tests.load import company
from tests.load.house import House
from tests.support.choice import Stack
from tests.support.wait import until

Knock = Callable[[httpx.AsyncClient, str], Awaitable[int]]


async def by_slack(client: httpx.AsyncClient, secret: str) -> int:
    """Slack asks whether anybody is there; only who knows the secret is answered."""
    body = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
    now = str(int(time.time()))
    signed = hmac.new(secret.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": now, "x-slack-signature": f"v0={signed}"}
    return (await client.post(SLACK, content=body, headers=headers)).status_code


async def by_token(client: httpx.AsyncClient, secret: str) -> int:
    answer = await client.get("/internal/status", headers={"authorization": f"Bearer {secret}"})
    return answer.status_code


@dataclass
class Sender:
    """Somebody who never pauses. `secret` is the one it uses from now on."""

    client: httpx.AsyncClient
    knock: Knock
    secret: str
    answers: Counter[int] = field(default_factory=Counter)

    async def go_on(self) -> None:
        while True:
            self.answers[await self.knock(self.client, self.secret)] += 1

    async def is_answered(self, secret: str, status: int) -> None:
        async def so() -> bool:
            return await self.knock(self.client, secret) == status

        await until(so, within_s=20, what=f"the answer is {status}")

    async def sends_more(self) -> None:
        then = self.answers.total()
        await until(lambda: self.answers.total() >= then + 20, within_s=20, what="it sends on")


def replace_file(file: Path, *lines: str) -> None:
    """As an editor or an orchestrator does it: the whole file at once."""
    new = file.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n", encoding="utf-8")
    new.replace(file)


@asynccontextmanager
async def sending(url: str, knock: Knock, secret: str) -> AsyncIterator[Sender]:
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        sender = Sender(client, knock, secret)
        task = asyncio.create_task(sender.go_on())
        try:
            yield sender
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), task.exception()


@pytest.mark.timeout(180)
async def test_no_request_is_refused_while_secrets_are_rotated(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    files = {SECRET: by_slack, INTERNAL_TOKEN: by_token}
    for name in files:
        replace_file(tmp_path / name, f"old {name}")
    apache = Stack(pytestconfig.getoption("--stack")) is Stack.APACHE_KAFKA
    async with House(apache=apache, env={"LISTENINGPOST_SECRETS_DIR": str(tmp_path)}) as house:
        await house.furnish(company.example())
        ingest = house.service("ingest")
        ingest.start()
        await ingest.ready()
        pid = ingest.pid
        for name, knock in files.items():
            old, new = f"old {name}", f"new {name}"
            async with sending(f"http://127.0.0.1:{ingest.port}", knock, old) as sender:
                await sender.sends_more()
                assert await knock(sender.client, new) == 401
                replace_file(tmp_path / name, new, old)
                await sender.is_answered(new, 200)
                await sender.sends_more()
                sender.secret = new
                await sender.sends_more()
                replace_file(tmp_path / name, new)
                await sender.is_answered(old, 401)
                await sender.sends_more()
            assert set(sender.answers) == {200}, (name, sender.answers)
        assert ingest.pid == pid
