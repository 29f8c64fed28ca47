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


class SegmentRules:
    """The rules of all segments, indexed: most who are asked about belong to no account."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = tuple(segments)
        #: By the end of a domain the place of the first segment that needs nothing else.
        self._by_end: dict[str, int] = {}
        for place, segment in enumerate(self._segments):
            for rule in segment.rules:
                if rule.yearly_value is None and not rule.tiers:
                    for end in rule.domains:
                        self._by_end.setdefault(end, place)

    def of_account(self, account: Account) -> str | None:
        """The id of the first segment of which a rule holds, or None."""
        for segment in self._segments:
            if any(_holds(rule, account) for rule in segment.rules):
                return segment.id
        return None

    def of_domain(self, domain: str) -> str | None:
        """Of somebody with an address there who belongs to no account; `domain` in lower case."""
        if not self._by_end:
            return None
        found, end = len(self._segments), domain
        while end:
            found = min(found, self._by_end.get(end, found))
            end = end.partition(".")[2]
        return self._segments[found].id if found < len(self._segments) else None


class PersonaRules:
    """The rules of all personas, indexed by what stands before the @."""

    def __init__(self, personas: Iterable[Persona]) -> None:
        self._personas = tuple(personas)
        self._whole: dict[str, int] = {}
        beginnings: dict[str, int] = {}
        for place, persona in enumerate(self._personas):
            for rule in persona.rules:
                for part in () if rule.titles else rule.local_parts:
                    table = beginnings if part.endswith("*") else self._whole
                    table.setdefault(part.removesuffix("*"), place)
        self._beginnings = tuple(beginnings.items())

    def of(self, email: str, title: str = "") -> str | None:
        """The id of the first persona of which a rule holds, or None."""
        local_part = email.rpartition("@")[0].lower()
        nobody = len(self._personas)
        found = self._whole.get(local_part, nobody)
        for beginning, place in self._beginnings:
            if place < found and local_part.startswith(beginning):
                found = place
        if title:
            found = min(found, self._by_title(local_part, title))
        return self._personas[found].id if found < nobody else None

    def _by_title(self, local_part: str, title: str) -> int:
        for place, persona in enumerate(self._personas):
            for rule in persona.rules:
                if rule.titles and _words(rule.titles).search(title) and _is_called(rule, local_part):
                    return place
        return len(self._personas)


def _holds(rule: SegmentRule, account: Account) -> bool:
    domains = [name.lower() for name in account.domains]
    return (
        (rule.yearly_value is None or _within(rule.yearly_value, account.yearly_value))
        and (not rule.tiers or account.tier in rule.tiers)
        and (not rule.domains or any(_ends(name, end) for name in domains for end in rule.domains))
        and rule != _NOTHING
    )


def _within(span: Range, value: int | None) -> bool:
    if value is None:
        return False
    return (span.min is None or value >= span.min) and (span.max is None or value <= span.max)


def _ends(domain: str, end: str) -> bool:
    return domain == end or domain.endswith(f".{end}")


def _is_called(rule: PersonaRule, local_part: str) -> bool:
    return not rule.local_parts or any(
        local_part.startswith(part[:-1]) if part.endswith("*") else local_part == part
        for part in rule.local_parts
    )


@lru_cache(maxsize=256)
def _words(titles: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words, whatever their case: `IT` is in "Head of IT" and not in "Auditor"."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, titles))})(?!\w)", re.IGNORECASE)


_NOTHING = SegmentRule()
