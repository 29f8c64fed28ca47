"""Which language a piece is written in."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version

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
    def _identifier(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - the package has no types
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - reads its model when used

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(LANGUAGES)
        return identifier

    def load(self) -> None:
        """The model is in memory. It is unpacked into a temporary file of 68 MB on the way there."""
        _ = self._identifier

    def detect(self, text: str) -> str:
        """The language of `text`; never raises for odd input."""
        if sum(char.isalpha() for char in text[:_MOST_CHARS]) < _LEAST_LETTERS:
            return UNDETERMINED
        language, confidence = self._identifier.classify(text[:_MOST_CHARS])
        return str(language) if confidence >= _LEAST_CONFIDENCE else UNDETERMINED
