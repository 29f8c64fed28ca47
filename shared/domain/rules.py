"""Rules by which a contributor has a segment and a persona that nobody has given them.

A rule holds when all it says holds; of several values in it one is enough. A segment or persona applies when
any of its rules holds, and of several that apply the one declared first. What an account or a contact says of
itself always comes before any rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from shared.domain.entity import Entity, Name

if TYPE_CHECKING:
    from shared.domain.account import Account, Persona, Segment

#: A domain, or the end of one: `edu` is every address that ends in it.
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
#: What stands before the @, the whole of it; with * at the end what it begins with.
LocalPart = Annotated[str, StringConstraints(pattern=r"^[^@\s*A-Z]{1,64}\*?$")]


class Range(Entity):
    """Both ends belong to it; one that is left out is open."""

    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)


class SegmentRule(Entity):
    """Of an account. An account that does not say its `yearly_value` is in no range."""

    yearly_value: Range | None = None
    tiers: tuple[Name, ...] = ()
    domains: tuple[Domain, ...] = Field(
        default=(), description="of the account, or of the address of somebody who belongs to none"
    )


class PersonaRule(Entity):
    """Of a contact, or of anybody with a proven mail address that is no colleague's."""

    titles: tuple[Name, ...] = Field(default=(), description="words in the title of a contact")
    local_parts: tuple[LocalPart, ...] = Field(default=(), description="what stands before the @")


def segment_by_rule(segments: Iterable[Segment], account: Account | None, domain: str = "") -> str | None:
    """The id of the first segment of which a rule holds, or None.

    `domain` is that of an address, for somebody who belongs to no account; in lower case.
    """
    domains = [name.lower() for name in account.domains] if account is not None else [domain]
    for segment in segments:
        if any(_holds_of_account(rule, account, domains) for rule in segment.rules):
            return segment.id
    return None


def persona_by_rule(personas: Iterable[Persona], email: str, title: str = "") -> str | None:
    """The id of the first persona of which a rule holds, or None."""
    local_part = email.rpartition("@")[0].lower()
    for persona in personas:
        if any(_holds_of_person(rule, local_part, title) for rule in persona.rules):
            return persona.id
    return None


def _holds_of_account(rule: SegmentRule, account: Account | None, domains: Iterable[str]) -> bool:
    says = [
        rule.yearly_value is None or (account is not None and _within(rule.yearly_value, account)),
        not rule.tiers or (account is not None and account.tier in rule.tiers),
        not rule.domains or any(_ends(name, end) for name in domains for end in rule.domains),
    ]
    return all(says) and rule != _NOTHING_OF_ACCOUNT


def _within(span: Range, account: Account) -> bool:
    value = account.yearly_value
    if value is None:
        return False
    return (span.min is None or value >= span.min) and (span.max is None or value <= span.max)


def _ends(domain: str, end: str) -> bool:
    return domain == end or domain.endswith(f".{end}")


def _holds_of_person(rule: PersonaRule, local_part: str, title: str) -> bool:
    if rule.titles and not _words(rule.titles).search(title):
        return False
    if rule.local_parts and not any(_begins(local_part, part) for part in rule.local_parts):
        return False
    return rule != _NOTHING_OF_PERSON


def _begins(local_part: str, wanted: str) -> bool:
    return local_part.startswith(wanted[:-1]) if wanted.endswith("*") else local_part == wanted


@lru_cache(maxsize=256)
def _words(titles: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words, whatever their case: `IT` is in "Head of IT" and not in "Auditor"."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, titles))})(?!\w)", re.IGNORECASE)


_NOTHING_OF_ACCOUNT = SegmentRule()
_NOTHING_OF_PERSON = PersonaRule()
