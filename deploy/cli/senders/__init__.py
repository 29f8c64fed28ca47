"""Who knocks at each door in a self-test: one file a door, one line each in `SENDERS`.

Everything goes over a socket, signed as the door asks for. What a door needs beside (a secret, a mailbox)
comes from the settings of ingest, as far as this command is given them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from deploy.cli.senders import cloudevents, mail, rest, slack, zendesk
from deploy.cli.senders.knock import Knock

#: Hands `text` over and returns what the door said. Raises Failed when it did not take it.
Sender: TypeAlias = Callable[[Knock, str], Awaitable[str]]

SENDERS: dict[str, Sender] = {
    "cloudevents": cloudevents.send,
    "mail": mail.send,
    "rest": rest.send,
    "slack": slack.send,
    "zendesk": zendesk.send,
}
#: Doors that a self-test cannot knock at, and why.
NOT_SENT: dict[str, str] = {
    "note": "each is a colleague's: `listeningpost note add --test` sends one",
    "webhook": "each has a mapping of its own, which only a body of its sender fits: use their test button",
    "imports": "what comes in files goes the way of rest, or of mail: `listeningpost import FILE --dry-run`",
}
