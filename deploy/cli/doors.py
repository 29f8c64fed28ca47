"""The doors of a house on this machine, with what it takes to try each by hand."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.demo.house import House
from deploy.embedded.ports import LOOPBACK
from services.ingest.settings import MailSettings

#: Somebody of the example company's customers; in another workspace a stranger, who is heard as well.
_WHO = "amelia.hart@brightwater.example"


def described(opened: House) -> Iterator[str]:
    """Address and secret of each door, then an example for those that need no signature."""
    url, slack, mail = opened.stack.url("ingest"), opened.doors.slack, opened.doors.mail
    signing = slack.signing_secret.get_secret_value() if slack.signing_secret else "none, so it is closed"
    yield f"REST   {url}/v1/feedback    (its schema: {url}/openapi.json)"
    yield f"       API key {opened.secrets.key}"
    yield f"notes  {url}/notes/new    (`listeningpost note link joao-pereira` opens it)"
    yield f"Slack  {url}/v1/channels/slack/events"
    yield f"       signing secret {signing}"
    console = opened.stack.url("console")
    yield f"CRMs   {console}/v1/accounts    (its schema: {console}/openapi.json)"
    yield "       `listeningpost keys create crm --scope accounts:write` makes a key"
    yield f"mail   {LOOPBACK}:{mail.port} takes mail for {_mailboxes(mail)}"
    yield ""
    yield "By hand:"
    yield f"  {by_rest(url, opened.secrets.key or '')}"
    yield f"  {by_mail(mail)}"


def by_rest(url: str, key: str) -> str:
    return (
        f"curl -sS {url}/v1/feedback -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
        f"""-d '{{"text": "The new bill is clear at last.", "author": {{"email": "{_WHO}"}}}}'"""
    )


def by_mail(mail: MailSettings) -> str:
    """A mail that the company's server has checked, where one is believed: its sender is then answered."""
    to = mail.mailboxes[0].address
    checked = (
        f"Authentication-Results: {mail.authserv_id}; dmarc=pass header.from={_WHO.partition('@')[2]}\\n"
        if mail.authserv_id
        else ""
    )
    text = f"From: {_WHO}\\nTo: {to}\\nSubject: The bill\\n\\nIt is clear at last.\\n"
    return (
        f"printf '{checked}{text}' | "
        f"curl -sS smtp://{LOOPBACK}:{mail.port} --mail-from {_WHO} --mail-rcpt {to} -T -"
    )


def _mailboxes(mail: MailSettings) -> str:
    return ", ".join(f"{box.address}{' (in confidence)' * box.confidential}" for box in mail.mailboxes)
