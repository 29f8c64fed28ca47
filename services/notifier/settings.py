"""The settings of the notifier: a variable is `LISTENINGPOST_NOTIFIER__<FIELD>` or `…__EMAIL__<FIELD>`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, HttpUrl, IPvAnyNetwork, SecretStr

from shared.settings import CommonSettings, Section


class EmailSettings(Section):
    """The SMTP server that carries our mail. Without a host nobody is reached by mail."""

    host: str | None = Field(default=None, description="the server's name or address")
    port: int = Field(default=25, ge=1, le=65_535, description="mostly 25, 587 with starttls, 465 with tls")
    security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="starttls: encrypted after the greeting, tls: from the first byte"
    )
    username: str | None = Field(default=None, description="as whom we log in, where the server asks for it")
    password: SecretStr | None = Field(default=None, description="and its password")
    sender: str = Field(
        default="Listening Post <listening-post@localhost>",
        description="From, and whose domain is in Message-IDs",
    )
    connections: int = Field(default=4, ge=1, le=32, description="kept open to the server")
    timeout_s: float = Field(default=20.0, gt=0, description="for one answer of the server")


class SlackSettings(Section):
    """Slack's Web API. Without a token nobody is reached by Slack."""

    bot_token: SecretStr | None = Field(
        default=None,
        description="xoxb-…; scopes chat:write, im:write, channels:history, groups:history, im:history",
    )
    api_url: HttpUrl = Field(
        default=HttpUrl("https://slack.com/api/"), description="where Slack's Web API is"
    )
    pause_s: float = Field(
        default=1.0, ge=0, description="between two messages to one channel; Slack asks for 1 s"
    )
    timeout_s: float = Field(default=10.0, gt=0, description="for one answer of Slack")


class WebhookSettings(Section):
    """Webhooks of ours, signed after Standard Webhooks."""

    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="JSON list of networks that are not public and may be called all the same"
    )
    timeout_s: float = Field(default=15.0, gt=0, description="for one answer of the receiver")
    connections: int = Field(default=32, ge=1, description="open at a time, to all receivers together")


class NotifierSection(Section):
    email: EmailSettings = EmailSettings()
    slack: SlackSettings = SlackSettings()
    webhook: WebhookSettings = WebhookSettings()
    max_age_h: float = Field(
        default=24.0, gt=0, description="older pieces alert nobody and are not acknowledged"
    )
    summary_quiet_s: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="an import is summed up when nothing more of it came for so long, at most a day after",
    )
    slots: int = Field(
        default=64,
        ge=1,
        le=1_000,
        description="deliveries in flight; after a crash at most so many are in doubt",
    )
    lease_s: float = Field(
        default=30.0, ge=2, description="until the deliveries of a silent replica are taken over"
    )
    poll_s: float = Field(
        default=0.5, gt=0, le=60, description="how often an idle notifier looks for due deliveries"
    )
    retry_for_s: float = Field(
        default=3_600.0,
        ge=0,
        description="a receiver that is away is tried so long, then the next in the chain",
    )
    retry_urgent_for_s: float = Field(default=300.0, ge=0, description="the same, for urgent deliveries")


class NotifierSettings(CommonSettings):
    notifier: NotifierSection = NotifierSection()
