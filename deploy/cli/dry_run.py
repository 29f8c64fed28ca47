"""A piece that nobody sends: made as ingest makes it, planned as the notifier plans it. Pure.

What is asked for by name (`Overrides`) takes the place of the tags that were found.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.ingest.domain.build import build
from services.ingest.domain.check import check
from services.ingest.domain.conceal import conceal, names_of
from services.ingest.domain.identify import identify
from services.ingest.domain.normalise import normalise
from services.ingest.domain.redact import redact
from services.ingest.domain.shorten import shorten
from services.ingest.domain.submission import Claim, Submission
from services.notifier.domain.plan import Frame, plan
from shared.domain.delivery import Delivery
from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.domain.masking import mask
from shared.domain.matchers import Labels
from shared.domain.route_steps import Step, steps
from shared.domain.routing import compile_routes, labels
from shared.domain.suggest import did_you_mean
from shared.domain.weight import weigh
from shared.errors import InvalidInput, Reason
from shared.events.feedback import (
    About,
    Cause,
    FeedbackClassified,
    FeedbackReceived,
    Kind,
    LensTag,
    Mode,
    Polarity,
    ReplyTo,
    Tags,
    TouchpointTag,
    Urgency,
    UrgencyReason,
)

SOURCE = "dry-run"
_WHOLE_FILE = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What is said and by whom. `sender` and `spoken_for` are mail addresses that count as proven."""

    text: str
    title: str = ""
    sender: str | None = None
    spoken_for: str | None = None
    channel: str = "rest"
    mode: Mode = Mode.LIVE
    confidential: bool = False
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """Tags by name; what is left at its default stays as it was found."""

    touchpoints: Sequence[str] = ()
    lenses: Sequence[Lens] = ()
    polarity: Polarity | None = None
    kind: Kind | None = None
    about: About | None = None
    urgent: UrgencyReason | None = None
    language: str | None = None

    def __bool__(self) -> bool:
        return self != Overrides()


@dataclass(frozen=True, slots=True)
class Planned:
    """Where it would go: its labels, the walk through the tree, and the rows of the ledger."""

    piece: FeedbackClassified
    labels: Labels
    tree: Step
    rows: tuple[Delivery, ...]


def received(said: Said, directory: Directory, now: datetime) -> FeedbackReceived:
    """The event that ingest would publish of it. Raises InvalidInput as ingest would."""
    claim = Claim("email", said.sender, verified=True) if said.sender else Claim("api", "")
    raw = check(
        Submission(
            channel=said.channel,
            source=SOURCE,
            reported_by=claim,
            mode=said.mode,
            title=said.title,
            text=said.text,
            spoken_for=Claim("email", said.spoken_for, verified=True) if said.spoken_for else None,
            confidential=said.confidential,
            reply_to=ReplyTo(receiver="email", address=said.sender) if said.sender else None,
            occurred_at=said.occurred_at,
            strict=True,
        ),
        now,
    ).submission
    clean = normalise(raw)
    identity = identify(raw, clean, directory, now)
    clean = redact(clean)
    if said.confidential:
        names = names_of(clean, identity, directory)
        clean = replace(clean, title=mask(clean.title, names), text=mask(clean.text, names))
    event = build(clean, identity, shorten(clean.text, (), _WHOLE_FILE), (), now)
    # The codename is none that anybody will see again.
    return conceal(event, secrets.token_bytes(16), directory) if said.confidential else event


def planned(
    event: FeedbackReceived,
    tags: Tags,
    directory: Directory,
    *,
    model: str,
    now: datetime,
    max_age: timedelta,
) -> Planned:
    """What would become of it, `now`, if the classifier said `tags`."""
    piece = FeedbackClassified(
        **event.model_dump(),
        cause=Cause.RECEIVED,
        tag_revision=0,
        tags=tags,
        model_version=model,
        directory_version=directory.version,
        classified_at=now,
    )
    root, found = directory.workspace.route, labels(piece, directory)
    frame = Frame(directory, compile_routes(root), now, max_age)
    return Planned(piece, found, steps(found, root), plan(piece, frame, ()))


def overridden(tags: Tags, asked: Overrides, event: FeedbackReceived, directory: Directory) -> Tags:
    """`tags` with what was asked for by name, certain; a named touchpoint ends the need for triage.

    The weight is that of the speaker in `directory`. Raises InvalidInput for a touchpoint it does not know.
    """
    unknown = [name for name in asked.touchpoints if name not in directory.touchpoints]
    if unknown:
        raise InvalidInput(
            Reason.UNKNOWN_FIELD,
            f"there is no touchpoint {unknown[0]!r}",
            field="touchpoint",
            remedy=did_you_mean(unknown[0], directory.touchpoints, "name one of the workspace"),
        )
    changes: dict[str, object] = {"weight": weigh(event.reported_by, event.spoken_for, directory)}
    if asked.touchpoints:
        products = dict.fromkeys(directory.product_of[name].id for name in asked.touchpoints)
        named = tuple(TouchpointTag(id=name, score=1.0) for name in asked.touchpoints)
        changes |= {"touchpoints": named, "products": tuple(products)}
        changes |= {"needs_triage": False, "triage_reason": None}
    if asked.lenses:
        changes["lenses"] = tuple(LensTag(id=lens, score=1.0) for lens in asked.lenses)
    if asked.urgent is not None:
        changes |= {"urgency": Urgency.URGENT, "urgency_reasons": (asked.urgent.value,)}
    plain = {"polarity": asked.polarity, "kind": asked.kind, "about": asked.about, "language": asked.language}
    changes |= {name: value for name, value in plain.items() if value is not None}
    return tags.model_copy(update=changes)
