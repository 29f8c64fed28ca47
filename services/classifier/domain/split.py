"""Splits a piece into segments: sentences and the two sides of a "but", each with its place in the piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from services.classifier.domain.fold import fold

#: A segment longer than this is cut at a comma or a space: the encoder averages, and an average of everything
#: says nothing.
MAX_SEGMENT_CHARS = 320
_LEAST_WORDS = 2
_WRAPPED_LINE_CHARS = 50
#: Enough to see an abbreviation, and two words on a side of a contrast.
_LOOK_BACK_CHARS, _SIDE_CHARS = 12, 60

Span = tuple[int, int]


class Word(NamedTuple):
    """`start` and `end` are places in the field."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """`folded` is `fold(text)`; `text` is `field[start:end]` of the piece; `words` are those of `folded`."""

    field: str
    start: int
    end: int
    text: str
    folded: str
    words: tuple[Word, ...]


#: In English, German, French and Spanish. A point after one of them ends no sentence.
_ABBREVIATIONS = frozenset(
    re.split(
        r"\s+",
        "approx ca cf co dr e.g eg etc ext fig i.e ie inc jr ltd mr mrs ms nr prof sr vs"
        " abs bzgl bzw d.h evtl ggf hr inkl mind o.a o.g s.o sog std str tel u.a u.u usw vgl z.b"
        " z.t zzgl av env ex m mm mme mlle n p pp p.ej ej ud uds sra srta num pag aprox",
    )
)
_CLOSING = "\"')\\]\u00bb\u201d\u2019"
_WIDE_END = "\u3002\uff01\uff1f"
#: Here and below: possessive quantifiers, and a look back to where a run begins. Without them a hundred
#: thousand points or blanks in a row take minutes.
_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]++[{_CLOSING}]*+(?=\s|$)|[{_WIDE_END}]+|[!?]{{1,3}}(?=[A-Z\u00bf\u00a1])"
)
_LAST_WORD = re.compile(r"([\w.]+?)\.$")
_BULLET = re.compile(r"\s*+(?:[-*\u2022\u2013>\u00b7]|\d{1,2}[.)])\s+\S")
_CONTRAST = re.compile(
    r"(?:[,;]\s*+|(?<!\s)\s[-\u2013\u2014]\s*+|(?<!\s)\s++)(?=(?:"
    r"but|however|although|though|yet|whereas|except that|unfortunately|unlike|"
    r"aber|jedoch|allerdings|doch|obwohl|leider|im gegensatz zu|"
    r"mais|cependant|toutefois|par contre|malheureusement|bien que|contrairement a|"
    r"pero|sin embargo|aunque|no obstante|lastima que|a diferencia de|"
    r"(?:it|this|that|there) (?:would|should|could|just|only|needs?|lacks?|is no|is missing))\b)"
)
_WORD = re.compile(r"\w+")
_SOFT_BREAK = re.compile(r"[,;:)]\s|\s")


def split(field: str, text: str) -> tuple[Segment, ...]:
    """The segments of `text`, in order, without surrounding blanks; together they hold all its words."""
    folded = fold(text)
    return tuple(
        Segment(field, start, end, text[start:end], folded[start:end], _words_of(folded, start, end))
        for line in _paragraphs(text)
        for sentence in _sentences(text, line)
        for clause in _clauses(folded, sentence)
        for start, end in _pieces(text, clause)
    )


def _words_of(folded: str, start: int, end: int) -> tuple[Word, ...]:
    return tuple(Word(match[0], *match.span()) for match in _WORD.finditer(folded, start, end))


def _paragraphs(text: str) -> Iterator[Span]:
    """Lines; a line that was merely wrapped stays with the one before."""
    start = position = 0
    for line in text.splitlines(keepends=True):
        end = position + len(line)
        following = text[end : end + 80]
        bare = line.rstrip()
        wrapped = len(bare) >= _WRAPPED_LINE_CHARS and bare[-1:] not in ".!?…:;。"
        if not wrapped or not following.strip() or _BULLET.match(following) or following[:1] in "\r\n":
            yield start, end
            start = end
        position = end
    if start < len(text):
        yield start, len(text)


def _sentences(text: str, span: Span) -> Iterator[Span]:
    start, end = span
    begin = start
    for match in _END.finditer(text, start, end):
        before = text[max(begin, match.start() - _LOOK_BACK_CHARS) : match.start() + 1]
        if match.group().startswith(".") and _is_abbreviation(before):
            continue
        yield begin, match.end()
        begin = match.end()
    yield begin, end


def _is_abbreviation(before: str) -> bool:
    last = _LAST_WORD.search(before)
    if last is None:
        return False
    word = last.group(1).lower()
    return len(word) == 1 or word in _ABBREVIATIONS or word.isdigit()


def _clauses(folded: str, span: Span) -> Iterator[Span]:
    """The sides of a contrast, where each of them says something."""
    start, end = span
    begin = start
    for match in _CONTRAST.finditer(folded, start, end):
        left = folded[max(begin, match.start() - _SIDE_CHARS) : match.start()]
        right = folded[match.end() : min(end, match.end() + _SIDE_CHARS)]
        if min(_words(left), _words(right)) >= _LEAST_WORDS:
            yield begin, match.start()
            begin = match.end()
    yield begin, end


def _words(text: str) -> int:
    return len(text.split())


def _pieces(text: str, span: Span) -> Iterator[Span]:
    """`span` without its blanks, cut where it is too long; nothing for a span without a letter or digit."""
    start, end = span
    while end - start > MAX_SEGMENT_CHARS:
        latest = start + MAX_SEGMENT_CHARS
        breaks = [match.end() for match in _SOFT_BREAK.finditer(text, start + MAX_SEGMENT_CHARS // 2, latest)]
        cut = breaks[-1] if breaks else latest
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if any(char.isalnum() for char in text[start:end]):
        yield start, end
