"""A picture without what cameras, phones and editors write into it: place, device, author, time."""

from __future__ import annotations

import io
import struct

from PIL import Image, ImageOps

#: A picture of a screen has 2-15 million pixels; this one is decoded at 200 MB.
MAX_PIXELS = 50_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    EOFError,
    IndexError,
    TypeError,
    Image.DecompressionBombError,
)


def strip_metadata(content: bytes) -> tuple[bytes, str] | None:
    """The picture's first frame, drawn anew, and its media type; None for what is no picture we can read.

    Nothing of the original file survives but the pixels, turned the way the camera meant them.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            return _redrawn(picture, as_photo=picture.format in {"JPEG", "MPO"})
    except _BROKEN:
        return None


def _redrawn(picture: Image.Image, *, as_photo: bool) -> tuple[bytes, str]:
    upright = ImageOps.exif_transpose(picture)
    plain = upright.convert("RGBA" if upright.has_transparency_data and not as_photo else "RGB")
    # Pillow writes comments, colour profiles and text blocks from here into the new file.
    plain.info = {}
    out = io.BytesIO()
    if as_photo:
        plain.save(out, "JPEG", quality=90)
        return out.getvalue(), "image/jpeg"
    plain.save(out, "PNG")
    return out.getvalue(), "image/png"
