"""From a note to a submission: the colleague is who their key says, the account is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.ingest.domain.note.note import Note
from services.ingest.domain.rest.hints import Remark
from services.ingest.domain.submission import Claim, File, Submission
from shared import ids
from shared.domain.account import Account
from shared.domain.api_key import ApiKey, Scope
from shared.domain.directory import Directory
from shared.domain.person import Person
from shared.domain.suggest import did_you_mean
from shared.errors import InvalidInput, Reason
from shared.events.feedback import Hints, Mode, ReplyTo

CHANNEL: Final = "note"
_ANSWERS = (("To change", "would_change"), ("To keep", "would_keep"))


@dataclass(frozen=True, slots=True)
class Sender:
    """Through which key, on which try, a note comes. `retry_key` is the same for each try of one note."""

    key: ApiKey
    retry_key: str | None = None
    trace: str | None = None


def reporter(by: str | None, key: ApiKey, directory: Directory) -> Person:
    """The colleague who reports: whose key it is, else whom it names.

    Raises InvalidInput FORBIDDEN for a key of somebody else or of nobody any more, MISSING_FIELD without a
    name, REJECTED for a name nobody has.
    """
    if key.person is not None and by not in {None, key.person}:
        raise InvalidInput(
            Reason.FORBIDDEN,
            "this API key is another colleague's",
            field="by",
            remedy="Leave `by` out, or use a key of that colleague.",
        )
    person_id = key.person or by
    if not person_id:
        raise InvalidInput(
            Reason.MISSING_FIELD,
            "nobody is said to have heard it",
            field="by",
            remedy="Send the colleague's id, or use a key made with `--person`.",
        )
    person = directory.people.get(person_id)
    if person is None:
        gone = key.person is not None
        raise InvalidInput(
            Reason.FORBIDDEN if gone else Reason.REJECTED,
            "the directory has no such colleague" + (" any more" if gone else ""),
            field="" if gone else "by",
            remedy="Ask for a link or key of your own."
            if gone
            else did_you_mean(person_id, directory.people, "send an id of the workspace"),
        )
    return person


def account_named(said: str, directory: Directory) -> Account | None:
    """The account of that id, name or domain, whatever its case."""
    word = " ".join(said.split()).casefold()
    if not word:
        return None
    for account in directory.workspace.accounts:
        names = (account.id, account.name, *account.domains)
        if any(word == name.casefold() for name in names):
            return account
    return None


def convert(
    note: Note, files: Sequence[File], person: Person, directory: Directory, sender: Sender
) -> Submission:
    """The note as a submission. Raises InvalidInput: EMPTY, WRONG_TYPE or FORBIDDEN for its mode."""
    if not note.text.strip():
        raise InvalidInput(
            Reason.EMPTY, "it does not say what was said", field="text", remedy="Send their words in `text`."
        )
    account = account_named(note.account, directory)
    return Submission(
        channel=CHANNEL,
        source=sender.key.source,
        external_id=_id(note, sender),
        mode=_mode(note, sender.key),
        text=_text(note),
        files=tuple(files),
        reported_by=Claim("person", person.id, person.name, verified=True),
        spoken_for=_party(note, account),
        account=account.id if account is not None else None,
        affiliation=note.on_behalf_of.affiliation,
        occasion=note.kind,
        confidential=note.confidential,
        reply_to=_reply_to(person),
        hints=Hints(touchpoint=note.touchpoint),
        occurred_at=note.occurred_at,
        strict=True,
        trace=sender.trace,
    )


def remarks(note: Note, directory: Directory) -> list[Remark]:
    """What of the note has no effect, because the directory does not know it."""
    said = []
    if note.touchpoint and note.touchpoint.strip() not in directory.touchpoints:
        said.append(
            Remark(
                pointer="/touchpoint",
                detail="there is no such touchpoint, so this hint is not used",
                remedy=did_you_mean(note.touchpoint, directory.touchpoints, "leave it out"),
            )
        )
    if note.account.strip() and account_named(note.account, directory) is None:
        known = [account.id for account in directory.workspace.accounts]
        said.append(
            Remark(
                pointer="/account",
                detail="the directory has no such account; its name is kept with who said it",
                remedy=did_you_mean(note.account, known, "declare it, or leave it so"),
            )
        )
    return said


def _id(note: Note, sender: Sender) -> str:
    """Of the try and of all that is in the note, so that two notes never become one by a token used twice."""
    if sender.retry_key is None:
        return ids.fresh_id()
    said = note.model_dump_json(exclude={"attachments"}).encode()
    return ids.digest(sender.key.id.encode(), sender.retry_key.encode(), said)[:32]


def _mode(note: Note, key: ApiKey) -> Mode:
    mode = note.mode or (Mode.LIVE if Scope.NOTES in key.scopes else Mode.TEST)
    if mode not in {Mode.LIVE, Mode.TEST}:
        raise InvalidInput(
            Reason.WRONG_TYPE,
            "a note is written when it is sent",
            field="mode",
            remedy="Send live or test; what is old comes in by /v1/feedback.",
        )
    if mode is Mode.LIVE and Scope.NOTES not in key.scopes:
        raise InvalidInput(
            Reason.FORBIDDEN,
            f"this API key may not do that: it lacks {Scope.NOTES}",
            field="mode",
            remedy=f"Use a key with the scope {Scope.NOTES}, or send test.",
        )
    return mode


def _text(note: Note) -> str:
    """What was said, then each answer under its own words."""
    answers = ((label, getattr(note, field).strip()) for label, field in _ANSWERS)
    return "\n\n".join((note.text.strip(), *(f"{label}: {answer}" for label, answer in answers if answer)))


def _party(note: Note, account: Account | None) -> Claim:
    """A contact of a known account is found by their name; of an unknown account its name stays."""
    party = note.on_behalf_of
    name = " ".join(party.name.split())
    contacts = account.contacts if account is not None else ()
    if not party.email:
        known = [contact for contact in contacts if contact.name.casefold() == name.casefold()]
        if len(known) == 1:
            return Claim("email", known[0].email, known[0].name, verified=True)
    if account is None and note.account.strip():
        name = ", ".join(part for part in (name, " ".join(note.account.split())) if part)
    return Claim("email", party.email or "", name, verified=True)


def _reply_to(person: Person) -> ReplyTo | None:
    if person.emails:
        return ReplyTo(receiver="email", address=person.emails[0])
    return ReplyTo(receiver="slack", address=person.slack_ids[0]) if person.slack_ids else None
