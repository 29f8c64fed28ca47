"""Items with an API key behind them: taken in, and answered one by one."""

from __future__ import annotations

from collections.abc import Sequence

from services.ingest.context import ChannelContext
from services.ingest.domain.receipt import Receipt
from services.ingest.domain.rest.answer import Answer, answer
from services.ingest.domain.rest.body import Body
from services.ingest.domain.rest.convert import Converter
from services.ingest.domain.rest.hints import Remark, has_hints, remarks
from services.ingest.domain.rest.item import Item
from services.ingest.domain.submission import Submission
from shared.domain.api_key import ApiKey
from shared.errors import DependencyDown, InvalidInput
from shared.telemetry.metrics import RECEIVED


class Taking:
    """For one channel."""

    def __init__(self, context: ChannelContext, channel: str) -> None:
        self._context = context
        self._settings = context.settings.ingest
        self._channel = channel

    async def take(self, body: Body, key: ApiKey, trace: str | None, retry_key: str | None = None) -> Answer:
        """What is sound is kept, and each item has its result. Raises DependencyDown."""
        converter = Converter(
            key=key,
            max_files=self._settings.max_files,
            max_file_bytes=self._settings.max_file_bytes,
            retry_key=retry_key,
            trace=trace,
            channel=self._channel,
        )
        outcomes = [_converted(entry.item, entry.faults, converter) for entry in body.entries]
        submissions = [outcome for outcome in outcomes if isinstance(outcome, Submission)]
        receipts = iter(await self._context.pipeline.accept(submissions) if submissions else ())
        settled = [next(receipts) if isinstance(outcome, Submission) else outcome for outcome in outcomes]
        for outcome in settled:
            if not isinstance(outcome, Receipt):
                RECEIVED.labels(self._channel, "rejected", outcome[0].reason).inc()
        return answer(body, settled, self._remarks(body))

    def _remarks(self, body: Body) -> list[list[Remark]]:
        """None while there is no directory: what is kept is not refused for that."""
        if not has_hints(body.entries):
            return []
        try:
            return remarks(body.entries, self._context.directory())
        except DependencyDown:
            return []


def _converted(
    item: Item | None, faults: tuple[InvalidInput, ...], converter: Converter
) -> Submission | Sequence[InvalidInput]:
    if item is None:
        return faults
    try:
        return converter.convert(item)
    except InvalidInput as fault:
        return (fault,)
