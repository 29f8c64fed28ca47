"""The notifier's own secrets are rotated while it delivers without a pause: no delivery fails."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from services.notifier.receivers import RECEIVERS, AnyReceiver
from services.notifier.settings import NotifierSettings
from shared.domain.delivery import Target
from shared.errors import ListeningPostError, PermanentError
from shared.settings import Section, load
from tests.contract.test_receivers import ROW
from tests.e2e.test_rotation import replace_file
from tests.support.slack_api import SlackApi
from tests.support.smtp_server import SmtpServer
from tests.support.wait import until

_OLD, _NEW = "xoxb-old", "xoxb-new"
_WITHIN_S = 20.0


def configured(folder: Path, **notifier: object) -> NotifierSettings:
    variables = {f"LISTENINGPOST_NOTIFIER__{name}": str(value) for name, value in notifier.items()}
    return load(NotifierSettings, {"LISTENINGPOST_SECRETS_DIR": str(folder), **variables})


async def rotated(file: Path, section: Section, secret: str) -> None:
    """Both values are in the file, and the process has seen them."""
    replace_file(file, _NEW, _OLD)
    await until(lambda: len(section.by_now(secret)) == 2, within_s=_WITHIN_S, what="both are known")


@dataclass
class Sender:
    """Delivers without a pause, several at a time. What fails is kept in `faults`."""

    receiver: AnyReceiver
    target: Target
    sent: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    ended: bool = False
    _numbers: Any = field(default_factory=itertools.count)

    async def go_on(self) -> None:
        while not self.ended:
            row = replace(ROW, id=f"delivery-{next(self._numbers):06d}")
            try:
                await self.receiver.send(row, self.target)
            except ListeningPostError as error:
                self.faults.append(error)
                return
            self.sent.append(row.id)

    async def sends_more(self) -> None:
        then = len(self.sent)
        await until(
            lambda: self.faults or len(self.sent) >= then + 20, within_s=_WITHIN_S, what="it delivers on"
        )
        assert not self.faults


@asynccontextmanager
async def delivering(receiver: AnyReceiver, target: Target) -> AsyncIterator[Sender]:
    await receiver.start()
    sender = Sender(receiver, target)
    tasks = [asyncio.create_task(sender.go_on()) for _ in range(3)]
    try:
        yield sender
    finally:
        # Not cancelled: Python 3.11's `wait_for` loses that now and then, and they would go on for ever.
        sender.ended = True
        await asyncio.gather(*tasks)
        await receiver.stop()
    assert not sender.faults


@pytest.mark.timeout(120)
async def test_the_password_of_the_mail_server_is_changed_while_mail_goes_out(tmp_path: Path) -> None:
    file = tmp_path / "notifier__email__password"
    replace_file(file, _OLD)
    async with SmtpServer() as server:
        server.passwords = {_OLD}
        settings = configured(
            tmp_path, EMAIL__HOST="127.0.0.1", EMAIL__PORT=server.port, EMAIL__USERNAME="post"
        )
        target = Target("email", "paula@brightline.example")
        async with delivering(RECEIVERS["email"](settings), target) as sender:
            await sender.sends_more()
            await rotated(file, settings.notifier.email, "password")
            await sender.sends_more()
            # The server takes one at a time, and says goodbye to those it has let in before.
            server.passwords = {_NEW}
            before = server.connections
            replace_file(file, _NEW)
            await until(lambda: server.connections >= before + 3, within_s=_WITHIN_S, what="all log in anew")
            await sender.sends_more()
        assert len(server.mails) >= len(sender.sent) >= 60


@pytest.mark.timeout(120)
async def test_the_mail_server_may_change_first_where_both_passwords_are_known(tmp_path: Path) -> None:
    replace_file(tmp_path / "notifier__email__password", _NEW, _OLD)
    async with SmtpServer() as server:
        server.passwords = {_OLD}
        settings = configured(
            tmp_path, EMAIL__HOST="127.0.0.1", EMAIL__PORT=server.port, EMAIL__USERNAME="post"
        )
        receiver = RECEIVERS["email"](settings)
        await receiver.start()
        target = Target("email", "paula@brightline.example")
        for accepted in (_OLD, _NEW):
            server.passwords = {accepted}
            await receiver.stop()  # whatever is open is closed, so that it has to log in
            await receiver.start()
            await receiver.send(ROW, target)
        server.passwords = {"a third"}
        await receiver.stop()
        await receiver.start()
        with pytest.raises(PermanentError) as refused:
            await receiver.send(ROW, target)
        assert _NEW not in str(refused.value)
        await receiver.stop()
        assert len(server.mails) == 2


@pytest.mark.timeout(120)
async def test_the_token_of_slack_is_changed_while_messages_are_posted(tmp_path: Path) -> None:
    file = tmp_path / "notifier__slack__bot_token"
    replace_file(file, _OLD)
    async with SlackApi(tokens={_OLD}) as slack:
        settings = configured(tmp_path, SLACK__API_URL=slack.url, SLACK__PAUSE_S=0)
        async with delivering(RECEIVERS["slack"](settings), Target("slack", "C0ROOM")) as sender:
            await sender.sends_more()
            await rotated(file, settings.notifier.slack, "bot_token")
            await sender.sends_more()
            slack.tokens = {_NEW}
            await sender.sends_more()
            replace_file(file, _NEW)
            await sender.sends_more()
        posted = [message.body["metadata"]["event_payload"]["delivery_id"] for message in slack.messages]
        assert len(posted) == len(set(posted))
        assert set(sender.sent) <= set(posted)
