"""Attachments as we keep them: named safely, typed by their content, addressed by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import puremagic

from services.ingest.domain.image import strip_metadata
from services.ingest.domain.normalise import clean_line
from services.ingest.domain.submission import File
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Attachment

_MAX_NAME_CHARS = 120
_MB = 1_000_000
_MAX_EXTENSION_CHARS = 10
_UNKNOWN = "application/octet-stream"
#: Below it two bytes agreed by chance: any text that begins with "BM" would be a picture.
_SURE = 0.3
_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}


@dataclass(frozen=True, slots=True)
class Kept:
    """An attachment and its bytes, which go into the store under `attachment.sha256`."""

    attachment: Attachment
    content: bytes


def attach(files: Sequence[File]) -> tuple[Kept, ...]:
    """Each different content once, in order, with a name fit for any file system, typed by its bytes."""
    kept: dict[str, Kept] = {}
    for file in files:
        sha256 = hashlib.sha256(file.content).hexdigest()
        media_type = sniff(file.content, file.media_type)
        attachment = Attachment(
            id=sha256,
            name=safe_name(file.name, media_type),
            media_type=media_type,
            size_bytes=len(file.content),
            sha256=sha256,
        )
        kept.setdefault(sha256, Kept(attachment, file.content))
    return tuple(kept.values())


def admit(
    files: Sequence[File], *, max_file_bytes: int, max_files: int, strict: bool
) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """The files that fit, and a visible note for each that was left out.

    Raises InvalidInput TOO_LARGE for a strict submission instead, naming the file by its number.
    """
    fitting: list[File] = []
    notes: list[str] = []
    for number, file in enumerate(files):
        if len(file.content) <= max_file_bytes and len(fitting) < max_files:
            fitting.append(file)
            continue
        too_many = len(fitting) >= max_files
        limit = f"more than {max_files} attachments" if too_many else f"over {size(max_file_bytes)}"
        if strict:
            raise InvalidInput(
                Reason.TOO_LARGE,
                f"{'the piece has' if too_many else 'the attachment is'} {limit}",
                field="attachments" if too_many else f"attachments/{number}",
                remedy="Send a smaller file, or a link to it in the text.",
            )
        notes.append(f"[attachment left out: {safe_name(file.name, '')}, {size(len(file.content))}, {limit}]")
    return tuple(fitting), tuple(notes)


def withhold(files: Sequence[File]) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """For a piece given in confidence: pictures drawn anew under neutral names; a visible note for the rest.

    A document tells its author in a dozen places, so only pictures are let through.
    """
    shown: list[File] = []
    notes: list[str] = []
    for number, file in enumerate(files, start=1):
        picture = strip_metadata(file.content)
        if picture is None:
            kind = sniff(file.content, file.media_type)
            notes.append(
                f"[attachment withheld, it could tell who sent it: {kind}, {size(len(file.content))}]"
            )
        else:
            content, media_type = picture
            shown.append(File(f"attachment-{number}{_EXTENSIONS[media_type]}", media_type, content))
    return tuple(shown), tuple(notes)


def sniff(content: bytes, declared: str) -> str:
    """The media type by content. What was declared counts only among types the bytes allow."""
    declared = declared.partition(";")[0].strip().lower()
    found = _by_magic(content)
    if found:
        return declared if declared in found else found[0] if len(set(found)) == 1 else _UNKNOWN
    if _is_text(content):
        harmless = declared.startswith("text/") or declared == "application/json"
        return (
            declared if harmless and declared.isascii() and len(declared) <= _MAX_NAME_CHARS else "text/plain"
        )
    return _UNKNOWN


def _by_magic(content: bytes) -> list[str]:
    """Media types that fit as well as the best one does; empty when nothing is known."""
    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return []
    sure = [match for match in matches if match.mime_type and match.confidence >= _SURE]
    best = max((match.confidence for match in sure), default=0.0)
    return [match.mime_type for match in sure if match.confidence == best]


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def safe_name(name: str, media_type: str) -> str:
    """The last part of a path, one clean line, no leading dot, its ending kept when it is cut."""
    last = clean_line(name.replace("\\", "/")).rstrip(" /.").rpartition("/")[2].lstrip(" .")
    line = "".join("_" if char in '<>:"|?*' else char for char in last)
    if not line:
        return "attachment" + _EXTENSIONS.get(media_type, "")
    if len(line) <= _MAX_NAME_CHARS:
        return line
    _, dot, extension = line.rpartition(".")
    ending = dot + extension if len(extension) <= _MAX_EXTENSION_CHARS else ""
    return line[: _MAX_NAME_CHARS - len(ending)] + ending


def size(size_bytes: int) -> str:
    """In words: 340 kB, 25.0 MB."""
    return f"{size_bytes / _MB:.1f} MB" if size_bytes >= _MB else f"{max(1, size_bytes // 1000)} kB"
