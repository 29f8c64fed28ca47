"""A whole Listening Post on this machine: embedded servers, the services, and the other ends it talks to."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.cli.prepare import prepare, settings_of
from deploy.cli.workspace_file import example
from deploy.demo.settings import (
    Secrets,
    addresses,
    environment,
    keep_secrets,
    make_secrets,
    read_secrets,
    with_crm_at,
)
from deploy.demo.shown import Screen, names_of
from deploy.demo.sinks.mail import MailSink
from deploy.demo.sinks.serving import serving
from deploy.demo.sinks.slack import SlackWorkspace
from deploy.demo.sinks.webhook import WebhookSink
from deploy.demo.verdict import Arrival
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.output import LineSink
from deploy.embedded.ports import lease_port
from deploy.embedded.stack import EmbeddedStack
from services.ingest.settings import IngestSection, IngestSettings
from services.notifier.settings import NotifierSection, NotifierSettings
from shared.domain.declaration import read_workspace
from shared.domain.workspace import Workspace
from shared.settings import CommonSettings, load

_OF_NOTIFIER = "LISTENINGPOST_NOTIFIER__"
SERVICES = ("ingest", "classifier", "notifier", "console")


@dataclass(frozen=True, slots=True)
class Plan:
    """How to open it. Without `data_dir` nothing is kept; without `workspace` the example company moves in.

    A port that is None is a free one. `author` is who applies the workspace and makes the keys. `screen`
    shows what is sent to people.
    """

    author: str
    output: LineSink
    screen: Screen
    data_dir: Path | None = None
    workspace: Workspace | None = None
    port: int | None = None
    console_port: int | None = None
    mail_port: int | None = None


@dataclass
class Sinks:
    """The other ends."""

    mail: MailSink
    slack: SlackWorkspace
    slack_url: str
    crm: WebhookSink
    crm_url: str

    def arrivals(self) -> tuple[Arrival, ...]:
        """Everything that arrived anywhere."""
        mails = [Arrival("mail", m.message_id, m.at, m.words, m.in_reply_to) for m in self.mail.mails]
        posts = [Arrival("slack", p.ts, p.at, p.shown, p.thread or "") for p in self.slack.posts]
        calls = [Arrival("webhook", call.id, call.at, str(call.body)) for call in self.crm.calls]
        return (*mails, *posts, *calls)


@dataclass
class House:
    """All that runs. `secrets` has the keys to its doors, `told` is what the services were told.

    `workspace` is what is in force: in a folder from before it is what that holds.
    """

    stack: EmbeddedStack
    settings: CommonSettings
    workspace: Workspace
    sinks: Sinks
    secrets: Secrets
    told: Mapping[str, str]

    @property
    def doors(self) -> IngestSection:
        return load(IngestSettings, self.told).ingest

    @property
    def notifier(self) -> NotifierSection:
        return load(NotifierSettings, self.told).notifier

    def environment(self) -> Mapping[str, str]:
        """With these, `listeningpost` works on this stack from another terminal."""
        return {
            "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": self.stack.kafka_bootstrap,
            "LISTENINGPOST_KAFKA__IDEMPOTENCE": str(self.settings.kafka.idempotence).lower(),
            "LISTENINGPOST_MONGO__URI": self.stack.mongo_uri,
            "LISTENINGPOST_CLI__KEY": self.secrets.key or "",
            "LISTENINGPOST_INTERNAL_TOKEN": self.secrets.internal_token,
            "LISTENINGPOST_CLI__IMPORT_KEY": self.secrets.import_key or "",
            "LISTENINGPOST_SECRETS__CRM_WEBHOOK": self.secrets.crm_webhook,
            **self._to_knock(),
            **{name: value for name, value in self.told.items() if name.startswith(_OF_NOTIFIER)},
        } | {f"LISTENINGPOST_CLI__{name.upper()}_URL": self.stack.url(name) for name in SERVICES}

    def _to_knock(self) -> dict[str, str]:
        """What a self-test signs and addresses with."""
        slack, mail = self.doors.slack, self.doors.mail
        boxes = [box.model_dump(mode="json", exclude_defaults=True) for box in mail.mailboxes]
        return {
            "LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET": (
                slack.signing_secret.get_secret_value() if slack.signing_secret else ""
            ),
            "LISTENINGPOST_INGEST__MAIL__PORT": str(mail.port or ""),
            "LISTENINGPOST_INGEST__MAIL__MAILBOXES": json.dumps(boxes) if boxes else "",
        }


@asynccontextmanager
async def open_house(plan: Plan) -> AsyncIterator[House]:
    """Everything started and ready; everything stopped at the end. Raises EmbeddedError, ChildDied."""
    async with AsyncExitStack() as opened:
        folder = plan.data_dir or Path(opened.enter_context(_temporary_folder()))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened.enter_context(_alone_in(folder))
        kept = read_secrets(folder) if plan.data_dir else make_secrets()
        sinks = await _open_sinks(opened, kept, plan)
        workspace = plan.workspace or with_crm_at(read_workspace(example()), sinks.crm_url)
        mail_port = plan.mail_port or _leased(opened)
        env = environment(
            kept,
            slack_url=sinks.slack_url,
            smtp_port=sinks.mail.port,
            mail_port=mail_port,
            spool=folder / "spool",
        )

        in_force = workspace

        async def ready(stack: EmbeddedStack) -> Mapping[str, str]:
            nonlocal in_force
            has_keys = kept.key is not None
            prepared = await prepare(settings_of(stack), workspace, plan.author, has_keys=has_keys)
            in_force = prepared.workspace
            if prepared.tokens is not None:
                kept.key, kept.import_key = prepared.tokens.write, prepared.tokens.bring
            if plan.data_dir:
                keep_secrets(folder, kept)
            return _unless_said(addresses(in_force))

        own = _unless_said(env)
        stack = EmbeddedStack(
            data_dir=plan.data_dir,
            services=SERVICES,
            env=own,
            http_ports={
                name: port
                for name, port in (("ingest", plan.port), ("console", plan.console_port))
                if port is not None
            },
            prepare=ready,
            output=plan.output,
        )
        await opened.enter_async_context(stack)
        plan.screen.called = names_of(in_force)
        told = {**own, **addresses(in_force), **os.environ}
        yield House(stack, settings_of(stack), in_force, sinks, kept, told)


def _unless_said(env: Mapping[str, str]) -> dict[str, str]:
    """What whoever starts it has set is meant, and wins."""
    return {name: value for name, value in env.items() if name not in os.environ}


async def _open_sinks(opened: AsyncExitStack, kept: Secrets, plan: Plan) -> Sinks:
    slack = SlackWorkspace(kept.slack_token, on_post=plan.screen.post)
    crm = WebhookSink(kept.crm_webhook, plan.screen.call)
    return Sinks(
        mail=await opened.enter_async_context(MailSink(plan.screen.mail).listening()),
        slack=slack,
        slack_url=await opened.enter_async_context(serving(slack.app())),
        crm=crm,
        crm_url=await opened.enter_async_context(serving(crm.app())),
    )


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="listeningpost-")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody else opens a house here meanwhile: two databases in one folder would destroy each other."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Another Listening Post runs in {folder}: stop it, or choose another --data-dir."
            raise EmbeddedError(message) from None
        yield


def _leased(opened: AsyncExitStack) -> int:
    lease = lease_port()
    opened.callback(lease.release)
    return lease.port
