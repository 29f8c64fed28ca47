"""A ticket as Zendesk tells of it, signed with the first signing secret.

Source: developer.zendesk.com "Verifying webhooks".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from deploy.cli.senders.knock import Knock, missing, taken
from services.ingest.channels.zendesk import PATH
from shared import clock


async def send(knock: Knock, text: str) -> str:
    zendesk = knock.ingest.zendesk
    if not zendesk.signing_secrets:
        raise missing("LISTENINGPOST_INGEST__ZENDESK__SIGNING_SECRETS")
    stamp = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    ticket = {
        "id": f"selftest-{knock.nonce}",
        "description": text,
        "created_at": stamp,
        "is_public": True,
        "requester_id": "selftest",
        "submitter_id": "selftest",
    }
    event = {
        "type": "zen:event-type:ticket.created",
        # Only this account is heard, where one is named.
        "account_id": zendesk.account_id or "selftest",
        "time": stamp,
        "detail": ticket,
    }
    raw = json.dumps(event).encode()
    secret = zendesk.signing_secrets[0].get_secret_value().encode()
    signed = hmac.new(secret, stamp.encode() + raw, hashlib.sha256)
    headers = {
        "content-type": "application/json",
        "x-zendesk-webhook-signature": base64.b64encode(signed.digest()).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }
    return taken(await knock.http.post(PATH, content=raw, headers=headers), 200)
