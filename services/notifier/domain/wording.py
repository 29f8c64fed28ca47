"""The words of a notice: what is said, who says it, why one is told. Plain text, names in *stars*."""

from __future__ import annotations

from shared.domain.delivery import MAX_TEXT_CHARS, Content
from shared.domain.directory import Directory
from shared.domain.lens import LENS_NAMES, Lens
from shared.domain.network import Why, WhyCode, touchpoints_of
from shared.events.feedback import (
    Affiliation,
    FeedbackClassified,
    Occasion,
    Speaker,
    TriageReason,
    UrgencyReason,
)

_POLARITY = {"keep": "Keep", "change": "Change", "mixed": "Keep and change"}
#: A newer classifier may have reasons of which this does not know yet: those are shown as they are.
_REASONS: dict[str, str] = {
    UrgencyReason.MAY_LEAVE: "a customer may leave",
    UrgencyReason.OUTAGE: "something does not work at all",
    UrgencyReason.LEGAL_THREAT: "legal steps are threatened",
    UrgencyReason.SAFETY: "somebody may be harmed",
}
_TRIAGE: dict[str, str] = {
    TriageReason.NO_WORDS: "there are no words in it",
    TriageReason.NO_TOUCHPOINT: "no touchpoint fits",
    TriageReason.UNCLEAR: "it is not clear what it is about",
}
#: "João, from a lunch with Anna": before "with", or at the end.
_OCCASIONS: dict[str, str] = {
    Occasion.TALK: "a talk",
    Occasion.CALL: "a call",
    Occasion.LUNCH: "a lunch",
    Occasion.TRAINING: "a training",
    Occasion.USER_TEST: "a user test",
    Occasion.OTHER: "a conversation",
}
_MOST_NAMES = 10


def content_of(piece: FeedbackClassified, directory: Directory) -> Content:
    """What the piece's notices show. Of a confidential one neither link nor file names."""
    text = " ".join(piece.text.split("\x00"))
    return Content(
        title=one_line(piece.title),
        text=text[:MAX_TEXT_CHARS].rstrip(),
        shortened=piece.truncated or len(text) > MAX_TEXT_CHARS,
        who=who_said(piece, directory),
        channel=piece.channel,
        url=None if piece.confidential else _link(piece.url),
        touchpoints=tuple(
            directory.touchpoints[touchpoint].name for touchpoint in touchpoints_of(piece, directory)
        ),
        lenses=tuple(LENS_NAMES[tag.id] for tag in piece.tags.lenses),
        polarity=piece.tags.polarity.value,
        kind=piece.tags.kind.value,
        about=piece.tags.about.value,
        urgency_reasons=tuple(_words(_REASONS, reason) for reason in piece.tags.urgency_reasons),
        attachments=tuple(_attachments(piece)),
        rating=f"{piece.rating.value:g} of {piece.rating.max:g}" if piece.rating is not None else "",
        language=piece.tags.language,
        needs_triage=piece.tags.needs_triage,
        triage_reason=_words(_TRIAGE, piece.tags.triage_reason or ""),
        confidential=piece.confidential,
        occurred_at=piece.occurred_at,
    )


def headline(content: Content) -> str:
    """One line for a subject or a header: "Change · Invoice, Ordering: The tax line is missing"."""
    if content.needs_triage and not content.touchpoints:
        place = "Needs triage"
    else:
        place = f"{headline_verdict(content.polarity)} · {', '.join(content.touchpoints) or 'no touchpoint'}"
    about = content.title or one_line(content.text)
    about = about if len(about) <= 80 else about[:79].rstrip() + "…"  # noqa: PLR2004 - fits a subject line
    urgent = "Urgent: " if content.urgency_reasons else ""
    return f"{urgent}{place}: {about}" if about else f"{urgent}{place}"


def headline_verdict(polarity: str) -> str:
    """What is asked for, in a word or two."""
    return _POLARITY.get(polarity, "Heard")


def facts(content: Content) -> tuple[tuple[str, str], ...]:
    """Name and value of what else is known, in reading order; nothing that is empty."""
    told = (
        ("From", content.who),
        ("Touchpoint", ", ".join(content.touchpoints)),
        ("Concerns", ", ".join(content.lenses)),
        ("Kind", content.kind if content.about in {"", "us"} else f"{content.kind}, about {_about(content)}"),
        ("Needs triage because", content.triage_reason),
        ("Urgent because", ", ".join(content.urgency_reasons)),
        ("Rating", content.rating),
        ("Attached", ", ".join(content.attachments)),
        ("Came in by", content.channel),
    )
    return tuple((name, value) for name, value in told if value)


def why_sentences(whys: tuple[Why, ...], directory: Directory) -> tuple[str, ...]:
    """One plain sentence a reason, most important first: "You own *Invoice*"."""
    return tuple(dict.fromkeys(_sentence(why, directory) for why in whys))


def place_sentence(receiver_id: str) -> tuple[str, ...]:
    """Why a place that is nobody's own gets it."""
    return (f"The routes send this to *{_bare(receiver_id)}*",)


def _sentence(why: Why, directory: Directory) -> str:  # noqa: PLR0911 - one a code
    touchpoint = _touchpoint(why.touchpoint, directory)
    match why.code:
        case WhyCode.OWNER:
            return f"You own {touchpoint}"
        case WhyCode.PRODUCT_OWNER:
            return f"You are the product manager of {_product(why.product, directory)}"
        case WhyCode.TRIAGE:
            return "You look after what nobody else owns yet"
        case WhyCode.PRAISED:
            return "You are praised by name"
        case WhyCode.ACCOUNT_OWNER:
            return f"You look after {_account(why.account, directory)}, and somebody there may leave"
        case WhyCode.AGENT:
            return f"Agent of {touchpoint}"
        case WhyCode.AGENT_BEFORE:
            return f"Agent of {touchpoint}, the step just before {_touchpoint(why.near, directory)}"
        case WhyCode.AGENT_AFTER:
            return f"Agent of {touchpoint}, the step just after {_touchpoint(why.near, directory)}"
        case WhyCode.SUBSCRIBER:
            return f"You follow {_starred(LENS_NAMES[Lens(why.lens or '')])}"


def _touchpoint(touchpoint_id: str | None, directory: Directory) -> str:
    known = directory.touchpoints.get(touchpoint_id or "")
    return _starred(known.name if known is not None else touchpoint_id or "")


def _product(product_id: str | None, directory: Directory) -> str:
    known = directory.products.get(product_id or "")
    return _starred(known.name if known is not None else product_id or "")


def _account(account_id: str | None, directory: Directory) -> str:
    known = directory.accounts.get(account_id or "")
    return _starred(known.name if known is not None else account_id or "")


def _starred(name: str) -> str:
    return f"*{_bare(name)}*"


def _bare(name: str) -> str:
    return one_line(name).replace("*", "")


def one_line(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _words(known: dict[str, str], reason: str) -> str:
    return known.get(reason, one_line(reason.replace("_", " ")))


def _link(url: str | None) -> str | None:
    """Only what a browser opens as a page: a `javascript:` in a mail is somebody's attempt."""
    is_page = url is not None and url.isprintable() and url.lower().startswith(("https://", "http://"))
    return url if is_page else None


def _about(content: Content) -> str:
    return {"competitor": "a competitor", "provider": "a provider"}.get(content.about, "somebody else")


def _attachments(piece: FeedbackClassified) -> list[str]:
    if piece.confidential:
        return [one_line(attachment.media_type) for attachment in piece.attachments[:_MOST_NAMES]]
    return [one_line(attachment.name) for attachment in piece.attachments[:_MOST_NAMES]]


def who_said(piece: FeedbackClassified, directory: Directory) -> str:
    """As far as readers may know: of a confidential piece the codename, and a department large enough."""
    if piece.confidential:
        department = directory.departments.get(piece.reported_by.department or "")
        shown = f"{one_line(piece.codename or 'somebody')}, in confidence"
        return f"{shown} ({department.name})" if department is not None else shown
    reporter = _speaker(piece.reported_by, directory)
    if piece.occasion is not None:
        occasion = _OCCASIONS.get(piece.occasion, one_line(piece.occasion.replace("_", " ")))
        other = f" with {_speaker(piece.spoken_for, directory)}" if piece.spoken_for is not None else ""
        return f"{reporter}, from {occasion}{other}"
    if piece.spoken_for is None:
        return reporter
    return f"{_speaker(piece.spoken_for, directory)}, reported by {reporter}"


def _speaker(speaker: Speaker, directory: Directory) -> str:
    account = directory.accounts.get(speaker.account or "")
    department = directory.departments.get(speaker.department or "")
    known = [
        "" if speaker.affiliation is Affiliation.UNKNOWN else speaker.affiliation.value,
        account.name if account is not None else "",
        department.name if department is not None else "",
    ]
    details = ", ".join(part for part in known if part)
    name = one_line(speaker.display_name) or "somebody"
    return f"{name} ({details})" if details else name
