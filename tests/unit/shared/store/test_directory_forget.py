"""Versions of the directory without people who are forgotten."""

from __future__ import annotations

from shared.store.directory_documents import stored
from shared.store.directory_forget import ERASED_NAME, redacted, without_contacts
from tests.load.company import example

WORKSPACE = example()


def test_a_contact_leaves_every_version_and_what_files_said() -> None:
    account = next(account for account in WORKSPACE.accounts if account.contacts)
    email = account.contacts[0].email
    changed = redacted(
        {"workspace": stored(WORKSPACE), "declared": stored(WORKSPACE)}, email.__eq__, frozenset()
    )
    assert set(changed) == {"workspace.accounts", "declared.accounts"}
    assert email not in str(changed)
    assert email not in str(without_contacts(WORKSPACE, email.__eq__).accounts)
    assert without_contacts(WORKSPACE, "nobody@x.example".__eq__) is WORKSPACE


def test_a_colleague_who_left_keeps_the_id_and_one_who_is_here_everything() -> None:
    ann = next(person for person in WORKSPACE.people if person.emails)
    document = {"workspace": stored(WORKSPACE)}
    (changed,) = redacted(document, ann.emails[0].__eq__, frozenset()).values()
    (nameless,) = [person for person in changed if person["id"] == ann.id]
    assert nameless["name"] == ERASED_NAME
    assert "emails" not in nameless
    assert redacted(document, ann.emails[0].__eq__, frozenset({ann.id})) == {}
