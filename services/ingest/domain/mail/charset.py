"""Bytes of a text part as text: what the sender says it is, else what it looks like, and never an error."""

from __future__ import annotations

import codecs
from typing import Final

from charset_normalizer import from_bytes

#: Detection reads this much: its time grows with the text, and the first pages tell as much as all of them.
_SAMPLE_BYTES = 16_384
_MIN_GUESSED_BYTES = 40
_WIDE: Final = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]
#: What a label means in practice. Source: WHATWG Encoding Standard, section 4.2 "Names and labels".
_SUPERSETS: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_ALIASES: Final = {"iso-8859-8-i": "iso8859-8", "ks_c_5601-1987": "cp949", "unicode-1-1-utf-7": "utf-7"}
#: Text encodings to Python, and no charset of any mail; decoding them takes time that grows with the square.
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes, declared: str | None) -> str:
    """`content` as text. Valid UTF-8 is taken for it whatever is declared: nothing else looks like it."""
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(bom):
            return content.decode(name, "replace")
    charset = _known(declared)
    if charset is None or not _is_stateful(charset):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if charset is not None:
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            pass
    return content.decode(_guessed(content) or charset or "cp1252", "replace")


def _guessed(content: bytes) -> str | None:
    """What it looks like. A few words look like anything; text of two-byte characters has NULs in it."""
    if len(content) < _MIN_GUESSED_BYTES:
        return "cp1252"
    guess = from_bytes(content[:_SAMPLE_BYTES], cp_exclusion=[] if b"\x00" in content else _WIDE).best()
    return guess.encoding if guess else None


def _known(declared: str | None) -> str | None:
    """Python's name of a codec that decodes text, or None."""
    label = (declared or "").strip().strip("\"'").lower()
    try:
        info = codecs.lookup(_ALIASES.get(label, label))
    except (LookupError, ValueError):
        return None
    # `_is_text_encoding` is how bytes.decode itself tells rot13 and zlib from charsets.
    if info.name in _NO_CHARSETS or not getattr(info, "_is_text_encoding", True):
        return None
    return _SUPERSETS.get(info.name, info.name)


def _is_stateful(charset: str) -> bool:
    """Encodings whose bytes are ASCII, and so look like UTF-8 that says something else."""
    return charset.startswith(("iso2022", "utf-7", "utf-16", "utf-32", "hz"))
