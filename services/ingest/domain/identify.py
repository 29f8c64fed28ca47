"""Which piece it is, which version of it, and who speaks: the same for a retry, a poll and an import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from services.ingest.domain.normalise import MAX_NAME_CHARS, cut
from services.ingest.domain.submission import Claim, Submission
from shared import clock, ids
from shared.domain.directory import Directory
from shared.events.base import trusted
from shared.events.feedback import Affiliation, Change, Mode, ReplyTo, Speaker
from shared.value import value

#: No clean external id begins like this, so ids made from hashes never meet one.
_NOT_EXTERNAL = "\x1e"


@value
class Identity:
    """`guessable`: the feedback_id is a hash with the author in it; who knows the text could try authors."""

    feedback_id: str
    revision: int
    occurred_at: datetime
    reported_by: Speaker
    spoken_for: Speaker | None
    reply_to: ReplyTo | None
    guessable: bool


def identify(
    raw: Submission,
    clean: Submission,
    directory: Directory,
    received_at: datetime,
    fresh_id: Callable[[], str] = ids.fresh_id,
) -> Identity:
    """The piece's identity. `raw` is what came in, `clean` the same after `normalise`.

    A person is recognised only where the claim is verified. Otherwise it is somebody unknown (or of the
    outside affiliation the channel was told), with an id of its own that a proven owner of the address never
    has, and gets no answer. A deletion names nobody.
    """
    feedback_id, guessable = _feedback_id(raw, fresh_id)
    if raw.change is Change.DELETED:
        reported_by, spoken_for = _nobody(feedback_id), None
    else:
        about_reporter = clean.affiliation if clean.spoken_for is None else None
        reported_by = speaker(clean.reported_by, clean.source, directory, about_reporter, feedback_id)
        spoken_for = _spoken_for(clean, directory, feedback_id)
    return Identity(
        feedback_id=feedback_id,
        revision=raw.revision if raw.revision is not None else clock.to_us(received_at),
        occurred_at=min(clock.to_ms(raw.occurred_at), received_at) if raw.occurred_at else received_at,
        reported_by=reported_by,
        spoken_for=spoken_for,
        reply_to=clean.reply_to if raw.reported_by.verified and raw.change is not Change.DELETED else None,
        guessable=guessable,
    )


def _spoken_for(clean: Submission, directory: Directory, feedback_id: str) -> Speaker | None:
    """Whose words they are; of the account that a colleague named, whatever the address says."""
    if clean.spoken_for is None:
        return None
    found = speaker(clean.spoken_for, clean.source, directory, clean.affiliation, feedback_id)
    account = directory.accounts.get(clean.account or "")
    if account is None or found.account == account.id:
        return found
    return found.model_copy(
        update={
            "account": account.id,
            "segment": account.segment,
            "persona": None,
            "affiliation": clean.affiliation or Affiliation.CUSTOMER,
        }
    )


def external_feedback_id(raw: Submission) -> str | None:
    """The id of a piece its provider has a name for; None for one it has not."""
    if not raw.external_id or not raw.external_id.strip():
        return None
    return _named(raw, _printable(raw.external_id))


def _feedback_id(raw: Submission, fresh_id: Callable[[], str]) -> tuple[str, bool]:
    """Of what the provider calls it; else of the words, who said them and when.

    Without a time it takes the place among the equal rows of a file, or the retry key, to be the same again.
    """
    external = external_feedback_id(raw)
    if external is not None:
        return external, False
    if raw.occurred_at is not None:
        stated = raw.occurred_at.astimezone(UTC).isoformat()
        return _hashed(raw, "stated", stated), True
    if raw.numbered:
        return _hashed(raw, "numbered"), True
    if raw.retry_key:
        return _hashed(raw, "retry", raw.retry_key), True
    return fresh_id(), False


def _hashed(raw: Submission, kind: str, *parts: str) -> str:
    """Text and author are in the hash of a retry key too, so that the items of one request stay apart."""
    author = raw.reported_by
    words = (raw.title, raw.text, author.kind, author.address, author.name, *parts, str(raw.ordinal))
    contents = [ids.digest(file.content).encode() for file in raw.files]
    digest = ids.digest(*(word.encode("utf-8", "surrogatepass") for word in words), *contents)
    return _named(raw, f"{_NOT_EXTERNAL}{kind}:{digest}")


def _named(raw: Submission, name: str) -> str:
    """A test is a piece of its own: what is tried out under an id in use changes nothing that counts."""
    tried = f"{_NOT_EXTERNAL}test:" if raw.mode is Mode.TEST else ""
    return ids.feedback_id(raw.channel, raw.source, tried + name)


def _printable(external_id: str) -> str:
    """UUIDv5 wants UTF-8, and our own prefix stays ours."""
    if external_id.isascii() and external_id.isprintable():
        return external_id
    return external_id.encode("utf-8", "backslashreplace").decode().replace(_NOT_EXTERNAL, "\\x1e")


def speaker(
    claim: Claim, source: str, directory: Directory, told: Affiliation | None, feedback_id: str
) -> Speaker:
    """Whoever is behind a claim, with all the directory knows of a verified one."""
    if not claim.address and not claim.name:
        return _nobody(feedback_id, told or Affiliation.UNKNOWN)
    if not claim.verified:
        outside = told if told is not None and told is not Affiliation.COLLEAGUE else Affiliation.UNKNOWN
        return Speaker(
            person_id=_own_id(f"unverified {claim.kind}", claim, source, feedback_id),
            display_name=_shown(claim.name or claim.address),
            affiliation=outside,
        )
    person_id = _own_id(claim.kind, claim, source, feedback_id)
    if claim.kind == "api":
        return Speaker(
            person_id=person_id,
            display_name=_shown(claim.name or claim.address),
            affiliation=told or Affiliation.UNKNOWN,
        )
    return _known(claim, person_id, directory, told)


def _known(claim: Claim, person_id: str, directory: Directory, told: Affiliation | None) -> Speaker:
    known = directory.who_is(claim.kind, claim.address)
    if known.person is not None:
        return Speaker(
            person_id=known.person.id,
            display_name=_shown(known.person.name),
            affiliation=Affiliation.COLLEAGUE,
            department=known.person.department,
        )
    if known.account is not None:
        contact = known.contact
        return Speaker(
            person_id=person_id,
            display_name=_shown(contact.name if contact else claim.name or claim.address),
            affiliation=Affiliation.CUSTOMER,
            account=known.account.id,
            segment=known.segment,
            persona=known.persona,
        )
    own = claim.kind == "email" and directory.is_own_domain(claim.address)
    return Speaker(
        person_id=person_id,
        display_name=_shown(claim.name or claim.address),
        affiliation=Affiliation.COLLEAGUE if own else told or Affiliation.UNKNOWN,
        segment=known.segment,
        persona=known.persona,
    )


def _own_id(kind: str, claim: Claim, source: str, feedback_id: str) -> str:
    if not claim.address:
        return ids.stranger_id("named", f"{feedback_id} {claim.name}")
    # An id of some system means something within that system only; a mail address is the same everywhere.
    return ids.stranger_id(kind, claim.address if claim.kind == "email" else f"{source} {claim.address}")


def _nobody(feedback_id: str, affiliation: Affiliation = Affiliation.UNKNOWN) -> Speaker:
    """Two anonymous pieces are two voices, not one loud one."""
    return trusted(
        Speaker,
        {
            "person_id": ids.anonymous_id(feedback_id),
            "display_name": "",
            "affiliation": affiliation,
            "department": None,
            "account": None,
            "segment": None,
            "persona": None,
        },
    )


def _shown(name: str) -> str:
    return cut(name, MAX_NAME_CHARS)
