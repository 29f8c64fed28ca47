from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.normalise import clean_line, clean_text, normalise
from services.ingest.domain.submission import Claim
from shared.events.feedback import Hints, Rating, ReplyTo
from tests.support.submissions import submission

#: Everything a JSON document may carry into a Python string, lone surrogates included.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("Cafe\u0301", "Café"),
        ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
        ("kept\ttab", "kept\ttab"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("pair \ud83d\ude00 of them", "pair 😀 of them"),
        ("\ufeffwith a mark", "with a mark"),
        ("trailing   \nspaces\u00a0\n", "trailing\nspaces"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("line\u2028separator\x0bpage\x0c", "line\nseparator\npage"),
        ("  \n\t ", ""),
        ("family 👩‍👩‍👧 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "family 👩‍👩‍👧 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("שלום עולם", "שלום עולם"),
    ],
)
def test_text_is_cleaned(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(ANY_TEXT)
def test_clean_text_can_be_relied_on(raw: str) -> None:
    clean = clean_text(raw)
    clean.encode("utf-8")
    assert unicodedata.is_normalized("NFC", clean)
    assert not any(unicodedata.category(char) == "Cc" for char in clean if char not in "\n\t")
    assert "\n\n\n" not in clean
    assert clean_text(clean) == clean


@given(ANY_TEXT, st.integers(min_value=1, max_value=50))
def test_a_line_is_one_line_of_bounded_length(raw: str, max_chars: int) -> None:
    line = clean_line(raw, max_chars)
    assert len(line) <= max_chars
    assert "\n" not in line
    assert line == line.strip()
    line.encode("utf-8")


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_normalising_twice_changes_nothing(title: str, text: str, name: str) -> None:
    once = normalise(
        submission(title=title, text=text, external_id=name, reported_by=Claim("api", name, name), url=name)
    )
    assert normalise(once) == once


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "raw",
    [
        "\u0301\u0316" * 200_000,
        "a" + " " * 500_000 + "b",
        "\r\n" * 500_000,
        " \n" * 500_000,
        "e\u0301" * 300_000,
    ],
    ids=["combining marks", "spaces", "line ends", "blank lines", "decomposed"],
)
def test_no_text_takes_long(raw: str) -> None:
    clean_text(raw)


def test_a_long_title_loses_nothing() -> None:
    clean = normalise(submission(title="word " * 200, text="body"))
    assert len(clean.title) == 300
    assert clean.title.endswith("…")
    assert clean.text.startswith("word word")
    assert clean.text.endswith("\n\nbody")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://forum.example/t/1?x=2#y", "https://forum.example/t/1?x=2#y"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("/relative", None),
        ("https://[broken", None),
        ("https://x.example/" + "y" * 3000, None),
        ("", None),
    ],
)
def test_only_web_addresses_become_links(url: str, kept: str | None) -> None:
    assert normalise(submission(url=url)).url == kept


def test_every_field_is_bounded() -> None:
    long = "x" * 5000
    clean = normalise(
        submission(
            external_id=long,
            thread_id=long,
            reported_by=Claim("api", long, long),
            hints=Hints(product=long, touchpoint=long, brief=long),
            rating=Rating(value=1, min=0, max=5, kind=long),
            reply_to=ReplyTo(receiver=long, address=long, thread=long),
        )
    )
    values = [clean.external_id, clean.thread_id, clean.reported_by.address, clean.reported_by.name]
    values += [clean.hints.product, clean.hints.touchpoint, clean.hints.brief]
    assert clean.rating is not None
    assert clean.reply_to is not None
    values += [clean.rating.kind, clean.reply_to.receiver, clean.reply_to.address, clean.reply_to.thread]
    assert all(value and len(value) <= 512 for value in values)
