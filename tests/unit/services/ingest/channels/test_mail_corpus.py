"""Every real message goes in over SMTP on a socket and comes to an end: a piece, or aside with its reason."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import aiosmtplib
import pytest

from tests.support.doors import MAILBOX, Doors, doors
from tests.support.fixtures import contents, files

#: A message takes a few ms; one that takes longer than this holds up everybody behind it.
_WITHIN_S = 5.0
_FOLDERS = ("email", "email_bounce", "email_reply")
pytestmark = pytest.mark.skipif(not files(*_FOLDERS), reason="the folders of real messages are not here")


class Corpus:
    """Sends over one connection after the other, and sees where each message went."""

    def __init__(self, house: Doors) -> None:
        self.house = house
        self.ends: Counter[str] = Counter()

    async def send(self, client: aiosmtplib.SMTP, path: Path) -> str:
        """The reason it is aside, or "piece"."""
        kept, aside = len(self.house.events), len(self.house.aside)
        await client.mail("somebody@elsewhere.example")
        await client.rcpt(MAILBOX)
        async with asyncio.timeout(_WITHIN_S):
            answer = await client.data(contents(path))
        assert answer.code == 250, path
        new = ["piece"] * (len(self.house.events) - kept)
        new += [reason for _, reason in self.house.aside[aside:]]
        assert len(new) == 1, path
        self.ends[new[0]] += 1
        return new[0]


async def sent(directory: Path, folder: str) -> Corpus:
    async with doors(directory) as house:
        corpus = Corpus(house)
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=house.mail.port, use_tls=False, start_tls=False, timeout=_WITHIN_S
        )
        async with client:
            for path in files(folder):
                await corpus.send(client, path)
        return corpus


@pytest.mark.timeout(180)
@pytest.mark.parametrize("folder", _FOLDERS)
async def test_every_message_comes_to_an_end(tmp_path: Path, folder: str) -> None:
    corpus = await sent(tmp_path, folder)
    assert corpus.ends.total() == len(files(folder))
    assert corpus.ends["unparsable"] == 0
    bounces = corpus.ends["bounce"] + corpus.ends["auto_reply"]
    if folder == "email_bounce":
        # Seven of 379 are neither: a person's forward, complaints typed by hand, spam with a picture.
        assert bounces / corpus.ends.total() > 0.97
    if folder == "email_reply":
        assert bounces == 0
