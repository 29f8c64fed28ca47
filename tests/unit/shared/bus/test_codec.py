from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.codec import decode, encode, header
from shared.errors import InvalidInput, PermanentError, Reason
from shared.events.base import MAX_EVENT_BYTES
from shared.events.feedback import FeedbackReceived
from shared.telemetry import trace
from tests.support.feedback import piece

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_record_carries_the_attributes_of_cloudevents() -> None:
    event = piece("1")
    key, value, headers = encode(event, "services/ingest", PARENT)
    assert key == event.feedback_id.encode()
    assert json.loads(value)["text"] == "piece 1"
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_id": event.event_id.encode(),
        "ce_source": b"services/ingest",
        "ce_type": b"listeningpost.feedback.received.v1",
        "ce_time": b"2026-03-02T12:00:00+00:00",
        "content-type": b"application/json",
        "traceparent": PARENT.encode(),
    }


def test_without_a_trace_one_is_begun() -> None:
    _, _, headers = encode(piece(), "tests")
    assert trace.trace_id(dict(headers)["traceparent"].decode())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    event = piece(text=text)
    _, value, _ = encode(event, "tests")
    assert decode(FeedbackReceived, value) == event


def test_an_event_of_the_largest_size_is_sent_and_one_byte_more_is_not() -> None:
    room = MAX_EVENT_BYTES - len(encode(piece(url=""), "tests")[1])
    assert len(encode(piece(url="x" * room), "tests")[1]) == MAX_EVENT_BYTES
    with pytest.raises(PermanentError) as caught:
        encode(piece(url="x" * (room + 1)), "tests")
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (None, "value"),
        (b"", "value"),
        (b"not json", "value"),
        (b"[]", "value"),
        (b"\xff\xfe", "value"),
        (b'{"channel": "rest"}', "feedback_id"),
    ],
)
def test_what_cannot_be_read_is_malformed(value: bytes | None, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(FeedbackReceived, value)
    assert caught.value.reason is Reason.MALFORMED
    assert where in caught.value.field


def test_its_error_names_fields_and_shows_no_values() -> None:
    broken = json.loads(piece().model_dump_json())
    broken |= {"revision": "s3cret", "occurred_at": "s3cret", "reported_by": {"person_id": ["s3cret"]}}
    with pytest.raises(InvalidInput) as caught:
        decode(FeedbackReceived, json.dumps(broken).encode())
    assert caught.value.field == "occurred_at, reported_by/person_id, revision"
    assert "s3cret" not in str(caught.value)


def test_a_header_is_the_first_of_its_name_and_readable_whatever_its_bytes() -> None:
    headers = [("a", b"one"), ("a", b"two"), ("odd", b"\xff!")]
    assert header(headers, "a") == "one"
    assert header(headers, "odd") == "\\xff!"
    assert header(headers, "missing") == ""
