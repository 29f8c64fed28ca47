"""Which domains can be a customer's: those by whose addresses its people, and nobody else, are known."""

from __future__ import annotations

import re

from shared.domain.mail_providers import MAIL_PROVIDERS

_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.)+[a-z][\w-]{1,62}")


def is_domain(text: str) -> bool:
    """Whether it has the form of one, in lower case: `company.example`."""
    return _DOMAIN.fullmatch(text) is not None


def objection(domain: str) -> tuple[str, str] | None:
    """What is wrong with a domain that nobody should have to themselves, and what to do; else None."""
    if domain not in MAIL_PROVIDERS:
        return None
    return (
        f"anybody may have an address at {domain!r}, and would speak for this account",
        "leave it out, and name the people as contacts",
    )
