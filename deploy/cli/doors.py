"""The doors of a house on this machine, with what it takes to try each by hand."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.demo.house import House
from deploy.embedded.ports import LOOPBACK
from services.ingest.settings import MailSettings
from shared.domain.workspace import Workspace


def described(opened: House) -> Iterator[str]:
    """Address and secret of each door, then an example for those that need no signature."""
    url, slack, mail = opened.stack.url("ingest"), opened.doors.slack, opened.doors.mail
    who = somebody(opened.workspace)
    signing = slack.signing_secret.get_secret_value() if slack.signing_secret else "none, so it is closed"
    yield f"REST   {url}/v1/feedback    (its schema: {url}/openapi.json)"
    yield f"       API key {opened.secrets.key}"
    yield f"notes  {url}/notes/new    (`listeningpost note link {opened.workspace.triage_owner}` opens it)"
    yield f"Slack  {url}/v1/channels/slack/events"
    yield f"       signing secret {signing}"
    console = opened.stack.url("console")
    yield f"CRMs   {console}/v1/accounts    (its schema: {console}/openapi.json)"
    yield "       `listeningpost keys create crm --scope accounts:write` makes a key"
    yield f"mail   {LOOPBACK}:{mail.port} takes mail for {_mailboxes(mail)}"
    yield ""
    yield "By hand:"
    yield f"  {by_rest(url, opened.secrets.key or '', who)}"
    yield f"  {by_mail(mail, who)}"


def somebody(workspace: Workspace) -> str:
    """The address of one of their customers; of a stranger, who is heard as well, where they declare none."""
    contacts = [contact.email for account in workspace.accounts for contact in account.contacts]
    return contacts[0] if contacts else "ada@customer.example"


def by_rest(url: str, key: str, who: str) -> str:
    return (
        f"curl -sS {url}/v1/feedback -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
        f"""-d '{{"text": "The new bill is clear at last.", "author": {{"email": "{who}"}}}}'"""
    )


def by_mail(mail: MailSettings, who: str) -> str:
    """A mail that the company's server has checked, where one is believed: its sender is then answered."""
    to = mail.mailboxes[0].address
    checked = (
        f"Authentication-Results: {mail.authserv_id}; dmarc=pass header.from={who.partition('@')[2]}\\n"
        if mail.authserv_id
        else ""
    )
    text = f"From: {who}\\nTo: {to}\\nSubject: The bill\\n\\nIt is clear at last.\\n"
    return (
        f"printf '{checked}{text}' | "
        f"curl -sS smtp://{LOOPBACK}:{mail.port} --mail-from {who} --mail-rcpt {to} -T -"
    )


def _mailboxes(mail: MailSettings) -> str:
    return ", ".join(f"{box.address}{' (in confidence)' * box.confidential}" for box in mail.mailboxes)
