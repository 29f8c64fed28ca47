"""A mark makes a piece a test when it is genuine, and does nothing otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from services.ingest.domain.selftest import as_test, mark
from shared.events.feedback import Mode
from tests.support.submissions import RECEIVED_AT, submission

TOKEN = b"the-token-of-this-house"
NONCE = "00c0ffee00c0ffee"
GENUINE = mark(TOKEN, "mail", RECEIVED_AT, NONCE)


def _tokens() -> list[SecretStr]:
    return [SecretStr(TOKEN.decode())]


def test_a_genuine_mark_makes_a_test_and_is_taken_out() -> None:
    came = submission(channel="mail", text=f"Before. {GENUINE} After.")
    tested = as_test(came, _tokens, RECEIVED_AT)
    assert (tested.mode, tested.text) == (Mode.TEST, "Before.  After.")


@pytest.mark.parametrize(
    "given",
    [
        "no mark at all",
        mark(b"another-token", "mail", RECEIVED_AT, NONCE),
        mark(TOKEN, "slack", RECEIVED_AT, NONCE),
        mark(TOKEN, "mail", RECEIVED_AT - timedelta(minutes=11), NONCE),
        mark(TOKEN, "mail", RECEIVED_AT + timedelta(minutes=11), NONCE),
        GENUINE.replace(NONCE, NONCE[::-1]),
        GENUINE.replace("mail", "rest"),
        GENUINE[:-2] + ("0]" if GENUINE[-2] != "0" else "1]"),
        GENUINE.upper(),
        "[listening-post-test mail 999999999999 00c0ffee00c0ffee " + "0" * 64 + "]",
    ],
)
def test_another_is_only_words(given: str) -> None:
    came = submission(channel="mail", text=given)
    assert as_test(came, _tokens, RECEIVED_AT) is came


def test_where_there_is_no_token_nothing_is_genuine() -> None:
    came = submission(channel="mail", text=mark(b"", "mail", RECEIVED_AT, NONCE))
    assert as_test(came, list, RECEIVED_AT) is came


def test_a_genuine_one_counts_behind_a_forged_one() -> None:
    forged = mark(b"another-token", "mail", RECEIVED_AT, NONCE)
    came = submission(channel="mail", text=f"{forged} {GENUINE}")
    assert as_test(came, _tokens, RECEIVED_AT).mode is Mode.TEST
