"""How many voices are known: what was weighed without knowing who speaks, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.directory import Directory
from shared.domain.mail_providers import MAIL_PROVIDERS

_MOST_DOMAINS = 20


@dataclass(frozen=True, slots=True)
class Weighed:
    """Pieces as they were weighed when they came in.

    `unknown_colleagues` are those of `unknown` in which a colleague spoke for nobody else. `domains` counts
    the other unknown ones by the domain of whoever wrote, where that is proven; the most frequent ones.
    """

    pieces: int = 0
    unknown: int = 0
    unknown_colleagues: int = 0
    domains: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """`helpful` are domains no account has yet, with the pieces each would make known, the most first.

    `private` are the pieces from addresses at mail providers: those people are only known as contacts.
    """

    weighed: Weighed
    helpful: tuple[tuple[str, int], ...]
    private: int

    @property
    def unknown_percent(self) -> int:
        return round(100 * self.weighed.unknown / self.weighed.pieces) if self.weighed.pieces else 0


def coverage(weighed: Weighed, directory: Directory) -> Coverage:
    domains = weighed.domains or {}
    useful = {domain: count for domain, count in domains.items() if _is_useful(domain, directory)}
    ranked = sorted(useful.items(), key=lambda pair: (-pair[1], pair[0]))
    private = sum(count for domain, count in domains.items() if domain in MAIL_PROVIDERS)
    return Coverage(weighed, tuple(ranked[:_MOST_DOMAINS]), private)


def _is_useful(domain: str, directory: Directory) -> bool:
    address = f"@{domain}"
    known = directory.who_is("email", address)
    return (
        domain not in MAIL_PROVIDERS
        and not directory.is_own_domain(address)
        and known.account is None
        and known.segment is None
    )
