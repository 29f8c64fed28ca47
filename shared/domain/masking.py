"""Names and addresses out of what people wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAME_REMOVED = "[name removed]"
ADDRESS_REMOVED = "[address removed]"
NUMBER_REMOVED = "[number removed]"
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,253}\w")
#: Nine digits and more, as telephone numbers are written. A long order number that goes as well does less
#: harm than a telephone number that stays.
_PHONE = re.compile(r"(?<![\w+])\+?\d(?:[ ()/.-]{0,2}\d){8,14}(?!\w)")


def mask(text: str, names: Iterable[str]) -> str:
    """`text` with each whole-word occurrence of a name replaced; capitals count only in single words."""
    for name in names:
        flags = re.IGNORECASE if " " in name or "@" in name else re.NOFLAG
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", NAME_REMOVED, text, flags=flags)
    return text


def mask_contacts(text: str) -> str:
    """`text` without mail addresses and telephone numbers, whosever they are."""
    return _PHONE.sub(NUMBER_REMOVED, _EMAIL.sub(ADDRESS_REMOVED, text))
