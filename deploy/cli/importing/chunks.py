"""Rows in portions of one request each, in the order of the file, made as they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.cli.importing.items import Item, NoWords
from deploy.cli.importing.ordinals import Ordinals
from deploy.cli.importing.plan import Plan
from deploy.cli.importing.record import Fault, Refused, Row

#: So few that what comes in live beside them is not held up, so many that a request costs little.
_MOST_ROWS = 500
_MOST_BYTES = 1_048_576
_MOST_MAILS = 50
_NOT_TEXT: Final = Fault(
    "", "it has bytes that are not text in this encoding", "Mend them, or say the --encoding."
)
_TWICE: Final = (
    "external_id",
    "a row above has the same id",
    "Take one of them out, or say that it is no id: --map external_id=",
)
_CREATED: Final = "created"
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _encoder() -> Callable[[Item, int], Sequence[str]]:
    """What `json.dumps` makes anew for every value, which takes longer than to write down a row."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda item, _: (_JSON.encode(item),)
    made: Callable[[Item, int], Sequence[str]] = make(
        None, _JSON.default, json.encoder.encode_basestring, None, ":", ",", *(False, False, False)
    )
    return made


_encode: Final = _encoder()


@dataclass(slots=True)
class Chunk:
    """`bodies` are to be sent, `rows` where they are from, `refused` what cannot be sent.

    It has `taken` rows of the file, of which `left_out` have no words; `done` from the top end with it, the
    last has the number `last_row`, and all of them together `digest`.
    """

    bodies: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, Fault]] = field(default_factory=list)
    left_out: int = 0
    taken: int = 0
    done: int = 0
    last_row: int = 0
    digest: str = ""
    position: int = 0


class Chunks:
    """The rows of a plan. What was seen of those before goes into those after: it is read from the top."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows = plan.reader.rows()
        self._ordinals = Ordinals()
        self._digest = hashlib.blake2b(digest_size=16)
        self._done = 0
        self._last_row = 0

    def skip(self, count: int) -> Iterator[Chunk]:
        """The first `count` rows are read, and not sent again: the chunks have no bodies."""
        while self._done < count and (chunk := self._next(min(_MOST_ROWS, count - self._done))).taken:
            chunk.bodies, chunk.rows = [], []
            yield chunk

    def __iter__(self) -> Iterator[Chunk]:
        most = _MOST_MAILS if self._plan.build is None else _MOST_ROWS
        while (chunk := self._next(most)).taken:
            yield chunk

    def _next(self, most: int) -> Chunk:
        chunk = Chunk()
        build, body_of = self._plan.build, self._body
        bodies, rows, seen = chunk.bodies, chunk.rows, []
        size = number = 0
        for row in self._rows:
            number, cells, fault = row
            seen.append(cells)
            try:
                if fault is not None:
                    chunk.refused.append((row, fault))
                    size += sum(map(len, cells))
                else:
                    body = cells if build is None else body_of(build(cells))
                    bodies.append(body)
                    rows.append(row)
                    size += len(body)
            except Refused as error:
                chunk.refused.append((row, error.fault))
            except NoWords:
                chunk.left_out += 1
            except UnicodeEncodeError:
                chunk.refused.append((row, _NOT_TEXT))
            if len(seen) >= most or size >= _MOST_BYTES:
                break
        if seen:
            self._last_row = number
            self._digest.update(self._plan.reader.digest_of(seen))
        self._done += len(seen)
        chunk.taken, chunk.done, chunk.last_row = len(seen), self._done, self._last_row
        chunk.digest = self._digest.copy().hexdigest()
        chunk.position = self._plan.reader.position()
        return chunk

    def _body(self, item: Item) -> bytes:
        external_id = item.get("external_id")
        if external_id:
            # Two things of one id would become one piece, and the first be lost without a word.
            known = hash((item.get("channel"), item["source"], external_id))
            once = "revision" not in item and item.get("change", _CREATED) == _CREATED
            if once and self._ordinals.of(known):
                raise Refused(*_TWICE)
            if self._plan.channel and "revision" not in item and "occurred_at" in item:
                # What a poll of the same thing brought was said then or later: it is not replaced by this.
                item["revision"] = item["occurred_at"]
        elif "ordinal" not in item:
            item["ordinal"] = self._ordinals.of(_same(item))
        return "".join(_encode(item, 0)).encode()


def _same(item: dict[str, Any]) -> int:
    """A hash of what makes a row that has no id the same: what was said, by whom, when.

    It is another in every process, and only ever compared within one.
    """
    author = item.get("author")
    who = tuple(author.items()) if author else None
    return hash((item.get("title"), item.get("text"), who, item.get("occurred_at")))
