"""A piece given in confidence, so that nothing in it leads to who gave it."""

from __future__ import annotations

import re
from uuid import UUID

from services.ingest.domain.codename import codename, keyed_id
from services.ingest.domain.identify import Identity
from services.ingest.domain.submission import Submission
from shared.domain.contributor import Contributor
from shared.domain.directory import Directory
from shared.events.feedback import FeedbackReceived, Occasion, ReplyTo, Speaker

#: Where fewer are in a department, to name it would be to name them.
MIN_DEPARTMENT_SIZE = 5
SEALED_RECEIVER = "contributor"
_MIN_NAME_CHARS = 3


def seal_away(clean: Submission, identity: Identity) -> Contributor:
    """What is needed to answer, and to find the original; all of it must be encrypted before it is kept."""
    return Contributor(
        person_id=identity.reported_by.person_id,
        name=identity.reported_by.display_name or clean.reported_by.name,
        kind=clean.reported_by.kind,
        address=clean.reported_by.address,
        reply_to=identity.reply_to,
        external_id=clean.external_id,
        thread_id=clean.thread_id,
        url=clean.url,
    )


def concealed_id(key: bytes, identity: Identity) -> str:
    """The feedback_id; keyed where it came from a hash with the author in it, which people could try out.

    One that comes from an external id stays, so that edits and deletions find the piece.
    """
    if not identity.guessable:
        return identity.feedback_id
    return str(UUID(keyed_id(key, "feedback", identity.feedback_id)[:32]))


def conceal(event: FeedbackReceived, key: bytes, directory: Directory) -> FeedbackReceived:
    """The event without person, address, url, thread, external id. It has its concealed id already.

    What it was imported with stays: that tells nothing of who it is from.
    """
    name = codename(key, event.reported_by.person_id)
    speaker = Speaker(
        person_id=concealed_person(key, event.reported_by.person_id),
        display_name=name,
        affiliation=event.reported_by.affiliation,
        department=_large_department(event.reported_by.department, directory),
    )
    reply_to = ReplyTo(receiver=SEALED_RECEIVER, address=event.feedback_id)
    return event.model_copy(
        update={
            "confidential": True,
            "codename": name,
            "reported_by": speaker,
            "spoken_for": _other(event, key),
            # Who had lunch with that customer is known in the house.
            "occasion": Occasion.OTHER if event.occasion is not None else None,
            "reply_to": reply_to if event.reply_to is not None else None,
            "external_id": None,
            "thread_id": None,
            "url": None,
        }
    )


def concealed_person(key: bytes, person_id: str) -> str:
    """The id they go by: always the same for one person, and nobody without the key can tell whose."""
    return keyed_id(key, "person", person_id)[:32]


def _large_department(department: str | None, directory: Directory) -> str | None:
    if department is None or directory.department_sizes[department] < MIN_DEPARTMENT_SIZE:
        return None
    return department


def _other(event: FeedbackReceived, key: bytes) -> Speaker | None:
    """Whom the contributor spoke for: which customer, but not which person, whom few colleagues deal with."""
    other = event.spoken_for
    if other is None or other.person_id == event.reported_by.person_id:
        return None
    person_id = concealed_person(key, other.person_id)
    return other.model_copy(update={"person_id": person_id, "display_name": ""})


def names_of(clean: Submission, identity: Identity, directory: Directory) -> tuple[str, ...]:
    """What whoever spoke, and for whom, are called: full names, their parts, addresses. Longest first."""
    claims = (clean.reported_by, *((clean.spoken_for,) if clean.spoken_for else ()))
    speakers = (identity.reported_by, *((identity.spoken_for,) if identity.spoken_for else ()))
    names = {claim.name for claim in claims} | {speaker.display_name for speaker in speakers}
    parts = {part for name in names for part in re.split(r"[\s,.;()<>]+", name) if part[:1].isupper()}
    person = directory.people.get(identity.reported_by.person_id)
    addresses = {claim.address for claim in claims} | set(person.emails + person.slack_ids if person else ())
    found = names | parts | addresses
    return tuple(sorted((name for name in found if len(name) >= _MIN_NAME_CHARS), key=len, reverse=True))
