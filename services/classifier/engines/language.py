"""Which language a piece is written in."""

from __future__ import annotations

from array import array
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from services.classifier.prepared import Arrays, prepared

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: What the encoder understands; a language it does not know would not help anybody further down.
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
UNDETERMINED = "und"
_LEAST_LETTERS = 6
_LEAST_CONFIDENCE = 0.4
#: The rest of a long text says nothing new about its language.
_MOST_CHARS = 300


class LanguageEngine:
    """ISO 639-1 code of one of `LANGUAGES`, or `und` where there is too little to go by.

    Source: py3langid, multinomial naive Bayes over byte n-grams (Lui and Baldwin, 2012).
    """

    @cached_property
    def version(self) -> str:
        return f"py3langid/{version('py3langid')}"

    @cached_property
    def _identifier(self) -> LanguageIdentifier:
        from py3langid.langid import LanguageIdentifier  # noqa: PLC0415 - reads its model when used

        model = prepared("language", [self.version, *LANGUAGES], _unpacked)
        return LanguageIdentifier(
            model["log_likelihoods"],
            model["log_priors"],
            model["languages"].tolist(),
            # An array of numpy would give numbers of its own, of a width that the next step overflows.
            model["next_state"].data,
            model["feature_at"].tolist(),
            tk_row=model["row_of_state"].tolist(),
            norm_probs=True,
        )

    def load(self) -> None:
        """The model is at hand: 40 MB, as far as it is looked at."""
        _ = self._identifier

    def detect(self, text: str) -> str:
        """The language of `text`; never raises for odd input."""
        if sum(char.isalpha() for char in text[:_MOST_CHARS]) < _LEAST_LETTERS:
            return UNDETERMINED
        language, confidence = self._identifier.classify(text[:_MOST_CHARS])
        return str(language) if confidence >= _LEAST_CONFIDENCE else UNDETERMINED


def _unpacked() -> Arrays:
    """The model of the package, cut down to `LANGUAGES`; half a second, and 68 MB in a temporary file."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - as above

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return {
        "log_likelihoods": identifier.nb_ptc,
        "log_priors": identifier.nb_pc,
        "languages": np.array(identifier.nb_classes),
        "next_state": _numbers(identifier.tk_nextmove),
        "row_of_state": _numbers(identifier.tk_row),
        "feature_at": np.array(identifier.tk_output, dtype=np.int32),
    }


def _numbers(of: array[int]) -> np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]:
    return np.frombuffer(of, dtype=of.typecode)
