"""How a piece is read: its language, and what of it is mere courtesy."""

from __future__ import annotations

import pytest

from tests.support.feedback import piece
from tests.support.tagger import tag, tagger


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Hello team,\nThe bill is wrong.\nKind regards\nJohn Smith", ["The bill is wrong."]),
        ("Dear Sir or Madam,\nit broke.\nThank you in advance for your help!", ["it broke."]),
        ("Sehr geehrte Damen und Herren,\nes ist kaputt.\nMit freundlichen Grüßen\nMax", ["es ist kaputt."]),
        ("Bonjour, la facture est fausse. Merci", ["Bonjour, la facture est fausse."]),
        ("Hola, no funciona la app. Gracias de antemano.", ["Hola, no funciona la app."]),
        ("hi app broken", ["hi app broken"]),
        ("The bill is wrong.\n\nWiebke Harms\nHead of IT, Hafenkontor", ["The bill is wrong."]),
        ("Router kaputt\nBitte melden", ["Router kaputt", "Bitte melden"]),
        ("Great Service", ["Great Service"]),
        ("Thank you!", ["Thank you!"]),
        ("See https://example.org/a?b=c\nhttps://example.org/shot.png", ["See https://example.org/a?b=c"]),
    ],
)
def test_what_is_read(text: str, read: list[str]) -> None:
    assert [segment.text for segment in tagger()._segments.read(piece(text=text)).segments] == read


def test_the_title_is_read_first_and_named_as_such() -> None:
    segments = tagger()._segments.read(piece(title="Bill wrong", text="It is too high.")).segments
    assert [(segment.field, segment.start, segment.text) for segment in segments] == [
        ("title", 0, "Bill wrong"),
        ("text", 0, "It is too high."),
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The invoice of March is wrong.", "en"),
        ("Die Rechnung vom März ist falsch.", "de"),
        ("La facture de mars est fausse.", "fr"),
        ("La factura de marzo está mal.", "es"),
        ("De factuur van maart klopt niet.", "nl"),
        ("\u8d26\u5355\u6709\u8bef\u8bf7\u66f4\u6b63\u8c22\u8c22", "zh"),
        ("", "und"),
        ("ok", "und"),
        ("12345 67890", "und"),
        ("\U0001f44d\U0001f44d", "und"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert tag(text).language == language
