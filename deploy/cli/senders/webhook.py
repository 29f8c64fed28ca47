"""To a webhook that the workspace declares, signed as it is declared, what its mapping reads as a test.

Source of the first scheme: the specification of Standard Webhooks (standardwebhooks.com).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final

from deploy.cli.output import Failed
from deploy.cli.senders.knock import Knock, taken
from deploy.cli.senders.webhook_body import body_for
from services.ingest.channels.webhook import PATH
from shared import clock
from shared.domain.webhook import BODY, TIMESTAMP, Scheme, Verification, Webhook
from shared.errors import ConfigurationError

_STAMPS: Final[dict[str, Callable[[datetime], str]]] = {
    "seconds": lambda now: str(int(now.timestamp())),
    "milliseconds": lambda now: str(int(now.timestamp() * 1_000)),
    "iso": datetime.isoformat,
}


def permits(hook: Webhook) -> bool:
    """Whether a body can be made that its mapping reads as a given text and nothing but that."""
    return body_for(hook, "A text", "1", lambda piece: piece.text == "A text") is not None


async def send(knock: Knock, text: str) -> str:
    hook = knock.hook
    # The mark has to come out as it went in, or the piece would be told to people.
    raw = body_for(hook, text, f"selftest-{knock.nonce}", lambda piece: piece.text == text) if hook else None
    if hook is None or raw is None:
        raise Failed("its mapping leads to no place for a text")
    try:
        secret = knock.secret(hook.verify.secret).get_secret_value()
    except ConfigurationError as error:
        raise Failed(f"{error}, where this command runs") from None
    headers = signed(hook.verify, secret, raw, f"selftest-{knock.nonce}", clock.now())
    answer = await knock.http.post(f"{PATH}/{hook.id}", content=raw, headers=headers)
    said = taken(answer, 202)
    if answer.json().get("accepted") != 1:
        remedy = "`listeningpost dead-letters` shows it; is the workspace in force the one ingest has?"
        raise Failed("its mapping did not take what it should have", remedy)
    return said


def signed(verify: Verification, secret: str, raw: bytes, number: str, now: datetime) -> dict[str, str]:
    """The headers of a request, with the proof of whoever has the secret."""
    headers = {"content-type": "application/json"}
    if verify.scheme is Scheme.TOKEN:
        prefix = verify.prefix or ("" if verify.header else "Bearer ")
        return headers | {verify.header or "Authorization": prefix + secret}
    stamp = _STAMPS[verify.timestamp](now)
    if verify.scheme is Scheme.STANDARD_WEBHOOKS:
        key = (
            base64.b64decode(secret.removeprefix("whsec_"))
            if secret.startswith("whsec_")
            else secret.encode()
        )
        proof = hmac.new(key, f"{number}.{stamp}.".encode() + raw, "sha256").digest()
        return headers | {
            "webhook-id": number,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
        }
    before, _, after = verify.signed.replace(TIMESTAMP, stamp).partition(BODY)
    made = hmac.new(secret.encode(), before.encode() + raw + after.encode(), verify.digest)
    encoded = made.hexdigest() if verify.encoding == "hex" else base64.b64encode(made.digest()).decode()
    headers[verify.header or ""] = verify.prefix + encoded
    if verify.timestamp_header:
        headers[verify.timestamp_header] = stamp
    return headers
