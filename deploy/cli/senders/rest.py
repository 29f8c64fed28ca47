"""`POST /v1/feedback` with an API key."""

from __future__ import annotations

from deploy.cli.senders.knock import Knock, taken
from services.ingest.channels.rest import PATH


async def send(knock: Knock, text: str) -> str:
    item = {"text": text, "external_id": f"selftest-{knock.nonce}", "mode": "test"}
    headers = {"Authorization": f"Bearer {knock.key}"}
    return taken(await knock.http.post(PATH, json=item, headers=headers), 202)
