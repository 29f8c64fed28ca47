"""Words from a closed list, read where a newer release may have written one that this one does not know.

A release that was rolled back reads what the newer one left in topics, spool and database. An unknown word
then means the one that does the least harm: it tells nobody who would not be told, and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Word = TypeVar("Word", bound=StrEnum)


def known(word: str, otherwise: Word) -> Word:
    """The word as this release knows it, else `otherwise`, which is of the same list."""
    try:
        return type(otherwise)(word)
    except ValueError:
        return otherwise


@dataclass(frozen=True, slots=True)
class Else:
    """The same in a model: `Annotated[Mode, Else(Mode.BACKFILL)]`. What is no text at all stays an error."""

    meaning: StrEnum

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        exact = handler(source)
        other = core_schema.no_info_after_validator_function(
            lambda _: self.meaning, core_schema.str_schema(strict=True)
        )
        either = core_schema.union_schema(
            [exact, other],
            mode="left_to_right",
            custom_error_type="word",
            custom_error_message="Input should be a word",
        )
        # The exact one is what it is written by.
        return core_schema.lax_or_strict_schema(either, exact)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What is written are words that are known."""
        return handler(schema["strict_schema"] if schema["type"] == "lax-or-strict" else schema)
