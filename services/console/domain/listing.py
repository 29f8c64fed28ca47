"""`GET /v1/accounts`: which accounts were asked for, a page at a time, in the order of their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.account import Account
from shared.domain.suggest import did_you_mean
from shared.domain.workspace import Workspace
from shared.errors import InvalidInput, Reason

DEFAULT_LIMIT = 100
MOST = 1_000
PARAMETERS = ("limit", "cursor", "domain")


@dataclass(frozen=True, slots=True)
class Asked:
    """`cursor` is the id after which to go on; `domain`, in lower case, one that the account has."""

    limit: int = DEFAULT_LIMIT
    cursor: str = ""
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` leads to the next page; None on the last one."""

    accounts: tuple[Account, ...]
    next_cursor: str | None


def asked(query: Mapping[str, str]) -> Asked:
    """Raises InvalidInput MALFORMED: one that is not known would otherwise answer something else."""
    for name in query:
        if name not in PARAMETERS:
            remedy = did_you_mean(name, PARAMETERS, f"send {', '.join(PARAMETERS)}")
            raise InvalidInput(
                Reason.MALFORMED,
                "the query has a parameter that is not known",
                remedy=remedy[0].upper() + remedy[1:],
            )
    given = query.get("limit", str(DEFAULT_LIMIT))
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < len(str(MOST)) + 1 else 0
    if not 1 <= limit <= MOST:
        raise InvalidInput(
            Reason.MALFORMED, "`limit` is no number of accounts", remedy=f"Send limit=1 to {MOST}."
        )
    domain = query.get("domain")
    return Asked(limit, query.get("cursor", ""), domain.lower() if domain is not None else None)


def page(workspace: Workspace, asked_for: Asked) -> Page:
    """What comes or goes between two pages moves nothing else from one to the other."""
    found = sorted(
        (account for account in workspace.accounts if _fits(account, asked_for)),
        key=lambda account: account.id,
    )
    shown = tuple(found[: asked_for.limit])
    return Page(shown, shown[-1].id if len(found) > len(shown) else None)


def _fits(account: Account, asked_for: Asked) -> bool:
    wanted = asked_for.domain
    return account.id > asked_for.cursor and (
        wanted is None or any(domain.lower() == wanted for domain in account.domains)
    )
