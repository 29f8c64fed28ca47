"""Each receiver with the other side it speaks to, under one set of handles: what the contract suite turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr

from services.notifier.receiver import Receiver
from services.notifier.receivers import RECEIVERS
from services.notifier.settings import NotifierSettings
from shared.domain.delivery import Target
from shared.errors import PermanentError, Reason, TransientError
from tests.support.http_server import Reply
from tests.support.slack_api import TOKEN, SlackApi
from tests.support.smtp_server import SmtpServer
from tests.support.webhook_sink import SECRET, WebhookSink

#: What must never be in an error: it is stored with the delivery, logged and shown.
PASSWORD = "hunter2-made-up"


class Bench(Protocol):
    """`target` is where the other side listens; `secrets` what an error must not hold."""

    secrets: tuple[str, ...]

    @property
    def receiver(self) -> Receiver: ...
    @property
    def target(self) -> Target: ...

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def go_away(self) -> None:
        """Nobody listens any more."""

    def taken(self) -> list[str]:
        """The ids of the deliveries that the other side has, as it knows them."""
        ...

    def refuse_for_now(self) -> None: ...
    def refuse_for_good(self) -> None: ...
    def hang_up(self) -> None:
        """The message is read to its end, and the connection cut."""

    def fall_silent(self) -> None:
        """The message is read to its end, and nothing answered."""


def settings(**sections: Any) -> NotifierSettings:  # noqa: ANN401 - as in the environment
    return NotifierSettings.model_validate(
        {"notifier": sections, "secrets": {"hook": SecretStr(SECRET), "odd": SecretStr("whsec_%%%")}}
    )


@dataclass
class EmailBench:
    server: SmtpServer = field(default_factory=SmtpServer)
    secrets: tuple[str, ...] = (PASSWORD, "cora@acme.example")

    async def open(self) -> None:
        await self.server.start()
        email = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "sender": "Listening Post <post@brightline.example>",
            "timeout_s": 1.0,
        }
        self._receiver = RECEIVERS["email"](settings(email=email))
        await self._receiver.start()

    async def close(self) -> None:
        await self._receiver.stop()
        await self.server.stop()

    async def go_away(self) -> None:
        await self.server.stop()

    @property
    def receiver(self) -> Receiver:
        return self._receiver

    @property
    def target(self) -> Target:
        return Target("email", "cora@acme.example")

    def taken(self) -> list[str]:
        ids = (str(mail.message["Message-ID"]) for mail in self.server.mails)
        return [message_id.strip("<>").partition("@")[0] for message_id in ids]

    def refuse_for_now(self) -> None:
        self.server.at_rcpt = f"451 cora@acme.example is greylisted, {PASSWORD}"

    def refuse_for_good(self) -> None:
        self.server.at_data = f"554 cora@acme.example does not want this, {PASSWORD}"

    def hang_up(self) -> None:
        self.server.at_data = "hang up"

    def fall_silent(self) -> None:
        self.server.at_data = "silence"


@dataclass
class SlackBench:
    slack: SlackApi = field(default_factory=SlackApi)
    secrets: tuple[str, ...] = (TOKEN,)

    async def open(self) -> None:
        await self.slack.__aenter__()
        section = {"bot_token": TOKEN, "api_url": self.slack.url, "timeout_s": 0.5}
        self._receiver = RECEIVERS["slack"](settings(slack=section))
        await self._receiver.start()

    async def close(self) -> None:
        await self._receiver.stop()
        await self.slack.stop()

    async def go_away(self) -> None:
        await self.slack.stop()

    @property
    def receiver(self) -> Receiver:
        return self._receiver

    @property
    def target(self) -> Target:
        return Target("slack", "C0FEEDBACK")

    def taken(self) -> list[str]:
        return [message.body["metadata"]["event_payload"]["delivery_id"] for message in self.slack.said()]

    def refuse_for_now(self) -> None:
        self.slack.reply = Reply(status=429, headers={"Retry-After": "7"}, body=TOKEN.encode())
        self.slack.acts = False

    def refuse_for_good(self) -> None:
        self.slack.error = "channel_not_found"

    def hang_up(self) -> None:
        self.slack.reply = Reply(hang_up=True)

    def fall_silent(self) -> None:
        self.slack.reply = Reply(silent=True)


@dataclass
class WebhookBench:
    sink: WebhookSink = field(default_factory=WebhookSink)
    secrets: tuple[str, ...] = (SECRET, SECRET.removeprefix("whsec_"), "key=in-the-url", "127.0.0.1")

    async def open(self) -> None:
        await self.sink.__aenter__()
        webhook = {"allowed_networks": ["127.0.0.0/8"], "timeout_s": 0.5}
        self._receiver = RECEIVERS["webhook"](settings(webhook=webhook))
        await self._receiver.start()

    async def close(self) -> None:
        await self._receiver.stop()
        await self.sink.stop()

    async def go_away(self) -> None:
        await self.sink.stop()

    @property
    def receiver(self) -> Receiver:
        return self._receiver

    @property
    def target(self) -> Target:
        return Target("webhook", f"{self.sink.url}/hook?key=in-the-url", secret="secret:hook")

    def taken(self) -> list[str]:
        return [call.headers["webhook-id"] for call in self.sink.calls]

    def refuse_for_now(self) -> None:
        self.sink.reply = Reply(status=503, headers={"Retry-After": "7"}, body=SECRET.encode())

    def refuse_for_good(self) -> None:
        self.sink.reply = Reply(status=410, body=SECRET.encode())

    def hang_up(self) -> None:
        self.sink.reply = Reply(hang_up=True)

    def fall_silent(self) -> None:
        self.sink.reply = Reply(silent=True)


BENCHES: dict[str, type[EmailBench | SlackBench | WebhookBench]] = {
    "email": EmailBench,
    "slack": SlackBench,
    "webhook": WebhookBench,
}


def reason_of(error: BaseException) -> Reason | None:
    """Why it failed, as the metrics say it."""
    return error.reason if isinstance(error, PermanentError | TransientError) else None
