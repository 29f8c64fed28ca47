"""Each channel as its senders see it, in the same few words. One line each in `BENCHES`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib
import httpx

from services.ingest.domain.mail import mbox
from shared.domain.api_key import Scope
from tests.support.doors import HOOK_SECRET, MAILBOX, SIGNING_SECRET, SLACK, ZENDESK_SECRET, Doors


@dataclass(frozen=True, slots=True)
class Said:
    """What the sender was told: HTTP status or SMTP code, and everything that came with it."""

    code: int
    text: str


class Bench(Protocol):
    """`kept`, `refused`, `too_large` and `later` are the codes that say so.

    `keeps_aside`: what cannot be read is kept aside and answered `kept`, because nobody would mend it.
    """

    kept: int
    refused: int
    too_large: int
    later: int
    keeps_aside: bool
    secrets: tuple[str, ...]

    def __init__(self, house: Doors) -> None: ...

    async def send(self, text: str, number: int = 1) -> Said:
        """A good piece; the same `number` is the same thing sent again."""
        ...

    async def pretend(self, text: str) -> Said:
        """The same from somebody who may not."""
        ...

    async def garble(self, text: str) -> Said:
        """Something with `text` in it that cannot be read."""
        ...

    async def overdo(self, text: str) -> Said:
        """Something with `text` in it beyond every bound."""
        ...


class RestBench:
    kept, refused, too_large, later = 202, 401, 413, 503
    keeps_aside = False

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (house.token.rpartition("_")[2],)

    async def send(self, text: str, number: int = 1) -> Said:
        return _http(await self._house.post({"text": text, "external_id": str(number), "revision": 1}))

    async def pretend(self, text: str) -> Said:
        return _http(await self._house.post({"text": text}, token=f"{self._house.token[:-1]}0"))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.post(f'{{"text": "{text}", }}'))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.post({"text": text * 10_000}))


class NoteBench:
    kept, refused, too_large, later = 202, 401, 413, 503
    keeps_aside = False

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (house.ann.rpartition("_")[2],)

    async def send(self, text: str, number: int = 1) -> Said:
        note = {"kind": "lunch", "text": text, "occurred_at": "2026-05-04T10:00:00+02:00"}
        return _http(await self._house.note(note, idempotency_key=str(number)))

    async def pretend(self, text: str) -> Said:
        note = {"kind": "lunch", "text": text}
        return _http(await self._house.note(note, token=f"{self._house.ann[:-1]}0"))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.note(f'{{"text": "{text}", }}'))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.note({"kind": "lunch", "text": text * 10_000}))


class SlackBench:
    kept, refused, too_large, later = 200, 401, 413, 503
    keeps_aside = True

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (SIGNING_SECRET,)

    async def send(self, text: str, number: int = 1) -> Said:
        return _http(await self._house.slack(self._event(text, number)))

    async def pretend(self, text: str) -> Said:
        return _http(await self._house.http.post(SLACK, json=self._event(text)))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.slack(f'{{"type": "event_callback", "{text}'.encode()))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.slack(self._event(text * 10_000)))

    def _event(self, text: str, number: int = 1) -> dict[str, object]:
        message = {
            "type": "message",
            "user": "U0ANN",
            "channel": "C1",
            "text": text,
            "ts": f"1777887000.{number}",
        }
        return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": message}


class MailBench:
    kept, refused, too_large, later = 250, 550, 552, 451
    keeps_aside = True

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = ()

    async def send(self, text: str, number: int = 1) -> Said:
        return await self._sent(_letter(text, number))

    async def pretend(self, text: str) -> Said:
        return await self._sent(_letter(text), "somebody@brightline.example")

    async def garble(self, text: str) -> Said:
        return await self._sent(text.encode() + b"\nContent-Type: multipart/mixed; boundary=a\n" * 200)

    async def overdo(self, text: str) -> Said:
        return await self._sent(_letter("\n".join([text] * 200_000)))

    async def _sent(self, raw: bytes, to: str = MAILBOX) -> Said:
        try:
            answer = await self._house.send(raw, to)
        except aiosmtplib.SMTPResponseException as refused:
            return Said(refused.code, refused.message)
        return Said(answer.code, answer.message)


class CloudEventsBench:
    kept, refused, too_large, later = 202, 401, 413, 503
    keeps_aside = False

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (house.token.rpartition("_")[2],)

    async def send(self, text: str, number: int = 1) -> Said:
        return _http(await self._house.event(json.dumps({"text": text}), number))

    async def pretend(self, text: str) -> Said:
        return _http(await self._house.event(json.dumps({"text": text}), token="lp_no_key"))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.event(f'{{"text": "{text}"'))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.event(json.dumps({"text": text * 10_000})))


class WebhookBench:
    kept, refused, too_large, later = 202, 401, 413, 503
    keeps_aside = True

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (HOOK_SECRET,)

    async def send(self, text: str, number: int = 1) -> Said:
        return _http(await self._house.hook(self._body(text, number)))

    async def pretend(self, text: str) -> Said:
        return _http(await self._house.hook(self._body(text), secret="whsec_bm90IHRoZSBzZWNyZXQ="))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.hook(f'{{"comment": "{text}"'.encode()))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.hook(self._body(text * 20_000)))

    def _body(self, text: str, number: int = 1) -> bytes:
        return json.dumps({"id": number, "comment": text, "edited": 1}).encode()


class ImportsBench:
    """Mail that is brought in a file: it is of the channel it first came through."""

    kept, refused, too_large, later = 202, 403, 413, 503
    keeps_aside = True
    channel = "mail"

    def __init__(self, house: Doors) -> None:
        self._house = house
        self._token = house.keys.add(Scope.IMPORT)
        self.secrets: tuple[str, ...] = (self._token.rpartition("_")[2],)

    async def send(self, text: str, number: int = 1) -> Said:
        return await self._sent(_letter(text, number))

    async def pretend(self, text: str) -> Said:
        return await self._sent(_letter(text), self._house.token)

    async def garble(self, text: str) -> Said:
        return await self._sent(text.encode() + b"\nContent-Type: multipart/mixed; boundary=a\n" * 200)

    async def overdo(self, text: str) -> Said:
        return await self._sent(_letter("\n".join([text] * 200_000)))

    async def _sent(self, mail: bytes, token: str | None = None) -> Said:
        headers = {"authorization": f"Bearer {token or self._token}", "content-type": mbox.MEDIA_TYPE}
        body = mbox.join([mail])
        return _http(await self._house.http.post("/v1/imports/mail", content=body, headers=headers))


class ZendeskBench:
    kept, refused, too_large, later = 200, 401, 413, 503
    keeps_aside = True

    def __init__(self, house: Doors) -> None:
        self._house = house
        self.secrets: tuple[str, ...] = (ZENDESK_SECRET,)

    async def send(self, text: str, number: int = 1) -> Said:
        return _http(await self._house.zendesk(self._event(text, number)))

    async def pretend(self, text: str) -> Said:
        return _http(await self._house.zendesk(self._event(text), secret="not the secret"))

    async def garble(self, text: str) -> Said:
        return _http(await self._house.zendesk(f'{{"type": "{text}'.encode()))

    async def overdo(self, text: str) -> Said:
        return _http(await self._house.zendesk(self._event(text * 10_000)))

    def _event(self, text: str, number: int = 1) -> dict[str, object]:
        author = {"id": "7", "is_staff": False, "name": "Sam"}
        comment = {"id": str(number), "body": text, "is_public": True, "author": author}
        return {
            "type": "zen:event-type:ticket.comment_added",
            "account_id": 1,
            "time": "2026-05-04T09:00:00.123456789Z",
            "detail": {"id": "5158"},
            "event": {"comment": comment},
        }


def _letter(text: str, number: int = 1) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "sam@nowhere.example", MAILBOX, "Invoice"
    message["Message-ID"], message["Date"] = f"<{number}@nowhere.example>", "Mon, 04 May 2026 11:00:00 +0200"
    message.set_content(text)
    return bytes(message)


def _http(answer: httpx.Response) -> Said:
    return Said(answer.status_code, json.dumps(dict(answer.headers)) + answer.text)


BENCHES: dict[str, Callable[[Doors], Bench]] = {
    "cloudevents": CloudEventsBench,
    "imports": ImportsBench,
    "mail": MailBench,
    "note": NoteBench,
    "rest": RestBench,
    "slack": SlackBench,
    "webhook": WebhookBench,
    "zendesk": ZendeskBench,
}
