"""Input → expected, for polarity, kind, whom it is about, and urgency."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.events.feedback import Attachment, Rating
from tests.support.tagger import tag
from tests.unit.services.classifier.engines.rows import EXAMPLES, MESSAGES, ROWS, Row

SCREENSHOT = Attachment(id="a", name="signup.png", media_type="image/png", size_bytes=9, sha256="0")


@pytest.mark.parametrize("row", ROWS, ids=[row.text for row in ROWS])
def test_row(row: Row) -> None:
    tags = tag(row.text)
    said = (tags.polarity, tags.kind, tags.about, " ".join(tags.urgency_reasons))
    assert said == (row.polarity, row.kind, row.about, row.urgent)
    assert tags.urgency == ("urgent" if row.urgent else "normal")


def test_the_table_is_large_and_in_four_languages() -> None:
    languages = Counter(tag(row.text).language for row in ROWS)
    assert len(ROWS) >= 60
    assert len(EXAMPLES) >= 15
    assert min(languages[language] for language in ("en", "de", "fr", "es")) >= 15


@pytest.mark.parametrize(("text", "polarity"), MESSAGES, ids=[text[:60] for text, _ in MESSAGES])
def test_whole_messages(text: str, polarity: str) -> None:
    assert tag(text).polarity == polarity


def test_the_example_this_product_began_with() -> None:
    tags = tag("I really like how THEY manage the creation of accounts", attachments=(SCREENSHOT,))
    assert (tags.polarity, tags.kind, tags.about) == ("change", "example", "other")
    assert [touchpoint.id for touchpoint in tags.touchpoints] == ["account-creation"]
    assert tags.products == ("portal",)
    assert not tags.needs_triage


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"attachments": (SCREENSHOT.model_copy(update={"name": "telvanta-signup.png"}),)}, "competitor"),
        ({"url": "https://www.skylane-carrier.example/join"}, "provider"),
        ({"title": "Telvanta"}, "competitor"),
        ({"attachments": (SCREENSHOT,)}, "other"),
    ],
)
def test_whom_it_is_about_shows_beside_the_words_too(fields: dict[str, object], about: str) -> None:
    tags = tag("I really like how THEY manage the creation of accounts", **fields)
    assert (tags.kind, tags.about) == ("example", about)


@pytest.mark.parametrize(
    ("text", "value", "polarity", "kind"),
    [
        ("", 5, "keep", "praise"),
        ("", 1, "change", "problem"),
        ("", 3, "neutral", "other"),
        ("We have forty employees.", 1, "change", "problem"),
        ("Great, thanks for nothing, brilliant.", 1, "change", "problem"),
        ("The app crashes every day.", 5, "change", "problem"),
        ("Where do I find the invoice?", 5, "neutral", "question"),
    ],
)
def test_a_rating_speaks_where_words_do_not(text: str, value: float, polarity: str, kind: str) -> None:
    tags = tag(text, rating=Rating(value=value, min=1, max=5))
    assert (tags.polarity, tags.kind) == (polarity, kind)


def test_a_judgement_shows_the_words_it_comes_from() -> None:
    tags = tag("We use four lines. Telvanta's invoice is beautiful, and our lawyer will write you.")
    shown = {
        judgement.reason or judgement.tag: [evidence.quote for evidence in judgement.evidence]
        for judgement in tags.judgements
    }
    assert shown["about"] == ["Telvanta"]
    assert shown["legal_threat"] == ["our lawyer"]
