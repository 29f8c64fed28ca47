"""A piece without whoever said it: its words and tags stay, for trends; nothing in it leads to a person."""

from __future__ import annotations

import re

from shared import ids
from shared.domain.masking import mask, mask_contacts
from shared.events.feedback import FeedbackClassified, Hints, Speaker, Tags

_MIN_NAME_CHARS = 3


def anonymised(piece: FeedbackClassified) -> FeedbackClassified:
    """No person, account, department, address, link, id of elsewhere, attachment or quoted span is left.

    Segment, persona and affiliation stay, as what a kind of customer said. Names of whoever spoke, mail
    addresses and telephone numbers are masked in the text; other names in it are not known to be names.
    """
    names = _names(piece)
    return piece.model_copy(
        update={
            "title": mask_contacts(mask(piece.title, names)),
            "text": mask_contacts(mask(piece.text, names)),
            "content_hash": "",
            "external_id": None,
            "thread_id": None,
            "url": None,
            "attachments": (),
            "reported_by": _nobody(piece.reported_by, piece.feedback_id),
            "spoken_for": _nobody(piece.spoken_for, piece.feedback_id) if piece.spoken_for else None,
            "codename": None,
            "reply_to": None,
            "hints": Hints(product=piece.hints.product, touchpoint=piece.hints.touchpoint),
            "tags": _without_spans(piece.tags),
        }
    )


def _names(piece: FeedbackClassified) -> list[str]:
    """Full names and their parts, the longest first."""
    speakers = (piece.reported_by, *((piece.spoken_for,) if piece.spoken_for else ()))
    whole = {speaker.display_name for speaker in speakers if speaker.display_name}
    parts = {part for name in whole for part in re.split(r"[\s,.;()<>]+", name) if part[:1].isupper()}
    return sorted((name for name in whole | parts if len(name) >= _MIN_NAME_CHARS), key=len, reverse=True)


def _nobody(speaker: Speaker, feedback_id: str) -> Speaker:
    return Speaker(
        person_id=ids.anonymous_id(feedback_id),
        affiliation=speaker.affiliation,
        segment=speaker.segment,
        persona=speaker.persona,
    )


def _without_spans(tags: Tags) -> Tags:
    """What they were read from stood at places of the text as it was."""
    return tags.model_copy(
        update={
            "touchpoints": tuple(tag.model_copy(update={"evidence": ()}) for tag in tags.touchpoints),
            "lenses": tuple(tag.model_copy(update={"evidence": ()}) for tag in tags.lenses),
            "judgements": tuple(one.model_copy(update={"evidence": ()}) for one in tags.judgements),
        }
    )
