"""Payment card numbers made unreadable; phone, order and bank account numbers left alone.

Sources: ISO/IEC 7812-1 annex B (Luhn) and the issuers' published ranges and lengths: what begins or ends
otherwise is some other number, even where the check digit fits (one number in ten). ISO 13616 (IBAN).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

PLACEHOLDER = "[card number removed]"
_LENGTHS = range(13, 20)
#: Digits, single or grouped by spaces, dashes, dots. No lookahead at its end: giving back is quadratic.
_RUN = re.compile(r"(?<![\w+])\d(?:[ \-.\u00a0\u2009\u202f\u2010-\u2014]{0,2}\d){12,}")
#: ASCII digits become "0", the rest blank: a run is found in 2 µs, which takes `_RUN` 19 (600 characters).
_SHAPE = bytes(ord("0") if code in b"0123456789" else ord(" ") for code in range(256))
_SEPARATORS = b" -.\xa0"
#: The other digits; up to the Cyrillic letters there are none, and so none in Latin-1.
_OTHER_DIGIT = re.compile(r"[^\W_0-9A-Za-z\u00a1-\u052f](?<=\d)")
_GROUP = re.compile(r"\d+")
#: How people and cards group the digits, for finding one among other numbers on the line.
_GROUPINGS = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 4, 4, 1)})
_MOST_GROUPS = 5
_IBAN_HEAD = re.compile(r"\b[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){0,6}$")
#: (first digits from, to, possible lengths); the number of digits of `from` is how many are compared.
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),
    (300, 305, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (3095, 3095, (14, 15, 16, 17, 18, 19)),
    (36, 36, (14, 15, 16, 17, 18, 19)),
    (38, 39, (14, 15, 16, 17, 18, 19)),
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (6011, 6011, (16, 17, 18, 19)),  # Discover
    (644, 649, (16, 17, 18, 19)),
    (65, 65, (16, 17, 18, 19)),
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (81, 81, (16, 17, 18, 19)),
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (50, 50, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (56, 59, (13, 14, 15, 16, 17, 18, 19)),
    (61, 61, (13, 14, 15, 16, 17, 18, 19)),
    (63, 63, (13, 14, 15, 16, 17, 18, 19)),
    (67, 67, (13, 14, 15, 16, 17, 18, 19)),
)


def redact_cards(text: str) -> str:
    """`text` with each payment card number (13-19 digits, Luhn, a known issuer) replaced by `PLACEHOLDER`."""
    if not _may_hold_a_card(text):
        return text
    kept: list[str] = []
    position = 0
    for start, end in _spans(text):
        kept += (text[position:start], PLACEHOLDER)
        position = end
    return "".join((*kept, text[position:]))


def _may_hold_a_card(text: str) -> bool:
    """False for nearly every text, and soon; True needs a closer look."""
    latin = text.encode("latin-1", "ignore")
    if b"0" * _LENGTHS.start in latin.translate(_SHAPE, _SEPARATORS):
        return True
    return len(latin) < len(text) and _OTHER_DIGIT.search(text) is not None


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        if run.end() < len(text) and (text[run.end()].isalnum() or text[run.end()] == "_"):
            groups.pop()
        if groups and not _is_iban(text, run):
            yield from _in_run(text, groups)


def _is_iban(text: str, run: re.Match[str]) -> bool:
    head = _IBAN_HEAD.search(text, max(0, run.start() - 40), run.start())
    if head is None:
        return False
    iban = "".join((head[0] + run[0]).split())
    return iban.isalnum() and int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def _in_run(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The card numbers among neighbouring groups of digits: all of them, else some grouped as on a card."""
    if len(groups) < _LENGTHS.stop and is_card_number(_digits(text, groups)):
        yield groups[0][0], groups[-1][1]
        return
    first = 0
    while first < len(groups):
        size = _size_of_card(text, groups[first : first + _MOST_GROUPS])
        if size:
            yield groups[first][0], groups[first + size - 1][1]
        first += size or 1


def _size_of_card(text: str, groups: list[tuple[int, int]]) -> int:
    """How many of the `groups`, from the first on, make a card number; 0 for none."""
    for size in range(len(groups), 0, -1):
        shape = tuple(end - start for start, end in groups[:size])
        if (size == 1 or shape in _GROUPINGS) and is_card_number(_digits(text, groups[:size])):
            return size
    return 0


def _digits(text: str, groups: list[tuple[int, int]]) -> str:
    return "".join([text[start:end] for start, end in groups])


def is_card_number(digits: str) -> bool:
    """`digits` are a card number some issuer could have given out."""
    return len(digits) in _LENGTHS and _has_issuer(digits) and _passes_luhn(digits)


def _has_issuer(digits: str) -> bool:
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )


def _passes_luhn(digits: str) -> bool:
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of a two-digit product's digits
    return total % 10 == 0
