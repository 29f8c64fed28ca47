"""Identities are pinned: another value after an upgrade would make every stored piece a second one."""

from __future__ import annotations

import uuid

import pytest

from shared import ids


@pytest.mark.parametrize(
    ("made", "pinned"),
    [
        (ids.feedback_id("mail", "inbox", "<1@x>"), "94e64fb0-d3a9-5002-83f2-a62e2def7b25"),
        (ids.event_id("t", "f", "1", "created"), "64f505ef-d0d9-5076-a26d-6ba5c6e7bf4a"),
        (ids.notice_id("f", "received"), "59e1fb6a-0c14-5f4c-a316-a80969af8047"),
        (ids.delivery_id("n", "pia"), "1316a08c-026a-54f2-b569-242b87a1fe7a"),
        (ids.stranger_id("email", "a@b.example"), "f346d8c9-2acb-5e15-8c1d-64226d0e5fcd"),
    ],
)
def test_they_never_change(made: str, pinned: str) -> None:
    assert made == pinned
    assert uuid.UUID(made).version == 5


def test_the_same_words_mean_another_thing_in_another_role() -> None:
    made = [ids.feedback_id("a", "b", "c"), ids.event_id("a", "b", "c"), ids.notice_id("a", "b")]
    made += [ids.delivery_id("a", "b"), ids.stranger_id("a", "b")]
    assert len(set(made)) == len(made)


def test_where_one_part_ends_makes_a_difference() -> None:
    assert ids.feedback_id("ab", "c", "d") != ids.feedback_id("a", "bc", "d")
    assert ids.digest(b"ab", b"c") != ids.digest(b"a", b"bc")
    assert ids.digest(b"a", b"") != ids.digest(b"a")


def test_an_address_is_one_person_however_it_is_written() -> None:
    assert ids.stranger_id("email", " Luc@Northwind.Example ") == ids.stranger_id(
        "email", "luc@northwind.example"
    )
    assert ids.stranger_id("email", "luc") != ids.stranger_id("slack", "luc")


def test_fresh_ones_and_tokens_are_unguessable() -> None:
    assert len({ids.fresh_id() for _ in range(100)}) == 100
    assert len({ids.token() for _ in range(100)}) == 100
    assert len(ids.token()) == 32
    assert len(ids.token(6)) == 8
