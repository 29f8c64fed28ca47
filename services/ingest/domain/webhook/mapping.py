"""From the body of a declared webhook to submissions, by the mapping of the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import jmespath
from jmespath.parser import ParsedResult

from services.ingest.domain.fields import Fields, asked, misfit, named
from services.ingest.domain.rest.convert import Converter
from services.ingest.domain.submission import Submission
from shared import ids
from shared.domain.api_key import ApiKey, Scope
from shared.domain.webhook import Webhook
from shared.errors import InvalidInput, Reason
from shared.http.document import loads

#: More in one request is no webhook any more.
MAX_ITEMS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Submissions and faults by the number of their item; `skipped` are no feedback."""

    submissions: dict[int, Submission] = field(default_factory=dict)
    faults: dict[int, InvalidInput] = field(default_factory=dict)
    skipped: int = 0


class Mapper:
    """A declaration, compiled. Raises nothing for odd bodies but InvalidInput."""

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self._items = _compiled(webhook.items)
        self._skip = _compiled(webhook.skip)
        self._fields = Fields(webhook.map, product=webhook.product, touchpoint=webhook.touchpoint)
        self._key = ApiKey(
            id=webhook.id,
            name=webhook.id,
            source=webhook.source,
            scopes=frozenset({Scope.WRITE}),
            secret_hash="",
            created_at=_EPOCH,
        )

    def map(self, raw: bytes, only: tuple[int, ...], trace: str | None) -> Mapped:
        """What the body says, of all its items or `only` of some.

        Raises InvalidInput where it is no JSON, or not what `items` expects.
        """
        body = loads(raw)
        # The same body again, from the sender or from a dead letter, is the same pieces.
        retry_key = f"{self.webhook.id}:{ids.digest(raw)}"
        converter = Converter(key=self._key, max_files=0, max_file_bytes=0, retry_key=retry_key, trace=trace)
        mapped, skipped = Mapped(), 0
        for number, found in enumerate(self._found(body)):
            if only and number not in only:
                continue
            try:
                if self._skip is not None and _is_true(asked(self._skip, found, "skip")):
                    skipped += 1
                else:
                    mapped.submissions[number] = self._submission(found, converter)
            except InvalidInput as fault:
                mapped.faults[number] = fault
        return replace(mapped, skipped=skipped)

    def _found(self, body: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
        if self._items is None:
            return [body]
        found = asked(self._items, body, "items")
        if not isinstance(found, list):
            raise misfit("items", f"leads to {named(found)}, not to a list")
        if len(found) > MAX_ITEMS:
            raise InvalidInput(Reason.TOO_LARGE, f"these are more than {MAX_ITEMS} items", field="items")
        return found

    def _submission(self, found: Any, converter: Converter) -> Submission:  # noqa: ANN401 - any JSON value
        submission = converter.convert(self._fields.item(found))
        # Nobody reads our answer and mends the request: what is merely absurd is mended here, and noted.
        return replace(
            submission, channel=self.webhook.channel, affiliation=self.webhook.affiliation, strict=False
        )


def _compiled(expression: str | None) -> ParsedResult | None:
    return None if expression is None else jmespath.compile(expression)


def _is_true(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """As JMESPath has it: everything but null, false, and what is empty; 0 is true."""
    return value not in (None, "", [], {}) and value is not False
