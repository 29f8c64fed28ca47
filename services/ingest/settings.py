"""The settings of ingest: a variable is `LISTENINGPOST_INGEST__<FIELD>` or `…_INGEST__MAIL__<FIELD>`."""

from __future__ import annotations

from pathlib import Path

from pydantic import EmailStr, Field, HttpUrl, SecretStr

from shared.settings import CommonSettings, Section

_MIB = 1_048_576


class RestSettings(Section):
    """The door `POST /v1/feedback`."""

    max_body_bytes: int = Field(default=32 * _MIB, ge=1_024, description="over it: 413")
    max_items: int = Field(default=10_000, ge=1, description="items in one request; over it: 413")


class SlackSettings(Section):
    """The door for Slack's Events API. Closed while no signing secret is set."""

    signing_secret: SecretStr | None = None
    previous_signing_secret: SecretStr | None = Field(
        default=None, description="also taken, while secrets are being rotated"
    )
    bot_token: SecretStr | None = Field(default=None, description="xoxb-…, fetches names and files")
    api_url: HttpUrl = HttpUrl("https://slack.com/api/")
    confidential_word: str = Field(
        default="#confidential", description="a message with this word hides its author"
    )
    replay_window_s: int = Field(default=300, ge=1)


class Mailbox(Section):
    """An address mail is taken for. A hint says what its mail is about."""

    address: EmailStr
    confidential: bool = False
    product: str | None = None
    touchpoint: str | None = None


class MailSettings(Section):
    """The door for inbound mail over SMTP. Closed while no port is set."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65_535, description="0 takes a free one")
    hostname: str = Field(default="localhost", description="how it greets, and names itself in Received")
    mailboxes: tuple[Mailbox, ...] = Field(default=(), description="JSON list; mail to others is refused")
    authserv_id: str | None = Field(
        default=None, description="the mail server in front whose Authentication-Results are believed"
    )
    max_message_bytes: int = Field(default=32 * _MIB, ge=1_024)


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
    slack: SlackSettings = SlackSettings()
    mail: MailSettings = MailSettings()
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
