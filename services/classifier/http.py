"""What the classifier answers to our own tools: the tags a piece would get. Nothing is stored of it."""

from __future__ import annotations

from collections.abc import Callable

from services.classifier.tagging import Tagging
from shared.bus.codec import decode
from shared.domain.directory import Directory
from shared.events.feedback import FeedbackReceived
from shared.internal import Answering


def tag(tagging: Tagging, directory: Callable[[], Directory]) -> Answering:
    """`POST /internal/tag`: a `feedback.received.v1` in, its tags and by what they were made out."""

    async def answer(body: bytes) -> object:
        event = decode(FeedbackReceived, body)
        in_force = directory()
        [tags] = await tagging.tag([event], in_force)
        return {
            "tags": tags.model_dump(mode="json"),
            "model_version": tagging.version,
            "directory_version": in_force.version,
        }

    return answer
