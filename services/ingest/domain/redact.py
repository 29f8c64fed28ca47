"""What nobody should have sent us goes before anything is stored or published."""

from __future__ import annotations

from dataclasses import replace

from services.ingest.domain.redact_cards import redact_cards
from services.ingest.domain.redact_secrets import redact_secrets
from services.ingest.domain.submission import Submission


def redact(submission: Submission) -> Submission:
    """Title and text without payment card numbers and secrets; a placeholder shows where one stood.

    Idempotent. Attachments are not looked into. Expects normalised text: it knows no other line end than LF.
    """
    title = redact_text(submission.title)
    text = redact_text(submission.text)
    if title is submission.title and text is submission.text:
        return submission
    return replace(submission, title=title, text=text)


def redact_text(text: str) -> str:
    if not text:
        return text
    return redact_secrets(redact_cards(text))
