"""Many mails in one file: each comes out as it went in."""

from __future__ import annotations

import io

import pytest

from services.ingest.domain.mail import mbox

ONE = b"From: ada@x.example\nSubject: Bill\n\nIt is wrong.\n"
TWO = b"From: bo@x.example\n\nFrom here on it is fine.\n>From there, too.\n>>From\n\n\nEnd"


def split(content: bytes, max_bytes: int = 10_000) -> list[bytes]:
    return [boxed.raw for boxed in mbox.split(io.BytesIO(content), max_bytes=max_bytes)]


def test_what_is_joined_is_split_into_the_same() -> None:
    assert [mail.strip() for mail in split(mbox.join([ONE, TWO, ONE]))] == [
        ONE.strip(),
        TWO.strip(),
        ONE.strip(),
    ]


def test_mails_begin_with_a_dated_from_line_and_sentences_do_not() -> None:
    content = (
        b"From ada@x.example Mon May  4 11:00:00 2026\n" + ONE + b"\nFrom what I hear it is late.\n\n"
        b"From - Tue May  5 11:00:00 2026\r\n" + TWO
    )
    first, second = split(content)
    assert first.endswith(b"From what I hear it is late.\n")
    assert second.startswith(b"From: bo")


def test_where_the_first_has_no_date_every_from_line_after_an_empty_one_begins_a_mail() -> None:
    assert len(split(b"From ada\n" + ONE + b"\nFrom bo\n" + ONE)) == 2


def test_line_ends_of_another_system_are_left_alone() -> None:
    (mail,) = split(b"From a Mon May  4 11:00:00 2026\r\n" + ONE.replace(b"\n", b"\r\n") + b"\r\n")
    assert mail == ONE.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("content", [b"", b"no mail\n", ONE])
def test_what_is_no_mailbox_has_no_mail(content: bytes) -> None:
    assert not split(content)


def test_a_mail_beyond_the_limit_is_cut_and_says_so() -> None:
    content = mbox.join([ONE, b"Subject: large\n\n" + b"line\n" * 10_000, ONE])
    boxed = list(mbox.split(io.BytesIO(content), max_bytes=1_000))
    assert [each.is_whole for each in boxed] == [True, False, True]
    assert len(boxed[1].raw) <= 1_000
    assert boxed[1].size_bytes > 50_000
