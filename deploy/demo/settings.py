"""What the services of a house on this machine are told: where the other ends are, and secrets."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import BaseModel, Field, HttpUrl

from deploy.demo.doors.mail import mail_house
from deploy.demo.sinks import webhook
from shared.domain.route import ReceiverKind
from shared.domain.workspace import Workspace
from shared.ids import token

#: Of a workspace that names no mail domain.
_SOME_DOMAIN = "company.example"
_LOOPBACK = "127.0.0.1"
LOOPBACK_NETWORK = json.dumps(["127.0.0.0/8"])


class Secrets(BaseModel):
    """Made anew, so that nothing in the code is worth stealing. `key` opens the REST door."""

    slack_signing: str
    slack_token: str
    crm_webhook: str
    contributors_key: str
    internal_token: str = Field(default_factory=token)
    key: str | None = None
    import_key: str | None = None


def make_secrets() -> Secrets:
    return Secrets(
        slack_signing=secrets.token_hex(16),
        slack_token=f"xoxb-{secrets.token_hex(12)}",
        crm_webhook=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
        contributors_key=Fernet.generate_key().decode(),
        internal_token=token(),
    )


def read_secrets(folder: Path) -> Secrets:
    """Those of this folder, made when it has none: what is sealed in its database opens with them alone."""
    file = folder / "secrets.json"
    if file.is_file():
        return Secrets.model_validate_json(file.read_text(encoding="utf-8"))
    return make_secrets()


def keep_secrets(folder: Path, kept: Secrets) -> None:
    """For the next start from this folder; readable by its owner only."""
    file = folder / "secrets.json"
    file.touch(mode=0o600)
    file.write_text(kept.model_dump_json(), encoding="utf-8")


def environment(
    kept: Secrets, *, slack_url: str, smtp_port: int, mail_port: int, spool: Path
) -> Mapping[str, str]:
    """The settings of the services. `smtp_port` takes our mail, `mail_port` is our own door."""
    return {
        "LISTENINGPOST_CONTRIBUTORS_KEY": kept.contributors_key,
        "LISTENINGPOST_INTERNAL_TOKEN": kept.internal_token,
        "LISTENINGPOST_SECRETS__CRM_WEBHOOK": kept.crm_webhook,
        "LISTENINGPOST_INGEST__SPOOL__DIRECTORY": str(spool),
        "LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET": kept.slack_signing,
        "LISTENINGPOST_INGEST__SLACK__BOT_TOKEN": kept.slack_token,
        "LISTENINGPOST_INGEST__SLACK__API_URL": f"{slack_url}/api/",
        "LISTENINGPOST_INGEST__MAIL__PORT": str(mail_port),
        "LISTENINGPOST_INGEST__MAIL__TRUSTED_RELAYS": LOOPBACK_NETWORK,
        "LISTENINGPOST_NOTIFIER__EMAIL__HOST": _LOOPBACK,
        "LISTENINGPOST_NOTIFIER__EMAIL__PORT": str(smtp_port),
        "LISTENINGPOST_NOTIFIER__SLACK__BOT_TOKEN": kept.slack_token,
        "LISTENINGPOST_NOTIFIER__SLACK__API_URL": f"{slack_url}/api/",
        # Nobody who looks on waits a minute for it.
        "LISTENINGPOST_NOTIFIER__SUMMARY_QUIET_S": "2",
        "LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS": LOOPBACK_NETWORK,
    }


def addresses(workspace: Workspace) -> Mapping[str, str]:
    """The settings that say at which addresses the company of this workspace hears and speaks.

    Notices come from the mailbox for feedback, so that an answer to one is heard.
    """
    house = mail_house(workspace.domains[0] if workspace.domains else _SOME_DOMAIN)
    mailboxes = [{"address": house.feedback}, {"address": house.confidential, "confidential": True}]
    return {
        "LISTENINGPOST_INGEST__MAIL__MAILBOXES": json.dumps(mailboxes),
        "LISTENINGPOST_INGEST__MAIL__AUTHSERV_ID": house.authserv_id,
        "LISTENINGPOST_NOTIFIER__EMAIL__SENDER": f"Listening Post <{house.feedback}>",
    }


def with_crm_at(workspace: Workspace, url: str) -> Workspace:
    """The workspace whose webhooks go to `url` on this machine: the example's address leads nowhere."""
    receivers = tuple(
        receiver.model_copy(update={"url": HttpUrl(f"{url}{webhook.PATH}")})
        if receiver.kind is ReceiverKind.WEBHOOK
        else receiver
        for receiver in workspace.receivers
    )
    return workspace.model_copy(update={"receivers": receivers})
