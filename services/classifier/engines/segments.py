"""Reads a piece: its language, and the segments that say something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from services.classifier.domain.cues import Cues
from services.classifier.domain.piece import Piece
from services.classifier.domain.split import Segment, split
from services.classifier.engines.language import LanguageEngine
from services.classifier.words import load
from shared.events.feedback import FeedbackReceived

#: What a long piece is about is said at its beginning or summed up at its end; encoding all of 100 kB would
#: take the time of a hundred others.
#: Segments and characters read from the beginning, and from the end.
_FIRST, _LAST = (40, 6_000), (8, 1_500)
_NAME_WORDS = 4
_SIGNATURE_LINES = 3
_NAME = re.compile(r"^[^\W\d_a-z][\w'-]+(?: [^\W\d_a-z][\w.'-]*){1,2}$")
_BELOW_A_NAME = re.compile(r"^[^.!?:;]{2,60}$")
_ADDRESS = re.compile(r"^\W*+(?:https?://\S++|www\.\S++|[^\s@]++@[^\s@]++)\W*+$")


class SegmentEngine:
    version = "segments/1"

    def __init__(self, languages: LanguageEngine) -> None:
        self._languages = languages

    @cached_property
    def _cues(self) -> Cues:
        return Cues(load("segments"))

    def load(self) -> None:
        """Words read."""
        _ = self._cues

    def read(self, event: FeedbackReceived) -> Piece:
        """Offsets are those of the event's title and text."""
        language = self._languages.detect(f"{event.title}\n{event.text}" if event.title else event.text)
        found = (*split("title", event.title), *_unsigned(split("text", event.text)))
        words = [segment for segment in found if _ADDRESS.match(segment.folded) is None]
        # "Thank you" alone is all somebody said, so there it counts.
        return Piece(event, language, _bounded(list(self._telling(words, language)) or words))

    def _telling(self, segments: Sequence[Segment], language: str) -> Iterator[Segment]:
        """Without greetings, thanks in advance, and the name under a farewell."""
        left = False
        for segment in segments:
            cues = self._cues.find(segment, language)
            left = left or any(cue.meaning == "farewell" for cue in cues)
            if not cues and not (left and segment.text.count(" ") < _NAME_WORDS):
                yield segment


def _unsigned(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Without the name at the end, and the line or two with title and company below it."""
    for place in range(max(1, len(segments) - _SIGNATURE_LINES), len(segments)):
        lines = segments[place:]
        if _NAME.match(lines[0].text) and all(_BELOW_A_NAME.match(line.text) for line in lines[1:]):
            return segments[:place]
    return segments


def _bounded(segments: list[Segment]) -> tuple[Segment, ...]:
    first = _take(segments, *_FIRST)
    last = _take(segments[len(first) :][::-1], *_LAST)
    return (*first, *reversed(last))


def _take(segments: Sequence[Segment], most: int, most_chars: int) -> list[Segment]:
    """The first of them: one at least, `most` at most, and no further once they hold `most_chars`."""
    taken: list[Segment] = []
    chars = 0
    for segment in segments[:most]:
        taken.append(segment)
        chars += len(segment.text)
        if chars >= most_chars:
            break
    return taken
