"""What a body is announced as."""

from __future__ import annotations

from shared.errors import InvalidInput, Reason

JSON = "application/json"
#: Source: RFC 7396.
MERGE_PATCH = "application/merge-patch+json"


def expect(content_type: str, *taken: str) -> None:
    """Raises InvalidInput MEDIA_TYPE for a body that is announced as none of `taken`."""
    if content_type.partition(";")[0].strip().lower() not in taken:
        raise InvalidInput(
            Reason.MEDIA_TYPE,
            "the body is announced as something else than JSON",
            remedy=f"Send Content-Type: {taken[0]}.",
        )
