"""Which touchpoints of the journey a piece belongs to, by the words the directory has for them.

Zero-shot: nearness of the segments to a touchpoint's description, its keywords and its examples, and the
keywords found in the text. What the channel knows already (its hints) decides before any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.classifier.domain.keywords import Hit, Keywords
from services.classifier.domain.nearness import Nearness, flat, margins
from services.classifier.domain.piece import Piece, evidence
from services.classifier.domain.score import certainty, pick, saturate
from services.classifier.engines.encoder import Encoder, Vectors
from shared.domain.directory import Directory
from shared.domain.journey import Product, Touchpoint
from shared.events.feedback import TouchpointTag

#: At least so certain to be tagged, no more than so many, none so far behind the first.
_LEAST, _MOST, _BEHIND = 0.5, 3, 0.25
#: certainty = 1 / (1 + e^-(trust · (SCORE · score + MARGIN · margin) - origin)). Trust and origin go by what
#: a touchpoint tells of itself: the less, the surer a likeness must be. From 96 sentences about the example
#: company, with its touchpoints told in full and cut down to description and name.
_SCORE, _MARGIN, _FARTHEST = 12.0, 9.0, 0.25
_NAME_ALONE = (0.6, 2.8)
_TOLD = {1: (0.75, 2.8), 2: (0.9, 3.1), 3: (1.0, 3.2)}
#: What keywords in the text add. The more a touchpoint tells of itself, the less its single words decide.
_HITS = 0.3
_PHRASE, _WORD, _OF_A_NAME = 1.0, 0.5, 0.4
_PRODUCT_NAMED = 0.06
_MOST_HITS_SHOWN = 2
_LEAST_NAME_CHARS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """`guess`: the likeliest touchpoint, tagged or not, and how certain; None where none may be meant."""

    tags: tuple[TouchpointTag, ...] = ()
    products: tuple[str, ...] = ()
    guess: tuple[str, float] | None = None


class Taxonomy:
    """The touchpoints of one version of the directory, as vectors and as keywords."""

    def __init__(self, directory: Directory, vectors: dict[str, Vectors]) -> None:
        self.version = directory.version
        self.products: tuple[Product, ...] = directory.workspace.products
        self.touchpoints = [t for product in self.products for t in product.touchpoints]
        self.product_of = [place for place, product in enumerate(self.products) for _ in product.touchpoints]
        self.keywords = Keywords([_keywords(touchpoint) for touchpoint in self.touchpoints])
        self.product_names = Keywords([_names(product) for product in self.products])
        kinds = [_kinds(touchpoint) for touchpoint in self.touchpoints]
        self._nearness = Nearness(kinds, np.stack([vectors[text] for text in flat(kinds)]))
        told = [sum(bool(texts) for texts in of_one) for of_one in kinds]
        self._hit_weights = _HITS / np.array(told, dtype=np.float32)
        trusts = [
            _NAME_ALONE if kinds == 1 and not touchpoint.description else _TOLD[kinds]
            for kinds, touchpoint in zip(told, self.touchpoints, strict=True)
        ]
        self._trust, self._origin = np.array(trusts, dtype=np.float32).T

    def logits(self, vectors: Vectors, hits: Sequence[Sequence[Hit]], named: set[int]) -> Vectors:
        """[segments, touchpoints]; `hits` segment by segment, `named` the products that are named."""
        count = len(self.touchpoints)
        said = np.array([saturate(of_segment, count) for of_segment in hits], dtype=np.float32)
        scores = self._nearness.score(vectors) + self._hit_weights * said
        if 0 < len(named) < len(self.products):
            scores[:, np.isin(self.product_of, list(named))] += _PRODUCT_NAMED
        weighed = _SCORE * scores + _MARGIN * margins(scores, _FARTHEST)
        logits: Vectors = self._trust * weighed - self._origin
        return logits


class TouchpointEngine:
    """Keeps the vectors of one version of the directory; for the next it encodes only what is new."""

    version = "touchpoints/1"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}
        self._taxonomy: Taxonomy | None = None

    def taxonomy(self, directory: Directory) -> Taxonomy:
        """That of `directory`; the first call for a version takes about a millisecond for each new text."""
        if self._taxonomy is None or self._taxonomy.version != directory.version:
            texts = dict.fromkeys(
                text
                for product in directory.workspace.products
                for touchpoint in product.touchpoints
                for text in flat([_kinds(touchpoint)])
            )
            new = [text for text in texts if text not in self._vectors]
            known = self._vectors | dict(zip(new, self._encoder.encode(new), strict=True))
            self._vectors = {text: known[text] for text in texts}
            self._taxonomy = Taxonomy(directory, self._vectors)
        return self._taxonomy

    def find(self, piece: Piece, vectors: Vectors, taxonomy: Taxonomy) -> Found:
        """`vectors` are those of the piece's segments."""
        hints = piece.event.hints
        hinted = next((t for t in taxonomy.touchpoints if t.id == hints.touchpoint), None)
        if hinted is not None:
            place = taxonomy.touchpoints.index(hinted)
            product = taxonomy.products[taxonomy.product_of[place]].id
            return Found((TouchpointTag(id=hinted.id, score=1.0),), (product,), (hinted.id, 1.0))
        if not piece.segments:
            return Found(products=_known_product(hints.product, taxonomy))
        return _search(piece, vectors, taxonomy)


def _search(piece: Piece, vectors: Vectors, taxonomy: Taxonomy) -> Found:
    hits = [taxonomy.keywords.find(segment) for segment in piece.segments]
    named = {hit.label for segment in piece.segments for hit in taxonomy.product_names.find(segment)}
    logits = taxonomy.logits(vectors, hits, named)
    allowed = _known_product(piece.event.hints.product, taxonomy)
    if allowed:
        others = [taxonomy.products[place].id not in allowed for place in taxonomy.product_of]
        logits[:, np.array(others)] = -np.inf
    certainties = [certainty(logit) for logit in logits.max(axis=0).tolist()]
    chosen = pick(certainties, least=_LEAST, most=_MOST, behind=_BEHIND)
    tags = tuple(_tag(piece, taxonomy, place, certainties[place], hits, logits) for place in chosen)
    best = max(range(len(certainties)), key=certainties.__getitem__)
    products = [taxonomy.products[taxonomy.product_of[place]].id for place in chosen]
    products += [*allowed, *(taxonomy.products[place].id for place in sorted(named) if not chosen)]
    return Found(tags, tuple(dict.fromkeys(products)), (taxonomy.touchpoints[best].id, certainties[best]))


def _tag(
    piece: Piece,
    taxonomy: Taxonomy,
    place: int,
    score: float,
    hits: Sequence[Sequence[Hit]],
    logits: Vectors,
) -> TouchpointTag:
    """With the segment that speaks for it most, and the words found there."""
    at = int(logits[:, place].argmax())
    segment = piece.segments[at]
    shown = [hit for hit in hits[at] if hit.label == place][:_MOST_HITS_SHOWN]
    spans = [(hit.field, hit.start, hit.end) for hit in shown]
    spans.append((segment.field, segment.start, segment.end))
    return TouchpointTag(
        id=taxonomy.touchpoints[place].id,
        score=round(score, 3),
        evidence=tuple(evidence(piece, *span) for span in dict.fromkeys(spans)),
    )


def _known_product(product_id: str | None, taxonomy: Taxonomy) -> tuple[str, ...]:
    return tuple(product.id for product in taxonomy.products if product.id == product_id)


def _kinds(touchpoint: Touchpoint) -> list[list[str]]:
    description = (
        f"{touchpoint.name}: {touchpoint.description}" if touchpoint.description else touchpoint.name
    )
    return [[description], list(touchpoint.keywords), list(touchpoint.examples)]


def _keywords(touchpoint: Touchpoint) -> dict[str, float]:
    """A phrase of several words says more than a word; of the name every longer word counts a little."""
    phrases = (*touchpoint.keywords, *(element.name for element in touchpoint.elements))
    of_name = {word: _OF_A_NAME for word in touchpoint.name.split() if len(word) >= _LEAST_NAME_CHARS}
    return of_name | {phrase: _PHRASE if " " in phrase.strip() else _WORD for phrase in phrases}


def _names(product: Product) -> dict[str, float]:
    return dict.fromkeys((product.name, *product.keywords), 1.0)
