"""Splitting into segments: where it cuts, and that every segment is found where it says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.classifier.domain.fold import fold
from services.classifier.domain.split import MAX_SEGMENT_CHARS, split


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Great app, but the search is slow.", ["Great app", "but the search is slow."]),
        ("Das Portal ist toll, aber langsam ist es.", ["Das Portal ist toll", "aber langsam ist es."]),
        ("Très bon accueil, mais le délai est long", ["Très bon accueil", "mais le délai est long"]),
        ("Todo bien, pero va lento.", ["Todo bien", "pero va lento."]),
        ("But no.", ["But no."]),
        ("3.50 EUR, e.g. for Dr. Smith, z. B. heute.", ["3.50 EUR, e.g. for Dr. Smith, z. B. heute."]),
        ("- slow\n- ugly\n\nBye", ["- slow", "- ugly", "Bye"]),
        (
            "This is a line that was wrapped by a mail program at about\nseventy characters. Next.",
            ["This is a line that was wrapped by a mail program at about\nseventy characters.", "Next."],
        ),
        ("Short line\nanother one", ["Short line", "another one"]),
        ("\u6211\u3002\u4f60\uff01ok", ["\u6211\u3002", "\u4f60\uff01", "ok"]),
        ("¡Qué bien!¿Y ahora?", ["¡Qué bien!", "¿Y ahora?"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("", []),
        ("  \n ... \n 👍 --", []),
    ],
)  # fmt: skip
def test_where_it_cuts(text: str, segments: list[str]) -> None:
    assert [segment.text for segment in split("text", text)] == segments


def test_what_is_too_long_is_cut_at_a_space() -> None:
    segments = split("text", "word " * 500)
    assert max(len(segment.text) for segment in segments) <= MAX_SEGMENT_CHARS
    assert all(segment.text.startswith("word") and segment.text.endswith("word") for segment in segments)


anything = st.text(st.characters(codec="utf-8"), max_size=400)
wordy = st.lists(
    st.sampled_from(
        ["but", "aber", "Great", "slow.", "e.g.", "\n", "\n\n", "-", "?!", "İß", "ﬁ", "naïve", "x" * 90]
    )
).map(" ".join)


@given(st.one_of(anything, wordy))
@example("İ. but two words İ")
@example("a\x0bb\x85c\u2028d. e")
def test_every_segment_is_where_it_says_and_no_word_is_lost(text: str) -> None:
    segments = split("text", text)
    for segment in segments:
        assert text[segment.start : segment.end] == segment.text
        assert segment.folded == fold(segment.text)
        assert segment.text.strip() == segment.text
    ends = [(segment.start, segment.end) for segment in segments]
    assert ends == sorted(ends)
    kept = "".join(segment.text for segment in segments)
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


@given(anything)
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [("ÄÖÜ é ñ Ç", "aou e n c"), ("Don\u2019t \u201cshout\u201d", 'don\'t "shout"'), ("Straße", "straße")],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
