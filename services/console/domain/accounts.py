"""Customer accounts one at a time: what a request makes of the workspace in force, or why it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.account import Account
from shared.domain.accounts import merge_accounts
from shared.domain.domains import is_domain, objection
from shared.domain.suggest import did_you_mean
from shared.domain.workspace import Fault, Unsound, Workspace
from shared.errors import InvalidInput, Reason
from shared.http.document import InvalidDocument, checked


def shown(account: Account) -> dict[str, Any]:
    """All of its fields, so that what was got can be changed and put back."""
    return account.model_dump(mode="json")


def find(workspace: Workspace, account_id: str) -> Account | None:
    return next((account for account in workspace.accounts if account.id == account_id), None)


def known(workspace: Workspace, account_id: str) -> Account:
    """Raises InvalidInput NOT_FOUND."""
    found = find(workspace, account_id)
    if found is None:
        ids = [account.id for account in workspace.accounts]
        remedy = did_you_mean(account_id, ids, "`GET /v1/accounts` lists them")
        raise InvalidInput(Reason.NOT_FOUND, "there is no account of this id", remedy=_sentence(remedy))
    return found


def put(workspace: Workspace, account_id: str, sent: object) -> Workspace:
    """The account is what was sent and nothing else, whether or not there was one before.

    The id may be left out of what is sent. Raises InvalidDocument with everything that is wrong.
    """
    fields = {"id": account_id, **_object(sent)}
    if fields["id"] != account_id:
        raise InvalidInput(
            Reason.UNSOUND,
            "this is not the id in the address",
            field="id",
            remedy="Leave it out, or send it as it is in the address: an id is for ever.",
        )
    account = checked(fields, Account, strict=True)
    try:
        # One after the other: a domain that is none says more than that two accounts have it.
        _fit(workspace, account)
        return merge_accounts(workspace, [_whole(account)])
    except Unsound as error:
        raise _unsound(error) from None


def patch(workspace: Workspace, account_id: str, sent: object) -> Workspace:
    """The account has the fields that were sent, the others as before; null puts one back to its default.

    Source: RFC 7396. Since no field of an account is an object, a list replaces the whole list, and what the
    RFC says of objects inside objects does not come up. Raises as `put`, and NOT_FOUND.
    """
    changes = _object(sent)
    before = shown(known(workspace, account_id))
    # A null under a name that no account has is a typo, and stays to be refused.
    dropped = {name for name, value in changes.items() if value is None and name in before and name != "id"}
    fields = {name: value for name, value in {**before, **changes}.items() if name not in dropped}
    return put(workspace, account_id, fields)


def remove(workspace: Workspace, account_id: str) -> Workspace:
    """Raises InvalidInput NOT_FOUND."""
    known(workspace, account_id)
    return merge_accounts(workspace, (), [account_id])


def _object(sent: object) -> Mapping[str, Any]:
    if not isinstance(sent, Mapping):
        raise InvalidInput(Reason.WRONG_TYPE, "this is not an object", remedy="Send a JSON object.")
    return sent


def _unsound(error: Unsound) -> InvalidDocument:
    """Each fault with its field in the account that was sent; a path begins with where it is in a list."""
    return InvalidDocument(
        [
            InvalidInput(
                Reason.UNSOUND,
                fault.message,
                field="/".join(str(part) for part in fault.path[2:]),
                remedy=_sentence(fault.remedy),
            )
            for fault in error.faults
        ]
    )


def _whole(account: Account) -> dict[str, object]:
    """With None for what it does not say, so that nothing of the one before stays."""
    said = account.model_dump(exclude_defaults=True)
    return {name: said.get(name) for name in Account.model_fields}


def _fit(workspace: Workspace, account: Account) -> None:
    """Of the domains that are new to the account: what came in by the file is for the file to mend."""
    before = find(workspace, account.id)
    had = set(before.domains) if before is not None else set()
    wrong = [
        Fault(path=("accounts", 0, "domains", place), message=message, remedy=remedy)
        for place, domain in enumerate(account.domains)
        if domain not in had
        for message, remedy in _objections(workspace, domain.lower())
    ]
    if wrong:
        raise Unsound(wrong)


def _objections(workspace: Workspace, domain: str) -> Iterator[tuple[str, str]]:
    if not is_domain(domain):
        yield f"{domain[:64]!r} is no domain", "send company.example"
    elif domain in {own.lower() for own in workspace.domains}:
        yield f"{domain!r} is our own domain", "leave it out"
    elif (wrong := objection(domain)) is not None:
        yield wrong


def _sentence(remedy: str) -> str:
    if not remedy:
        return ""
    return remedy[0].upper() + remedy[1:] + ("" if remedy.endswith(("?", ".")) else ".")
