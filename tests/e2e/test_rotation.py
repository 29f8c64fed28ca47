"""Secrets are rotated under constant requests: none is refused, none is lost, and nothing is started anew."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.ingest.channels.slack import PATH as SLACK
from services.ingest.channels.slack import SECRET
from services.ingest.channels.zendesk import SECRET as ZENDESK_FILE
from shared import clock
from shared.domain.webhook import Webhook as Declared
from shared.errors import PermanentError
from shared.settings import CONTRIBUTORS_KEY, INTERNAL_TOKEN
from shared.store.contributors import ContributorSeal
from shared.store.owners import CONTRIBUTORS
from tests.load import company
from tests.load.house import House
from tests.support.choice import Stack
from tests.support.doors import HOOK, ZENDESK, sign_zendesk
from tests.support.wait import until

Knock = Callable[[httpx.AsyncClient, str], Awaitable[int]]


async def by_slack(client: httpx.AsyncClient, secret: str) -> int:
    """Slack asks whether anybody is there; only who knows the secret is answered."""
    body = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
    now = str(int(time.time()))
    signed = hmac.new(secret.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": now, "x-slack-signature": f"v0={signed}"}
    return (await client.post(SLACK, content=body, headers=headers)).status_code


async def by_zendesk(client: httpx.AsyncClient, secret: str) -> int:
    """What is no event of Zendesk's is kept aside and answered with 200, if the secret is right."""
    stamp = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = await client.post(ZENDESK, content=b"[]", headers=sign_zendesk(b"[]", stamp, secret))
    return answer.status_code


async def by_webhook(client: httpx.AsyncClient, secret: str) -> int:
    """One that the workspace says is no feedback."""
    now = clock.now()
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, "{}"),
    }
    return (await client.post(f"{HOOK}/survey", content=b"{}", headers=signed)).status_code


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

    async def is_let_in(self, secret: str) -> None:
        async def so() -> bool:
            return await self.knock(self.client, secret) in {200, 202}

        await until(so, within_s=20, what="the answer is yes")

    async def sends_more(self) -> None:
        then = self.answers.total()
        await until(lambda: self.answers.total() >= then + 20, within_s=20, what="it sends on")


def replace_file(file: Path, *lines: str) -> None:
    """As an editor or an orchestrator does it: the whole file at once."""
    new = file.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n", encoding="utf-8")
    new.replace(file)


def whsec(words: str) -> str:
    return f"whsec_{base64.b64encode(words.encode()).decode()}"


#: By file: who shows it, the value before and the one after.
_ROTATED: dict[str, tuple[Knock, str, str]] = {
    SECRET: (by_slack, "old secret of Slack", "new secret of Slack"),
    INTERNAL_TOKEN: (by_token, "old token", "new token"),
    ZENDESK_FILE: (by_zendesk, "old secret of Zendesk", "new secret of Zendesk"),
    "survey_hook": (by_webhook, whsec("old secret of a survey"), whsec("new secret of a survey")),
}
_SURVEY = Declared.model_validate(
    {
        "id": "survey",
        "source": "survey",
        "verify": {"scheme": "standard-webhooks", "secret": "secret:survey_hook"},
        "skip": "`true`",
        "map": {"text": "text"},
    }
)


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
    for name, (_, old, _) in _ROTATED.items():
        replace_file(tmp_path / name, old)
    apache = Stack(pytestconfig.getoption("--stack")) is Stack.APACHE_KAFKA
    async with House(apache=apache, env={"LISTENINGPOST_SECRETS_DIR": str(tmp_path)}) as house:
        await house.furnish(company.example().model_copy(update={"webhooks": (_SURVEY,)}))
        ingest = house.service("ingest")
        ingest.start()
        await ingest.ready()
        pid = ingest.pid
        for name, (knock, old, new) in _ROTATED.items():
            async with sending(f"http://127.0.0.1:{ingest.port}", knock, old) as sender:
                await sender.sends_more()
                assert await knock(sender.client, new) == 401
                replace_file(tmp_path / name, new, old)
                await sender.is_let_in(new)
                await sender.sends_more()
                sender.secret = new
                await sender.sends_more()
                replace_file(tmp_path / name, new)
                await sender.is_answered(old, 401)
                await sender.sends_more()
            assert set(sender.answers) in ({200}, {202}), (name, sender.answers)
        assert ingest.pid == pid


@pytest.mark.timeout(180)
async def test_confidences_are_sealed_anew_and_keep_their_codename(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    replace_file(tmp_path / CONTRIBUTORS_KEY, old)
    apache = Stack(pytestconfig.getoption("--stack")) is Stack.APACHE_KAFKA
    env = {"LISTENINGPOST_SECRETS_DIR": str(tmp_path), "LISTENINGPOST_CONTRIBUTORS_KEY": ""}
    async with House(apache=apache, env=env) as house:
        token = await house.furnish(company.example())
        ingest = house.service("ingest")
        ingest.start()
        await ingest.ready()
        numbers = itertools.count()

        async def in_confidence(client: httpx.AsyncClient, _: str) -> int:
            item = {
                "text": f"In confidence, {next(numbers)}",
                "author": {"email": "cora@customer.example"},
                "confidential": True,
            }
            key = {"authorization": f"Bearer {token}"}
            return (await client.post("/v1/feedback", json=item, headers=key)).status_code

        rows = house.store.collection(CONTRIBUTORS.name)

        async def are_sealed_with(key: str) -> bool:
            """The latest one, that is."""
            latest = await rows.find_one({}, sort=[("kept_at", -1)])
            return latest is not None and _opens(key, latest["sealed"])

        url = f"http://127.0.0.1:{ingest.port}"
        async with sending(url, in_confidence, "") as sender:
            await sender.sends_more()
            assert await are_sealed_with(old)
            replace_file(tmp_path / CONTRIBUTORS_KEY, new, old)
            await until(lambda: are_sealed_with(new), within_s=20, what="the new key seals")
            await sender.sends_more()
        assert set(sender.answers) == {202}
        kept = await rows.find({}).to_list(None)
        assert len(kept) >= sender.answers.total()
        assert len({row["codename"] for row in kept}) == 1
        seal = ContributorSeal(lambda: (SecretStr(new), SecretStr(old)))
        for row in kept:
            seal.open(row["sealed"])
        assert {_opens(old, row["sealed"]) for row in kept} == {True, False}


def _opens(key: str, sealed: bytes) -> bool:
    try:
        ContributorSeal(lambda: (SecretStr(key),)).open(sealed)
    except PermanentError:
        return False
    return True
