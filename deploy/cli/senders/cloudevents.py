"""A CloudEvent in binary mode, with an API key."""

from __future__ import annotations

from deploy.cli.senders.knock import Knock, taken
from services.ingest.channels.cloudevents import PATH


async def send(knock: Knock, text: str) -> str:
    headers = {
        "Authorization": f"Bearer {knock.key}",
        "ce-specversion": "1.0",
        "ce-id": f"selftest-{knock.nonce}",
        "ce-source": "listeningpost/selftest",
        "ce-type": "listeningpost.selftest",
    }
    return taken(await knock.http.post(PATH, json={"text": text, "mode": "test"}, headers=headers), 202)
