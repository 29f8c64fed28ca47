"""A small screenshot, drawn here: a page on which one creates an account."""

from __future__ import annotations

import struct
import zlib

_WIDTH, _HEIGHT = 320, 200
_PAGE, _BAR, _FIELD, _BUTTON = b"\xf5\xf6\xf8", b"\x1d\x4e\x89", b"\xff\xff\xff", b"\x2e\x9e\x5b"
#: (left, top, right, bottom, colour): a bar, a card with two fields, and one button.
_SHAPES = (
    (0, 0, _WIDTH, 28, _BAR),
    (60, 48, 260, 180, b"\xe4\xe8\xee"),
    (76, 66, 244, 90, _FIELD),
    (76, 102, 244, 126, _FIELD),
    (76, 142, 160, 166, _BUTTON),
)


def screenshot() -> bytes:
    """A PNG of 320 x 200. Source of the format: W3C PNG, sections 5 and 11."""
    rows = (b"\x00" + b"".join(_pixel(x, y) for x in range(_WIDTH)) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _pixel(x: int, y: int) -> bytes:
    covering = (
        colour
        for left, top, right, bottom, colour in reversed(_SHAPES)
        if left <= x < right and top <= y < bottom
    )
    return next(covering, _PAGE)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
