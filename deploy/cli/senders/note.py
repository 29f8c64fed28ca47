"""A note of a conversation, in the name of whoever gets what nobody else does."""

from __future__ import annotations

from deploy.cli.output import Failed
from deploy.cli.senders.knock import Knock, taken
from services.ingest.channels.note import PATH
from shared.domain.api_key import Scope
from shared.events.feedback import Mode, Occasion


async def send(knock: Knock, text: str) -> str:
    if knock.workspace is None:
        raise Failed("no workspace is applied, so there is no colleague", "listeningpost apply company.yaml")
    note = {
        "kind": Occasion.OTHER.value,
        "text": text,
        "by": knock.workspace.triage_owner,
        "mode": Mode.TEST.value,
    }
    headers = {"Authorization": f"Bearer {knock.keys[Scope.TEST]}"}
    return taken(await knock.http.post(PATH, json=note, headers=headers), 202)
