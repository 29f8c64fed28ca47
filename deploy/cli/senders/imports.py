"""A mailbox with one mail, as `listeningpost import` sends it. Rows go the way of rest, which has its own."""

from __future__ import annotations

from deploy.cli.output import Failed
from deploy.cli.senders.knock import Knock, taken
from deploy.cli.senders.mail import mail
from services.ingest.channels.imports import MAIL_PATH
from services.ingest.domain.mail import mbox
from shared.domain.api_key import Scope

#: What comes in a mailbox file is a mail, and the mark has to say so.
CHANNEL = "mail"
_NOBODYS = "feedback@listening-post.invalid"


async def send(knock: Knock, text: str) -> str:
    boxes = knock.ingest.mail.mailboxes
    raw = mail(knock.nonce, str(boxes[0].address) if boxes else _NOBODYS, text).as_bytes()
    headers = {"Authorization": f"Bearer {knock.keys[Scope.IMPORT]}", "content-type": mbox.MEDIA_TYPE}
    answer = await knock.http.post(MAIL_PATH, content=mbox.join([raw]), headers=headers)
    said = taken(answer, 202)
    if answer.json().get("quarantined"):
        raise Failed("it is in quarantine", "`listeningpost quarantine` says why")
    return said
