"""What becomes of somebody else's JSON: an expression for each field of a piece.

The expressions are JMESPath (https://jmespath.org/specification.html): a language without loops or calls of
its own, so an expression cannot hang the door.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import jmespath
from jmespath.exceptions import JMESPathError, ParseError

#: What a mapping may fill in: the fields of an item of `POST /v1/feedback`, some of them by dots.
TARGETS = (
    "text",
    "title",
    "external_id",
    "revision",
    "change",
    "occurred_at",
    "thread_id",
    "url",
    "product",
    "touchpoint",
    "confidential",
    *(f"{who}.{what}" for who in ("author", "on_behalf_of") for what in ("email", "id", "name", "verified")),
    *(f"rating.{what}" for what in ("value", "min", "max", "kind")),
)
#: (path, what is wrong, what to do)
Flaw = tuple[tuple[str, ...], str, str]


def target_faults(targets: Collection[str]) -> Iterator[Flaw]:
    """What is wrong with the fields that `map` fills in."""
    for target in targets:
        if target not in TARGETS:
            yield ("map", target), f"`{target}` cannot be filled in", f"possible are {', '.join(TARGETS)}"
    if "text" not in targets and "title" not in targets:
        yield ("map",), "nothing in it says where the words are", "map `text`"


def expression_fault(path: tuple[str, ...], expression: str) -> Iterator[Flaw]:
    """One, or none."""
    remedy = "write JMESPath; text constants in '…', numbers and true in `…`"
    try:
        jmespath.compile(expression)
    except ParseError as error:
        yield path, f"this is no JMESPath at column {error.lex_position + 1}: {expression}", remedy
    except JMESPathError as error:
        yield path, f"this is no JMESPath ({type(error).__name__}): {expression}", remedy
