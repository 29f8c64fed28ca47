"""Which departments a piece concerns: the eight lenses, by the words we ship and those of the workspace.

A linear head over the encoder, fitted on the example sentences of `lenses.yaml` and those of the workspace,
and the keywords found in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.classifier.domain.keywords import Hit, Keywords
from services.classifier.domain.piece import Piece, evidence
from services.classifier.domain.ridge import Ridge, fit
from services.classifier.domain.score import certainty, pick, saturate
from services.classifier.engines.encoder import Encoder, Vectors
from services.classifier.prepared import Arrays, prepared
from services.classifier.words import load
from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.events.feedback import LensTag

LENSES = tuple(Lens)
_RIDGE = 2.0
#: certainty = 1 / (1 + e^-(HEAD · head + HITS · hits - ORIGIN)): logistic regression on the leave-one-out
#: scores of the sentences in lenses.yaml.
_HEAD, _HITS, _ORIGIN = 15.0, 5.5, 6.5
_LEAST, _MOST, _BEHIND = 0.5, 3, 0.6
#: Better one faint lens than none: somebody should look at it.
_LEAST_ALONE = 0.1
_PHRASE, _WORD = 1.0, 0.6
_MOST_HITS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences and the lenses each concerns; keywords, and what they count, lens by lens."""

    sentences: dict[str, frozenset[Lens]]
    keywords: list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Head and keywords for one version of the directory."""

    version: int
    head: Ridge
    keywords: Keywords


class LensEngine:
    version = "lenses/1"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._fitted: Fitted | None = None

    @cached_property
    def _shipped(self) -> Words:
        data = load("lenses")
        sentences: dict[str, frozenset[Lens]] = {}
        for lens in LENSES:
            _teach(sentences, _all(data["lenses"][lens]["examples"]), {lens})
        for shared in data["both"]:
            _teach(sentences, shared["examples"], map(Lens, shared["lenses"]))
        return Words(sentences, [_weighed(_all(data["lenses"][lens]["keywords"])) for lens in LENSES])

    @cached_property
    def _shipped_vectors(self) -> Vectors:
        sentences = list(self._shipped.sentences)

        def make() -> Arrays:
            return {"vectors": self._encoder.encode(sentences)}

        return prepared("lenses", [self._encoder.version, *sentences], make)["vectors"]

    def load(self) -> None:
        """Words read and encoded."""
        _ = self._shipped_vectors

    def fitted(self, directory: Directory) -> Fitted:
        """That of `directory`; the first call for a version takes some 100 ms."""
        if self._fitted is None or self._fitted.version != directory.version:
            own = _of_workspace(directory)
            sentences = self._shipped.sentences | {
                text: lenses | self._shipped.sentences.get(text, frozenset())
                for text, lenses in own.sentences.items()
            }
            added = [text for text in sentences if text not in self._shipped.sentences]
            vectors = np.concatenate([self._shipped_vectors, self._encoder.encode(added)])
            targets = np.array(
                [[lens in of for lens in LENSES] for of in sentences.values()], dtype=np.float32
            )
            head, _ = fit(vectors, targets, _RIDGE)
            keywords = [
                shipped | added for shipped, added in zip(self._shipped.keywords, own.keywords, strict=True)
            ]
            self._fitted = Fitted(directory.version, head, Keywords(keywords))
        return self._fitted

    def find(self, piece: Piece, vectors: Vectors, fitted: Fitted) -> tuple[LensTag, ...]:
        """`vectors` are those of the piece's segments. A faint lens counts where there is no other."""
        if not piece.segments:
            return ()
        hits = [hit for segment in piece.segments for hit in fitted.keywords.find(segment)]
        heads = fitted.head.score(vectors)
        # The loudest segment and the piece as a whole: the one finds what is said in passing, the other
        # forgives a single odd sentence.
        whole = fitted.head.score(_centre(vectors))[0]
        logits = (
            _HEAD * (heads.max(axis=0) + whole) / 2 + _HITS * np.array(saturate(hits, len(LENSES))) - _ORIGIN
        )
        certainties = [certainty(logit) for logit in logits.tolist()]
        chosen = pick(certainties, least=_LEAST, most=_MOST, behind=_BEHIND)
        chosen = chosen or pick(certainties, least=_LEAST_ALONE, most=1, behind=0.0)
        return tuple(_tag(piece, place, certainties[place], hits, heads) for place in chosen)


def _tag(piece: Piece, place: int, score: float, hits: Sequence[Hit], heads: Vectors) -> LensTag:
    """With the words that were found, and the segment that speaks for the lens most."""
    shown = [hit for hit in hits if hit.label == place][:_MOST_HITS_SHOWN]
    segment = piece.segments[int(heads[:, place].argmax())]
    spans = [(hit.field, hit.start, hit.end) for hit in shown]
    spans.append((segment.field, segment.start, segment.end))
    return LensTag(
        id=LENSES[place],
        score=round(score, 3),
        evidence=tuple(evidence(piece, *span) for span in dict.fromkeys(spans)),
    )


def _centre(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0, keepdims=True)
    centre: Vectors = mean / max(float(np.linalg.norm(mean)), 1e-6)
    return centre


def _of_workspace(directory: Directory) -> Words:
    sentences: dict[str, frozenset[Lens]] = {}
    keywords: list[dict[str, float]] = [{} for _ in LENSES]
    for words in directory.workspace.lenses:
        _teach(sentences, (*words.examples, *([words.description] if words.description else ())), {words.id})
        keywords[LENSES.index(words.id)] |= _weighed(words.keywords)
    return Words(sentences, keywords)


def _teach(sentences: dict[str, frozenset[Lens]], texts: Iterable[str], lenses: Iterable[Lens]) -> None:
    concerned = frozenset(lenses)
    for text in texts:
        sentences[text] = sentences.get(text, frozenset()) | concerned


def _all(by_language: dict[str, list[str]]) -> list[str]:
    return [text for texts in by_language.values() for text in texts]


def _weighed(keywords: Iterable[str]) -> dict[str, float]:
    """A phrase of several words says more than a word."""
    return {keyword: _PHRASE if " " in keyword.strip() else _WORD for keyword in keywords}
