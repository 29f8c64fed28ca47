from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.attach import attach
from services.ingest.domain.build import build, content_hash
from services.ingest.domain.identify import identify
from services.ingest.domain.normalise import normalise
from services.ingest.domain.shorten import MAX_TEXT_BYTES, shorten
from services.ingest.domain.submission import Claim, File, Submission
from shared.events.base import MAX_EVENT_BYTES
from shared.events.feedback import MAX_TEXT_CHARS, Change, FeedbackReceived, Hints, Rating, ReplyTo
from tests.support.submissions import DIRECTORY, RECEIVED_AT, submission

LIMIT = 2_000_000


def event(raw: Submission) -> FeedbackReceived:
    clean = normalise(raw)
    shortened = shorten(clean.text, (), LIMIT)
    return build(
        clean, identify(raw, clean, DIRECTORY, RECEIVED_AT), shortened, attach(clean.files), RECEIVED_AT
    )


def test_what_is_built_without_validation_is_valid_and_has_every_field() -> None:
    made = event(submission(title="VAT", files=(File("a.txt", "", b"x"),)))
    assert set(made.__dict__) == set(FeedbackReceived.model_fields)
    assert FeedbackReceived.model_validate(made.model_dump()) == made


def test_a_piece_carries_what_came_in() -> None:
    raw = submission(
        external_id="7",
        batch="crm 2019",
        thread_id="t",
        url="https://x.example/7",
        title="VAT",
        rating=Rating(value=2, min=1, max=5),
        hints=Hints(touchpoint="invoice"),
        files=(File("a.txt", "", b"x"),),
    )
    made = event(raw)
    assert (made.text, made.title, made.external_id) == (raw.text, "VAT", "7")
    assert made.batch == "crm 2019"
    assert (made.thread_id, made.url, made.rating, made.hints) == ("t", raw.url, raw.rating, raw.hints)
    assert [attachment.name for attachment in made.attachments] == ["a.txt"]
    assert (made.received_at, made.occurred_at) == (RECEIVED_AT, RECEIVED_AT)
    assert FeedbackReceived.model_validate_json(made.model_dump_json()) == made


def test_a_deletion_carries_nothing_but_what_is_deleted() -> None:
    made = event(
        submission(change=Change.DELETED, external_id="7", title="VAT", url="https://x.example/7", batch="b")
    )
    assert made.change is Change.DELETED
    assert (made.text, made.title, made.url, made.external_id, made.batch) == ("", "", None, None, None)
    assert made.reported_by.display_name == ""


def test_the_content_hash_changes_with_what_is_read_and_with_nothing_else() -> None:
    files = attach([File("a.txt", "", b"x")])
    base = content_hash("title", "text", (), None)
    assert base == content_hash("title", "text", (), None)
    others = [
        content_hash("titl", "etext", (), None),
        content_hash("title", "text!", (), None),
        content_hash("title", "text", files, None),
        content_hash("title", "text", (), Rating(value=1, min=0, max=5)),
        content_hash("title", "text", (), Rating(value=2, min=0, max=5)),
    ]
    assert len({base, *others}) == 6


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("x" * MAX_TEXT_CHARS, MAX_TEXT_CHARS),
        ("x" * (MAX_TEXT_CHARS + 1), MAX_TEXT_CHARS),
        ("é" * 150_000, MAX_TEXT_CHARS),
        ("語" * 100_000, MAX_TEXT_CHARS),
        ("😀" * 100_000, MAX_TEXT_BYTES // 4),
    ],
    ids=["just fits", "one too many", "two bytes each", "three bytes each", "four bytes each"],
)
def test_long_text_is_cut_and_goes_along_whole(text: str, chars: int) -> None:
    short = shorten(text, (), LIMIT)
    assert len(short.text) == chars
    assert text.startswith(short.text)
    assert short.truncated is (len(text) > chars)
    if short.full_text is not None:
        assert short.full_text.content.decode() == text


def test_the_attached_text_has_a_limit_too() -> None:
    short = shorten("語" * 200_000, (), 100_000)
    assert short.full_text is not None
    assert short.full_text.content.decode() == "語" * 33_333


@given(st.text(max_size=30), st.integers(0, 200_000), st.lists(st.text(max_size=40), max_size=3))
def test_a_shortened_text_fits_and_keeps_its_notes(text: str, times: int, notes: list[str]) -> None:
    short = shorten((text * times)[:250_000], notes, LIMIT)
    assert len(short.text) <= MAX_TEXT_CHARS
    assert len(short.text.encode()) <= MAX_TEXT_BYTES
    if notes:
        assert short.text.endswith("\n".join(notes).strip())


@pytest.mark.parametrize("char", ["x", "\n", '"', "\\", "😀", "\x7f", "\u2028"])
def test_the_largest_possible_event_stays_within_the_limit(char: str) -> None:
    long = char * 200_000
    made = event(
        submission(
            channel="rest",
            external_id=long,
            batch=long,
            thread_id=long,
            url="https://x.example/" + "y" * 2_000,
            title=long,
            text=long + "x",
            reported_by=Claim("api", long, long),
            spoken_for=Claim("api", long, long, verified=True),
            hints=Hints(product=long, touchpoint=long, brief=long),
            rating=Rating(value=1, min=0, max=5, kind=long),
            reply_to=ReplyTo(receiver=long, address=long, thread=long),
            files=tuple(File(long[:5_000], "", f"{n}".encode()) for n in range(101)),
        )
    )
    assert len(made.model_dump_json().encode()) <= MAX_EVENT_BYTES
