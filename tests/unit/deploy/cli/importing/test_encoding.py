"""Encodings of files that say nothing of theirs."""

from __future__ import annotations

import io

import pytest

from deploy.cli.importing.encoding import encoding_of, known
from deploy.cli.output import Failed

GERMAN = "Die Übertragung hängt, die Größe stimmt nicht, und für 5 € ist das übel. "
FRENCH = "La facture n'est pas arrivée, le relevé de mars a été oublié à l'accueil. "
SPANISH = "¿Por qué llega tarde la factura? El año pasado no ocurría, señores. "
POLISH = "Łatwość obsługi jest świetna, ale czekałem dwa tygodnie na odpowiedź zespołu. "
RUSSIAN = "Счёт пришёл с опозданием, и никто не смог объяснить эту строку. "  # noqa: RUF001 - Cyrillic
JAPANESE = "請求書の内容がわかりません。サポートに電話しましたが、つながりませんでした。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        (SPANISH, "cp1252"),
        (RUSSIAN, "cp1251"),
        (JAPANESE, "cp932"),
        (GERMAN, "utf-8"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (POLISH, "utf-8"),
        ("nothing but ASCII", "utf-8"),
    ],
)
def test_what_was_written_is_read(text: str, encoding: str) -> None:
    content = (text * 10).encode(encoding)
    assert content.decode(encoding_of(io.BytesIO(content))).lstrip("\ufeff") == text * 10


def test_western_texts_of_a_few_words_are_not_taken_for_another_alphabet() -> None:
    assert encoding_of(io.BytesIO("id;Text\n1;Größe fehlt\n".encode("cp1252"))) == "cp1252"


def test_a_broken_byte_among_letters_of_utf_8_makes_no_other_encoding_of_it() -> None:
    assert encoding_of(io.BytesIO("schön, größer\n".encode() * 20 + b"sch\xf6n\n")) == "utf-8"


def test_a_letter_that_the_sample_cuts_in_two_makes_no_other_encoding_of_it() -> None:
    content = ("a" + "ü" * 300_000).encode()
    assert encoding_of(io.BytesIO(content)) == "utf-8"


def test_an_encoding_is_known_by_many_names() -> None:
    assert known("latin-1") == "iso8859-1"
    assert known("UTF8") == "utf-8-sig"
    for name in ("klingon", "rot13", "hex"):
        with pytest.raises(Failed):
            known(name)
