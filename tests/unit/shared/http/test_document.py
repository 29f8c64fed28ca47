"""One JSON document: all of its faults at once, each with its field and what to do."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, Reason
from shared.http.document import InvalidDocument, read


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=3)
    age: int = 0


class Party(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    host: Person
    guests: tuple[Person, ...] = ()


def test_a_good_one_is_read_with_or_without_a_byte_order_mark() -> None:
    assert read(b'\xef\xbb\xbf {"host": {"name": "Ada"}}\n', Party).host.name == "Ada"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"  ", Reason.MALFORMED),
        (b'{"host": ', Reason.MALFORMED),
        (b'{"host": NaN}', Reason.MALFORMED),
        (b"[" * 200_000, Reason.MALFORMED),
        (b"[]", Reason.WRONG_TYPE),
        (b'{"host": {"name": "A\\u0000"}}', Reason.BAD_TEXT),
        (b'{"host": {"name": "A\xff"}}', Reason.BAD_TEXT),
        (b"{}", Reason.MISSING_FIELD),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, reason: Reason) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(raw, Party)
    assert refused.value.reason is reason
    assert refused.value.remedy


def test_every_fault_is_found_with_its_field_and_the_names_known_there() -> None:
    raw = b'{"host": {"name": "Adaline", "aeg": 3}, "guests": [{"name": "Bo", "age": "7"}], "cake": 1}'
    with pytest.raises(InvalidDocument) as refused:
        read(raw, Party)
    found = {fault.field: (fault.reason, fault.remedy) for fault in refused.value.faults}
    assert found == {
        "host/name": (Reason.TOO_LARGE, "Send at most 3 characters; attach the rest as a file."),
        "host/aeg": (Reason.UNKNOWN_FIELD, "Did you mean `age`?"),
        "guests/0/age": (Reason.WRONG_TYPE, "Send a whole number."),
        "cake": (Reason.UNKNOWN_FIELD, "Known here: host, guests."),
    }
