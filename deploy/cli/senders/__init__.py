"""Who knocks at each door in a self-test: one file a door, one line each in `SENDERS`.

Everything goes over a socket, signed as the door asks for. What a door needs beside (a secret, a mailbox)
comes from the settings of ingest, as far as this command is given them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from deploy.cli.senders import cloudevents, imports, mail, note, rest, slack, webhook, zendesk
from deploy.cli.senders.knock import Knock
from shared.domain.api_key import Scope

#: Hands `text` over and returns what the door said. Raises Failed when it did not take it.
Sender: TypeAlias = Callable[[Knock, str], Awaitable[str]]

SENDERS: dict[str, Sender] = {
    "cloudevents": cloudevents.send,
    "imports": imports.send,
    "mail": mail.send,
    "note": note.send,
    "rest": rest.send,
    "slack": slack.send,
    "webhook": webhook.send,
    "zendesk": zendesk.send,
}
#: The door whose pieces are of many channels, one a declaration.
WEBHOOK = "webhook"
#: The channel of a door's piece, where it is not called like the door.
CHANNEL_OF: dict[str, str] = {"imports": imports.CHANNEL}
#: What a key needs that is made for a door.
NEEDS: dict[str, Scope] = {"note": Scope.TEST, "imports": Scope.IMPORT}
