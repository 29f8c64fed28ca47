"""A message event as Slack sends it, signed with the signing secret.

Source: docs.slack.dev "Verifying requests from Slack".
"""

from __future__ import annotations

import hashlib
import hmac
import json

from deploy.cli.senders.knock import Knock, missing, taken
from services.ingest.channels.slack import PATH
from shared import clock

_SOMEWHERE = "C0SELFTEST"


async def send(knock: Knock, text: str) -> str:
    secret = knock.ingest.slack.signing_secret
    if secret is None:
        raise missing("LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET")
    now = clock.now()
    event = {
        "type": "message",
        # Only these channels are heard, where some are named.
        "channel": next(iter(knock.ingest.slack.channels), _SOMEWHERE),
        "user": "U0SELFTEST",
        "text": text,
        "ts": f"{int(now.timestamp())}.{now.microsecond:06}",
    }
    envelope = {
        "type": "event_callback",
        "team_id": "T0SELFTEST",
        "event_id": f"Ev{knock.nonce}",
        "event": event,
    }
    raw, stamp = json.dumps(envelope).encode(), str(int(now.timestamp()))
    signed = hmac.new(secret.get_secret_value().encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256)
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signed.hexdigest()}",
    }
    return taken(await knock.http.post(PATH, content=raw, headers=headers), 200)
