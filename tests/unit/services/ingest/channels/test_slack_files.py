"""Files of Slack messages, fetched from a server that speaks Slack's protocol; and from nowhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.ingest.channels.slack_files import SlackFiles
from services.ingest.domain.slack.envelope import SlackFile
from services.ingest.settings import SlackSettings
from shared.errors import PermanentError, TransientError
from shared.events.feedback import Change
from tests.support.doors import Doors, doors
from tests.support.http_server import HttpServer, Reply, Request
from tests.support.submissions import screenshot
from tests.support.wait import until
from tests.unit.services.ingest.channels.test_slack import event

TOKEN = "xoxb-made-up"
SHOT = screenshot()
PNG = Reply(body=SHOT, headers={"content-type": "image/png"})


@dataclass
class Slack:
    """`replies` are given one after the other, the last one for ever; `gate` holds them back."""

    replies: list[Reply] = field(default_factory=lambda: [PNG])
    asked: list[Request] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        await self.gate.wait()
        if "files.info" in request.path:
            return Reply(body=json.dumps({"ok": True, "file": self.file(id="F9")}).encode())
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def settings(self, token: str | None = TOKEN) -> SlackSettings:
        return SlackSettings.model_validate({"bot_token": token, "api_url": f"{self.url}/api/"})

    def file(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of Slack's
        about = {"id": "F1", "name": "shot.png", "mimetype": "image/png", "size": len(SHOT)}
        return about | {"url_private_download": f"{self.url}/files-pri/T1-F1/shot.png"} | fields


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[Slack]:
    made = Slack()
    made.gate.set()
    async with HttpServer(made.answer) as server:
        made.url = server.url
        yield made


@pytest_asyncio.fixture
async def house(slack: Slack, tmp_path: Path) -> AsyncIterator[Doors]:
    settings = {"bot_token": TOKEN, "api_url": f"{slack.url}/api/", "files_within_s": 2.5}
    async with doors(tmp_path, slack=settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def hasty(slack: Slack, tmp_path: Path) -> AsyncIterator[Doors]:
    """It waits for no file."""
    settings = {"bot_token": TOKEN, "api_url": f"{slack.url}/api/", "files_within_s": 0.01}
    async with doors(tmp_path, slack=settings) as opened:
        yield opened


def shared(*files: dict[str, Any], text: str = "Look:") -> dict[str, Any]:
    return event(subtype="file_share", files=list(files), text=text)


async def test_a_file_comes_with_its_message(house: Doors, slack: Slack) -> None:
    await house.slack(shared(slack.file()))
    (heard,) = house.events
    (attachment,) = heard.attachments
    assert (heard.text, attachment.name, attachment.media_type) == ("Look:", "shot.png", "image/png")
    assert house.parts.memory.files[attachment.sha256] == SHOT
    assert slack.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_screenshot_needs_no_words(house: Doors, slack: Slack) -> None:
    await house.slack(shared(slack.file(), text=""))
    (heard,) = house.events
    assert len(heard.attachments) == 1


async def test_of_a_stub_the_rest_is_asked_for(house: Doors, slack: Slack) -> None:
    await house.slack(shared({"id": "F9", "mode": "file_access", "file_access": "check_file_info"}))
    (heard,) = house.events
    assert [attachment.name for attachment in heard.attachments] == ["shot.png"]
    assert slack.asked[0].path == "/api/files.info?file=F9"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404),
        Reply(302, headers={"location": "https://slack.com/login"}),
        Reply(body=b"<html>log in", headers={"content-type": "text/html; charset=utf-8"}),
        Reply(body=b"x" * 1_100_000),
        Reply(429),
        Reply(hang_up=True),
    ],
)
async def test_without_its_file_a_message_is_taken_and_says_so(
    house: Doors, slack: Slack, reply: Reply
) -> None:
    slack.replies = [reply]
    assert (await house.slack(shared(slack.file()))).status_code == 200
    await until(lambda: house.events, within_s=5, what="the message is taken")
    assert "1 file is" in house.events[0].text
    assert not house.events[0].attachments


async def test_a_file_that_comes_too_late_follows_as_an_edit(hasty: Doors, slack: Slack) -> None:
    slack.gate.clear()
    assert (await hasty.slack(shared(slack.file()))).status_code == 200
    assert "still being fetched" in hasty.events[0].text
    slack.gate.set()
    await until(lambda: len(hasty.events) == 2, within_s=5, what="the file follows")
    first, second = hasty.events
    assert (second.feedback_id, second.change) == (first.feedback_id, Change.EDITED)
    assert second.revision == first.revision + 1
    assert (second.text, len(second.attachments)) == ("Look:", 1)


async def test_what_is_underway_when_the_channel_stops_is_finished(hasty: Doors, slack: Slack) -> None:
    slack.gate.clear()
    await hasty.slack(shared(slack.file()))
    asyncio.get_running_loop().call_later(0.1, slack.gate.set)
    for channel in hasty.channels:
        await channel.stop()
    assert len(hasty.events) == 2


async def test_more_files_than_the_limit_are_counted(house: Doors, slack: Slack) -> None:
    await house.slack(shared(*(slack.file(id=f"F{n}", name=f"{n}.png") for n in range(5))))
    (heard,) = house.events
    assert "2 files are missing" in heard.text
    assert len(slack.asked) == 3


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com/x",
        "https://files.slack.com.evil.example/x",
        "https://evil.example/slack.com",
        "https://slack.com@evil.example/",
        "https://me@files.slack.com/",
        "https://files.slack.com:8443/",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "//files.slack.com/",
        "https://[::1",
        "",
    ],
)
async def test_the_token_goes_to_slack_only(slack: Slack, url: str) -> None:
    fetcher = SlackFiles(slack.settings(), 1_000)
    with pytest.raises(PermanentError):
        await fetcher.fetch(SlackFile(id="F1", url_private=url or "x:", size=1))
    await fetcher.close()
    assert not slack.asked


async def test_slack_is_asked_again_when_it_is_busy(slack: Slack) -> None:
    fetcher = SlackFiles(slack.settings(), 1_000_000)
    slack.replies = [Reply(429), Reply(503), PNG]
    assert (await fetcher.fetch(SlackFile.model_validate(slack.file()))).content == SHOT
    slack.replies = [Reply(500)]
    with pytest.raises(TransientError):
        await fetcher.fetch(SlackFile.model_validate(slack.file()))
    await fetcher.close()


async def test_without_a_token_nothing_is_asked(slack: Slack) -> None:
    fetcher = SlackFiles(slack.settings(None), 1_000)
    with pytest.raises(PermanentError, match="bot token"):
        await fetcher.fetch(SlackFile.model_validate(slack.file()))
    assert not slack.asked
