"""Where notices go: one file a receiver, one line here."""

from __future__ import annotations

from typing import TypeAlias

from services.notifier.receivers.email import EmailReceiver
from services.notifier.receivers.slack import SlackReceiver
from services.notifier.receivers.webhook import WebhookReceiver

AnyReceiver: TypeAlias = EmailReceiver | SlackReceiver | WebhookReceiver

RECEIVERS: dict[str, type[AnyReceiver]] = {
    "email": EmailReceiver,
    "slack": SlackReceiver,
    "webhook": WebhookReceiver,
}
