"""Whom a word names, and what names somebody whose hash is in the ledger."""

from __future__ import annotations

import base64
import json

import pytest

from services.ingest.domain.conceal import concealed_person
from services.ingest.domain.forgotten import Marks, Subject, names_marked, person
from shared import ids
from shared.domain.erasure import PERSON
from shared.errors import InvalidInput

KEY = b"the key of confidences"
MARKS = Marks(b"the key of the ledger")
DORA = "dora.doe@customer.example"
HERS = MARKS.of(person(DORA, (), (), KEY))


def test_an_address_stands_for_its_owner_proven_or_not_open_or_in_confidence() -> None:
    found = person(" Dora.Doe@Customer.Example ", (), (), KEY).people
    open_ids = {ids.stranger_id(kind, DORA) for kind in ("email", "unverified email")}
    assert found == open_ids | {concealed_person(KEY, each) for each in open_ids}


def test_a_colleague_who_left_stands_for_all_addresses_and_ids_of_any_version() -> None:
    found = person("ann", ["Ann@brightline.example"], ["ann", "ann-quote"], KEY)
    assert {"ann", "ann-quote", ids.stranger_id("email", "ann@brightline.example")} <= found.people
    assert found.emails == {"ann@brightline.example"}


def test_an_id_of_another_system_is_named_with_its_source() -> None:
    assert ids.stranger_id("slack", "T024 U21") in person("slack:T024/U21", (), (), KEY).people


@pytest.mark.parametrize("who", ["", "   ", "Dora Doe"])
def test_what_names_nobody_is_refused_with_what_to_give(who: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        person(who, (), (), KEY)
    assert "mail address" in refused.value.remedy


@pytest.mark.parametrize(
    "raw",
    [
        f"From: Dora <{DORA}>\r\n\r\nI am away.".encode(),
        DORA.upper().encode(),
        json.dumps({"reported_by": {"person_id": ids.stranger_id("email", DORA)}}).encode(),
        json.dumps({"body": base64.b64encode(f"mail={DORA}".encode()).decode(), "base64": True}).encode(),
        b"\x00\xff" + DORA.encode() + b"\xfe",
    ],
)
def test_what_holds_an_address_or_an_id_of_theirs_names_them(raw: bytes) -> None:
    assert names_marked(raw, HERS.__contains__, MARKS)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x" + DORA.encode(),
        b"max@customer.example and dora",
        b'{"body": "no base64!", "base64": true}',
        b"@" * 10_000,
    ],
)
def test_what_holds_none_of_theirs_stays(raw: bytes) -> None:
    assert not names_marked(raw, HERS.__contains__, MARKS)


def test_a_mark_tells_nothing_without_the_key() -> None:
    other = Marks(b"another key")
    assert MARKS(PERSON, "dora") != other(PERSON, "dora")
    assert len(MARKS(PERSON, "dora")) == 64
    assert MARKS.of(Subject()) == frozenset()
