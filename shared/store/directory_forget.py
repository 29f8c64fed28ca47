"""Takes people out of versions of the directory that are immutable but for this."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from shared.domain.workspace import Workspace
from shared.store.connection import Document

ERASED_NAME = "[erased]"
#: Where a document holds a workspace: a version, or what a file said.
_PLACES = ("workspace", "declared")


def naming(name: str) -> Document:
    """The query for versions with a colleague of this id or address."""
    same = {"$regex": f"^{re.escape(name)}$", "$options": "i"}
    return {"workspace.people": {"$elemMatch": {"$or": [{"id": name}, {"emails": same}]}}}


def named(document: Document, name: str) -> Iterator[Document]:
    """The colleagues of this id or address in such a version."""
    for person in document["workspace"]["people"]:
        addresses = {address.lower() for address in person.get("emails", [])}
        if person["id"] == name or name.lower() in addresses:
            yield person


def without_contacts(workspace: Workspace, is_forgotten: Callable[[str], bool]) -> Workspace:
    """The workspace in force, without contacts of these addresses."""
    accounts = tuple(
        account.model_copy(
            update={"contacts": tuple(each for each in account.contacts if not is_forgotten(each.email))}
        )
        for account in workspace.accounts
    )
    return (
        workspace if accounts == workspace.accounts else workspace.model_copy(update={"accounts": accounts})
    )


def redacted(document: Document, is_forgotten: Callable[[str], bool], still_here: frozenset[str]) -> Document:
    """The fields of `document` that must be written anew; empty when nobody in it is forgotten.

    A contact goes. A colleague who left is referred to, so their id stays, without name and addresses; those
    who are `still_here` (ids) are no contributors who left, and stay.
    """
    changed: Document = {}
    for place in _PLACES:
        workspace = document.get(place)
        if isinstance(workspace, dict):
            changed |= {
                f"{place}.{name}": value for name, value in _parts(workspace, is_forgotten, still_here)
            }
    return changed


def _parts(
    workspace: Document, is_forgotten: Callable[[str], bool], still_here: frozenset[str]
) -> Iterator[tuple[str, list[Any]]]:
    accounts, people = workspace.get("accounts", []), workspace.get("people", [])
    fewer = [_fewer_contacts(account, is_forgotten) for account in accounts]
    if fewer != accounts:
        yield "accounts", fewer
    fewer = [_nameless(person, is_forgotten, still_here) for person in people]
    if fewer != people:
        yield "people", fewer


def _fewer_contacts(account: Document, is_forgotten: Callable[[str], bool]) -> Document:
    contacts = [each for each in account.get("contacts", []) if not is_forgotten(each["email"])]
    return account if contacts == account.get("contacts", []) else {**account, "contacts": contacts}


def _nameless(person: Document, is_forgotten: Callable[[str], bool], still_here: frozenset[str]) -> Document:
    if person["id"] in still_here or not any(is_forgotten(email) for email in person.get("emails", [])):
        return person
    kept = {name: value for name, value in person.items() if name not in {"emails", "slack_ids", "title"}}
    return {**kept, "name": ERASED_NAME}
