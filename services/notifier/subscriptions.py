"""What the notifier reads: topic, group, handler."""

from __future__ import annotations

from services.notifier.pipeline import Pipeline
from shared.bus.subscription import Subscription
from shared.events.topics import CLASSIFIED

GROUP = "notifier"


def subscriptions(pipeline: Pipeline) -> list[Subscription]:
    return [Subscription(topic=CLASSIFIED, group=GROUP, handler=pipeline.tell)]
