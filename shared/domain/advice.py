"""What is no fault of a workspace and yet seldom meant: said when it is applied, and applied all the same."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.lens import LENS_NAMES, Lens
from shared.domain.workspace import Workspace


def advice(workspace: Workspace) -> tuple[str, ...]:
    """One sentence each, with what to do."""
    return (*_departments(workspace), *_voices(workspace))


def secrets_named(workspace: Workspace) -> tuple[str, ...]:
    """Every reference to a secret (`secret:name`), once, sorted. The directory holds no value of any."""
    return tuple(
        sorted(
            {receiver.secret for receiver in workspace.receivers if receiver.secret}
            | {secret for webhook in workspace.webhooks for secret in webhook.verify.secrets}
        )
    )


def _departments(workspace: Workspace) -> Iterator[str]:
    seen = {department.lens for department in workspace.departments}
    unseen = [LENS_NAMES[lens] for lens in Lens if lens not in seen]
    if unseen:
        yield f"no department looks through {_listed(unseen)}: give a department that `lens`"
    peopled = {person.department for person in workspace.people}
    empty = [department.id for department in workspace.departments if department.id not in peopled]
    if empty:
        yield f"nobody is in {_listed(empty)}: give somebody that `department`, or take it out"


def _voices(workspace: Workspace) -> Iterator[str]:
    silent = [account.id for account in workspace.accounts if not account.domains and not account.contacts]
    if silent:
        yield f"nobody can speak for {_listed(silent)}: give the account `domains` or `contacts`"


def _listed(names: list[str]) -> str:
    """The first few; a company may have thousands of accounts."""
    shown, more = names[:_MOST], len(names) - _MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_MOST = 8
