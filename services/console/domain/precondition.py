"""`If-Match` and `If-None-Match` (RFC 9110 section 13); a tag is the number of the directory's version.

A change of anything in the directory makes another tag: whoever sends one back changes what they have seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import InvalidInput, Reason

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Precondition:
    """`versions` is None where none was named; `there` and `absent`: the account must be so."""

    versions: frozenset[int] | None = None
    there: bool = False
    absent: bool = False

    def hold(self, *, there: bool) -> None:
        """Raises InvalidInput PRECONDITION when the account should be there and is not, or the other way."""
        if self.there and not there:
            raise InvalidInput(
                Reason.PRECONDITION,
                "there is no account of this id",
                field=IF_MATCH,
                remedy="Leave If-Match out to create it.",
            )
        if self.absent and there:
            raise InvalidInput(
                Reason.PRECONDITION,
                "there is an account of this id already",
                field=IF_NONE_MATCH,
                remedy="GET it, and change that one.",
            )


def etag(version: int) -> str:
    return f'"{version}"'


def precondition(if_match: Iterable[str], if_none_match: Iterable[str]) -> Precondition:
    """Of a change: `If-Match: "7"` or `*`, and `If-None-Match: *`, each as often as the header came.

    Raises InvalidInput MALFORMED. Weak tags and those we never gave match nothing.
    """
    match, none_match = ",".join(if_match).strip(), ",".join(if_none_match).strip()
    if none_match not in {"", _ANY}:
        raise _malformed(IF_NONE_MATCH, "Send If-None-Match: * with a change, or leave it out.")
    named = None if match in {"", _ANY} else _numbers(match, weak=False)
    return Precondition(named, there=match == _ANY, absent=none_match == _ANY)


def unchanged(if_none_match: Iterable[str], version: int) -> bool:
    """Of a GET: whether they have it already. What cannot be read is as if it was not there."""
    named = ",".join(if_none_match).strip()
    if named in {"", _ANY}:
        return named == _ANY
    try:
        return version in _numbers(named, weak=True)
    except InvalidInput:
        return False


def stale() -> InvalidInput:
    return InvalidInput(
        Reason.PRECONDITION,
        "the directory was changed since that ETag",
        field=IF_MATCH,
        remedy="GET it again, and send your change with the ETag of that answer.",
    )


def _numbers(tags: str, *, weak: bool) -> frozenset[int]:
    found = set()
    for each in tags.split(","):
        tag = _TAG.fullmatch(each.strip())
        if tag is None:
            raise _malformed(IF_MATCH, 'Send the ETag of an earlier answer, as it was: If-Match: "7".')
        if (weak or not tag[1]) and re.fullmatch(r"[1-9][0-9]{0,9}", tag[2]):
            found.add(int(tag[2]))
    return frozenset(found)


def _malformed(header: str, remedy: str) -> InvalidInput:
    return InvalidInput(Reason.MALFORMED, f"{header} cannot be read", remedy=remedy)
