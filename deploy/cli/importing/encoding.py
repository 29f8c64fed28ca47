"""Which encoding a text file has: by its mark, else as UTF-8 where it is that, else as it looks."""

from __future__ import annotations

import codecs
from typing import IO, Final

from charset_normalizer import from_bytes

from deploy.cli.output import ExitCode, Failed

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1_048_576
_SAMPLE = 262_144
#: Shorter than that, detection answers with anything.
_MIN_GUESSED = 64
_WIDE: Final = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]
#: What files that claim to be the first nearly always are. Source: WHATWG Encoding Standard, section 4.2.
_SUPERSETS: Final = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
#: As cp1252 has them: money, quotation marks, dashes, dots and degrees, which no word has within.
_MARKS: Final = bytes.fromhex("80 82 84 85 91 92 93 94 96 97 a1 a7 ab b0 b4 b7 bb bf a0").decode("cp1252")
#: Letters of cp1252 that in texts of Western Europe are nearly always those of another encoding.
_FOREIGN: Final = bytes.fromhex("83 8a 8e 9a 9e 9f aa b5 ba d0 dd de f0 fd fe").decode("cp1252")
#: Of letters that are not ASCII: more are another alphabet, read wrong.
_MOST_ACCENTED = 0.3
_FINE = 0.95


def encoding_of(stream: IO[bytes]) -> str:
    """The name of a codec. Reads on until the first byte that is not ASCII, however far that is."""
    chunk = stream.read(_CHUNK)
    for bom, name in _BOMS:
        if chunk.startswith(bom):
            return name
    wide = _wide(chunk[:_SAMPLE])
    if wide is not None:
        return wide
    while chunk and chunk.isascii():
        chunk = stream.read(_CHUNK)
    first = next((at for at, byte in enumerate(chunk) if byte > 127), None)  # noqa: PLR2004 - ASCII ends there
    if first is None:
        return "utf-8"
    # From the beginning of its line, so that a letter is not cut in two.
    start = chunk.rfind(b"\n", 0, first) + 1
    return _guessed(chunk[start : start + _SAMPLE])


def known(name: str) -> str:
    """Python's name of the codec called `name`. Raises Failed when there is none that decodes text."""
    try:
        info = codecs.lookup(name)
        "".encode(info.name)
    except (LookupError, ValueError):
        raise Failed(
            f"there is no encoding {name!r}", "utf-8, cp1252 and utf-16 are common", ExitCode.USAGE
        ) from None
    return "utf-8-sig" if info.name == "utf-8" else info.name


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of text in Latin letters is NUL."""
    half = len(sample) // 2
    if half < _MIN_GUESSED // 4 or sample.count(0) < half * 0.6:
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"


def _guessed(sample: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError as error:
        # Some letters that are UTF-8, then a byte that is not: a few broken rows, not another encoding.
        if any(byte > 127 for byte in sample[: error.start]):  # noqa: PLR2004 - as above
            return "utf-8"
    else:
        return "utf-8"
    if len(sample) < _MIN_GUESSED or _reads_as_western(sample):
        return "cp1252"
    best = from_bytes(sample[:65_536], cp_exclusion=_WIDE).best()
    if best is None:
        return "cp1252"
    name = codecs.lookup(best.encoding).name
    return _SUPERSETS.get(name, name)


def _reads_as_western(sample: bytes) -> bool:
    """Whether, read as cp1252, it is words with a few accents: detection takes short ones for anything."""
    text = sample.decode("cp1252", "replace")
    letters = sum(char.isalpha() for char in text)
    strange = [at for at, char in enumerate(text) if not char.isascii()]
    accented = [at for at in strange if text[at].isalpha() and text[at] not in _FOREIGN]
    marks = [at for at in strange if text[at] in _MARKS and not _is_within(text, at)]
    return len(accented) <= letters * _MOST_ACCENTED and len(accented) + len(marks) >= len(strange) * _FINE


def _is_within(text: str, at: int) -> bool:
    """Whether a mark stands in the middle of a word, as ours do not, but for the apostrophe."""
    return text[at] != "\u2019" and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()
