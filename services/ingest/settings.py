"""The settings of ingest: a variable is `LISTENINGPOST_INGEST__<FIELD>` or `…_INGEST__MAIL__<FIELD>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import EmailStr, Field, HttpUrl, IPvAnyNetwork, SecretStr

from shared.settings import CommonSettings, Section

_MIB = 1_048_576


class RestSettings(Section):
    """The door `POST /v1/feedback`."""

    max_body_bytes: int = Field(default=32 * _MIB, ge=1_024, description="over it: 413")
    max_items: int = Field(default=10_000, ge=1, description="items in one request; over it: 413")


class NoteSettings(Section):
    """The door for notes of conversations: `POST /v1/notes`, and the form at `/notes/new`."""

    max_body_bytes: int = Field(default=32 * _MIB, ge=65_536, description="with screenshots; over it: 413")


class Place(Section):
    """What feedback from a Slack channel is about, where that is known."""

    product: str | None = None
    touchpoint: str | None = None


class SlackSettings(Section):
    """The door for Slack's Events API. Closed while nothing of it is set; an error without a secret."""

    signing_secret: SecretStr | None = Field(default=None, description="of the Slack app: Basic Information")
    previous_signing_secret: SecretStr | None = Field(
        default=None, description="also taken, while secrets are being rotated"
    )
    bot_token: SecretStr | None = Field(default=None, description="xoxb-…, fetches files")
    api_url: HttpUrl = Field(default=HttpUrl("https://slack.com/api/"), description="Slack's Web API")
    channels: dict[str, Place] = Field(
        default={}, description="JSON, channel id to hints; only these and direct messages are then heard"
    )
    confidential_words: tuple[str, ...] = Field(
        default=("#confidential", "confidential:"), description="a message that starts so hides its author"
    )
    replay_window_s: int = Field(
        default=300, ge=1, description="a signature older or newer than that is refused"
    )
    files_within_s: float = Field(
        default=0.8, gt=0, le=2.5, description="of the 3 s Slack waits; later files follow as an edit"
    )
    max_body_bytes: int = Field(default=4 * _MIB, ge=65_536, description="over it: 413; Slack sends far less")


class Mailbox(Section):
    """An address mail is taken for. A hint says what its mail is about."""

    address: EmailStr
    confidential: bool = False
    product: str | None = None
    touchpoint: str | None = None
    brief: str | None = None


class MailSettings(Section):
    """The door for inbound mail over SMTP. Closed while no port is set; without a mailbox, an error."""

    host: str = Field(default="127.0.0.1", description="0.0.0.0 listens on every address")
    port: int | None = Field(default=None, ge=0, le=65_535, description="0 takes a free one")
    hostname: str = Field(default="localhost", description="how it greets")
    source: str = Field(
        default="mail", min_length=1, description="part of every feedback_id: do not change it"
    )
    mailboxes: tuple[Mailbox, ...] = Field(default=(), description="JSON list; mail to others is refused")
    authserv_id: str | None = Field(
        default=None, description="the mail server in front whose Authentication-Results are believed"
    )
    trusted_relays: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="JSON list of networks; only from these are Authentication-Results believed"
    )
    own_addresses: tuple[EmailStr, ...] = Field(
        default=(), description="JSON list; notices are sent from these, so mail from them is a loop"
    )
    own_message_id_domains: tuple[str, ...] = Field(
        default=(), description="JSON list; the right side of our notices' Message-IDs"
    )
    hear_mailing_lists: bool = Field(default=False, description="take mail with a List-Id as feedback")
    max_message_bytes: int = Field(default=32 * _MIB, ge=1_024, description="over it: 552")
    max_parts: int = Field(default=100, ge=1, le=1_000, description="MIME parts; over it: quarantine")
    max_connections: int = Field(default=20, ge=1, description="at a time; over it: 421, come again")
    timeout_s: float = Field(default=60.0, gt=0, description="a silent connection is closed after it")


class WebhookSettings(Section):
    """The door for webhooks that the workspace declares."""

    max_body_bytes: int = Field(default=524_288, ge=1_024, le=600_000, description="over it: 413")
    replay_window_s: int = Field(
        default=300, ge=1, description="a signature older or newer than that is refused"
    )


class ZendeskSettings(Section):
    """The door for Zendesk's webhooks. Closed while nothing of it is set; an error without a secret."""

    signing_secrets: tuple[SecretStr, ...] = Field(
        default=(), description="JSON list, one for each webhook in Zendesk; old ones while they are rotated"
    )
    account_id: str | None = Field(
        default=None, pattern=r"^[0-9]{1,20}$", description="only events of this account are heard"
    )
    subdomain: str | None = Field(
        default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="acme of acme.zendesk.com, for links"
    )
    replay_window_s: int = Field(
        default=300, ge=1, description="a signature older or newer than that is refused"
    )
    max_body_bytes: int = Field(
        default=_MIB, ge=65_536, le=8 * _MIB, description="over it: 413; Zendesk sends far less"
    )


class SpoolSettings(Section):
    """What is kept on disk while Kafka or MongoDB is away."""

    directory: Path = Field(
        default=Path("/var/lib/listeningpost/spool"), description="on a volume that outlives the process"
    )
    quota_bytes: int = Field(
        default=1_024 * _MIB, ge=_MIB, description="full: senders are asked to come again"
    )
    segment_bytes: int = Field(default=16 * _MIB, ge=4_096, description="a file is closed at this size")


class IngestSection(Section):
    rest: RestSettings = RestSettings()
    note: NoteSettings = NoteSettings()
    slack: SlackSettings = SlackSettings()
    mail: MailSettings = MailSettings()
    webhook: WebhookSettings = WebhookSettings()
    zendesk: ZendeskSettings = ZendeskSettings()
    spool: SpoolSettings = SpoolSettings()
    publish_within_s: float = Field(
        default=2.0, gt=0, le=30, description="then Kafka counts as away; Slack waits 3 s for its answer"
    )
    store_within_s: float = Field(default=2.0, gt=0, le=30, description="then MongoDB counts as away")
    probe_every_s: float = Field(
        default=5.0, gt=0, description="how often somebody tries what counts as away"
    )
    max_file_bytes: int = Field(
        default=25 * _MIB, ge=1, description="a larger attachment is left out, visibly"
    )
    max_files: int = Field(default=20, ge=1, le=100, description="attachments of one piece")
    max_quarantined_bytes: int = Field(
        default=_MIB, ge=1_024, le=8 * _MIB, description="what is kept of a message in quarantine"
    )


class IngestSettings(CommonSettings):
    ingest: IngestSection = IngestSection()
