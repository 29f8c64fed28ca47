"""Whom each segment speaks of: us, a competitor, a provider, or somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from services.classifier.domain.cues import Cue, Cues
from services.classifier.domain.fold import fold
from services.classifier.domain.keywords import Keywords
from services.classifier.domain.piece import Piece
from services.classifier.domain.split import Segment, split
from services.classifier.domain.subject import Named, Subject, subject
from services.classifier.words import load
from shared.domain.directory import Directory
from shared.events.feedback import About

_WORD = re.compile(r"\w+")
#: Shouted or at the beginning, they look like names.
_PRONOUNS = frozenset(
    {
        "i",
        "you",
        "we",
        "they",
        "it",
        "he",
        "she",
        "this",
        "that",
        "your",
        "our",
        "my",
        "the",
        "their",
        "these",
    }
    | {"ich", "du", "ihr", "sie", "wir", "er", "es", "das", "die", "der", "man", "andere"}
    | {"je", "vous", "nous", "ils", "elles", "on", "il", "elle", "ce", "la", "le", "les"}
    | {"yo", "usted", "ustedes", "ellos", "ellas", "nosotros", "el", "lo", "los", "las"}
)
_LOUD = re.compile(r"\b(?:THEY|THEIR|THEM|SIE|DIE|ILS|EUX|ELLOS)\b")


class Names:
    """The names one version of the directory knows, ready to be found."""

    def __init__(self, directory: Directory) -> None:
        workspace = directory.workspace
        self.version = directory.version
        self._abouts = [About.COMPETITOR] * len(workspace.competitors) + [About.PROVIDER] * len(
            workspace.providers
        )
        self._index = Keywords([{name: 1.0} for name in (*workspace.competitors, *workspace.providers)])
        own = (workspace.name, *(p.name for p in workspace.products), *(p.name for p in workspace.people))
        trade = (
            workspace.name,
            *(f"{p.name} {p.description} {' '.join(p.keywords)}" for p in workspace.products),
        )
        self._trade = frozenset(word for words in trade for word in _WORD.findall(fold(words)))
        self.own = frozenset(word for name in own for word in _WORD.findall(fold(name)))

    def is_our_trade(self, segment: Segment, cue: Cue) -> bool:
        """Whether "my bank" may well be we, because we are one."""
        last = _WORD.findall(segment.folded[cue.start - segment.start : cue.end - segment.start])[-1]
        return last in self._trade

    def find(self, segment: Segment) -> list[Named]:
        return [Named(self._abouts[hit.label], hit.start, hit.end) for hit in self._index.find(segment)]


class AboutEngine:
    version = "about/1"

    @cached_property
    def _words(self) -> dict[str, dict[str, list[str]]]:
        return load("about")

    @cached_property
    def _cues(self) -> Cues:
        return Cues({meaning: words for meaning, words in self._words.items() if meaning != "stranger"})

    @cached_property
    def _strangers(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for patterns in self._words["stranger"].values() for pattern in patterns]

    def load(self) -> None:
        """Words read."""
        _ = self._cues, self._strangers

    def subjects(self, piece: Piece, names: Names) -> list[Subject | None]:
        """One for each segment; None where it speaks of us."""
        found: list[Subject | None] = []
        before: Subject | None = None
        of_us = False
        for segment in piece.segments:
            cues = [
                cue
                for cue in self._cues.find(segment, piece.language)
                if cue.meaning != "elsewhere" or not names.is_our_trade(segment, cue)
            ]
            named = [*names.find(segment), *self._stranger(segment, names)]
            loud = _LOUD.search(segment.text) is not None
            before = subject(cues, named, before, of_us=of_us and not loud)
            of_us = of_us or (before is None and any(cue.meaning == "ours" for cue in cues))
            found.append(before)
        return found

    def named_beside(self, piece: Piece, names: Names) -> About | None:
        """Who is named where it shows what the piece is about: in its address or the names of its files."""
        beside = " ".join((piece.event.url or "", *(a.name for a in piece.event.attachments)))
        text = re.sub(r"[\W_]+", " ", beside)
        return next((named.about for segment in split("url", text) for named in names.find(segment)), None)

    def _stranger(self, segment: Segment, names: Names) -> Iterator[Named]:
        """A name nobody told us about, in a place where only somebody else's name can stand."""
        for pattern in self._strangers:
            for match in pattern.finditer(segment.text):
                if not (names.own | _PRONOUNS) & set(_WORD.findall(fold(match[1]))):
                    yield Named(About.OTHER, segment.start + match.start(1), segment.start + match.end(1))
