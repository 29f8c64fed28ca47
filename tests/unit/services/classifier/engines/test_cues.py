"""The shipped cues: they compile, hold no capital and no accent, and no text makes them slow."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from services.classifier.domain.fold import fold
from services.classifier.domain.split import MAX_SEGMENT_CHARS
from services.classifier.words import load

#: A pattern that backtracks takes seconds, one that does not some microseconds.
LIMIT_S = 0.1


def patterns() -> Iterator[tuple[str, str, str, list[str]]]:
    for engine in ("segments", "about", "urgency", "polarity"):
        words = load(engine)
        for meaning, languages in (words["cues"] if engine == "polarity" else words).items():
            for language, found in languages.items():
                yield engine, meaning, language, found


PATTERNS = list(patterns())
NAMES = [f"{engine} {meaning} {language}" for engine, meaning, language, _ in PATTERNS]


@pytest.mark.parametrize(("engine", "meaning", "language", "found"), PATTERNS, ids=NAMES)
def test_cues_are_folded_patterns(engine: str, meaning: str, language: str, found: list[str]) -> None:
    assert language in {"en", "de", "fr", "es"}
    for pattern in found:
        re.compile(pattern)
        if meaning != "stranger":
            escaped = re.sub(r"\\[A-Za-z]", "", pattern)
            assert fold(escaped) == escaped, pattern


@pytest.mark.parametrize(("engine", "meaning", "language", "found"), PATTERNS, ids=NAMES)
def test_no_text_makes_a_cue_slow(engine: str, meaning: str, language: str, found: list[str]) -> None:
    for pattern in found:
        compiled = re.compile(rf"(?<!\w)(?:{pattern})")
        for text in _nasty(pattern):
            started = time.thread_time()
            compiled.search(text)
            assert time.thread_time() - started < LIMIT_S, (pattern, text[:40])


def _nasty(pattern: str) -> Iterator[str]:
    """What nearly matches: each word of the pattern, with a long word or itself again and again behind it."""
    for word in {*re.findall(r"[a-z]{2,}", pattern), "a"}:
        yield f"{word} {'a' * MAX_SEGMENT_CHARS}"[: MAX_SEGMENT_CHARS - 1] + "!"
        yield (f"{word} " * MAX_SEGMENT_CHARS)[: MAX_SEGMENT_CHARS - 1] + "!"
        yield f"{word} {'a, ' * MAX_SEGMENT_CHARS}"[: MAX_SEGMENT_CHARS - 1] + "!"
