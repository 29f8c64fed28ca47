"""Cues: phrases that give away what somebody wants, as patterns a language and a meaning.

Patterns are matched against folded text (`domain/fold.py`), so they hold neither capitals nor accents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.classifier.domain.split import Segment

#: meaning → language → patterns
CueWords = Mapping[str, Mapping[str, Sequence[str]]]
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue found: `start` and `end` are places in the field."""

    meaning: str
    field: str
    start: int
    end: int


class Cues:
    """Compiled cues. A text in a language without cues of its own is searched with those of all."""

    def __init__(self, words: CueWords) -> None:
        self._patterns: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        languages = {language for by_language in words.values() for language in by_language} - {_ALL}
        for language in (*languages, _ALL):
            self._patterns[language] = [
                (meaning, _compile(_of(by_language, language))) for meaning, by_language in words.items()
            ]

    def find(self, segment: Segment, language: str) -> list[Cue]:
        """At most one cue of each meaning: the first."""
        patterns = self._patterns.get(language) or self._patterns[_ALL]
        return [
            Cue(meaning, segment.field, segment.start + match.start(), segment.start + match.end())
            for meaning, pattern in patterns
            if (match := pattern.search(segment.folded)) is not None
        ]


def _of(by_language: Mapping[str, Sequence[str]], language: str) -> list[str]:
    if language == _ALL:
        return [pattern for patterns in by_language.values() for pattern in patterns]
    # English words turn up in feedback of every language ("der Login ist down", "un bug").
    shared = by_language.get("en", ()) if language != "en" else ()
    return [*by_language.get(language, ()), *by_language.get(_ALL, ()), *shared]


def _compile(patterns: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all of them; one that never matches for none."""
    if not patterns:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})")
