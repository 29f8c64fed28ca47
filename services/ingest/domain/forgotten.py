"""Whom an address stands for: the ids a person goes by here, and the keyed hashes the ledger knows them by.

`WHO` is a mail address, a person's id (as `explain` shows it, or a colleague's), or an id of another system
as `kind:source/id`, like `slack:T024BE7LD/U2147483697` or `api:crm/4711`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.ingest.domain.codename import keyed_id
from services.ingest.domain.conceal import concealed_person
from shared import ids
from shared.domain.erasure import ACCOUNT, PERSON
from shared.errors import InvalidInput, Reason

#: As addresses stand in mails, JSON and forms; what is taken for one by mistake has no mark that fits.
_ADDRESS = re.compile(rb"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")
#: What may stand in an address, and in a form or a link stands before one: `mail=dora@customer.example`.
_BEFORE = re.compile(r"[!#$%&'*/=?^`{|}]")
_PERSON_ID = re.compile(rb'"person_id"\s*:\s*"([\x21-\x7e]{1,80}?)"')
_BASE64_BODY = re.compile(rb'"body"\s*:\s*"([A-Za-z0-9+/=]+)"\s*,\s*"base64"\s*:\s*true')
_OTHER = re.compile(r"(slack|api):([^/\s]+)/(\S+)")


#: What is said to whoever brings something of somebody who is forgotten.
ERASED = InvalidInput(
    Reason.ERASED,
    "whoever said it asked to be forgotten, and it is of before that",
    remedy="Leave it out. What they say from now on is heard.",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is meant, by all ids they go by; concealed ones, by which confidences are told apart, too."""

    people: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()


class Marks:
    """Keyed hashes of identities. Whoever has not the key can neither make one nor try addresses."""

    def __init__(self, key: bytes) -> None:
        self._key = keyed_id(key, "purpose", "erasures").encode()

    def __call__(self, kind: str, name: str) -> str:
        return keyed_id(self._key, kind, name)

    def of(self, subject: Subject) -> frozenset[str]:
        people = (self(PERSON, person) for person in subject.people)
        return frozenset((*people, *(self(ACCOUNT, account) for account in subject.accounts)))


def person(who: str, emails_of: Iterable[str], ids_of: Iterable[str], conceal_key: bytes) -> Subject:
    """The subject behind `who`. `emails_of` and `ids_of` are what any version of the directory knows.

    Raises InvalidInput for what can be nobody.
    """
    who = who.strip()
    other = _OTHER.fullmatch(who)
    emails = {email.lower() for email in emails_of}
    people = set(ids_of)
    if other is not None:
        kind, source, name = other.groups()
        people |= {ids.stranger_id(each, f"{source} {name}") for each in (kind, f"unverified {kind}")}
    elif "@" in who:
        emails.add(who.lower())
    elif who and " " not in who:
        people.add(who)
    else:
        raise InvalidInput(
            Reason.MALFORMED,
            "that names nobody",
            field="who",
            remedy="Give a mail address, a person's id, or kind:source/id like slack:T024BE7LD/U2147483697.",
        )
    people |= {ids.stranger_id(kind, e) for e in emails for kind in ("email", "unverified email")}
    concealed = {concealed_person(conceal_key, each) for each in people}
    return Subject(people=frozenset(people | concealed), emails=frozenset(emails))


def names_marked(raw: bytes, marked: Callable[[str], bool], mark: Marks) -> bool:
    """Whether `raw` (a mail, a body, an event) holds an address or a person's id whose mark is `marked`."""
    return any(marked(mark(PERSON, person_id)) for person_id in _people_in(raw))


def _people_in(raw: bytes) -> set[str]:
    found = {match.decode().lower() for match in _ADDRESS.findall(raw)}
    addresses = found | {_BEFORE.split(address)[-1] for address in found}
    stated = {match.decode() for match in _PERSON_ID.findall(raw)}
    return {ids.stranger_id("email", address) for address in addresses} | stated | _encoded(raw)


def _encoded(raw: bytes) -> set[str]:
    """Those in the body that a `hook.unmapped.v1` carries in base64."""
    found = _BASE64_BODY.search(raw)
    if found is None:
        return set()
    try:
        return _people_in(base64.b64decode(found.group(1), validate=True))
    except ValueError:
        return set()
