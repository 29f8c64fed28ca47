"""What is left of an old piece: words and tags, nobody."""

from __future__ import annotations

from services.classifier.domain.anonymise import anonymised
from shared.domain.lens import Lens
from shared.events.feedback import (
    Attachment,
    Evidence,
    FeedbackClassified,
    LensTag,
    ReplyTo,
    Speaker,
    Tags,
    TouchpointTag,
)
from tests.support.company import piece

SPAN = (Evidence(field="text", start=0, end=3, quote="Ada"),)
PIECE: FeedbackClassified = piece().model_copy(
    update={
        "title": "Ada Lovelace writes",
        "text": "Ada Lovelace here (ada@customer.example, +49 30 1234567): the bill is unclear.",
        "external_id": "ticket-1",
        "thread_id": "thread-1",
        "url": "https://desk.customer.example/1",
        "reported_by": Speaker(
            person_id="p-ada", display_name="Ada Lovelace", account="acme", segment="core", persona="buyer"
        ),
        "spoken_for": Speaker(person_id="p-bob", display_name="Bob Byron", department="it", account="acme"),
        "attachments": (
            Attachment(id="a", name="ada.png", media_type="image/png", size_bytes=1, sha256="0" * 64),
        ),
        "reply_to": ReplyTo(receiver="email", address="ada@customer.example"),
        "tags": Tags(
            touchpoints=(TouchpointTag(id="bill", score=0.9, evidence=SPAN),),
            lenses=(LensTag(id=Lens.DESIGN, score=0.8, evidence=SPAN),),
        ),
    }
)


def test_nothing_leads_to_a_person_any_more() -> None:
    left = anonymised(PIECE).model_dump_json()
    for word in ("Ada", "Lovelace", "Bob", "Byron", "customer.example", "1234567", "p-ada", "p-bob", "acme"):
        assert word not in left
    for word in ("ticket-1", "thread-1", "ada.png", "quote", '"it"'):
        assert word not in left


def test_words_tags_and_what_kind_of_customer_said_it_stay() -> None:
    left = anonymised(PIECE)
    assert left.text == "[name removed] here ([address removed], [number removed]): the bill is unclear."
    assert [(tag.id, tag.score) for tag in left.tags.touchpoints] == [("bill", 0.9)]
    assert (left.reported_by.segment, left.reported_by.persona) == ("core", "buyer")
    assert (left.feedback_id, left.revision, left.occurred_at) == (
        PIECE.feedback_id,
        PIECE.revision,
        PIECE.occurred_at,
    )


def test_done_twice_is_done_once() -> None:
    assert anonymised(anonymised(PIECE)) == anonymised(PIECE)
