"""Webhooks of ours: JSON, signed after Standard Webhooks, to URLs that somebody declared.

Source: Standard Webhooks (headers, signature, 410 = do not call again, no redirects). `webhook-id` is the
delivery's id, so that a repetition is known for one.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from pydantic import SecretStr
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.notifier.domain.webhook_message import body_of
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.domain.delivery import Delivery, ProviderRef, Target
from shared.errors import ConfigurationError, PermanentError, Reason, TransientError, UnknownOutcome
from shared.net.outgoing import Answer, OutgoingHttp
from shared.net.retry_after import parse_retry_after

_USER_AGENT = "ListeningPost"
_LATER = frozenset({408, 425, 429})
_TOO_MANY = 429
_GONE = 410
_OK, _REDIRECT, _SERVER_ERROR = 200, 300, 500


class WebhookReceiver:
    """A machine gets edits and deletions as messages of their own, which name what they amend."""

    name = "webhook"
    pause_s = 0.0
    can_edit = True

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._http: OutgoingHttp | None = None

    def lane(self, target: Target) -> str:
        return urlsplit(target.address).netloc

    async def start(self) -> None:
        own = self._settings.notifier.webhook
        self._http = OutgoingHttp(own.allowed_networks, timeout_s=own.timeout_s, connections=own.connections)

    async def stop(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def send(self, row: Delivery, target: Target, original: ProviderRef | None = None) -> ProviderRef:
        """The other side answered 2xx.

        Raises TransientError, PermanentError, UnknownOutcome (it was handed over and no answer came).
        """
        if self._http is None:
            raise TransientError(Reason.INTERNAL, "the webhook receiver is not started")
        now = clock.now()
        body = body_of(row, now)
        headers = {"content-type": "application/json", "user-agent": _USER_AGENT, "webhook-id": row.id}
        headers["webhook-timestamp"] = str(int(now.timestamp()))
        if target.secret is not None:
            signers = self._signers(target.secret)
            headers["webhook-signature"] = " ".join(one.sign(row.id, now, body.decode()) for one in signers)
        if row.trace is not None:
            headers["traceparent"] = row.trace
        try:
            answer = await self._http.post(target.address, headers, body)
        except UnknownOutcome:
            if original is None:
                raise
            # Telling a machine once more what became of a notice it knows does no harm.
            raise TransientError(Reason.UNREACHABLE, "no answer to an amendment") from None
        _check(answer)
        return ProviderRef(self.name, target.address, row.id)

    def _signers(self, reference: str) -> list[Webhook]:
        """While a secret is rotated there are several signatures: the other side knows one of them."""
        try:
            return [_signer(value) for value in self._settings.values(reference)]
        except ConfigurationError as error:
            raise PermanentError(Reason.CONFIGURATION, str(error)) from None
        except (EmptyWebhookSecretError, ValueError):
            raise PermanentError(Reason.CONFIGURATION, f"{reference} is no whsec_ secret in base64") from None


@lru_cache(maxsize=64)
def _signer(secret: SecretStr) -> Webhook:
    return Webhook(secret.get_secret_value())


def _check(answer: Answer) -> None:
    """Nothing for a 2xx; else the error that the status means."""
    status = answer.status
    if _OK <= status < _REDIRECT:
        return
    said = f"the webhook answered {status}"
    if status in _LATER or status >= _SERVER_ERROR:
        after_s = parse_retry_after(answer.headers.get("retry-after"), clock.now())
        reason = Reason.RATE_LIMITED if status == _TOO_MANY else Reason.UNREACHABLE
        raise TransientError(reason, said, retry_after_s=after_s)
    if status == _GONE:
        raise PermanentError(Reason.REJECTED, f"{said}: it wants no more")
    raise PermanentError(Reason.REJECTED, said)
